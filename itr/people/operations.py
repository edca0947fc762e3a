"""Changing people and organisations, and loading who acts (R-ORG-01, R-ORG-04, R-ROLE-01)."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from tortoise.connection import get_connection

from itr.actor import Actor
from itr.catalogue.models import Contract
from itr.errors import NotFound
from itr.events.log import Fact
from itr.events.work import Work, transaction
from itr.people.history import next_version
from itr.people.models import (
    Organisation,
    Person,
    Project,
    ProjectMember,
    Queue,
    QueueMember,
    RoleAssignment,
)
from itr.people.names import kept_whole
from itr.people.permission import ensure_may
from itr.people.roles import OrganisationKind, Permission, Role
from itr.people.rules import (
    ContractOfAnother,
    NotOfOrganisation,
    ensure_kind,
    ensure_language,
    ensure_line,
    ensure_name,
    ensure_roles_fit,
)
from itr.sla.operations import keep_twins

_ACTOR = """
select person.id, person.name, organisation.id as organisation_id, organisation.kind,
    coalesce(array_agg(held.role) filter (where held.role is not null), '{}') as roles
from person
join organisation on organisation.id = person.organisation_id
left join role_assignment held on held.person_id = person.id
where person.active and %s
group by person.id, organisation.id
order by person.created_at, person.name, person.id
limit 1
"""


async def load_actor(person_id: UUID) -> Actor | None:
    """The person as an actor, read in one statement; None when unknown or no longer active."""
    return await _actor("person.id = $1", [person_id])


async def find_actor_for_role(role: Role, organisation: UUID | str | None = None) -> Actor | None:
    """The longest-standing active person who holds a role, in an organisation by id or name.

    The id may also be the public one (`org_…`).
    """
    holds = (
        "exists (select 1 from role_assignment wanted"
        " where wanted.person_id = person.id and wanted.role = $1)"
    )
    if organisation is None:
        return await _actor(holds, [role.value])
    known = _id_in(organisation)
    if known is not None:
        return await _actor(f"{holds} and organisation.id = $2", [role.value, known])
    return await _actor(f"{holds} and organisation.name = $2", [role.value, str(organisation)])


async def create_organisation(
    actor: Actor,
    *,
    kind: OrganisationKind,
    name: str,
    now: datetime,
    branch_id: UUID | None = None,
    phone: str | None = None,
    email: str | None = None,
    make_up_days: bool = True,
    organisation_id: UUID | None = None,
) -> UUID:
    """Add a branch, a customer or a partner; `branch_id` is the branch that serves it.

    Raises Forbidden, NotFound and WrongOrganisation for the branch.
    """
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    name = ensure_name(name, "name")
    with kept_whole("organisation_id"):
        async with transaction() as work:
            if branch_id is not None:
                await _organisation(branch_id, OrganisationKind.BRANCH, "branch_id")
            made = await Organisation.create(
                id=organisation_id or uuid4(),
                kind=kind,
                name=name,
                branch_id=branch_id,
                phone=phone and ensure_name(phone, "phone", limit=40),
                email=email and ensure_name(email, "email"),
                make_up_days=make_up_days,
            )
            if not make_up_days:
                await keep_twins(work, actor, now)
            told = {"change": "CREATED", "kind": kind.value, "name": name}
            await _record(work, actor, "Organisation", made.id, now, told)
    return made.id


async def create_person(
    actor: Actor,
    organisation_id: UUID,
    name: str,
    roles: Collection[Role],
    *,
    now: datetime,
    email: str | None = None,
    phone: str | None = None,
    language: str = "zh",
    machine: bool = False,
    person_id: UUID | None = None,
) -> UUID:
    """Add a person with their roles. Raises Forbidden, NotFound, RoleNotForOrganisation."""
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    name = ensure_name(name, "name")
    with kept_whole("person_id"):
        async with transaction() as work:
            organisation = await _organisation(organisation_id, None, "organisation_id")
            ensure_roles_fit(organisation.kind, roles, "roles")
            person = await Person.create(
                id=person_id or uuid4(),
                organisation=organisation,
                name=name,
                email=email and ensure_name(email, "email"),
                phone=phone and ensure_name(phone, "phone", limit=40),
                language=ensure_language(language, "language"),
                machine=machine,
            )
            await RoleAssignment.bulk_create(
                RoleAssignment(id=uuid4(), person=person, role=role) for role in sorted(set(roles))
            )
            told = {"change": "CREATED", "roles": sorted(role.value for role in roles)}
            await _record(work, actor, "Person", person.id, now, told)
    return person.id


async def assign_role(actor: Actor, person_id: UUID, role: Role, *, now: datetime) -> None:
    """Give a person one more role; again is nothing. Raises RoleNotForOrganisation."""
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    async with transaction() as work:
        person = await _lock_person(person_id)
        ensure_roles_fit(person.organisation.kind, [role], "role")
        if await RoleAssignment.exists(person_id=person_id, role=role):
            return
        await RoleAssignment.create(id=uuid4(), person=person, role=role)
        told = {"change": "ROLE_ASSIGNED", "role": role.value}
        await _record(work, actor, "Person", person_id, now, told)


async def revoke_role(actor: Actor, person_id: UUID, role: Role, *, now: datetime) -> None:
    """Take a role from a person; the next event they would see no longer comes (S9)."""
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    async with transaction() as work:
        await _lock_person(person_id)
        if await RoleAssignment.filter(person_id=person_id, role=role).delete():
            told = {"change": "ROLE_REVOKED", "role": role.value}
            await _record(work, actor, "Person", person_id, now, told)


async def deactivate_person(actor: Actor, person_id: UUID, *, now: datetime) -> None:
    """End a person's access; what they did stays theirs."""
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    async with transaction() as work:
        person = await _lock_person(person_id)
        if person.active:
            person.active = False
            await person.save(update_fields=["active"])
            await _record(work, actor, "Person", person_id, now, {"change": "DEACTIVATED"})


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
    name = ensure_name(name, "name")
    ensure_line(line, "line")
    with kept_whole("queue_id"):
        async with transaction() as work:
            if branch_id is not None:
                await _organisation(branch_id, OrganisationKind.BRANCH, "branch_id")
            if partner_id is not None:
                await _organisation(partner_id, OrganisationKind.PARTNER, "partner_id")
            if lead_id is not None:
                await _ensure_works_for(lead_id, partner_id, "lead_id")
            queue = await Queue.create(
                id=queue_id or uuid4(),
                name=name,
                line=line,
                branch_id=branch_id,
                partner_id=partner_id,
                lead_id=lead_id,
            )
            for index, person_id in enumerate(dict.fromkeys(member_ids)):
                await _ensure_works_for(person_id, partner_id, "member_ids", index)
                await QueueMember.create(id=uuid4(), queue=queue, person_id=person_id)
            told = {"change": "CREATED", "name": name, "line": line}
            await _record(work, actor, "Queue", queue.id, now, told)
    return queue.id


