"""Handling: dispatch, start, wait, resume, restore, requeue, deliver, up and down the lines."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from itr.actors.roles import Role
from itr.events.log import Audience
from itr.requests import rules
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Request
from itr.requests.rules import PlaceOfWork
from itr.requests.terms import RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.requests.timers import set_confirmation_timers
from itr.requests.waiting import end_all, end_reason, open_reason, open_reasons
from itr.sla.terms import Thread, WaitingReason
from itr.texts import ensure_text
from itr.tickets.policy import NotOwner
from itr.tickets.verbs import MoveNotAllowed


def dispatch(work: TicketWork, place: PlaceOfWork, assignee_id: UUID | None) -> None:
    """Send a request to a queue, or to a person of it."""
    work.ensure_may(RequestVerb.DISPATCH)
    moved = work.move_to(RequestStatus.DISPATCHED)
    put(work, place, assignee_id, reason=None)
    work.record(
        "RequestDispatched", Audience.PARTNER, {**moved, **place_payload(place, assignee_id)}
    )


def start(work: TicketWork, place: PlaceOfWork | None) -> None:
    """Take a request: the assignee, or anyone of the queue, who becomes the owner (R-ROLE-07)."""
    request = work.request
    work.ensure_may(RequestVerb.START)
    if request.status is not RequestStatus.DISPATCHED and request.assignee_id is not None:
        raise MoveNotAllowed(current=request.status.value, verb=RequestVerb.START.value)
    if request.assignee_id not in (None, work.actor.id):
        raise rules.AlreadyOwned()
    if request.assignee_id is None and not (place and work.actor.id in place.members):
        raise NotOwner()
    request.assignee_id = work.actor.id
    moved: dict[str, str] = {}
    if request.status is RequestStatus.DISPATCHED:
        moved = work.move_to(RequestStatus.IN_PROGRESS)
    work.record("RequestStarted", Audience.PUBLIC, {**moved, "assignee": str(work.actor.id)})


def wait(
    work: TicketWork, reason: WaitingReason, note: str | None, *, instead: bool = False
) -> None:
    """Wait for somebody else; pauses what the service level pauses for it (R-REQ-03).

    What it waits for already goes on beside it, but `instead` of that in another system's past,
    where a request waits for one thing at a time.
    """
    request = work.request
    work.ensure_may(RequestVerb.WAIT)
    text = ensure_text(note, "note") if note else None
    ended = [each for each in open_reasons(request) if instead and each is not reason]
    moved = begin_waiting(work, reason, instead_of=ended)
    work.record("RequestWaiting", Audience.PUBLIC, {**moved, "reason": reason.value, "text": text})


def resume(work: TicketWork, answer: str | None, reason: WaitingReason | None = None) -> None:
    """Go on where the request stood: the owner, or the customer by answering.

    Without a `reason` the owner ends them all, the customer what waits for the customer; while
    others are open the request waits on (R-REQ-03).
    """
    request = work.request
    work.ensure_may(RequestVerb.RESUME)
    by_customer = Role.CUSTOMER in work.actor.roles and request.assignee_id != work.actor.id
    if by_customer:
        ensure_waits_for_customer(request, reason)
        reason = WaitingReason.CUSTOMER
    elif reason is not None and reason not in open_reasons(request):
        raise rules.NotWaitingFor(path=["reason"])
    answers = by_customer or answer
    text = ensure_text(answer or "", "answer") if answers else None
    words = {"reason": reason.value if reason else None, "text": text}
    moved = leave_waiting(work) if reason is None else end_waiting_for(work, reason)
    if "to" in moved:
        work.record("RequestResumed", Audience.PUBLIC, {**moved, **words})
    else:
        work.record("WaitingReasonEnded", Audience.PUBLIC, {**moved, **words})


def ensure_waits_for_customer(request: Request, reason: WaitingReason | None) -> None:
    """A customer ends nothing but what waits for the customer. Raises NotOwner."""
    asked = WaitingReason.CUSTOMER in open_reasons(request)
    if not asked or reason not in (None, WaitingReason.CUSTOMER):
        raise NotOwner()


def restore(work: TicketWork, workaround: str) -> None:
    """Service is up again, by a workaround: stops RESTORATION (R-SLA-01)."""
    request = work.request
    work.ensure_may(RequestVerb.RESTORE)
    if not rules.has_technical_steps(request.kind):
        raise MoveNotAllowed(current=request.status.value, verb=RequestVerb.RESTORE.value)
    request.workaround = ensure_text(workaround, "workaround")
    mark_restored(work)
    moved = work.move_to(RequestStatus.RESTORED)
    work.record("RequestRestored", Audience.PUBLIC, {**moved, "text": request.workaround})


def deliver(work: TicketWork, solution: str, *, restores_service: bool) -> None:
    """Hand the solution to the customer: stops RESOLUTION, starts CLOSURE (R-SLA-01).

    From WAITING it resumes and delivers at one instant; the pause is subtracted first (R-SLA-07).
    """
    request = work.request
    work.ensure_may(RequestVerb.DELIVER)
    before = request.status
    if before is RequestStatus.WAITING:
        leave_waiting(work)
    request.solution = ensure_text(solution, "solution")
    request.restores_service = restores_service
    request.delivered_at = work.now
    request.solved_by_line = request.line
    answer_the_customer(work)
    if restores_service:
        mark_restored(work)
    work.book.complete(Thread.RESOLUTION, work.now)
    if request.parent_id is None:
        target = work.terms.target(request.priority, Thread.CLOSURE)
        work.book.start(Thread.CLOSURE, work.now, target, work.terms.calendar_id)
    set_confirmation_timers(work)
    work.move_to(RequestStatus.DELIVERED)
    work.record(
        "RequestDelivered",
        Audience.PUBLIC,
        {"from": before.value, "to": request.status.value, "text": request.solution},
    )


def requeue(work: TicketWork, place: PlaceOfWork, reason: str) -> None:
    """Put a request back into a queue: it is nobody's again; RESTORED it stays so (R-REQ-17)."""
    request = work.request
    work.ensure_may(RequestVerb.REQUEUE)
    text = ensure_text(reason, "reason")
    before = request.status
    if before is RequestStatus.WAITING:
        leave_waiting(work)
    if request.status is not RequestStatus.RESTORED:
        work.move_to(RequestStatus.DISPATCHED)
    put(work, place, None, reason=text)
    moved = {"from": before.value, "to": request.status.value}
    work.record(
        "RequestRequeued", Audience.PARTNER, {**moved, "reason": text, **place_payload(place, None)}
    )


