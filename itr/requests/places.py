"""Where a request can go and whom it can name: queues, people, customers."""

from uuid import UUID

from itr.actor import Actor, Reach
from itr.errors import NotFound
from itr.people.models import Person, Queue, QueueMember
from itr.requests.models import HandOver
from itr.requests.rules import PlaceOfWork


async def place_of(actor: Actor, queue_id: UUID) -> PlaceOfWork:
    """The queue as dispatching needs it. Raises NotFound at `queueId`.

    A partner puts work into its own queues, or back into ours where it came from; a branch
    manager assigns within the branch.
    """
    queue = await Queue.get_or_none(id=queue_id)
    if queue is None or not _sees_queue(actor, queue):
        raise NotFound(path=["queueId"])
    members = await QueueMember.filter(queue_id=queue_id, person__active=True)
    return PlaceOfWork(
        queue.id, queue.line, queue.partner_id, frozenset(each.person_id for each in members)
    )


async def customer_of(customer_id: UUID, person_id: UUID, *path: str) -> None:
    """Check that a person is an active one of this customer. Raises NotFound at `path`."""
    if not await Person.exists(id=person_id, organisation_id=customer_id, active=True):
        raise NotFound(path=path)


async def sees_customer(actor: Actor, customer_id: UUID) -> bool:
    """Whether the actor knows of this customer: a partner by what was handed to it."""
    if actor.scope.reaches != {Reach.PARTNER}:
        return True
    return await HandOver.exists(partner_id=actor.organisation_id, request__customer_id=customer_id)


def _sees_queue(actor: Actor, queue: Queue) -> bool:
    if actor.scope.reaches == {Reach.PARTNER}:
        return queue.partner_id in (None, actor.organisation_id)
    if actor.scope.reaches == {Reach.BRANCH}:
        return queue.branch_id == actor.organisation_id
    return True
