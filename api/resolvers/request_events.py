"""Live requests: the subscription `requestEvents`."""

from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import strawberry
from graphql import GraphQLSchema
from graphql.execution.values import get_argument_values

from api.planner.matching import matching
from api.planner.plain import variables_of
from api.planner.stored import stored_type
from api.resolvers.permissions import may
from api.schema.live import (
    RequestChanged,
    RequestEventMessage,
    RequestRemoved,
    RequestResync,
    RequestSnapshot,
)
from api.schema.requests import RequestFilter, ServiceRequest
from api.transport.context import Context
from api.transport.live import Kind, Look, Update, look_at
from itr.events.cursor import Position
from itr.events.feed import Event
from itr.people.roles import Permission

LISTED = 200
"""How many requests a snapshot lists at most."""


@dataclass(frozen=True)
class RequestsWatch:
    """Follows the requests a filter keeps, within the actor's sight."""

    schema: GraphQLSchema
    filter: dict[str, Any] | None
    name: str = "requestEvents"
    permission: Permission = Permission.READ_REQUESTS

    @property
    def key(self) -> bytes:
        """Equal filters are one source."""
        return orjson.dumps(self.filter, default=str, option=orjson.OPT_SORT_KEYS)

    def subject_of(self, event: Event) -> UUID | None:
        """Whatever stands on a request's timeline may change it."""
        return event.stream if event.subject_type in ("request", "clock", "bulletin") else None

    async def look(self, context: Context, keys: Collection[UUID] | None) -> Look:
        """Which of these requests match now, with their versions."""
        rows = matching(
            self.schema,
            ServiceRequest,
            self.filter,
            context,
            select="{t}.id, {t}.version",
            keys=keys,
            tail=f"order by {{t}}.updated_at desc limit {LISTED + 1}" if keys is None else "",
        )
        seen = await look_at(context.pool, rows.sql, *rows.arguments)
        if keys is not None or len(seen.versions) <= LISTED:
            return seen
        kept = dict(list(seen.versions.items())[:LISTED])
        return Look(seen.taken, kept, complete=False)

    async def seen_before(
        self,
        context: Context,
        keys: Collection[UUID],
        position: Position,  # noqa: ARG002 - sight does not depend on it
    ) -> Collection[UUID]:
        """Those within sight, which only the filter no longer keeps: sight itself never shrinks.

        A partner keeps sight of what it handed back; another role is another source.
        """
        rows = matching(self.schema, ServiceRequest, None, context, select="{t}.id", keys=keys)
        return [row["id"] for row in await context.pool.fetch(rows.sql, *rows.arguments)]


def told(update: Update) -> Iterable[object]:
    """One message of the feed for one update."""
    match update.kind:
        case Kind.SNAPSHOT:
            keys = list(update.versions)
            yield RequestSnapshot(keys=keys, cursor=update.cursor, complete=len(keys) < LISTED)
        case Kind.CHANGED:
            assert update.subject is not None
            yield RequestChanged(
                key=update.subject,
                event_keys=[event.uid for event in update.events],
                cursor=update.cursor,
                version=update.version,
            )
        case Kind.REMOVED:
            assert update.subject is not None
            public = stored_type(ServiceRequest).write_id(update.subject)
            yield RequestRemoved(cursor=update.cursor, request_id=strawberry.ID(public))
        case Kind.RESYNC:
            yield RequestResync(cursor=update.cursor)


@strawberry.type
class RequestEventSubscription:
    """Requests, live."""

    @strawberry.subscription(
        permission_classes=[may(Permission.READ_REQUESTS)],
        description="Requests that match: a snapshot, then changes and removals, resumable.",
    )
    async def request_events(
        self,
        info: strawberry.Info,
        filter: RequestFilter | None = None,  # noqa: ARG002 - read as the client wrote it
        after: str | None = None,
    ) -> AsyncGenerator[RequestEventMessage, None]:
        """A feed of requests (Decision 5)."""
        raw = info._raw_info
        definition = raw.parent_type.fields[raw.field_name]
        given = get_argument_values(definition, raw.field_nodes[0], variables_of(raw))
        watch = RequestsWatch(raw.schema, given.get("filter"))
        messages = info.context.live.follow(info.context, watch, after, told)
        async with aclosing(messages) as following:
            async for message in following:
                yield message
