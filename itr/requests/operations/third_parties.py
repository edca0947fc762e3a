"""Handing requests to partner firms and taking them back (R-REQ-10)."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor
from itr.requests.assignment import place_of
from itr.requests.lifecycle import RequestVerb
from itr.requests.store import working_on
from itr.requests.verbs import third_parties


async def hand_to_partner(
    actor: Actor,
    request_id: UUID,
    *,
    queue_id: UUID,
    assignee_id: UUID | None,
    reason: str,
    waiting: bool,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Hand a request, or a child of one, to a partner firm under that firm's own clock."""
    taking = working_on(actor, request_id, now, expected_version, holding=assignee_id)
    async with taking as in_hand:
        in_hand.ensure_may(RequestVerb.HAND_TO_PARTNER)
        place = await place_of(in_hand, queue_id)
        third_parties.hand_to_partner(in_hand, place, assignee_id, reason, waiting=waiting)
    return request_id


async def take_back(
    actor: Actor,
    request_id: UUID,
    *,
    queue_id: UUID,
    assignee_id: UUID | None,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Take a request back from a partner firm into a queue of ours."""
    taking = working_on(actor, request_id, now, expected_version, holding=assignee_id)
    async with taking as in_hand:
        in_hand.ensure_may(RequestVerb.TAKE_BACK)
        place = await place_of(in_hand, queue_id)
        third_parties.take_back(in_hand, place, assignee_id, reason)
    return request_id
