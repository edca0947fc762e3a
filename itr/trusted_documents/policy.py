"""Whose documents must have been registered before."""

from itr.actors.actor import Actor
from itr.actors.roles import Role

DEVELOPMENT_CLIENT = "itr"
"""The client of `itr token`: developers at work, with any document."""


def needs_trusted_documents(actor: Actor) -> bool:
    """Whether the actor may run registered documents only.

    Wallboards and the machines of partner firms: they show and do the same things for years, and
    a stolen token of theirs is good for nothing else.
    """
    if actor.client_id == DEVELOPMENT_CLIENT:
        return False
    return Role.WALLBOARD in actor.roles or (Role.PARTNER in actor.roles and actor.machine)
