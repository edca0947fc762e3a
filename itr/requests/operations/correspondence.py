"""Correspondence about a request: replies, notes, calls, the plan."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor
from itr.events.log import Audience
from itr.requests.store import working_on
from itr.requests.verbs import correspondence


async def respond_to_request(
    actor: Actor,
    request_id: UUID,
    *,
    text: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Reply in public; the first reply of a person of ours stops RESPONSE (R-SLA-01)."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        correspondence.respond(in_hand, text)
    return request_id


async def note_on_request(
    actor: Actor,
    request_id: UUID,
    *,
    text: str,
    audience: Audience,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Write an internal note, or one shared with the partner (R-REQ-07)."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        correspondence.note(in_hand, text, audience)
    return request_id


async def log_call(
    actor: Actor,
    request_id: UUID,
    *,
    summary: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Log a call with the customer; it answers them (R-SLA-01)."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        correspondence.log_call(in_hand, summary)
    return request_id


async def plan_request(
    actor: Actor,
    request_id: UUID,
    *,
    summary: str,
    expected_at: datetime,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Tell the customer the plan and the date to expect (R-REQ-05)."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        correspondence.plan(in_hand, summary, expected_at)
    return request_id
