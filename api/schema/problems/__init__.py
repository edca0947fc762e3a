"""Shapes of problems: the cause behind requests."""
