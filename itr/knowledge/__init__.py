"""Knowledge: problems and, later, cases (R-LNK)."""
