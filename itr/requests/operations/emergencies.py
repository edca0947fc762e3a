"""What can be done to an emergency (R-REQ-11): each operation is one transaction and one event."""

from datetime import datetime
from uuid import UUID, uuid4

from itr.actors.actor import Actor
from itr.events.work import Work
from itr.notifications.notify import notify
from itr.requests.emergency_rules import due_times
from itr.requests.models import Bulletin, Request
from itr.requests.priority import Classification
from itr.requests.store import working_on
from itr.requests.taking import lock_visible
from itr.requests.terms import BulletinKind
from itr.requests.timers import BULLETIN
from itr.requests.verbs import emergencies
from itr.sight.row_filter import RowFilter
from itr.sla.models import Timer


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
    async with working_on(actor, request_id, now, expected_version) as in_hand:
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
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        told = await Bulletin.filter(request_id=request_id).values_list("kind", flat=True)
        bulletin = emergencies.publish(in_hand, kind, text, frozenset(map(str, told)))
        await bulletin.save(force_create=True)
    return request_id


async def bulletin_due(work: Work, request_id: UUID, *, now: datetime) -> None:
    """Note that no bulletin came in time and tell who has to publish it.

    In the transaction that takes the timer. Each due time that passed is recorded once, and the
    next one is counted down to.
    """
    await lock_visible(work.connection, request_id, RowFilter.everything(), "id")
    request = await Request.get(id=request_id)
    first = request.bulletin_due_at
    if first is None or first > now:
        return
    *missed, following = due_times(first, now)
    request.bulletin_due_at = following
    await request.save(update_fields=["bulletin_due_at"])
    await Timer.filter(request_id=request_id, kind=BULLETIN).delete()
    await Timer.create(id=uuid4(), kind=BULLETIN, request_id=request_id, due_at=following)
    facts = [emergencies.missed(request, each, now, notifies=each == missed[-1]) for each in missed]
    await notify(work, facts, now)
