"""Boards, live: the subscription `slaBoard`, and `slaFigures` beside it."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

import strawberry

from api.planner.stored import stored_type
from api.resolvers.following import Followed, watch_of
from api.resolvers.permissions import may
from api.schema.boards import (
    VERSION,
    SlaBoardChanged,
    SlaBoardEntry,
    SlaBoardFilter,
    SlaBoardMessage,
    SlaBoardRemoved,
    SlaBoardResync,
    SlaBoardSnapshot,
)
from api.schema.positions import POSITION_NOW
from api.transport.live import Kind, Update
from itr.actors.roles import Permission
from itr.requests.risk import BREACHES_UNTOLD_AT, IS_OPEN, IS_RUNNING, URGENCY

BOARD = Followed(
    name="slaBoard",
    target=SlaBoardEntry,
    permission=Permission.READ_BOARD,
    subjects=frozenset({"request", "clock"}),
    order=URGENCY,
    listed=500,
    where=IS_OPEN,
    version=VERSION,
    changes_at=(
        "select least((select min(place.changes_at) from seen"
        " join clock c on c.request_id = seen.id and c.base_us is not null"
        f" and {IS_RUNNING.replace('{t}', 'c')}"
        f" join ({POSITION_NOW.sql.replace(':now', '{now}')}) place"
        f" on place.id = c.calendar_version_id), {BREACHES_UNTOLD_AT})"
    ),
)
"""Open requests; alarms, stints and recomputed clocks are events of theirs like any other.

A calendar that opens or closes is none: `counting` then changes by itself. Nor is the deadline
of a clock that sleeps: it is breached all the same.
"""


def messages_of(update: Update) -> Iterable[object]:
    """One message of the board for one update."""
    match update.kind:
        case Kind.SNAPSHOT:
            keys = list(update.versions)
            yield SlaBoardSnapshot(keys=keys, cursor=update.cursor, complete=update.complete)
        case Kind.CHANGED:
            assert update.subject is not None
            yield SlaBoardChanged(key=update.subject, cursor=update.cursor, version=update.version)
        case Kind.REMOVED:
            assert update.subject is not None
            public = stored_type(SlaBoardEntry).write_id(update.subject)
            yield SlaBoardRemoved(cursor=update.cursor, entry_id=strawberry.ID(public))
        case Kind.RESYNC:
            yield SlaBoardResync(cursor=update.cursor)


@strawberry.type
class BoardSubscription:
    """Boards, live."""

    @strawberry.subscription(
        permission_classes=[may(Permission.READ_BOARD)],
        description="Open requests and their running clocks, for displays: a snapshot, then"
        " changes and removals, resumable (R-SLA-13).",
    )
    async def sla_board(
        self,
        info: strawberry.Info,
        filter: SlaBoardFilter | None = None,  # noqa: ARG002 - read as the client wrote it
        after: str | None = None,
    ) -> AsyncGenerator[SlaBoardMessage, None]:
        """A feed for boards (Decision 5)."""
        watch = watch_of(info, BOARD)
        messages = info.context.live.follow(info.context, watch, after, messages_of)
        async with aclosing(messages) as following:
            async for message in following:
                yield message
