"""Following the rows of a stored type that a client's filter keeps, live (Decision 5)."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson
import strawberry
from graphql import GraphQLSchema
from graphql.execution.values import get_argument_values

from api.planner.filters import uuid_of
from api.planner.matching import Matching, Rows, kind_of_reader, write_matching
from api.planner.plain import variables_of
from api.planner.scalars import print_instant
from api.planner.stored import stored_type
from api.schema.feeds import Feed
from api.schema.people.types import Organisation
from api.transport.context import Context
from api.transport.live import Snapshot, Watch, snapshot_of
from itr.actors.roles import Permission
from itr.durations import format_duration, microseconds_of
from itr.events.cursor import Position
from itr.events.feed import Event


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


OWNERS: Mapping[str, str] = {"customerId": "customer_id", "branchId": "branch_id"}
"""Whose a row is for good, by filter field, and where its events say so."""


@dataclass(frozen=True)
class FilterWatch:
    """Follows the rows a client's filter keeps, within the actor's sight."""

    followed: Followed
    schema: GraphQLSchema
    filter: dict[str, Any] | None
    _written: dict[object, Matching] = field(default_factory=dict, compare=False)

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
        """Whatever of these kinds stands on a row's stream may change it, if it can match."""
        if event.subject_type not in self.followed.subjects:
            return None
        for where, owners in self._owned:
            whose = getattr(event, where)
            if whose is not None and whose not in owners:
                return None
        return event.stream

    @cached_property
    def _owned(self) -> list[tuple[str, frozenset[UUID]]]:
        """The owners a matching row must have: others' events need no snapshot."""
        return list(_owners(self.filter or {}))

    async def snapshot(self, context: Context, keys: Collection[UUID] | None) -> Snapshot:
        """Which of these rows match now, with their versions."""
        followed = self.followed
        rows = self._rows(context, keys)
        arguments, changes_at = [*rows.arguments], "null::timestamptz"
        if followed.changes_at is not None:
            arguments.append(context.now)
            changes_at = followed.changes_at.replace("{now}", f"${len(arguments)}::timestamptz")
        seen = await snapshot_of(context.pool, rows.sql, *arguments, changes_at=changes_at)
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
        rows = self._rows(context, keys, whatever_matches=False)
        return [row["id"] for row in await context.pool.fetch(rows.sql, *rows.arguments)]

    def _rows(
        self, context: Context, keys: Collection[UUID] | None, *, whatever_matches: bool = True
    ) -> Rows:
        """The select of these rows (all that match), or of these as far as they are in sight."""
        followed, keyed = self.followed, keys is not None
        kind = kind_of_reader(self.schema, context), keyed, whatever_matches
        if kind not in self._written:
            self._written[kind] = write_matching(
                self.schema,
                followed.target,
                self.filter if whatever_matches else None,
                context,
                select=f"{{t}}.id, {followed.version} as version",
                keyed=keyed,
                where=followed.where if whatever_matches else "true",
                tail="" if keyed else f"order by {followed.order} limit {followed.listed + 1}",
            )
        return self._written[kind].rows(context, keys)


def _owners(filter: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[UUID]]]:
    """The owners that every row a filter keeps has, as far as it names them."""
    for name, wanted in filter.items():
        if wanted is None:
            continue
        if name == "and":
            for each in wanted:
                yield from _owners(each)
        elif name in OWNERS:
            for how, given in wanted.items():
                texts = [given] if how == "eq" else given
                if how in ("eq", "in") and texts is not None and None not in texts:
                    read = (uuid_of(stored_type(Organisation), text) for text in texts)
                    yield OWNERS[name], frozenset(key for key in read if key is not None)


def watch_of(info: strawberry.Info, followed: Followed) -> FilterWatch:
    """The watch for a subscription field's `filter`, as the client wrote it."""
    return FilterWatch(followed, info._raw_info.schema, given_to(info, "filter"))


def followed(
    info: strawberry.Info, watch: Watch, after: str | None, feed: Feed
) -> AsyncGenerator[Any, None]:
    """The messages of a feed for a watch, from the cursor on."""
    messages: AsyncGenerator[Any, None] = info.context.live.follow(
        info.context, watch, after, feed.messages_of
    )
    return messages


def given_to(info: strawberry.Info, argument: str) -> Any:
    """What the client wrote for an argument of the field, its names as they stand in the schema."""
    raw = info._raw_info
    definition = raw.parent_type.fields[raw.field_name]
    return get_argument_values(definition, raw.field_nodes[0], variables_of(raw)).get(argument)


def as_json(given: Any) -> Any:
    """A filter as it may be written down and given again."""
    if isinstance(given, dict):
        return {name: as_json(value) for name, value in given.items()}
    if isinstance(given, list):
        return [as_json(value) for value in given]
    printed = next((how for kind, how in _PRINTED if isinstance(given, kind)), None)
    return given if printed is None else printed(given)


_PRINTED: Sequence[tuple[type, Callable[[Any], str]]] = (
    (Enum, lambda member: str(member.name)),
    (datetime, print_instant),
    (timedelta, lambda span: format_duration(microseconds_of(span))),
    (Decimal, str),
    (UUID, str),
)
