"""Reading a request into hand and saving what the verbs did, in few statements."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.models import Model

from itr.actors.actor import SYSTEM, Actor
from itr.catalogue.in_force import terms_of
from itr.errors import NotFound, Stale
from itr.events.log import Audience
from itr.events.work import Work, transaction
from itr.notifications.notify import notify
from itr.requests import partner_clocks
from itr.requests.control_points import load_control_points, save_control_points
from itr.requests.models import HandOver, Request, Stint
from itr.requests.ticket_work import TicketWork
from itr.sight.requests import visible_requests
from itr.sight.row_filter import RowFilter
from itr.sla.clocks import CalendarInForce, ClockBook, histories_of, is_promised, settle
from itr.sla.models import Clock, Timer
from itr.sla.operations import current_calendars
from itr.sla.terms import Thread
from itr.tickets.escalations import ENDS, end_escalations

CLOCK_KEY = ["request_id", "thread"]
REASON_OF_A_BREACH = [
    "breach_reason",
    "breach_note",
    "breach_reason_state",
    "breach_reason_by",
    "breach_reason_at",
    "breach_decided_by",
    "breach_decided_at",
]
M = TypeVar("M", Stint, HandOver)


@asynccontextmanager
async def working_on(
    actor: Actor, request_id: UUID, now: datetime, expected_version: int | None = None
) -> AsyncIterator[TicketWork]:
    """One transaction on one request: locked, changed by verbs in the block, saved at its end.

    Raises NotFound for what the actor may not see, Stale when it has moved on since
    `expected_version`.
    """
    async with transaction() as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        yield in_hand
        await save(work, in_hand)


async def take(
    work: Work,
    actor: Actor,
    request_id: UUID,
    now: datetime,
    expected_version: int | None = None,
) -> TicketWork:
    """Lock a request the actor sees and read all that its verbs need.

    Time never runs backwards on one request: who waited for the lock acts after who held it.
    """
    sight = RowFilter.everything() if actor is SYSTEM else visible_requests(actor)
    await lock_visible(work.connection, request_id, sight, "id")
    request = await Request.get(id=request_id)
    if expected_version is not None and expected_version != request.version:
        raise Stale(current=request.version, path=["expectedVersion"])
    rows = await Clock.filter(request_id=request_id).select_for_update()  # alarms fire beside us
    return await _in_hand(work, actor, request, rows, now)


async def look(work: Work, actor: Actor, request_id: UUID, now: datetime) -> TicketWork:
    """A request in hand as `take` gives it, to be looked at: not locked, not to be saved."""
    request = await Request.get(id=request_id)
    rows = await Clock.filter(request_id=request_id)
    return await _in_hand(work, actor, request, rows, now)


async def _in_hand(
    work: Work, actor: Actor, request: Request, rows: Sequence[Clock], now: datetime
) -> TicketWork:
    request_id = request.id
    terms = await terms_of(request.service_level_version_id)
    book = ClockBook(histories_of(await load_clock_events(work.connection, request_id)))
    stints = await Stint.filter(request_id=request_id).order_by("number")
    hand_overs = await HandOver.filter(request_id=request_id)
    return TicketWork(
        actor=actor,
        now=max(now, request.updated_at, *book.instants()),
        request=request,
        terms=terms,
        calendars=await calendars_in_force(
            [terms.calendar_id, *calendars_of(book)], request.customer_id
        ),
        book=book,
        clocks={row.thread: row for row in rows},
        control_points=await load_control_points(request_id),
        stints=stints,
        hand_overs=hand_overs,
        as_read={row.pk: _values(row) for row in (*stints, *hand_overs)},
    )


async def save(work: Work, in_hand: TicketWork) -> None:
    """Write what the verbs changed: the request, one row per changed clock, its facts; notify."""
    request = in_hand.request
    work.subject_id = request.id
    if not in_hand.facts:
        return
    new = not request._saved_in_db
    clocks = await settle_clocks(in_hand)
    await request.save(force_create=new)
    await save_clocks(clocks, new=new)
    await save_reasons(in_hand)
    await save_control_points(work.connection, in_hand)
    await _keep(Stint, _changed(in_hand, in_hand.stints), ["ended_at", "reason", "queue_id"])
    await partner_clocks.count(in_hand)
    changing = ["returned_at", "returned_version", *partner_clocks.COLUMNS]
    await _keep(HandOver, _changed(in_hand, in_hand.hand_overs), changing)
    if in_hand.timers:
        kinds = list(in_hand.timers)
        await Timer.filter(request_id=request.id, kind__in=kinds).delete()
        await Timer.bulk_create(in_hand.timer_rows())
    await notify(work, in_hand.facts, in_hand.now)
    if not in_hand.historic and any(fact.type in ENDS for fact in in_hand.facts):
        await end_escalations(work, request, by=in_hand.actor, now=in_hand.now)


async def save_new(work: Work, many: Sequence[TicketWork]) -> None:
    """Write requests that came to be in memory, with settled clocks, many by few statements."""
    await Request.bulk_create([each.request for each in many])
    await save_clocks([row for each in many for row in each.clocks.values()], new=True)
    await Stint.bulk_create([row for each in many for row in each.stints])
    await HandOver.bulk_create([row for each in many for row in each.hand_overs])
    for each in many:
        await notify(work, each.facts, each.now)


async def settle_clocks(in_hand: TicketWork) -> list[Clock]:
    """Fold each thread that was touched into its row; a breach that is undone is told."""
    missing = set(calendars_of(in_hand.book)) - in_hand.calendars.keys()
    if missing:
        found = await calendars_in_force(missing, in_hand.request.customer_id)
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


async def save_reasons(in_hand: TicketWork) -> None:
    """Write the reasons that were given or decided on; the clocks' time stays as it is sealed."""
    for thread in sorted(in_hand.explained - in_hand.book.touched):
        await in_hand.clocks[thread].save(update_fields=REASON_OF_A_BREACH)


