"""A partner firm's own clock on what was handed to it (R-REQ-10).

It runs from the hand-over until the request comes back or its solution is delivered, in the
calendar of the service level and under the underpinning contract in force at the hand-over.
Waiting for the firm itself is no pause; waiting for anybody else is.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from itr.catalogue.models import UnderpinningContract
from itr.events.work import transaction
from itr.passed_over import INCOMPUTABLE, PassedOver
from itr.references import References
from itr.requests.models import HandOver
from itr.requests.rules import BEFORE_DELIVERED
from itr.requests.terms import RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.requests.waiting import open_reasons
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clock import ClockEvent, Target, as_of, fold
from itr.sla.clocks import CalendarInForce, ClockBook, histories_of
from itr.sla.terms import Thread, WaitingReason

logger = logging.getLogger("itr.recomputing")

ENGAGE_THIRD_PARTY = 19
"""The control point an underpinning contract serves."""
THREAD = Thread.RESOLUTION
DROPPED = frozenset({RequestStatus.CANCELLED, RequestStatus.REJECTED})
COLUMNS = [
    "state",
    "calendar_version_id",
    "target_us",
    "target_days",
    "deadline",
    "base_us",
    "deadline_us",
    "elapsed_us",
    "remaining_us",
    "completed_at",
    "breached_at",
    "clock_words",
]
"""What of a hand-over changes with its clock."""


async def count(in_hand: TicketWork) -> None:
    """Let the clocks of a request's hand-overs follow what the verbs did."""
    for hand_over in in_hand.hand_overs:
        book = ClockBook(histories_of(hand_over.clock_words))
        new = not hand_over._saved_in_db and not hand_over.clock_words
        if new and hand_over.returned_at is None and not in_hand.historic:
            target = await promised(in_hand, hand_over.partner_id)
            if target is not None:
                book.start(THREAD, in_hand.now, target, in_hand.terms.calendar_id)
        _follow(in_hand, hand_over, book)
        if book.touched:
            hand_over.clock_words = [*hand_over.clock_words, *book.take_added()]
            calendars = await _calendars(book, in_hand.request.customer_id, in_hand.references)
            _write(hand_over, book.histories[THREAD], calendars, in_hand.now)


async def recount_batch(now: datetime, limit: int, passed: PassedOver) -> int:
    """Fold up to `limit` open clocks whose calendar has changed; returns how many (R-SLA-10).

    One that nobody can compute is passed over.
    """
    counted = []
    async with transaction() as work:
        found = await work.connection.execute_query_dict(_STALE, [limit, list(passed.ids)])
        ids = [each["id"] for each in found]
        for row in await HandOver.filter(id__in=ids).select_related("request"):
            try:
                await _recount(row, now)
            except INCOMPUTABLE as error:
                passed.note(logger, "hand-over", row.id, error)
                continue
            counted.append(row)
        if counted:
            await HandOver.bulk_update(counted, COLUMNS)
    return len(counted)


async def recount(rows: Sequence[HandOver], now: datetime) -> None:
    """Fold clocks of hand-overs, read with their requests, under the calendars in force."""
    for row in rows:
        await _recount(row, now)
    if rows:
        await HandOver.bulk_update(rows, COLUMNS)


async def _recount(row: HandOver, now: datetime) -> None:
    book = ClockBook(histories_of(row.clock_words))
    customer_id: UUID = row.request.customer_id
    _write(row, book.histories[THREAD], await _calendars(book, customer_id), now)


_STALE = """
select h.id from hand_over h where h.state in ('RUNNING', 'PAUSED', 'BREACHED')
    and h.completed_at is null and h.id <> all($2::uuid[]) and exists (
        select 1 from calendar_version v join calendar_version n
            on n.calendar_id = v.calendar_id and n.number > v.number
        where v.id = h.calendar_version_id)
order by h.id limit $1 for update of h skip locked
"""


async def promised(in_hand: TicketWork, partner_id: UUID) -> Target | None:
    """What the firm promised for a request like this one, if anything."""
    found = await UnderpinningContract.get_or_none(
        partner_id=partner_id,
        service_level_id=in_hand.terms.service_level_id,
        point=ENGAGE_THIRD_PARTY,
        priority=in_hand.request.priority.value,
    )
    return None if found is None else Target(us=found.target_us, days=found.target_days)


def _follow(in_hand: TicketWork, hand_over: HandOver, book: ClockBook) -> None:
    request, now = in_hand.request, in_hand.now
    if request.status in DROPPED:
        book.cancel(THREAD, now)
    elif hand_over.returned_at is not None or request.status not in BEFORE_DELIVERED:
        book.complete(THREAD, now)
    else:
        book.reopen(THREAD, now)
        others = (r for r in open_reasons(request) if r is not WaitingReason.THIRD_PARTY)
        book.hold(THREAD, now, [each.value for each in others])


async def _calendars(
    book: ClockBook, customer_id: UUID, references: References | None = None
) -> Mapping[UUID, CalendarInForce]:
    """The calendars a history counts by, as they are in force for the customer."""
    keys = {event.calendar for event in book.histories[THREAD]}
    wanted = (key for key in keys if isinstance(key, UUID))
    return await calendars_in_force(wanted, customer_id, references)


def _write(
    hand_over: HandOver,
    history: Sequence[ClockEvent],
    calendars: Mapping[UUID, CalendarInForce],
    now: datetime,
) -> None:
    def in_force(key: object) -> CalendarInForce:
        assert isinstance(key, UUID)
        return calendars[key]

    value = as_of(fold(history, lambda key: in_force(key).working), now)
    hand_over.state = value.state
    hand_over.calendar_version_id = in_force(value.calendar).version_id
    if value.target is not None:
        days = value.target.days
        hand_over.target_us = value.target.us
        hand_over.target_days = None if days is None else Decimal(str(days))
    hand_over.deadline, hand_over.breached_at = value.deadline, value.breached_at
    hand_over.base_us, hand_over.deadline_us = value.base_us, value.deadline_us
    hand_over.elapsed_us, hand_over.remaining_us = value.elapsed_us, value.remaining_us
    hand_over.completed_at = value.completed_at
