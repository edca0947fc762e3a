"""Problems: causes behind requests (R-LNK-01)."""
