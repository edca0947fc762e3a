"""Shapes of requests: the request, its timeline, boards, and what mutations on it take."""
