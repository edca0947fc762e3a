"""Closing: confirm, reject the solution, reopen, close, and timers that fire."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import SYSTEM, Actor
from itr.errors import NotFound
from itr.events.work import Work, transaction
from itr.requests.operations.charges import charge_undecided
from itr.requests.operations.child_requests import follow_lead, open_children, take_under_lead
from itr.requests.operations.emergencies import bulletin_due
from itr.requests.operations.escalations import escalation_due
from itr.requests.store import save, working_on
from itr.requests.taking import take
from itr.requests.terms import RequestStatus
from itr.requests.timers import BULLETIN, CHARGE_REMINDER, CONFIRMATION, CONFIRMATION_REMINDER
from itr.requests.verbs import closing
from itr.sla.models import Timer
from itr.tickets.escalations import ESCALATION


async def confirm_request(
    actor: Actor,
    request_id: UUID,
    *,
    verified_by: UUID | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Accept the solution; a named person of the customer has checked the result."""
    verifier = verified_by or actor.id
    named = None if verifier == actor.id else verifier
    taking = working_on(actor, request_id, now, expected_version, holding=named)
    async with taking as in_hand:
        if named is not None and in_hand.held != in_hand.request.customer_id:
            raise NotFound(path=["verifiedById"])
        closing.confirm(in_hand, verifier)
    return request_id


async def reject_solution(
    actor: Actor,
    request_id: UUID,
    *,
    reason: str,
    service_down: bool,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Send the solution back: counts as a reopen (R-SLA-09)."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        closing.reject_solution(in_hand, reason, service_down=service_down)
    return request_id


async def reopen_request(
    actor: Actor,
    request_id: UUID,
    *,
    reason: str,
    service_down: bool,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Open a confirmed or closed request again, within seven days of closing."""
    async with transaction(claim_at_once=False) as work:
        in_hand = await take_under_lead(work, actor, request_id, now, expected_version)
        closing.reopen(in_hand, reason, service_down=service_down)
        await follow_lead(in_hand)
        await save(work, in_hand)
    return request_id


async def close_request(
    actor: Actor, request_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Close a confirmed request: stops CLOSURE."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        closing.close(in_hand, open_children=await open_children(request_id))
    return request_id


async def fire_timer(work: Work, request_id: UUID, kind: str, *, now: datetime) -> None:
    """Do what a timer of this kind is for, in the transaction that takes it.

    Silence confirms, half of it reminds (R-REQ-04), a bulletin was due (R-REQ-11), an escalation
    was not acknowledged (R-ESC-02), a charge not decided on (R-ENT-06).
    """
    ends = {
        CONFIRMATION: _silence_confirms,
        CONFIRMATION_REMINDER: _silence_reminds,
        BULLETIN: bulletin_due,
        ESCALATION: escalation_due,
        CHARGE_REMINDER: charge_undecided,
    }
    await ends[kind](work, request_id, now=now)


async def _silence_confirms(work: Work, request_id: UUID, *, now: datetime) -> None:
    in_hand = await take(work, SYSTEM, request_id, now)
    if in_hand.request.status is RequestStatus.DELIVERED:
        closing.confirm_by_silence(in_hand)
        await save(work, in_hand)


async def _silence_reminds(work: Work, request_id: UUID, *, now: datetime) -> None:
    in_hand = await take(work, SYSTEM, request_id, now)
    window = await Timer.get_or_none(request_id=request_id, kind=CONFIRMATION)
    if in_hand.request.status is RequestStatus.DELIVERED and window is not None:
        closing.remind_of_confirmation(in_hand, window.due_at)
        await save(work, in_hand)
