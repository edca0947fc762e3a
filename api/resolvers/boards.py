"""Boards, live: the subscription `slaBoard`, and `slaFigures` beside it."""

from collections.abc import AsyncGenerator
from typing import Any

import strawberry

from api.resolvers.following import Followed, followed, watch_of
from api.resolvers.permissions import may
from api.schema.requests.boards import BOARD_FEED, VERSION, SlaBoardEntry, SlaBoardFilter
from api.schema.sla.positions import POSITION_NOW
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


@strawberry.type
class BoardSubscription:
    """Boards, live."""

    @strawberry.subscription(
        graphql_type=BOARD_FEED.message,
        permission_classes=[may(Permission.READ_BOARD)],
        description="Open requests and their running clocks, for displays: a snapshot, then"
        " changes and removals, resumable (R-SLA-13).",
    )
    async def sla_board(
        self,
        info: strawberry.Info,
        filter: SlaBoardFilter | None = None,  # noqa: ARG002 - read as the client wrote it
        after: str | None = None,
    ) -> AsyncGenerator[Any, None]:
        """A feed for boards (Decision 5)."""
        return followed(info, watch_of(info, BOARD), after, BOARD_FEED)
