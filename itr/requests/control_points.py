"""A request's control points: loaded, moved by what happens, counted, saved (R-CP-02).

Verbs only tell what happened; when the request is saved the steps follow. Replayed history has no
steps: nobody was reminded of them, and replaying stays fast (R-IMP-01).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from itr.actors.actor import SYSTEM, Actor
from itr.actors.roles import Role
from itr.people.staff import STAFF, Staff
from itr.people.stand_ins import ABOVE, stand_ins
from itr.requests.rules import has_technical_steps
from itr.requests.terms import RequestStatus
from itr.requests.waiting import open_reasons
from itr.rows import changed_in, columns_of, new_row
from itr.sight.row_filter import RowFilter
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.control_point_moves import Changes, Situation, changes_of
from itr.sla.control_points import (
    REMINDERS,
    RUN_THROUGH,
    STEPS,
    StepOwner,
    budget_of,
)
from itr.sla.models import ControlPoint
from itr.sla.operations import calendars_of_versions
from itr.sla.terms import ControlPointState, Thread
from itr.sla.working_time import WorkingCalendar

if TYPE_CHECKING:
    from itr.requests.ticket_work import TicketWork

KEY = ["request_id", "number"]
_FROM_ROLES = {str(role) for role in ABOVE} | (
    frozenset(StepOwner)
    & frozenset(str(role) for role in Role)
    - {StepOwner.CUSTOMER, StepOwner.LINE1, StepOwner.LINE2, StepOwner.LINE3}
)


@dataclass
class ControlPoints:
    """The steps of one request, and what has happened since they were read."""

    rows: dict[int, ControlPoint] = field(default_factory=dict)
    moves: list[tuple[str, Situation]] = field(default_factory=list)

    def follow(self, work: TicketWork, event: str) -> None:
        """Keep what happened, and how the request stands after it."""
        if not work.historic:
            self.moves.append((event, situation_of(work)))


def situation_of(work: TicketWork) -> Situation:
    """How the request in hand stands now, as far as its steps go."""
    request = work.request
    return Situation(
        technical=has_technical_steps(request.kind),
        service_down=request.service_down,
        answered=request.first_response_at is not None,
        line=request.line,
        waiting_for=open_reasons(request),
        by_owner=work.actor.id == request.assignee_id,
        dropped=request.status in (RequestStatus.CANCELLED, RequestStatus.REJECTED),
        with_partner=request.partner_id is not None,
        answers=request.first_response_at == work.now,
        unattended=work.actor is SYSTEM,
    )


def work_of(actor: Actor) -> RowFilter:
    """The open steps that are an actor's; nobody's are the dispatch managers' (R-ROLE-07)."""
    whose = "{alias}.owner_id = :worker"
    if Role.DISPATCH_MANAGER in actor.roles:
        whose = f"({whose} or {{alias}}.owner_id is null)"
    return RowFilter(f"({{alias}}.completed_at is null and {whose})", {"worker": actor.id})


async def settle_control_points(work: TicketWork) -> list[ControlPoint]:
    """Let the steps follow what happened; those that changed."""
    control_points = work.control_points
    if not control_points.moves:
        return []
    counting = Counting(work, await _calendars(work))
    for row in _open(control_points.rows.values()):
        counting.retarget(row)
    for event, situation in control_points.moves:
        counting.follow(event, situation)
    control_points.moves.clear()
    for row in _open(control_points.rows.values()):
        counting.pause_or_count(row)
    await _name_owners(work)
    return [
        row
        for row in control_points.rows.values()
        if row.id not in work.as_read or changed_in(row, work.as_read[row.id])
    ]


async def write_control_points(changed: Sequence[ControlPoint]) -> None:
    """Write steps that changed, in one statement."""
    for row in changed:
        row.revision += 1
    if changed:
        written = sorted(ControlPoint._meta.db_fields - {"id", *KEY})
        await ControlPoint.bulk_create(changed, on_conflict=KEY, update_fields=written)


