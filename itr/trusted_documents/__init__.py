"""Documents that clients registered, and how much of the schema is used by whom."""