async def add_queue_member(actor: Actor, queue_id: UUID, person_id: UUID, *, now: datetime) -> None:
    """Let a person take work of a queue; again is nothing."""
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    async with transaction() as work:
        queue = await _lock_queue(queue_id)
        await _ensure_works_for(person_id, queue.partner_id, "person_id")
        if not await QueueMember.exists(queue_id=queue_id, person_id=person_id):
            await QueueMember.create(id=uuid4(), queue=queue, person_id=person_id)
            told = {"change": "MEMBER_ADDED", "person": str(person_id)}
            await _record(work, actor, "Queue", queue_id, now, told)


async def remove_queue_member(
    actor: Actor, queue_id: UUID, person_id: UUID, *, now: datetime
) -> None:
    """Stop a person from taking work of a queue; what they own stays theirs."""
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    async with transaction() as work:
        await _lock_queue(queue_id)
        if await QueueMember.filter(queue_id=queue_id, person_id=person_id).delete():
            told = {"change": "MEMBER_REMOVED", "person": str(person_id)}
            await _record(work, actor, "Queue", queue_id, now, told)


async def create_project(
    actor: Actor,
    *,
    name: str,
    customer_id: UUID,
    now: datetime,
    manager_id: UUID | None = None,
    contract_id: UUID | None = None,
    member_ids: Collection[UUID] = (),
    project_id: UUID | None = None,
) -> UUID:
    """Join a customer, a contract of theirs, a manager and a team (R-ORG-01)."""
    ensure_may(actor, Permission.MANAGE_CONTRACTS)
    name = ensure_name(name, "name")
    with kept_whole("project_id"):
        async with transaction() as work:
            await _organisation(customer_id, OrganisationKind.CUSTOMER, "customer_id")
            if manager_id is not None:
                await _ensure_works_for(manager_id, None, "manager_id")
            if contract_id is not None:
                await _ensure_contract_of(contract_id, customer_id)
            project = await Project.create(
                id=project_id or uuid4(),
                name=name,
                customer_id=customer_id,
                manager_id=manager_id,
                contract_id=contract_id,
            )
            for index, person_id in enumerate(dict.fromkeys(member_ids)):
                await _ensure_works_for(person_id, None, "member_ids", index)
                await ProjectMember.create(id=uuid4(), project=project, person_id=person_id)
            told = {"change": "CREATED", "name": name}
            await _record(work, actor, "Project", project.id, now, told, customer_id)
    return project.id


