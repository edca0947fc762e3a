"""Changing queues, the first administrator, and loading who acts (R-ORG-04, R-ROLE-01)."""

from itr.people.operations.actors import find_actor_for_role, load_actor
from itr.people.operations.founding import appoint_admin
from itr.people.operations.queues import add_queue_member, create_queue, remove_queue_member

__all__ = [
    "add_queue_member",
    "appoint_admin",
    "create_queue",
    "find_actor_for_role",
    "load_actor",
    "remove_queue_member",
]
