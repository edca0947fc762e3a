"""Which recalculations an actor may see: they are about everybody's requests (R-ROLE-03)."""

from itr.actors.actor import Actor
from itr.visibility import Visible


def visible_recalculations(actor: Actor) -> Visible:
    """Whoever sees everything."""
    return Visible.everything() if actor.scope.sees_all else Visible.nothing()


visible_recalculation_lines = visible_recalculations
