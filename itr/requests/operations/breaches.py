"""Explaining breaches and deciding on the reasons: one transaction each (R-SLA-05)."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor
from itr.requests.store import working_on
from itr.requests.verbs import breaches
from itr.sla.terms import BreachReason, Thread


async def explain_breach(
    actor: Actor,
    request_id: UUID,
    *,
    thread: Thread,
    reason: BreachReason,
    note: str | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Give a breached thread its coded reason: the owner, or a line lead."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        breaches.explain(in_hand, thread, reason, note)
    return request_id


async def approve_breach_reason(
    actor: Actor,
    request_id: UUID,
    *,
    thread: Thread,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Approve the reason somebody else gave."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        breaches.approve(in_hand, thread)
    return request_id


async def refuse_breach_reason(
    actor: Actor,
    request_id: UUID,
    *,
    thread: Thread,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Refuse the reason somebody else gave, and say why."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        breaches.refuse(in_hand, thread, reason)
    return request_id