async def _actor(which: str, values: list[Any]) -> Actor | None:
    rows = await get_connection("default").execute_query_dict(_ACTOR % which, values)
    if not rows:
        return None
    row = rows[0]
    return Actor(
        id=row["id"],
        name=row["name"],
        organisation_id=row["organisation_id"],
        organisation_kind=OrganisationKind(row["kind"]),
        roles=frozenset(Role(role) for role in row["roles"]),
    )


def _id_in(organisation: UUID | str) -> UUID | None:
    if isinstance(organisation, UUID):
        return organisation
    try:
        return UUID(organisation.removeprefix("org_"))
    except ValueError:
        return None


async def _organisation(
    organisation_id: UUID, kind: OrganisationKind | None, path: str
) -> Organisation:
    found = await Organisation.get_or_none(id=organisation_id)
    if found is None:
        raise NotFound(path=[path])
    if kind is not None:
        ensure_kind(found.kind, kind, path)
    return found


async def _ensure_works_for(person_id: UUID, partner_id: UUID | None, *path: str | int) -> None:
    """Refuse a person who is not of the partner firm, or, without one, not of our branches."""
    person = await Person.get_or_none(id=person_id, active=True).select_related("organisation")
    if person is None:
        raise NotFound(path=path)
    ours = person.organisation.kind is OrganisationKind.BRANCH
    if not (ours if partner_id is None else person.organisation.id == partner_id):
        raise NotOfOrganisation(path=path)


async def _ensure_contract_of(contract_id: UUID, customer_id: UUID) -> None:
    contract = await Contract.get_or_none(id=contract_id).values("customer_id")
    if contract is None:
        raise NotFound(path=["contract_id"])
    if contract["customer_id"] != customer_id:
        raise ContractOfAnother(path=["contract_id"])


async def _lock_person(person_id: UUID) -> Person:
    person = await Person.filter(id=person_id).select_for_update(no_key=True).first()
    if person is None:
        raise NotFound(path=["person_id"])
    await person.fetch_related("organisation")
    return person


async def _lock_queue(queue_id: UUID) -> Queue:
    queue = await Queue.filter(id=queue_id).select_for_update(no_key=True).first()
    if queue is None:
        raise NotFound(path=["queue_id"])
    return queue


async def _record(
    work: Work,
    actor: Actor,
    subject_type: str,
    subject: UUID,
    now: datetime,
    told: Mapping[str, Any],
    customer_id: UUID | None = None,
) -> None:
    work.subject_id = subject
    work.record(
        Fact(
            type=f"{subject_type}Changed",
            subject_type=subject_type.lower(),
            subject=subject,
            subject_version=await next_version(work, subject),
            stream=subject,
            by=actor,
            occurred_at=now,
            customer_id=customer_id,
            payload=told,
        )
    )
