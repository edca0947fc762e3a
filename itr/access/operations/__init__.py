"""Changing who may get in: clients, grants, devices, sessions, keys."""
