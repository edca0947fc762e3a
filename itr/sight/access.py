"""Who may see and manage the programs that use the product."""

from itr.actors.actor import Actor
from itr.actors.roles import Permission
from itr.sight.row_filter import RowFilter


def visible_approvals(actor: Actor) -> RowFilter:
    """Everything that waits, or waited, for those who may approve it; nothing for others."""
    if actor.may(Permission.APPROVE_ACCESS):
        return RowFilter.everything()
    return RowFilter.nothing()


def visible_clients(actor: Actor) -> RowFilter:
    """All clients for those who manage them, none for anybody else."""
    if actor.may(Permission.MANAGE_CLIENTS):
        return RowFilter.everything()
    return RowFilter.nothing()
