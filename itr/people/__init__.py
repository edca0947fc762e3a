"""People: organisations, persons, roles, projects, queues."""
