"""Shapes of figures, and the way from a figure to its requests."""
