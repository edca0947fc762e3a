"""Refusing what an actor's roles do not carry (R-ROLE-02)."""

from itr.actors.actor import Actor
from itr.actors.roles import Permission
from itr.errors import Forbidden


def ensure_may(actor: Actor, permission: Permission) -> None:
    """Raise Forbidden unless one of the actor's roles carries the permission."""
    if not actor.may(permission):
        raise Forbidden()
