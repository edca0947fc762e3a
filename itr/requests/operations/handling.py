"""Handling: dispatch, start, wait, resume, restore, deliver, requeue, change line."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor
from itr.errors import InvalidInput, Required
from itr.requests.assignment import home_of, place_it_is_in, place_of, queues_stood_in
from itr.requests.lifecycle import RequestVerb
from itr.requests.rules import PlaceOfWork
from itr.requests.store import working_on
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs import handling as moves
from itr.sla.terms import WaitingReason


async def dispatch_request(
    actor: Actor,
    request_id: UUID,
    *,
    queue_id: UUID,
    assignee_id: UUID | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Send a request to a queue, or to a person of it."""
    taking = working_on(actor, request_id, now, expected_version, holding=assignee_id)
    async with taking as in_hand:
        in_hand.ensure_may(RequestVerb.DISPATCH)
        moves.dispatch(in_hand, await place_of(in_hand, queue_id), assignee_id)
    return request_id


async def start_request(
    actor: Actor, request_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Take a request and become its owner (R-ROLE-07)."""
    taking = working_on(actor, request_id, now, expected_version, holding=actor.id)
    async with taking as in_hand:
        moves.start(in_hand, await place_it_is_in(in_hand, in_hand.request.queue_id))
    return request_id


async def wait_request(
    actor: Actor,
    request_id: UUID,
    *,
    reason: WaitingReason,
    note: str | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Wait for somebody else (R-REQ-03)."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        moves.wait(in_hand, reason, note)
    return request_id


async def resume_request(
    actor: Actor,
    request_id: UUID,
    *,
    answer: str | None,
    reason: WaitingReason | None = None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Go on, or wait no more for one `reason`; a customer by answering what waits for them."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        moves.resume(in_hand, answer, reason)
    return request_id


async def restore_request(
    actor: Actor,
    request_id: UUID,
    *,
    workaround: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Service is up again: stops RESTORATION (R-SLA-01)."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        moves.restore(in_hand, workaround)
    return request_id


async def deliver_request(
    actor: Actor,
    request_id: UUID,
    *,
    solution: str,
    restores_service: bool,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Hand the solution to the customer: stops RESOLUTION, starts CLOSURE (R-SLA-01)."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        moves.deliver(in_hand, solution, restores_service=restores_service)
    return request_id


async def requeue_request(
    actor: Actor,
    request_id: UUID,
    *,
    queue_id: UUID | None,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Put a request back into its queue, or another: nobody's again."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        in_hand.ensure_may(RequestVerb.REQUEUE)
        moves.requeue(in_hand, await _place_to_wait_in(in_hand, queue_id), reason)
    return request_id


async def change_line(
    actor: Actor,
    request_id: UUID,
    verb: RequestVerb,
    *,
    queue_id: UUID | None,
    assignee_id: UUID | None,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Escalate to a higher line or hand back to a lower one (R-LIN-01).

    A partner firm that hands back need not say where to: it knows no queue of ours.
    """
    taking = working_on(actor, request_id, now, expected_version, holding=assignee_id)
    async with taking as in_hand:
        in_hand.ensure_may(verb)
        place = await _place_to_go_to(in_hand, verb, queue_id)
        moves.change_line(in_hand, verb, place, assignee_id, reason)
    return request_id


async def _place_to_wait_in(in_hand: TicketWork, queue_id: UUID | None) -> PlaceOfWork:
    """The queue that is named, else the one the request is in."""
    if queue_id is not None:
        return await place_of(in_hand, queue_id)
    place = await place_it_is_in(in_hand, in_hand.request.queue_id)
    if place is None:
        raise InvalidInput(
            path=["queueId"],
            zh_reason="请求不在任何队列中，请指定队列。",
            en_reason="The request is in no queue; name one.",
        )
    return place


async def _place_to_go_to(
    in_hand: TicketWork, verb: RequestVerb, queue_id: UUID | None
) -> PlaceOfWork:
    """The queue that is named; what a partner firm hands back comes home without a name."""
    if queue_id is not None:
        stood_in = queues_stood_in(in_hand.stints) if verb is RequestVerb.HAND_BACK else frozenset()
        return await place_of(in_hand, queue_id, stood_in=stood_in)
    if verb is RequestVerb.ESCALATE or in_hand.request.partner_id is None:
        raise Required(path=["queueId"])
    return await home_of(in_hand)
