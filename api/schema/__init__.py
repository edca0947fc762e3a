"""Shapes: one module per area."""
