"""Changing who may get in: persons and their roles, clients, grants, devices, sessions, keys."""