@dataclass
class Counting:
    """The arithmetic of one request's steps at one instant."""

    work: TicketWork
    calendars: Mapping[UUID, WorkingCalendar]

    def __post_init__(self) -> None:
        terms = self.work.terms
        in_force = self.work.calendars[terms.calendar_id]
        self.version_id, self.working = in_force.version_id, in_force.working
        self.position = self.working.position_us(self.work.now)
        self.targets = {
            thread: terms.target(self.work.request.priority, thread) for thread in Thread
        }

    def follow(self, event: str, situation: Situation) -> None:
        """Open and complete what the event opens and completes."""
        rows = self.work.control_points.rows
        here = {number for number, row in rows.items() if not self._is_past(row)}
        open_ = {number for number in here if rows[number].completed_at is None}
        changes = changes_of(event, situation, open=open_, done=here - open_)
        self._apply(changes, open_, here - open_)

    def _apply(self, changes: Changes, open_: set[int], done: set[int]) -> None:
        rows = self.work.control_points.rows
        acted = {number for number in done if rows[number].ended is not ControlPointState.PASSED}
        for number in sorted(changes.acts - acted):
            self._complete(self._entered(number))
        for number in sorted(changes.passes - done):
            self._pass(self._entered(number))
        for number in sorted(changes.ends):
            self._complete(rows[number])
        for number in sorted(changes.drops):
            self._end(rows[number], ControlPointState.GIVEN_UP)
        for number in sorted(changes.opens - open_):
            self._entered(number)

    def retarget(self, row: ControlPoint) -> None:
        """Give a step the budget that is promised now, and the calendar that counts (R-SLA-08)."""
        if row.calendar_version_id != self.version_id:
            spent = self._spent(row)
            row.calendar_version_id = self.version_id
            if row.base_us is not None:
                row.base_us = self.position - spent
        budget = self._budget(row)
        if budget != row.budget_us:
            row.budget_us, row.reminded = budget, 0

    def pause_or_count(self, row: ControlPoint) -> None:
        """Count, or stand still with the thread; then say when it is due and reminds.

        A step runs as long as the request waits for it, whatever else that waits for.
        """
        spent = self._spent(row)
        reasons = open_reasons(self.work.request)
        paused = any(self.work.terms.pauses_thread(each, row.thread) for each in reasons)
        if paused and RUN_THROUGH.get(row.number) not in reasons:
            row.base_us, row.elapsed_us = None, spent
        elif row.base_us is None:
            row.base_us = self.position - spent
        row.deadline = self._due(row, 100)
        left = [percent for percent in REMINDERS if percent > row.reminded]
        row.next_reminder_at = self._due(row, left[0]) if left else None
        row.line, row.partner_id = self.work.request.line, self.work.request.partner_id

    def _entered(self, number: int) -> ControlPoint:
        """The step, open; entered again it goes on with its budget (R-CP-02)."""
        rows, now = self.work.control_points.rows, self.work.now
        row = rows.get(number)
        if row is None:
            row = new_row(
                ControlPoint,
                id=uuid4(),
                request_id=self.work.request.id,
                number=number,
                thread=STEPS[number].thread,
                owner_role=STEPS[number].owner.value,
                revision=0,
            )
            rows[number] = row
        if row.revision == 0 or self._is_past(row):
            row.started_at, row.elapsed_us, row.reminded = now, 0, 0
            row.owner_id = row.budget_us = row.base_us = None
        if row.completed_at is not None or row.base_us is None:
            if row.completed_at is not None:
                row.owner_id = None  # who acted last need not be whose it is now
            row.completed_at = row.on_time = row.ended = None
            row.calendar_version_id = self.version_id
            row.line, row.partner_id = self.work.request.line, self.work.request.partner_id
            self.retarget(row)
            row.base_us = self.position - row.elapsed_us
            row.deadline = self._due(row, 100)
        return row

    def _complete(self, row: ControlPoint) -> None:
        """Somebody's act ends it, and it is theirs: a step credits who acted (R-CP-02)."""
        self._end(row, ControlPointState.COMPLETED)
        row.owner_id = self.work.actor.id
        row.on_time = None if row.budget_us is None else row.elapsed_us <= row.budget_us

    def _pass(self, row: ControlPoint) -> None:
        """The workflow went past it without an act: no time, no judgement, nobody's (R-CP-02)."""
        self._end(row, ControlPointState.PASSED)
        row.elapsed_us, row.deadline, row.owner_id = 0, None, None

    def _end(self, row: ControlPoint, how: ControlPointState) -> None:
        row.elapsed_us, row.base_us = self._spent(row), None
        row.completed_at, row.next_reminder_at = self.work.now, None
        row.on_time, row.ended = None, how

    def _spent(self, row: ControlPoint) -> int:
        spent: int = row.elapsed_us
        if row.base_us is not None:
            calendar = self.calendars.get(row.calendar_version_id, self.working)
            spent = calendar.position_us(self.work.now) - row.base_us
        return spent

    def _due(self, row: ControlPoint, percent: int) -> datetime | None:
        """When so much of the budget is spent; None while it is not counted."""
        if row.base_us is None or row.budget_us is None:
            return None
        spent = -(-row.budget_us * percent // 100)
        return self.working.instant_at(row.base_us + spent)

    def _budget(self, row: ControlPoint) -> int | None:
        """The budget in working time; days are those that follow the step's start (R-CAL-04)."""
        technical = has_technical_steps(self.work.request.kind)
        terms = self.work.terms
        which = (row.number, self.work.request.priority, technical)
        if which not in terms.budgets:
            found = budget_of(row.number, terms.shares, self.targets, restoration=technical)
            terms.budgets[which] = found
        found = terms.budgets[which]
        if found is None or found.us is not None:
            return None if found is None else found.us
        since: datetime = row.started_at
        return self.working.elapsed(since, self.working.add_days(since, found.amount))

    def _is_past(self, row: ControlPoint) -> bool:
        """Whether it belongs to an earlier delivery: CLOSURE starts anew with each (R-SLA-09)."""
        delivered = self.work.request.delivered_at
        return row.thread is Thread.CLOSURE and delivered is not None and row.started_at < delivered


def _open(rows: Iterable[ControlPoint]) -> list[ControlPoint]:
    return [row for row in rows if row.completed_at is None]


def compared(row: ControlPoint) -> tuple[Any, ...]:
    """What of a step is compared to tell whether it changed."""
    kept = vars(row)
    return tuple([kept.get(name) for name in columns_of(ControlPoint) if name not in _NOT_COMPARED])


_NOT_COMPARED = {"id", "request_id", "revision"}


async def _calendars(work: TicketWork) -> dict[UUID, WorkingCalendar]:
    """The calendars the steps were counted by; the one in force is put into the work's hand."""
    wanted = work.terms.calendar_id
    if wanted not in work.calendars:
        found = await calendars_in_force([wanted], work.request.customer_id, work.references)
        work.calendars = {**work.calendars, **found}
    versions = {row.calendar_version_id for row in _open(work.control_points.rows.values())}
    return await calendars_of_versions(versions) if versions else {}


async def _name_owners(work: TicketWork) -> None:
    """Give every open step exactly one named person: its own, else who stands in (R-ROLE-07)."""
    rows = [row for row in work.control_points.rows.values() if row.completed_at is None]
    named = {row.number: _own(work, row) for row in rows}
    if missing := [row for row in rows if named[row.number] is None]:
        staff = await STAFF.under(work.references)
        for row in missing:
            ways = (row.owner_role, *stand_ins(row.owner_role))
            found = (_holder(work, staff, role) for role in ways)
            named[row.number] = next((each for each in found if each is not None), None)
    for row in rows:
        row.owner_id = named[row.number]


def _own(work: TicketWork, row: ControlPoint) -> UUID | None:
    """Who has the step by the request itself."""
    request, role = work.request, StepOwner(row.owner_role)
    if role is StepOwner.CUSTOMER:
        return None
    if role in (StepOwner.OWNER, StepOwner.LINE2, StepOwner.LINE3):
        return request.assignee_id
    if role is StepOwner.LINE1:
        acting = work.actor.id if Role.LINE1 in work.actor.roles else None
        return request.assignee_id or row.owner_id or acting
    return row.owner_id


def _holder(work: TicketWork, staff: Staff, role: str) -> UUID | None:
    """One active person of a role, of the request's branch where there is one.

    The lead of the request's queue stands before any other line lead. The customer is their
    contact for the request, else for the project; never somebody of ours.
    """
    request = work.request
    if role == StepOwner.CUSTOMER:
        return work.project.customer_contact
    if role not in _FROM_ROLES:
        return None
    queue = staff.queues.get(request.queue_id) if request.queue_id else None
    lead = queue.lead if queue is not None and role == StepOwner.LINE_LEAD else None
    return lead or staff.holder(role, request.branch_id)
