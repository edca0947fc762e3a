"""What `requestEvents` tells: snapshots and changes of requests."""

from typing import Annotated
from uuid import UUID

import strawberry

from api.planner import read as planner
from api.planner.fields import payload_field
from api.schema.requests import ServiceRequest
from api.schema.timeline import TimelineEvent
from api.schema.vocabulary import CURSOR
from itr.sight.row_filter import RowFilter


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
        sight = RowFilter("{alias}.id = any(:keys::uuid[])", {"keys": self.keys})
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
        sight = RowFilter("{alias}.uid = any(:keys::uuid[])", {"keys": self.event_keys})
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
