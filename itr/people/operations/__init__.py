"""Changing people and organisations, and loading who acts (R-ORG-01, R-ORG-04, R-ROLE-01)."""

from itr.people.operations.actors import find_actor_for_role, load_actor
from itr.people.operations.founding import appoint_admin
from itr.people.operations.organisations import create_organisation
from itr.people.operations.persons import (
    PersonChanges,
    assign_role,
    change_person,
    create_person,
    deactivate_person,
    reactivate_person,
    revoke_role,
)
from itr.people.operations.projects import create_project
from itr.people.operations.queues import add_queue_member, create_queue, remove_queue_member

__all__ = [
    "PersonChanges",
    "add_queue_member",
    "appoint_admin",
    "assign_role",
    "change_person",
    "create_organisation",
    "create_person",
    "create_project",
    "create_queue",
    "deactivate_person",
    "find_actor_for_role",
    "load_actor",
    "reactivate_person",
    "remove_queue_member",
    "revoke_role",
]
