"""Boards: open requests as a wallboard shows them, by number and figures only (R-ROLE-03, 06)."""

from datetime import datetime, timedelta
from decimal import Decimal

import strawberry

from api.planner.arguments import filter_for
from api.planner.declare import column, many, one, public_id, sql
from api.planner.stored import Node, stored
from api.schema.feeds import feed_of
from api.schema.requests.types import ServiceRequest
from api.schema.sla.types import (
    CHANGES_AT,
    COUNTING,
    COUNTING_CHANGES_AT,
    IS_OPEN,
    LIFECYCLE,
    NOW_US,
    REMAINING,
    STATE,
)
from api.schema.vocabulary import described
from itr.actors.roles import Permission
from itr.catalogue.terms import Priority
from itr.requests.risk import IS_RUNNING, RISK, URGENCY, SlaRisk
from itr.requests.terms import RequestKind, RequestStatus
from itr.sight.requests import visible_board_clocks, visible_on_boards
from itr.sla.terms import ClockState, Thread

described(
    SlaRisk,
    "What threatens the promises of a request: the worst of its running clocks. 风险",
    {
        SlaRisk.OK: "Nothing yet. 正常",
        SlaRisk.AT_RISK: "The last warning before the deadline was raised: 90 % unless the service"
        " level says otherwise (R-ALM-01). 有风险",
        SlaRisk.BREACHED: "A running clock is past its deadline, whether or not an alarm told so."
        " 超时",
    },
)

VERSION = (
    "({t}.version + (select coalesce(sum(counted.revision), 0) from clock counted"
    " where counted.request_id = {t}.id))::int"
)
"""Rises with every change of the request and of each of its clocks, alarms included."""


def _id_of(prefix: str, column: str) -> str:
    """The public id of what a column names; null where it names nothing."""
    return f"'{prefix}_' || replace({{t}}.{column}::text, '-', '')"


@stored(table="clock", key="bcl", visible=visible_board_clocks, permission=Permission.READ_BOARD)
@strawberry.type(description="A running clock as a board shows it, to tick locally. 大屏倒计时")
class SlaBoardClock(Node):
    """A running clock as a board shows it, to tick locally (R-SLA-13)."""

    id: strawberry.ID = public_id()
    thread: Thread = column(description="Which thread.")
    state: ClockState = sql(STATE, description="How it stands at `serverTime`.")
    deadline: datetime | None = column(description="When it is due; null while paused.")
    remaining: timedelta | None = sql(
        REMAINING,
        uses=NOW_US,
        description="Working time left at `serverTime`; negative is lateness.",
    )
    counting: bool = sql(COUNTING, uses=IS_OPEN, description="Whether `remaining` falls now.")
    counting_changes_at: datetime | None = sql(
        COUNTING_CHANGES_AT,
        uses=CHANGES_AT,
        description="When `counting` changes by the calendar; a new snapshot comes then.",
    )
    next_alarm_at: datetime | None = column(description="When the next alarm fires.")
    alarm_level: int = column(description="Highest alarm fired, in percent; 0 for none.")
    version: int = column(description="Rises on start, retarget and reopen.")


