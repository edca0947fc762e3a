"""Which rows an actor may see, said once as SQL so that every read path can use the same words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from itr.actors.actor import Actor, Reach

_NAMED = re.compile(r"(?<![:\w]):([a-z_]\w*)")


@dataclass(frozen=True)
class RowFilter:
    """A boolean SQL expression over one row.

    `{alias}` stands for the row and `:name` for a value of `arguments`. The text must depend on
    nothing but the *kind* of the actor's scope, so that equal kinds share one prepared statement;
    everything that differs from actor to actor is an argument.
    """

    sql: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def everything(cls) -> RowFilter:
        """Let every row through."""
        return cls("true")

    @classmethod
    def nothing(cls) -> RowFilter:
        """Let no row through."""
        return cls("false")

    def at(self, alias: str) -> str:
        """Return the expression with the row's alias written in."""
        return self.sql.replace("{alias}", alias)

    def numbered(self, alias: str, after: int) -> tuple[str, list[object]]:
        """Return the expression with its values as `$after+1` and on, and those values in order.

        Names are replaced whole, so that one may begin like another; casts (`::uuid`) stay.
        """
        places = {name: after + number for number, name in enumerate(self.arguments, start=1)}
        sql = _NAMED.sub(lambda found: f"${places[found.group(1)]}", self.at(alias))
        return sql, list(self.arguments.values())


def by_reach(actor: Actor, wordings: Mapping[Reach, str]) -> RowFilter:
    """Everything, or the rows any of the actor's reaches lets through; no wording lets none."""
    scope = actor.scope
    if scope.sees_all:
        return RowFilter.everything()
    words = [wordings[reach] for reach in sorted(scope.reaches) if reach in wordings]
    if not words or scope.organisation_id is None:
        return RowFilter.nothing()
    return RowFilter("(" + " or ".join(words) + ")", {"scope_organisation": scope.organisation_id})


def through(seen: RowFilter, table: str, name: str, joined: str) -> RowFilter:
    """The rows that are `joined` to a row of `table`, called `name`, that may be seen."""
    if seen.sql in {"true", "false"}:
        return seen
    sql = f"exists (select 1 from {table} {name} where {joined} and {seen.at(name)})"
    return RowFilter(sql, seen.arguments)
