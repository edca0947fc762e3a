"""What subscriptions tell: countdowns, and snapshots and changes of requests."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import strawberry

from api.planner import read as planner
from api.planner.fields import payload_field
from api.schema.requests import ServiceRequest
from api.schema.timeline import TimelineEvent
from itr.sla.countdown import Running
from itr.sla.terms import ClockState, Thread
from itr.visibility import Visible

CURSOR = "Give it to `after` to go on from here with nothing missed and nothing twice."


@strawberry.type(description="A clock as a display needs it to tick by itself (R-SLA-13). 倒计时")
class SlaCountdown:
    """A clock as a display needs it to tick by itself."""

    clock: strawberry.Private[Running]
    request_id: strawberry.ID = strawberry.field(description="The request it measures.")
    thread: Thread = strawberry.field(description="Which thread.")
    state: ClockState = strawberry.field(description="How it stands.")
    deadline: datetime | None = strawberry.field(description="When it is due; null while paused.")
    remaining: timedelta | None = strawberry.field(
        description="Working time left at `serverTime`; negative is lateness."
    )
    counting: bool = strawberry.field(description="Whether `remaining` falls now.")
    counting_changes_at: datetime | None = strawberry.field(
        description="When `counting` changes by the calendar; a message comes then."
    )
    next_alarm_at: datetime | None = strawberry.field(description="When the next alarm fires.")
    version: int = strawberry.field(description="Rises on start, retarget and reopen.")
    sequence: str = strawberry.field(description="Where in the event log this stands, sealed.")
    server_time: datetime = strawberry.field(description="The instant all of this is as of.")


@strawberry.type(description="The requests that match now; later messages change this picture.")
class RequestSnapshot:
    """The requests that match now."""

    keys: strawberry.Private[list[UUID]]
    cursor: str = strawberry.field(description=CURSOR)
    complete: bool = strawberry.field(
        description="False when there are more than the 200 listed, most recently changed first."
    )

    @strawberry.field(description="The requests, most recently changed first.")
    async def requests(self, info: strawberry.Info) -> list[ServiceRequest]:
        """The requests of the snapshot, in one statement."""
        sight = Visible("{alias}.id = any(:keys::uuid[])", {"keys": self.keys})
        found: list[ServiceRequest] = await planner.many(
            info, ServiceRequest, where=sight, order="{t}.updated_at desc"
        )
        return found


@strawberry.type(description="A request changed, or came to match.")
class RequestChanged:
    """A request changed, or came to match."""

    key: strawberry.Private[UUID]
    event_keys: strawberry.Private[list[UUID]]
    cursor: str = strawberry.field(description=CURSOR)
    version: int = strawberry.field(description="Of the request; the higher version wins.")
    request: ServiceRequest | None = payload_field("key", description="The request as it is now.")

    @strawberry.field(description="What happened, as far as you may see it, oldest first.")
    async def events(self, info: strawberry.Info) -> list[TimelineEvent]:
        """The timeline entries behind the change, in one statement."""
        sight = Visible("{alias}.uid = any(:keys::uuid[])", {"keys": self.event_keys})
        found: list[TimelineEvent] = await planner.many(
            info, TimelineEvent, where=sight, order="{t}.uid"
        )
        return found


@strawberry.type(description="A request no longer matches, or is out of your sight.")
class RequestRemoved:
    """A request no longer matches, or is out of sight."""

    cursor: str = strawberry.field(description=CURSOR)
    request_id: strawberry.ID = strawberry.field(description="Which request.")


@strawberry.type(description="The cursor is too old; forget what you have, a snapshot follows.")
class RequestResync:
    """Forget what you have; a snapshot follows."""

    cursor: str = strawberry.field(description=CURSOR)


RequestEventMessage = Annotated[
    RequestSnapshot | RequestChanged | RequestRemoved | RequestResync,
    strawberry.union(
        "RequestEventMessage", description="What `requestEvents` tells: Snapshot, then changes."
    ),
]
