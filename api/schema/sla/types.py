"""Service time as the API shows it: clocks, their explanation, the live countdown."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from api.planner.arguments import filter_for
from api.planner.declare import column, computed, many, one, public_id, same_row, sql
from api.planner.stored import Node, stored
from api.prices import Price, priced
from api.schema.sla.attribution import DEFINITION, STEPS_OF_REQUEST, BreachAttribution, attributed
from api.schema.sla.breaches import BreachExplanation
from api.schema.sla.control_points import ControlPoint
from api.schema.sla.positions import POSITION_NOW
from api.schema.vocabulary import described
from itr.actors.roles import Permission
from itr.errors import InvalidInput
from itr.sight.requests import visible_parts
from itr.sla.calendars import CalendarDefinition
from itr.sla.clock_facts import ClockNotStarted
from itr.sla.clocks import histories_of
from itr.sla.explain import Interval, explain
from itr.sla.lateness import APPROVED_REASON, BREACHED, SHARES_IN_LATENESS
from itr.sla.terms import BreachReason, BreachReasonState, ClockState, Thread, WaitingReason
from itr.sla.waits import CUSTOMER_WAIT, wait_for
from itr.sla.working_time import calendar_of

if TYPE_CHECKING:
    from api.schema.requests.types import ServiceRequest

described(
    ClockState,
    "What a clock is doing (R-SLA-03). 时钟状态",
    {
        ClockState.RUNNING: "Counting, before its deadline. 计时中",
        ClockState.PAUSED: "Not counting for a waiting reason. 暂停",
        ClockState.MET: "Completed by its deadline. 达成",
        ClockState.BREACHED: "Past its deadline, completed or not. 超时",
        ClockState.CANCELLED: "The promise was dropped. 取消",
    },
)

NOW_US = {"now_us": POSITION_NOW.value("us", id="calendar_version_id")}
IS_OPEN = {"is_open": POSITION_NOW.value("is_open", id="calendar_version_id")}
CHANGES_AT = {"changes_at": POSITION_NOW.value("changes_at", id="calendar_version_id")}

STATE = "case when {t}.state = 'RUNNING' and {t}.deadline < :now then 'BREACHED' else {t}.state end"
REMAINING = (
    "(case when {t}.base_us is null then {t}.remaining_us else {t}.deadline_us - {now_us} end)"
)
COUNTING = "({t}.base_us is not null and coalesce({is_open}, false))"
COUNTING_CHANGES_AT = "case when {t}.base_us is not null then {changes_at} end"

LIFECYCLE = "thread_no"
"""The order of a request's clocks."""


@strawberry.type(description="A stretch of a clock's life, counted or not, and why (R-SLA-11).")
class ClockInterval:
    """A stretch of a clock's life, counted or not, and why."""

    from_: datetime = strawberry.field(name="from", description="Where it begins.")
    to: datetime = strawberry.field(description="Where it ends.")
    counted: bool = strawberry.field(description="Whether it counts towards the target.")
    reason: str = strawberry.field(
        description="WORKING, OUTSIDE_HOURS, HOLIDAY, PAUSED:<reason> or SOLVED."
    )
    waits_for: list[str] = strawberry.field(
        default_factory=list,
        description="Every reason open in a pause, as told; `reason` has the one told last.",
    )


EXPLAINED, MOST_EXPLAINED = 100, 500
"""Intervals in a page of an explanation, unless more or fewer are asked for."""
EXPLAIN_PRICE = Price(once=50, page=EXPLAINED)
FIRST_EXPLAINED = f"How many intervals, at most {MOST_EXPLAINED}; {EXPLAINED} if left out."
AFTER_EXPLAINED = "Only what comes after this instant: the `to` of a page's last interval leads on."
_PAGE_OF_INTERVALS = {
    "first": (int, FIRST_EXPLAINED),
    "after": (datetime, AFTER_EXPLAINED),
}


def explained_page(first: int | None) -> int:
    """How many intervals a page has. Raises InvalidInput."""
    if first is None:
        return EXPLAINED
    if not 0 <= first <= MOST_EXPLAINED:
        raise InvalidInput(
            path=["first"],
            zh_reason=f"first 取值 0 到 {MOST_EXPLAINED}。",
            en_reason=f"Give first from 0 to {MOST_EXPLAINED}.",
        )
    return first


def shown_intervals(intervals: Iterable[Interval]) -> list[ClockInterval]:
    """Intervals as the API shows them."""
    return [
        ClockInterval(
            from_=each.start,
            to=each.end,
            counted=each.counted,
            reason=each.reason,
            waits_for=list(each.waits_for),
        )
        for each in intervals
    ]


def _explained(values: Mapping[str, Any], context: Any) -> list[ClockInterval]:
    """A page of the story so far; of a clock that starts later there is none (R-SLA-11)."""
    first = explained_page(values["first"])
    histories = histories_of(values["events"] or [])
    history = histories.get(Thread(values["thread"]))
    if history is None:
        return []
    calendar = calendar_of(CalendarDefinition.from_json(values["calendar"]))
    try:
        found = explain(
            history, lambda _: calendar, context.now, after=values["after"], first=first
        )
    except ClockNotStarted:
        return []
    return shown_intervals(found)


_EVENTS = (
    "(select json_agg(w.word order by e.subject_version, w.nth) from event e,"
    " jsonb_array_elements(e.payload->'clocks') with ordinality as w(word, nth)"
    " where e.subject = {t}.request_id and w.word->>'thread' = {t}.thread)"
)


