"""Where a request can go and whom it can name: queues, people, customers."""

from collections.abc import Collection, Sequence
from uuid import UUID

from tortoise.connection import get_connection

from itr.actors.actor import Actor, Reach
from itr.errors import NotFound
from itr.people.models import Person, Queue, QueueMember
from itr.requests.models import HandOver, Stint
from itr.requests.rules import PlaceOfWork

FIRST_LINE = 1
_STAYS = "select id from person where id = $1 for share"


async def hold(person_id: UUID | None) -> None:
    """Let nobody take away who is to be the owner before the transaction ends (R-ROLE-07)."""
    if person_id is not None:
        await get_connection("default").execute_query(_STAYS, [person_id])


async def place_of(
    actor: Actor, queue_id: UUID, *, stood_in: Collection[UUID] = frozenset()
) -> PlaceOfWork:
    """The queue as dispatching needs it. Raises NotFound at `queueId`.

    A partner puts work into its own queues, or back into those of ours it `stood_in` before; a
    branch manager assigns within the branch. What they do not see is as if it were not there.
    """
    queue = await Queue.get_or_none(id=queue_id)
    if queue is None or not (queue_id in stood_in or _sees_queue(actor, queue)):
        raise NotFound(path=["queueId"])
    return await _place_in(queue)


async def place_it_is_in(queue_id: UUID | None) -> PlaceOfWork | None:
    """The queue a request is in, whoever asks; None when it is in none."""
    return None if queue_id is None else await _place_in(await Queue.get(id=queue_id))


async def home_of(stints: Sequence[Stint]) -> PlaceOfWork:
    """Where work of ours came from before a partner firm had it: the queue it stood in last.

    What was never in a queue of ours comes back to line 1, where the dispatch manager finds it.
    """
    ours = [each for each in stints if each.partner_id is None]
    queue_id = next((each.queue_id for each in reversed(ours) if each.queue_id), None)
    home = await place_it_is_in(queue_id)
    return home or PlaceOfWork(None, FIRST_LINE, None, frozenset())


def queues_stood_in(stints: Sequence[Stint]) -> frozenset[UUID]:
    """The queues of ours a request has been in."""
    ours = (each.queue_id for each in stints if each.partner_id is None)
    return frozenset(queue_id for queue_id in ours if queue_id is not None)


async def _place_in(queue: Queue) -> PlaceOfWork:
    members = await QueueMember.filter(queue_id=queue.id, person__active=True)
    return PlaceOfWork(
        queue.id, queue.line, queue.partner_id, frozenset(each.person_id for each in members)
    )


async def customer_of(customer_id: UUID, person_id: UUID, *path: str) -> None:
    """Check that a person is an active one of this customer. Raises NotFound at `path`."""
    if not await Person.exists(id=person_id, organisation_id=customer_id, active=True):
        raise NotFound(path=path)


async def knows_person(actor: Actor, person_id: UUID) -> bool:
    """Whether the actor knows of this person: a partner the contacts of what was handed to it."""
    if actor.scope.reaches != {Reach.PARTNER}:
        return True
    return await HandOver.exists(partner_id=actor.organisation_id, request__contact_id=person_id)


def knows_projects(actor: Actor) -> bool:
    """Whether the actor knows of any project: partners know of none (R-ROLE-06)."""
    return actor.scope.reaches != {Reach.PARTNER}


async def sees_customer(actor: Actor, customer_id: UUID) -> bool:
    """Whether the actor knows of this customer: a partner by what was handed to it."""
    if actor.scope.reaches != {Reach.PARTNER}:
        return True
    return await HandOver.exists(partner_id=actor.organisation_id, request__customer_id=customer_id)


def _sees_queue(actor: Actor, queue: Queue) -> bool:
    if actor.scope.reaches == {Reach.PARTNER}:
        return queue.partner_id == actor.organisation_id
    if actor.scope.reaches == {Reach.BRANCH}:
        return queue.branch_id == actor.organisation_id
    return True
