"""Saving what the verbs did: all of it becomes part of the transaction's one statement."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from tortoise.models import Model

from itr.actors.actor import Actor
from itr.events.log import Audience
from itr.events.work import Work, transaction
from itr.notifications.notify import notify
from itr.notifications.rules import is_news
from itr.requests import partner_clocks
from itr.requests.control_points import settle_control_points
from itr.requests.models import Request
from itr.requests.recipients import recipients_around
from itr.requests.taking import calendars_of, take
from itr.requests.ticket_work import TicketWork
from itr.rows import changed_in, columns_of, is_new, values_of
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clocks import is_promised, settle
from itr.sla.models import Clock, ControlPoint
from itr.sla.terms import Thread
from itr.tickets.escalations import ENDS
from itr.tickets.escalations_in_hand import end_escalations
from itr.tickets.timers import set_timer
from itr.writing import Table, Writing, table_of

CLOCK_KEY = ["request_id", "thread"]
GUARDS: dict[type[Model], str] = {
    Request: "version",
    Clock: "revision",
    ControlPoint: "revision",
}
"""What tells that a row was changed beside; others change under the lock of their request."""
WHOLE = (Clock, ControlPoint)
"""Tables whose rows are written whole, so that their statements are few."""


@asynccontextmanager
async def working_on(
    actor: Actor,
    request_id: UUID,
    now: datetime,
    expected_version: int | None = None,
    *,
    holding: UUID | None = None,
) -> AsyncIterator[TicketWork]:
    """One transaction on one request: locked, changed by verbs in the block, saved at its end.

    Raises NotFound for what the actor may not see, Stale when it has moved on since
    `expected_version`. Nobody takes away the person it is `holding` before its end (R-ROLE-07).
    """
    async with transaction(claim_at_once=False) as work:
        in_hand = await take(work, actor, request_id, now, expected_version, holding=holding)
        yield in_hand
        await save(work, in_hand)


async def save(work: Work, in_hand: TicketWork) -> None:
    """Have what the verbs changed written at the end of the transaction; notify, record.

    The request, each changed clock and step once, what hangs on it, its facts. Nothing is written
    over what was changed beside.
    """
    request = in_hand.request
    work.subject_id = request.id
    if not in_hand.facts:
        return
    clocks = await settle_clocks(in_hand)
    clocks += [in_hand.clocks[each] for each in sorted(in_hand.explained - in_hand.book.touched)]
    steps = await settle_control_points(in_hand)
    for row in steps:
        row.revision += 1
    await partner_clocks.count(in_hand)
    rows: list[Model] = [request, *clocks, *steps, *in_hand.stints, *in_hand.hand_overs]
    for each in rows:
        _write(work.writing, in_hand, each)
    for kind, due_at in in_hand.timers.items():
        if due_at is not None or kind in in_hand.timers_set:
            set_timer(work.writing, request.id, kind, due_at)
    around = await recipients_around(in_hand) if any(map(is_news, in_hand.facts)) else None
    await notify(work, in_hand.facts, in_hand.now, around)
    if not in_hand.historic and any(fact.type in ENDS for fact in in_hand.facts):
        end_escalations(work, request, in_hand.escalations, by=in_hand.actor, now=in_hand.now)


def _write(writing: Writing, in_hand: TicketWork, row: Model) -> None:
    """Have a row added that is new, or what differs of one that is not as it was read."""
    table = written_table(type(row))
    if is_new(row):
        writing.add(table, values_of(row))
        return
    before = in_hand.as_read[row.pk]
    changed = changed_in(row, before)
    if changed:
        columns = columns_of(type(row)) if type(row) in WHOLE else changed
        known = before[table.guard] if table.guard else None
        writing.change(table, row.pk, values_of(row), columns, known)


def written_table(model: type[Model]) -> Table:
    """The table of a model, with what guards its rows."""
    return table_of(model, GUARDS.get(model))


async def save_new(work: Work, many: Sequence[TicketWork]) -> None:
    """Write requests that came to be in memory, with settled clocks, many by few statements."""
    for each in many:
        rows: list[Model] = [each.request, *each.clocks.values(), *each.stints, *each.hand_overs]
        for row in rows:
            work.writing.add(written_table(type(row)), values_of(row))
        await notify(work, each.facts, each.now)


async def settle_clocks(in_hand: TicketWork) -> list[Clock]:
    """Fold each thread that was touched into its row; a breach that is undone is told."""
    missing = set(calendars_of(in_hand.book)) - in_hand.calendars.keys()
    if missing:
        found = await calendars_in_force(missing, in_hand.request.customer_id, in_hand.references)
        in_hand.calendars = {**in_hand.calendars, **found}
    rows = [
        settle(
            in_hand.clocks.get(thread),
            in_hand.book.histories[thread],
            in_hand.calendars,
            request_id=in_hand.request.id,
            thread=thread,
            percents=_percents(in_hand, thread),
            now=in_hand.now,
        )
        for thread in sorted(in_hand.book.touched)
        if thread in in_hand.clocks or is_promised(in_hand.book.histories[thread])
    ]
    in_hand.clocks.update({row.thread: row for row in rows})
    for row in rows:
        if row.overturned_at == in_hand.now:
            in_hand.record("BreachOverturned", Audience.INTERNAL, {"thread": row.thread.value})
    return rows


def _percents(in_hand: TicketWork, thread: Thread) -> Sequence[int]:
    """The levels a thread warns of; none in another system's past, and in what it left asleep."""
    silent = in_hand.historic or thread in in_hand.asleep
    return () if silent else in_hand.terms.percents


def written_of_a_clock() -> list[str]:
    """What saving a clock that is already there writes: all but what finds it."""
    return sorted(Clock._meta.db_fields - {"id", *CLOCK_KEY})