@stored(table="clock", key="clk", visible=visible_parts, found_with=Permission.READ_REQUESTS)
@strawberry.type(description="One time thread of a request and how it stands now. 时钟")
class Clock(Node):
    """One time thread of a request and how it stands now (R-SLA-03)."""

    id: strawberry.ID = public_id()
    thread: Thread = column(filter=True, description="Which thread.")
    state: ClockState = sql(
        STATE,
        filter=True,
        description="How it stands at this instant.",
    )
    target: timedelta | None = column(
        "target_us", description="Promised working time; null when promised in working days."
    )
    target_working_days: Decimal | None = column(
        "target_days", description="Promised working days; null when promised in hours (R-CAL-04)."
    )
    started_at: datetime = column(filter=True, description="When it started.")
    deadline: datetime | None = column(
        filter=True, description="When it is, or was, due; null while paused or cancelled."
    )
    elapsed: timedelta = sql(
        "case when {t}.base_us is null then {t}.elapsed_us"
        " else coalesce({now_us}, 0) - {t}.base_us end",
        uses=NOW_US,
        description="Working time counted so far.",
    )
    remaining: timedelta | None = sql(
        REMAINING,
        uses=NOW_US,
        description="Working time left; negative is lateness.",
    )
    customer_wait: timedelta = sql(
        wait_for(WaitingReason.CUSTOMER, "{now_us}"),
        uses=NOW_US,
        filter=True,
        description="Working time it stood still waiting for the customer (R-OLA-03).",
    )
    third_party_wait: timedelta = sql(
        wait_for(WaitingReason.THIRD_PARTY, "{now_us}"),
        uses=NOW_US,
        filter=True,
        description="Working time it stood still waiting for a third party.",
    )
    spare_part_wait: timedelta = sql(
        wait_for(WaitingReason.SPARE_PART, "{now_us}"),
        uses=NOW_US,
        filter=True,
        description="Working time it stood still waiting for a spare part.",
    )
    change_window_wait: timedelta = sql(
        wait_for(WaitingReason.CHANGE_WINDOW, "{now_us}"),
        uses=NOW_US,
        filter=True,
        description="Working time it stood still waiting for a change window.",
    )
    counting: bool = sql(
        COUNTING,
        uses=IS_OPEN,
        description="Whether it counts at this instant: neither paused nor outside hours.",
    )
    counting_changes_at: datetime | None = sql(
        COUNTING_CHANGES_AT,
        uses=CHANGES_AT,
        description="When counting next begins or ends by the calendar.",
    )
    next_alarm_at: datetime | None = column(description="When the next alarm fires (R-ALM-01).")
    alarm_level: int | None = column(
        permission=Permission.READ_INTERNAL, description="Highest alarm fired, in percent."
    )
    version: int = column(description="Rises on start, retarget and reopen (R-ALM-02).")
    completed_at: datetime | None = column(filter=True, description="When the thread ended.")
    breached_at: datetime | None = column(filter=True, description="When it passed its deadline.")
    breached: bool = sql(
        BREACHED,
        filter=True,
        description="Whether it passed its deadline; nothing later removes that (R-SLA-05).",
    )
    late: bool = sql(
        f"coalesce({REMAINING} < 0, false)",
        uses=NOW_US,
        filter=True,
        description="Whether it is, or ended, beyond its deadline.",
    )
    late_steps: list[ControlPoint] | None = many(
        on=SHARES_IN_LATENESS.replace("{clock}", "{parent}"),
        order="number",
        permission=Permission.READ_INTERNAL,
        filter=True,
        description="The steps that have a part in its lateness, or would have (R-OLA-03).",
    )
    breach_reason: BreachReason | None = sql(
        APPROVED_REASON,
        filter=True,
        description="Coded reason of the breach, once a manager has approved it (R-SLA-05).",
    )
    breach_reason_state: BreachReasonState | None = column(
        permission=Permission.READ_INTERNAL,
        filter=True,
        description="Where the reason of its breach stands; null: none given.",
    )
    breach_explanation: BreachExplanation | None = same_row(
        present="{t}.breach_reason is not null",
        permission=Permission.READ_INTERNAL,
        description="The reason given for its breach, approved or not.",
    )
    overturned_at: datetime | None = column(
        filter=True,
        description="When a breach of it was undone, by what was recorded late or a corrected"
        " calendar (R-SLA-05).",
    )
    provisional: bool = column(
        description="Whether the deadline falls in a year whose holidays are not published."
    )
    explain: list[ClockInterval] = computed(
        {"thread": "{t}.thread", "events": _EVENTS, "calendar": DEFINITION},
        _explained,
        arguments=_PAGE_OF_INTERVALS,
        slow=True,
        metadata=priced(EXPLAIN_PRICE),
        description="Every interval counted or skipped, and why, page by page; they add up to"
        " `elapsed`. Empty before the clock starts.",
    )
    attribution: BreachAttribution | None = computed(
        {
            "thread": "{t}.thread",
            "base_us": "{t}.base_us",
            "deadline_us": "{t}.deadline_us",
            "remaining_us": "{t}.remaining_us",
            "calendar": DEFINITION,
            "steps": STEPS_OF_REQUEST,
            "waited": CUSTOMER_WAIT,
        },
        attributed,
        slow=True,
        permission=Permission.READ_INTERNAL,
        description="Whose its lateness is (R-OLA-03); null while it is not late.",
    )
    request: Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")] | None = one(
        "request_id", description="The request it measures."
    )


@filter_for(Clock)
class ClockFilter:
    """Only clocks for which all of this holds."""
