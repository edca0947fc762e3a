"""Which recalculations an actor may see: they are about everybody's requests (R-ROLE-03)."""

from itr.actors.actor import Actor
from itr.sight.row_filter import RowFilter


def visible_recalculations(actor: Actor) -> RowFilter:
    """Whoever sees everything."""
    return RowFilter.everything() if actor.scope.sees_all else RowFilter.nothing()


visible_recalculation_lines = visible_recalculations
