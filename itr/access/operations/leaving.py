"""What passes on when somebody leaves or loses a role: posts and open work (R-ROLE-07)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection

from itr.actors.actor import SYSTEM, Actor
from itr.actors.roles import Role
from itr.catalogue.models import Project
from itr.events.work import Work, transaction
from itr.people.models import Person, Queue
from itr.people.operations.recording import record_change
from itr.requests.rules import OPEN
from itr.requests.succession import lock_work_of, pass_on

_STANDS_IN = """
select p.id from role_assignment a join person p on p.id = a.person_id and p.active
where a.role = any($1) and p.id <> $2 and not p.machine
order by array_position($1::text[], a.role::text), p.id limit 1
"""
_ABOVE_MANAGERS = [Role.PROCESS_MANAGER.value, Role.OPERATIONS_DIRECTOR.value]


_LEFT_BEHIND = """
select p.id from person p where not p.active and (
    exists (select 1 from request r where r.assignee_id = p.id and r.status = any($1))
    or exists (select 1 from control_point c where c.owner_id = p.id and c.completed_at is null)
    or exists (select 1 from escalation e where e.person_id = p.id and e.ended_at is null))
order by p.id
"""


async def leave(
    work: Work, actor: Actor, person_id: UUID, remaining: Collection[Role], now: datetime
) -> None:
    """Pass on all that a person may not keep with the roles they still hold (R-ROLE-07).

    The caller has locked their work and then the person.
    """
    await _pass_on_posts(work, actor, person_id, remaining, now)
    await pass_on(work, actor, person_id, remaining, now)
    work.subject_id = person_id


async def pass_on_what_was_left_behind(now: datetime) -> None:
    """Pass on what is open with people who are gone, whenever and however they went (R-ROLE-07)."""
    connection = get_connection("default")
    for row in await connection.execute_query_dict(_LEFT_BEHIND, [sorted(OPEN)]):
        async with transaction() as work:
            await lock_work_of(work, row["id"])
            gone = Person.filter(id=row["id"], active=False).select_for_update(no_key=True)
            if await gone.first() is not None:
                await leave(work, SYSTEM, row["id"], (), now)


async def _pass_on_posts(
    work: Work, actor: Actor, person_id: UUID, remaining: Collection[Role], now: datetime
) -> None:
    """Take the posts of somebody who no longer holds the roles for them (R-ROLE-07).

    A queue is without a lead until another is named; a project goes to the process manager, else
    the director; whom to talk to at the customer is to be named anew.
    """
    if Role.LINE_LEAD not in remaining:
        await _leave(work, actor, Queue, "lead", person_id, None, now)
    if Role.PROJECT_MANAGER not in remaining:
        found = await work.connection.execute_query_dict(_STANDS_IN, [_ABOVE_MANAGERS, person_id])
        heir = found[0]["id"] if found else None
        await _leave(work, actor, Project, "manager", person_id, heir, now)
    if Role.CUSTOMER not in remaining:
        await _leave(work, actor, Project, "contact", person_id, None, now)


async def _leave(
    work: Work,
    actor: Actor,
    model: type[Any],
    post: str,
    person_id: UUID,
    heir: UUID | None,
    now: datetime,
) -> None:
    held = model.filter(**{f"{post}_id": person_id}).order_by("id").select_for_update(no_key=True)
    subject = work.subject_id
    for row in await held:
        setattr(row, f"{post}_id", heir)
        await row.save(update_fields=[f"{post}_id"])
        told = {"change": "PASSED_ON", "post": post, "from": str(person_id)}
        told |= {"to": str(heir)} if heir else {}
        customer_id = getattr(row, "customer_id", None)
        await record_change(work, actor, model.__name__, row.id, now, told, customer_id)
    work.subject_id = subject
