"""Which rows an actor may see, said once as SQL so that every read path can use the same words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Visible:
    """A boolean SQL expression over one row.

    `{alias}` stands for the row and `:name` for a value of `arguments`. The text must depend on
    nothing but the *kind* of the actor's scope, so that equal kinds share one prepared statement;
    everything that differs from actor to actor is an argument.
    """

    sql: str
    arguments: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def everything(cls) -> Visible:
        """Let every row through."""
        return cls("true")

    @classmethod
    def nothing(cls) -> Visible:
        """Let no row through."""
        return cls("false")

    def at(self, alias: str) -> str:
        """Return the expression with the row's alias written in."""
        return self.sql.replace("{alias}", alias)
