"""Which problems an actor may see: our own people's (R-ROLE-06)."""

from itr.actors.actor import Actor
from itr.actors.roles import Permission
from itr.sight.requests import visible_requests
from itr.sight.row_filter import RowFilter


def visible_problems(actor: Actor) -> RowFilter:
    """Everything inside; a branch those behind its requests; customers and partners none."""
    if not actor.may(Permission.READ_INTERNAL):
        return RowFilter.nothing()
    if actor.scope.sees_all:
        return RowFilter.everything()
    sight = visible_requests(actor)
    behind = (
        "exists (select 1 from request caused"
        f" where caused.problem_id = {{alias}}.id and {sight.at('caused')})"
    )
    return RowFilter(behind, sight.arguments)
