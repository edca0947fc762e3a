"""Handling: dispatch, start, wait, resume, restore, deliver, requeue, change line."""

from datetime import datetime
from uuid import UUID

from itr.actor import Actor
from itr.errors import InvalidInput
from itr.requests.handling import Handling
from itr.requests.places import place_of
from itr.requests.store import handling
from itr.requests.terms import Verb
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
    async with handling(actor, request_id, now, expected_version) as in_hand:
        moves.dispatch(in_hand, await place_of(actor, queue_id), assignee_id)
    return request_id


async def start_request(
    actor: Actor, request_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Take a request and become its owner (R-ROLE-07)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        queue_id = in_hand.request.queue_id
        moves.start(in_hand, await place_of(actor, queue_id) if queue_id else None)
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
    async with handling(actor, request_id, now, expected_version) as in_hand:
        moves.wait(in_hand, reason, note)
    return request_id


async def resume_request(
    actor: Actor,
    request_id: UUID,
    *,
    answer: str | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Go on; a customer resumes what waits for them by answering."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        moves.resume(in_hand, answer)
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
    async with handling(actor, request_id, now, expected_version) as in_hand:
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
    async with handling(actor, request_id, now, expected_version) as in_hand:
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
    async with handling(actor, request_id, now, expected_version) as in_hand:
        in_hand.ensure_may(Verb.REQUEUE)
        place = await place_of(actor, queue_id or _queue_of(in_hand))
        moves.requeue(in_hand, place, reason)
    return request_id


async def change_line(
    actor: Actor,
    request_id: UUID,
    verb: Verb,
    *,
    queue_id: UUID,
    assignee_id: UUID | None,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Escalate to a higher line or hand back to a lower one (R-LIN-01)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        place = await place_of(actor, queue_id)
        moves.change_line(in_hand, verb, place, assignee_id, reason)
    return request_id


def _queue_of(in_hand: Handling) -> UUID:
    queue_id = in_hand.request.queue_id
    if queue_id is None:
        raise InvalidInput(
            path=["queueId"],
            zh_reason="请求不在任何队列中，请指定队列。",
            en_reason="The request is in no queue; name one.",
        )
    return queue_id
