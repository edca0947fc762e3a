"""Shapes of people: organisations, persons, queues, projects."""