def change_line(
    work: TicketWork, verb: RequestVerb, place: PlaceOfWork, assignee_id: UUID | None, reason: str
) -> None:
    """Hand a request up or back: another line, another stint, the SLA runs on (R-LIN-01).

    A firm hands back to us whatever line we have it on.
    """
    request = work.request
    work.ensure_may(verb)
    up = verb is RequestVerb.ESCALATE
    given_back = not up and leaves_the_firm(request, place)
    if not given_back and not rules.may_change_line(line=request.line, to=place.line, up=up):
        raise rules.SameLine(line=request.line, path=["queueId"])
    text = ensure_text(reason, "reason")
    moved = end_waiting_for_the_firm(work, place)
    put(work, place, assignee_id, reason=text)
    work.record(
        "RequestEscalated" if up else "RequestHandedBack",
        Audience.PARTNER,
        {**moved, "reason": text, **place_payload(place, assignee_id)},
    )


def put(
    work: TicketWork, place: PlaceOfWork, assignee_id: UUID | None, *, reason: str | None
) -> None:
    """Place the request on the queue's line and give it the assignee, or nobody."""
    if assignee_id is not None and assignee_id not in place.members:
        raise rules.NotInQueue(path=["assigneeId"])
    work.place(line=place.line, queue_id=place.queue_id, partner_id=place.partner_id, reason=reason)
    work.request.assignee_id = assignee_id


def begin_waiting(
    work: TicketWork, reason: WaitingReason, *, instead_of: Sequence[WaitingReason] = ()
) -> dict[str, Any]:
    """Wait for this too; the state to return to is kept. Returns what to tell of it."""
    request = work.request
    if request.status is not RequestStatus.WAITING:
        request.returns_to = request.status
    open_reason(request, reason, work.now)
    for each in instead_of:
        end_reason(request, each)
    hold_clocks(work)
    return {**work.move_to(RequestStatus.WAITING), **_waits_for(request)}


def hold_clocks(work: TicketWork) -> None:
    """Pause each thread while an open reason pauses it: one continuous pause (R-REQ-03)."""
    reasons = open_reasons(work.request)
    for thread in work.book.unfinished():
        pausing = [each.value for each in reasons if work.terms.pauses_thread(each, thread)]
        work.book.hold(thread, work.now, pausing)


def leave_waiting(work: TicketWork) -> dict[str, str]:
    """Return to the kept state and let the clocks count again."""
    request = work.request
    back_to = request.returns_to or RequestStatus.IN_PROGRESS
    end_all(request)
    hold_clocks(work)
    return work.move_to(back_to)


def end_waiting_for(work: TicketWork, reason: WaitingReason) -> dict[str, Any]:
    """End one reason. Returns, for the event, from and to, or what it waits for yet."""
    request = work.request
    if open_reasons(request) == (reason,):
        return leave_waiting(work)
    end_reason(request, reason)
    hold_clocks(work)
    return _waits_for(request)


def end_waiting_for_the_firm(work: TicketWork, place: PlaceOfWork) -> dict[str, Any]:
    """Going to this place ends the wait for a partner firm that gives the request back."""
    request = work.request
    waits = WaitingReason.THIRD_PARTY in open_reasons(request)
    if not (waits and leaves_the_firm(request, place)):
        return {}
    return end_waiting_for(work, WaitingReason.THIRD_PARTY)


def leaves_the_firm(request: Request, place: PlaceOfWork) -> bool:
    """Whether a partner firm has the request and has it no more at this place."""
    return request.partner_id is not None and place.partner_id is None


def mark_restored(work: TicketWork) -> None:
    """Service is up: stops RESTORATION, unless it was up before."""
    work.request.service_down = False
    if work.book.is_unfinished(Thread.RESTORATION):
        work.request.restored_at = work.now
        work.book.complete(Thread.RESTORATION, work.now)


def answer_the_customer(work: TicketWork) -> None:
    """A person has answered: stops RESPONSE, once."""
    if work.request.first_response_at is None:
        work.request.first_response_at = work.now
    work.book.complete(Thread.RESPONSE, work.now)


def place_payload(place: PlaceOfWork, assignee_id: UUID | None) -> dict[str, object]:
    """Where a request goes, for its timeline."""
    return {
        "queue": str(place.queue_id) if place.queue_id else None,
        "line": place.line,
        "assignee": str(assignee_id) if assignee_id else None,
    }


def _waits_for(request: Request) -> dict[str, list[str]]:
    """What a request waits for, for its timeline."""
    return {"waits": [each.value for each in open_reasons(request)]}
