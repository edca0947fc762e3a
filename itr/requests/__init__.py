"""Requests: the path from submission to closing."""
