"""Refusing what an actor's roles do not carry (R-ROLE-02)."""

from itr.actor import Actor
from itr.errors import Forbidden
from itr.people.roles import Permission


def ensure_may(actor: Actor, permission: Permission) -> None:
    """Raise Forbidden unless one of the actor's roles carries the permission."""
    if not actor.may(permission):
        raise Forbidden()
