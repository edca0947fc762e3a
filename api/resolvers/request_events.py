"""Live requests: the subscription `requestEvents`."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import strawberry

from api.resolvers.following import Followed, followed, watch_of
from api.resolvers.permissions import may
from api.schema.requests.events import REQUEST_FEED
from api.schema.requests.types import RequestFilter, ServiceRequest
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


@strawberry.type
class RequestEventSubscription:
    """Requests, live."""

    @strawberry.subscription(
        graphql_type=REQUEST_FEED.message,
        permission_classes=[may(Permission.READ_REQUESTS)],
        description="Requests that match: a snapshot, then changes and removals, resumable.",
    )
    async def request_events(
        self,
        info: strawberry.Info,
        filter: RequestFilter | None = None,  # noqa: ARG002 - read as the client wrote it
        after: str | None = None,
    ) -> AsyncGenerator[Any, None]:
        """A feed of requests (Decision 5)."""
        ours = info.context.actor.may(Permission.READ_INTERNAL)
        return followed(info, watch_of(info, INSIDE if ours else REQUESTS), after, REQUEST_FEED)