@stored(
    table="request",
    key="brd",
    visible=visible_on_boards,
    permission=Permission.READ_BOARD,
    order="-registered_at",
)
@strawberry.type(description="A request as a board shows it: its number and figures. 大屏条目")
class SlaBoardEntry(Node):
    """A request as a board shows it: its number and figures, nothing personal (R-ROLE-06)."""

    id: strawberry.ID = public_id()
    request_id: strawberry.ID = sql(
        _id_of("req", "id"), description="The id of the request, for those who may read it."
    )
    number: str = column(description="The number people use.")
    version: int = sql(VERSION, description="Rises with every change; the higher one wins.")
    kind: RequestKind = column(filter=True, description="What sort of request.")
    status: RequestStatus = column(filter=True, description="Where it stands.")
    priority: Priority = column(filter=True, description="Its priority.")
    line: int = column(filter=True, description="The support line it is on.")
    emergency: bool = column(filter=True, description="Whether it is an emergency recovery.")
    customer_id: strawberry.ID = sql(
        _id_of("org", "customer_id"),
        filter=True,
        description="Whose it is: an id to filter and group by, never a name.",
    )
    product_id: strawberry.ID | None = sql(
        _id_of("prd", "product_id"),
        filter=True,
        description="What it is about: an id to filter and group by; null: not known.",
    )
    risk: SlaRisk = sql(RISK, filter=True, description="What threatens it now.")
    registered_at: datetime = column(filter=True, description="When it came in.")
    clocks: list[SlaBoardClock] = many(
        on=f"{{t}}.request_id = {{parent}}.id and {IS_RUNNING}",
        order=LIFECYCLE,
        unequal=True,
        description="Its running clocks, in the order of their threads.",
    )
    request: ServiceRequest | None = one(
        "id",
        permission=Permission.READ_REQUESTS,
        description="The request itself, for our own people; never for a wallboard.",
    )


@filter_for(SlaBoardEntry)
class SlaBoardFilter:
    """Only requests for which all of this holds."""


@strawberry.type
class AsOf:
    """The instant clocks are shown as of."""

    @strawberry.field(description="The instant all of this is as of; tick from here.")
    def server_time(self, info: strawberry.Info) -> datetime:
        """The instant the clocks were read for."""
        now: datetime = info.context.now
        return now


BOARD_FEED = feed_of(
    SlaBoardEntry,
    name="slaBoard",
    stem="SlaBoard",
    one="entry",
    many="entries",
    listed=500,
    order=URGENCY,
    first="most urgent (breached, at risk, due soonest)",
    told_by="SlaBoardMessage",
    also=AsOf,
)


@strawberry.input(description="Only requests of these customers and products. 看板筛选")
class SlaFiguresFilter:
    """Only requests of these customers and products; an empty list lets none through."""

    customer_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of one of these customers."
    )
    product_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="About one of these products."
    )


@strawberry.type(description="How many requests are open, and how they stand. 在途")
class SlaCount:
    """How many requests are open, and how many of them are threatened."""

    open: int = strawberry.field(description="Open requests. 在途")
    at_risk: int = strawberry.field(description="Those at risk, and not yet late. 有风险")
    breached: int = strawberry.field(
        description="Those with a running clock past its deadline. 超时"
    )


@strawberry.type(description="The open requests of one priority. 按优先级")
class SlaPriorityCount(SlaCount):
    """The open requests of one priority."""

    priority: Priority = strawberry.field(description="Which priority.")


@strawberry.type(description="The open requests on one line, and its part in 991. 按支持线")
class SlaLineCount(SlaCount):
    """The open requests on one line, and what it solved (R-LIN-02)."""

    line: int = strawberry.field(description="Support line 1, 2 or 3.")
    priorities: list[SlaPriorityCount] = strawberry.field(description="By priority, P1 to P4.")
    solved: int = strawberry.field(
        description="Requests whose accepted solution it delivered in the period. 已解决"
    )
    share: Decimal | None = strawberry.field(
        description="Its part of all solved in the period, to four places; null without any. The"
        " parts of the lines make 1."
    )
    share_of_rest: Decimal | None = strawberry.field(
        description="Its part of what the lines before it left: the rule of 991 asks for 0.9 of"
        " line 1 and of line 2, and 1 of line 3; null when nothing was left."
    )


@strawberry.type(description="The live figures beside a board. 实时指标")
class SlaFigures(SlaCount):
    """The live figures beside a board; each message is the whole picture."""

    lines: list[SlaLineCount] = strawberry.field(description="By support line, 1 to 3.")
    priorities: list[SlaPriorityCount] = strawberry.field(description="By priority, P1 to P4.")
    solved: int = strawberry.field(
        description="Requests whose accepted solution was delivered in the period. 已解决"
    )
    solved_since: datetime = strawberry.field(
        description="Where the period of the 991 shares begins."
    )
    server_time: datetime = strawberry.field(description="The instant all of this is as of.")
