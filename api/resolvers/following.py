"""Following the rows of a stored type that a client's filter keeps, live (Decision 5)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
import strawberry
from graphql import GraphQLSchema
from graphql.execution.values import get_argument_values

from api.planner.matching import matching
from api.planner.plain import variables_of
from api.transport.context import Context
from api.transport.live import Look, look_at
from itr.events.cursor import Position
from itr.events.feed import Event
from itr.people.roles import Permission


@dataclass(frozen=True)
class Followed:
    """What a subscription follows: which rows, as of which events, in which order.

    `where`, `version`, `order` and `changes_at` are SQL texts, over `{t}` and, the last, over the
    rows found, called `seen`, as of `{now}`; sight of a row must never shrink for an actor whose
    scope stays.
    """

    name: str
    target: type
    permission: Permission
    subjects: frozenset[str]
    """The kinds of events on a row's stream that may change it."""
    order: str
    listed: int
    """How many rows a snapshot lists at most, the first in order."""
    where: str = "true"
    version: str = "{t}.version"
    changes_at: str | None = None
    """When what is seen of these rows changes by the passing of time alone."""


@dataclass(frozen=True)
class FilterWatch:
    """Follows the rows a client's filter keeps, within the actor's sight."""

    followed: Followed
    schema: GraphQLSchema
    filter: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The subscription field."""
        return self.followed.name

    @property
    def permission(self) -> Permission:
        """What following demands."""
        return self.followed.permission

    @property
    def key(self) -> bytes:
        """Equal filters are one source."""
        return orjson.dumps(self.filter, default=str, option=orjson.OPT_SORT_KEYS)

    def subject_of(self, event: Event) -> UUID | None:
        """Whatever of these kinds stands on a row's stream may change it."""
        return event.stream if event.subject_type in self.followed.subjects else None

    async def look(self, context: Context, keys: Collection[UUID] | None) -> Look:
        """Which of these rows match now, with their versions."""
        followed = self.followed
        rows = matching(
            self.schema,
            followed.target,
            self.filter,
            context,
            select=f"{{t}}.id, {followed.version} as version",
            keys=keys,
            where=followed.where,
            tail=f"order by {followed.order} limit {followed.listed + 1}" if keys is None else "",
        )
        arguments, changes_at = [*rows.arguments], "null::timestamptz"
        if followed.changes_at is not None:
            arguments.append(context.now)
            changes_at = followed.changes_at.replace("{now}", f"${len(arguments)}::timestamptz")
        seen = await look_at(context.pool, rows.sql, *arguments, changes_at=changes_at)
        if keys is not None or len(seen.versions) <= followed.listed:
            return seen
        kept = dict(list(seen.versions.items())[: followed.listed])
        return replace(seen, versions=kept, complete=False)

    async def seen_before(
        self,
        context: Context,
        keys: Collection[UUID],
        position: Position,  # noqa: ARG002 - sight does not depend on it
    ) -> Collection[UUID]:
        """Those within sight, which only the filter no longer keeps."""
        target = self.followed.target
        rows = matching(self.schema, target, None, context, select="{t}.id", keys=keys)
        return [row["id"] for row in await context.pool.fetch(rows.sql, *rows.arguments)]


def watch_of(info: strawberry.Info, followed: Followed) -> FilterWatch:
    """The watch for a subscription field's `filter`, as the client wrote it."""
    raw = info._raw_info
    definition = raw.parent_type.fields[raw.field_name]
    given = get_argument_values(definition, raw.field_nodes[0], variables_of(raw))
    return FilterWatch(followed, raw.schema, given.get("filter"))
