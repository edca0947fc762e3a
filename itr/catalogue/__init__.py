"""Catalogue: calendars, service levels, contracts and what they entitle to."""