async def save_clocks(rows: Sequence[Clock], *, new: bool = False) -> None:
    """Write the rows of clocks, each once; `new`: there is none yet."""
    if rows and new:
        await Clock.bulk_create(rows)
    elif rows:
        await Clock.bulk_create(rows, on_conflict=CLOCK_KEY, update_fields=written_of_a_clock())


def _percents(in_hand: TicketWork, thread: Thread) -> Sequence[int]:
    """The levels a thread warns of; none in another system's past, and in what it left asleep."""
    silent = in_hand.historic or thread in in_hand.asleep
    return () if silent else in_hand.terms.percents


def written_of_a_clock() -> list[str]:
    """What saving a clock that is already there writes: all but what finds it."""
    return sorted(Clock._meta.db_fields - {"id", *CLOCK_KEY})


def calendars_of(book: ClockBook) -> set[UUID]:
    """The calendars the histories count by."""
    return {
        event.calendar
        for history in book.histories.values()
        for event in history
        if isinstance(event.calendar, UUID)
    }


async def calendars_in_force(
    ids: Iterable[UUID], customer_id: UUID | None
) -> dict[UUID, CalendarInForce]:
    """The versions of these calendars that count now for a customer (R-CAL-03)."""
    found = await current_calendars(list(set(ids)), customer_id=customer_id)
    return {key: CalendarInForce(it.version_id, it.working) for key, it in found.items()}


async def load_clock_events(
    connection: BaseDBAsyncClient, request_id: UUID
) -> list[dict[str, Any]]:
    """The clock events of a request's timeline, in its order."""
    rows = await connection.execute_query_dict(
        "select payload->'clocks' as clock_events from event"
        " where subject = $1 and payload ? 'clocks' order by subject_version",
        [request_id],
    )
    return [word for row in rows for word in orjson.loads(row["clock_events"])]


async def work_has_begun(connection: BaseDBAsyncClient, request_id: UUID) -> bool:
    """Whether anybody ever started on a request, also if it went back to a queue (R-ENT-03)."""
    found = await connection.execute_query_dict(
        "select 1 from event where subject = $1 and type = 'RequestStarted' limit 1", [request_id]
    )
    return bool(found)


async def lock_visible(
    connection: BaseDBAsyncClient, request_id: UUID, sight: RowFilter, *path: str
) -> None:
    """Lock a request within sight until the transaction ends. Raises NotFound at `path`."""
    condition, values = sight.numbered("r", 1)
    found = await connection.execute_query_dict(
        f"select id from request r where id = $1 and {condition} for update", [request_id, *values]
    )
    if not found:
        raise NotFound(path=path)


def _values(row: Model) -> tuple[object, ...]:
    return tuple(getattr(row, column) for column in sorted(row._meta.db_fields))


def _changed(in_hand: TicketWork, rows: Sequence[M]) -> list[M]:
    """Those that are new, or not as they were read."""
    return [row for row in rows if in_hand.as_read.get(row.pk) != _values(row)]


async def _keep(model: type[M], rows: Sequence[M], changing: list[str]) -> None:
    """Write rows; `changing` is what may differ of those already there."""
    if rows:
        await model.bulk_create(rows, on_conflict=["id"], update_fields=changing)
