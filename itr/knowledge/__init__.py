"""Knowledge: problems behind requests (R-LNK-01)."""
