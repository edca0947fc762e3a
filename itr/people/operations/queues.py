"""Queues and who works in them (R-ORG-04)."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid4

from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import OrganisationKind, Permission
from itr.errors import Faults, NotFound
from itr.events.work import Work, transaction
from itr.people.models import Queue, QueueMember
from itr.people.names import kept_whole
from itr.people.operations.recording import ensure_works_for, organisation_of, record_change
from itr.people.rules import ensure_line
from itr.texts import ensure_name


async def create_queue(
    actor: Actor,
    *,
    name: str,
    line: int,
    now: datetime,
    branch_id: UUID | None = None,
    partner_id: UUID | None = None,
    lead_id: UUID | None = None,
    member_ids: Collection[UUID] = (),
    queue_id: UUID | None = None,
) -> UUID:
    """Open a queue of a line, of our own or of a partner firm, with its people (R-ORG-04).

    People of a partner's queue belong to that partner, of ours to our branches.
    """
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    faults = Faults()
    name = faults.of(ensure_name, name, "name")
    faults.of(ensure_line, line, "line")
    faults.refuse()
    with kept_whole("name"):
        async with transaction() as work:
            if branch_id is not None:
                await organisation_of(branch_id, OrganisationKind.BRANCH, "branchId")
            if partner_id is not None:
                await organisation_of(partner_id, OrganisationKind.PARTNER, "partnerId")
            if lead_id is not None:
                await ensure_works_for(lead_id, partner_id, "leadId")
            queue = await Queue.create(
                id=queue_id or uuid4(),
                name=name,
                line=line,
                branch_id=branch_id,
                partner_id=partner_id,
                lead_id=lead_id,
            )
            for index, person_id in enumerate(dict.fromkeys(member_ids)):
                await ensure_works_for(person_id, partner_id, "memberIds", index)
                await QueueMember.create(id=uuid4(), queue=queue, person_id=person_id)
            told = {"change": "CREATED", "name": name, "line": line}
            await record_change(work, actor, "Queue", queue.id, now, told)
    return queue.id


async def add_queue_member(actor: Actor, queue_id: UUID, person_id: UUID, *, now: datetime) -> UUID:
    """Let a person take work of a queue; again is nothing."""
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    async with transaction() as work:
        queue = await _lock_queue(work, queue_id)
        await ensure_works_for(person_id, queue.partner_id, "personId")
        if not await QueueMember.exists(queue_id=queue_id, person_id=person_id):
            await QueueMember.create(id=uuid4(), queue=queue, person_id=person_id)
            told = {"change": "MEMBER_ADDED", "person": str(person_id)}
            await record_change(work, actor, "Queue", queue_id, now, told)
    return queue_id


async def remove_queue_member(
    actor: Actor, queue_id: UUID, person_id: UUID, *, now: datetime
) -> UUID:
    """Stop a person from taking work of a queue; what they own stays theirs."""
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    async with transaction() as work:
        await _lock_queue(work, queue_id)
        if await QueueMember.filter(queue_id=queue_id, person_id=person_id).delete():
            told = {"change": "MEMBER_REMOVED", "person": str(person_id)}
            await record_change(work, actor, "Queue", queue_id, now, told)
    return queue_id


async def _lock_queue(work: Work, queue_id: UUID) -> Queue:
    work.subject_id = queue_id
    queue = await Queue.filter(id=queue_id).select_for_update(no_key=True).first()
    if queue is None:
        raise NotFound(path=["id"])
    return queue
