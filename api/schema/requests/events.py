"""What `requestEvents` tells: snapshots and changes of requests."""

from uuid import UUID

import strawberry

from api.planner import read as planner
from api.schema.feeds import feed_of
from api.schema.requests.timeline import TimelineEvent
from api.schema.requests.types import ServiceRequest
from itr.sight.row_filter import RowFilter


@strawberry.type
class WhatHappened:
    """The timeline behind a change."""

    event_keys: strawberry.Private[list[UUID]]

    @strawberry.field(description="What happened, as far as you may see it, oldest first.")
    async def events(self, info: strawberry.Info) -> list[TimelineEvent]:
        """The timeline entries behind the change, in one statement."""
        behind = RowFilter("{alias}.uid = any(:keys::uuid[])", {"keys": self.event_keys})
        found: list[TimelineEvent] = await planner.many(
            info, TimelineEvent, where=behind, order="{t}.uid"
        )
        return found


REQUEST_FEED = feed_of(
    ServiceRequest,
    name="requestEvents",
    stem="Request",
    one="request",
    many="requests",
    listed=200,
    order="{t}.updated_at desc",
    first="most recently changed",
    told_by="RequestEventMessage",
    also_changed=WhatHappened,
)
