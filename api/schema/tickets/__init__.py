"""Shapes that all kinds of tickets share: management escalation."""
