"""Whose list is whose: a person sees their own and nobody else's (R-NOT-01, R-ROLE-03)."""

from itr.actors.actor import Actor
from itr.actors.roles import Permission
from itr.sight.row_filter import RowFilter


def visible_notifications(actor: Actor) -> RowFilter:
    """The actor's own list; nobody reads another's, whatever their roles."""
    if not actor.may(Permission.READ_NOTIFICATIONS):
        return RowFilter.nothing()
    return RowFilter("{alias}.person_id = :reader", {"reader": actor.id})
