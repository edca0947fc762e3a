"""Shapes of being told: a person's list."""
