"""What can be done to an emergency (R-REQ-11): each operation is one transaction and one event."""

from datetime import datetime
from uuid import UUID

from itr.actor import SYSTEM, Actor
from itr.events.work import Work
from itr.requests.models import Bulletin
from itr.requests.priority import Classification
from itr.requests.store import handling, save, take
from itr.requests.terms import BulletinKind
from itr.requests.verbs import emergencies


async def declare_emergency(
    actor: Actor,
    request_id: UUID,
    *,
    reason: str,
    found: Classification | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Declare a P1 outage an emergency (R-REQ-11).

    Before acceptance, when it has no priority of its own, `found` confirms the outage (R-ENT-01).
    """
    async with handling(actor, request_id, now, expected_version) as in_hand:
        emergencies.declare(in_hand, reason, found)
    return request_id


async def publish_bulletin(
    actor: Actor,
    request_id: UUID,
    *,
    kind: BulletinKind,
    text: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Publish a status bulletin; the customer reads it."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        told = await Bulletin.filter(request_id=request_id).values_list("kind", flat=True)
        bulletin = emergencies.publish(in_hand, kind, text, frozenset(map(str, told)))
        await bulletin.save(force_create=True)
    return request_id


async def bulletin_due(work: Work, request_id: UUID, *, now: datetime) -> None:
    """Note that no bulletin came in time, in the transaction that takes the timer."""
    in_hand = await take(work, SYSTEM, request_id, now)
    emergencies.miss_bulletins(in_hand)
    await save(work, in_hand)
