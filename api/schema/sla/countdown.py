"""What `slaCountdown` tells: a clock that displays let tick by themselves."""

from datetime import datetime, timedelta
from uuid import UUID

import strawberry

from api.planner.fields import payload_field
from api.schema.sla.types import Clock
from itr.sla.countdown import Running
from itr.sla.terms import ClockState, Thread


@strawberry.type(description="A clock as a display needs it to tick by itself (R-SLA-13). 倒计时")
class SlaCountdown:
    """A clock as a display needs it to tick by itself."""

    running: strawberry.Private[Running]
    request_id: strawberry.ID = strawberry.field(description="The request it measures.")
    clock: Clock | None = payload_field(
        "clock_key", description="The clock itself, read as of now; for what a countdown lacks."
    )
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

    @property
    def clock_key(self) -> UUID:
        """The row of the clock."""
        return self.running.id
