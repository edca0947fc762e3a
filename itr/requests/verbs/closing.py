"""Closing: confirm, reject the solution, close, reopen."""

from datetime import datetime
from uuid import UUID

from itr.events.log import Audience
from itr.requests import rules
from itr.requests.child_request_rules import ensure_no_open_children
from itr.requests.emergency_rules import BULLETIN_EVERY, ProblemMissing
from itr.requests.lifecycle import RequestVerb
from itr.requests.terms import RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.requests.timers import expect_bulletin, stop_confirmation_timers
from itr.requests.verbs.handling import mark_restored
from itr.requests.verbs.intake import retarget
from itr.sla.terms import Thread
from itr.texts import ensure_text
from itr.tickets.verbs import ensure_can_move


def confirm(work: TicketWork, verified_by: UUID) -> None:
    """The customer accepts the solution; a named person has checked the result."""
    work.ensure_may(RequestVerb.CONFIRM)
    work.request.verified_by_id = verified_by
    _confirmed(work, by_silence=False)


def confirm_by_silence(work: TicketWork) -> None:
    """No answer within the window: confirmed, and marked so (R-REQ-04)."""
    ensure_can_move(work.request.status, RequestVerb.CONFIRM)
    _confirmed(work, by_silence=True)


def remind_of_confirmation(work: TicketWork, until: datetime) -> None:
    """Half of the window has passed without an answer; `until` is its end (R-REQ-04)."""
    ensure_can_move(work.request.status, RequestVerb.CONFIRM)
    work.record("ConfirmationReminded", Audience.PUBLIC, {"until": until.isoformat()})


def reject_solution(work: TicketWork, reason: str, *, service_down: bool) -> None:
    """The solution does not do: RESOLUTION goes on, CLOSURE is cancelled (R-SLA-09)."""
    work.ensure_may(RequestVerb.REJECT_SOLUTION)
    _go_on(work, "SolutionRejected", reason, service_down=service_down)


def reopen(work: TicketWork, reason: str, *, service_down: bool) -> None:
    """It was not resolved after all: the time it counted as solved is excluded (R-SLA-09)."""
    request = work.request
    work.ensure_may(RequestVerb.REOPEN)
    if not work.historic:
        rules.ensure_reopens_in_time(request.closed_at, work.now)
    _go_on(work, "RequestReopened", reason, service_down=service_down)


def go_on(work: TicketWork, reason: str) -> None:
    """A request of another system was withdrawn and goes on after all (R-IMP-01, R-SLA-09).

    Its clocks go on where they stood, under what is promised by now.
    """
    request = work.request
    text = ensure_text(reason, "reason")
    for thread in rules.threads_of(request.kind):
        work.book.reopen_cancelled(thread, work.now)
    request.reopen_count += 1
    request.merged_into_id = None
    request.ended_reason = None
    moved = work.move_to(RequestStatus.IN_PROGRESS)
    _resume_stint(work)
    retarget(work, work.terms)
    work.record("RequestReopened", Audience.PUBLIC, {**moved, "reason": text, "serviceDown": False})


def close(work: TicketWork, *, open_children: int = 0) -> None:
    """Close a confirmed request: stops CLOSURE.

    Its children have closed before it (R-REQ-09), an emergency has a problem (R-REQ-11).
    """
    work.ensure_may(RequestVerb.CLOSE)
    ensure_no_open_children(open_children)
    if work.request.emergency and work.request.problem_id is None and not work.historic:
        raise ProblemMissing()
    expect_bulletin(work, None)
    work.book.complete(Thread.CLOSURE, work.now)
    work.request.closed_at = work.now
    work.end_stint(None)
    moved = work.move_to(RequestStatus.CLOSED)
    work.record("RequestClosed", Audience.PUBLIC, moved)


def _confirmed(work: TicketWork, *, by_silence: bool) -> None:
    """A solution that is accepted leaves no service down, whatever it was said to restore."""
    work.request.confirmed_at = work.now
    mark_restored(work)
    work.request.confirmed_by_silence = by_silence
    stop_confirmation_timers(work)
    moved = work.move_to(RequestStatus.CONFIRMED)
    work.record("RequestConfirmed", Audience.PUBLIC, {**moved, "bySilence": by_silence})


def _go_on(work: TicketWork, event: str, reason: str, *, service_down: bool) -> None:
    request = work.request
    text = ensure_text(reason, "reason")
    stop_confirmation_timers(work)
    work.book.annul(Thread.CLOSURE, work.now)
    work.book.reopen(Thread.RESOLUTION, work.now)
    if service_down:
        request.service_down = True
        if request.emergency:
            expect_bulletin(work, work.now + BULLETIN_EVERY)
        work.book.reopen(Thread.RESTORATION, work.now)
    request.reopen_count += 1
    request.confirmed_at = request.closed_at = None
    request.verified_by_id = request.solved_by_line = None
    request.confirmed_by_silence = False
    moved = work.move_to(RequestStatus.IN_PROGRESS)
    _resume_stint(work)
    work.record(event, Audience.PUBLIC, {**moved, "reason": text, "serviceDown": service_down})


def _resume_stint(work: TicketWork) -> None:
    if work.stints and work.stints[-1].ended_at is not None:
        request = work.request
        work.begin_stint(request.line, queue_id=request.queue_id, partner_id=request.partner_id)
