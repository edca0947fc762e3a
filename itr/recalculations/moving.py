"""Moving open requests to another version of a level, and looking at it first (R-CAT-03)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from itr.actors.actor import SYSTEM, Actor
from itr.catalogue.in_force import terms_of
from itr.catalogue.rules import ServiceTerms
from itr.events.work import Work
from itr.recalculations.rules import Found
from itr.recalculations.what_if import folded, standing_of
from itr.requests.models import HandOver
from itr.requests.partner_clocks import recount
from itr.requests.recomputing import recompute_request
from itr.requests.rules import OPEN
from itr.requests.store import save
from itr.requests.taking import look, take
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs.levels import move_to_level
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clocks import is_promised
from itr.sla.models import Clock
from itr.sla.terms import ClockState, RecalculationKind

EVENTS = {
    RecalculationKind.MIGRATION: "ServiceLevelMigrated",
    RecalculationKind.MIGRATION_PREVIEW: "ServiceLevelMigrated",
    RecalculationKind.SWITCH_OFF: "ServiceLevelSwitchedOff",
}


async def move(
    work: Work,
    request_id: UUID,
    version_id: UUID,
    kind: RecalculationKind,
    *,
    by: Actor,
    now: datetime,
) -> bool:
    """Put one request, locked, under the version: an event on its timeline (R-SLA-08).

    Not one that has ended while this waited for its lock: what is closed is sealed.
    """
    in_hand = await take(work, SYSTEM, request_id, now)
    if in_hand.request.status not in OPEN:
        return False
    in_hand.actor = by
    await _move(in_hand, await terms_of(version_id), kind)
    await save(work, in_hand)
    return True


async def preview(
    work: Work, request_ids: Sequence[UUID], version_id: UUID, now: datetime
) -> dict[UUID, list[Found]]:
    """What moving these requests would do to their clocks, by moving them in memory only."""
    terms = await terms_of(version_id)
    found = {}
    for request_id in request_ids:
        in_hand = await look(work, SYSTEM, request_id, now)
        priority = in_hand.request.priority.value
        await _move(in_hand, terms, RecalculationKind.MIGRATION_PREVIEW)
        found[request_id] = _both_ways(in_hand, priority)
    return found


async def recount_customer(work: Work, request_id: UUID, now: datetime) -> None:
    """Count one request's open clocks by the calendars in force for its customer (R-CAL-03)."""
    await recompute_request(work, request_id, now)
    open_ = HandOver.filter(request_id=request_id, completed_at=None, state__isnull=False)
    await recount(await open_.exclude(state=ClockState.CANCELLED).select_related("request"), now)


async def _move(in_hand: TicketWork, terms: ServiceTerms, kind: RecalculationKind) -> None:
    found = await calendars_in_force([terms.calendar_id], in_hand.request.customer_id)
    in_hand.calendars = {**in_hand.calendars, **found}
    move_to_level(in_hand, terms, EVENTS[kind])


def _both_ways(in_hand: TicketWork, priority: str) -> list[Found]:
    calendars = {key: each.working for key, each in in_hand.calendars.items()}
    found = []
    for thread, history in in_hand.book.histories.items():
        row = in_hand.clocks.get(thread)
        before = None if row is None else standing_of(_as_of(row, in_hand.now))
        if thread not in in_hand.book.touched:
            after = before
        else:
            after = folded(history, calendars, in_hand.now) if is_promised(history) else None
        if before is not None or after is not None:
            found.append(Found(thread, priority, before, after))
    return found


def _as_of(row: Clock, now: datetime) -> Clock:
    """The row as it reads now: past its deadline it is breached, though no alarm has fired yet."""
    late = row.base_us is not None and row.deadline is not None and row.deadline < now
    if late and row.breached_at is None:
        row.state, row.breached_at = ClockState.BREACHED, row.deadline
    return row
