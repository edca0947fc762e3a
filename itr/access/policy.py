"""Who may see and manage the programs that use the product."""

from itr.actors.actor import Actor
from itr.actors.roles import Permission
from itr.visibility import Visible


def visible_approvals(actor: Actor) -> Visible:
    """Everything that waits, or waited, for those who may approve it; nothing for others."""
    if actor.may(Permission.APPROVE_ACCESS):
        return Visible.everything()
    return Visible.nothing()


def visible_clients(actor: Actor) -> Visible:
    """All clients for those who manage them, none for anybody else."""
    if actor.may(Permission.MANAGE_CLIENTS):
        return Visible.everything()
    return Visible.nothing()
