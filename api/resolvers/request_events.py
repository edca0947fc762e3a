"""Live requests: the subscription `requestEvents`."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import replace

import strawberry

from api.planner.stored import stored_type
from api.resolvers.following import Followed, watch_of
from api.resolvers.permissions import may
from api.schema.request_events import (
    RequestChanged,
    RequestEventMessage,
    RequestRemoved,
    RequestResync,
    RequestSnapshot,
)
from api.schema.requests import RequestFilter, ServiceRequest
from api.transport.live import Kind, Update
from itr.actors.roles import Permission

REQUESTS = Followed(
    name="requestEvents",
    target=ServiceRequest,
    permission=Permission.READ_REQUESTS,
    subjects=frozenset({"request", "clock", "bulletin"}),
    order="{t}.updated_at desc",
    listed=200,
)
"""Whatever stands on a request's timeline may change it.

Sight never shrinks: a partner keeps that of what it handed back; another role is another source.
"""
INSIDE = replace(REQUESTS, subjects=REQUESTS.subjects | {"escalation"})
"""What our own people follow: they see escalations, too."""


def messages_of(update: Update) -> Iterable[object]:
    """One message of the feed for one update."""
    match update.kind:
        case Kind.SNAPSHOT:
            keys = list(update.versions)
            yield RequestSnapshot(keys=keys, cursor=update.cursor, complete=update.complete)
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
        ours = info.context.actor.may(Permission.READ_INTERNAL)
        watch = watch_of(info, INSIDE if ours else REQUESTS)
        messages = info.context.live.follow(info.context, watch, after, messages_of)
        async with aclosing(messages) as following:
            async for message in following:
                yield message
