"""Who may see and manage the programs that use the product."""

from itr.actor import Actor
from itr.people.roles import Permission
from itr.visibility import Visible


def visible_clients(actor: Actor) -> Visible:
    """All clients for those who manage them, none for anybody else."""
    if actor.may(Permission.MANAGE_CLIENTS):
        return Visible.everything()
    return Visible.nothing()
