"""Shapes of access: OAuth clients, and what waits for a second person."""
