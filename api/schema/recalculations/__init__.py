"""Shapes of what-ifs and migrations."""
