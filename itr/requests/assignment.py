"""Where a request can go and whom it can name: queues, people, customers."""

from collections.abc import Collection, Sequence
from uuid import UUID

from itr.actors.actor import Actor, Reach
from itr.errors import NotFound
from itr.people.staff import STAFF, StaffedQueue
from itr.requests.models import Stint
from itr.requests.rules import PlaceOfWork
from itr.requests.ticket_work import TicketWork

FIRST_LINE = 1


async def place_of(
    work: TicketWork, queue_id: UUID, *, stood_in: Collection[UUID] = frozenset()
) -> PlaceOfWork:
    """The queue as dispatching needs it. Raises NotFound at `queueId`.

    A partner puts work into its own queues, or back into those of ours it `stood_in` before; a
    branch manager assigns within the branch. What they do not see is as if it were not there.
    """
    queue = (await STAFF.under(work.references)).queues.get(queue_id)
    if queue is None or not (queue_id in stood_in or _sees_queue(work.actor, queue)):
        raise NotFound(path=["queueId"])
    return _place_in(queue)


async def place_it_is_in(work: TicketWork, queue_id: UUID | None) -> PlaceOfWork | None:
    """The queue a request is in, whoever asks; None when it is in none."""
    if queue_id is None:
        return None
    return _place_in((await STAFF.under(work.references)).queues[queue_id])


async def home_of(work: TicketWork) -> PlaceOfWork:
    """Where work of ours came from before a partner firm had it: the queue it stood in last.

    What was never in a queue of ours comes back to line 1, where the dispatch manager finds it.
    """
    ours = [each for each in work.stints if each.partner_id is None]
    queue_id = next((each.queue_id for each in reversed(ours) if each.queue_id), None)
    home = await place_it_is_in(work, queue_id)
    return home or PlaceOfWork(None, FIRST_LINE, None, frozenset())


def queues_stood_in(stints: Sequence[Stint]) -> frozenset[UUID]:
    """The queues of ours a request has been in."""
    ours = (each.queue_id for each in stints if each.partner_id is None)
    return frozenset(queue_id for queue_id in ours if queue_id is not None)


def _place_in(queue: StaffedQueue) -> PlaceOfWork:
    return PlaceOfWork(queue.id, queue.line, queue.partner_id, queue.members)


def knows_projects(actor: Actor) -> bool:
    """Whether the actor knows of any project: partners know of none (R-ROLE-06)."""
    return actor.scope.reaches != {Reach.PARTNER}


def _sees_queue(actor: Actor, queue: StaffedQueue) -> bool:
    if actor.scope.reaches == {Reach.PARTNER}:
        return queue.partner_id == actor.organisation_id
    if actor.scope.reaches == {Reach.BRANCH}:
        return queue.branch_id == actor.organisation_id
    return True
