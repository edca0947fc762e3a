"""Persons, their roles and the end of their access (R-ROLE-01, S9)."""

from collections.abc import Collection
from datetime import datetime
from typing import TypedDict
from uuid import UUID, uuid4

from itr.access.operations.approvals import Asked, ask, decides, withdraw_role
from itr.access.operations.erasing import erase
from itr.access.operations.grants import end_access_of
from itr.access.operations.leaving import leave
from itr.access.terms import ApprovalKind, EndReason
from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import DECIDING, Permission, Role
from itr.errors import Faults
from itr.events.work import Work, transaction
from itr.people.details import keep_former, without_details
from itr.people.models import Person, RoleAssignment
from itr.people.names import kept_whole
from itr.people.operations.recording import (
    ensure_another_administers,
    lock_person,
    organisation_of,
    record_change,
)
from itr.people.rules import (
    MachineHasNoData,
    OwnErasure,
    OwnRole,
    ensure_language,
    ensure_roles_fit,
)
from itr.requests.succession import lock_work_of
from itr.texts import ensure_name


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
    """Add a person with their roles; those that decide wait for a second person (S18).

    Raises Forbidden, NotFound, RoleNotForOrganisation.
    """
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    faults = Faults()
    name = faults.of(ensure_name, name, "name")
    email = email and faults.of(ensure_name, email, "email")
    phone = phone and faults.of(ensure_name, phone, "phone", limit=40)
    language = faults.of(ensure_language, language, "language")
    faults.refuse()
    with kept_whole("name"):
        async with transaction() as work:
            organisation = await organisation_of(organisation_id, None, "organisationId")
            ensure_roles_fit(organisation.kind, roles, "roles")
            person = await Person.create(
                id=person_id or uuid4(),
                organisation=organisation,
                name=name,
                email=email,
                phone=phone,
                language=language,
                machine=machine,
            )
            waiting = _that_wait(actor, roles)
            given = sorted(set(roles) - waiting)
            await RoleAssignment.bulk_create(
                RoleAssignment(id=uuid4(), person=person, role=role) for role in given
            )
            told = {"change": "CREATED", "roles": [role.value for role in given]}
            await record_change(work, actor, "Person", person.id, now, told)
            for role in sorted(waiting):
                await ask(work, actor, Asked(ApprovalKind.ROLE, person.id, role=role), now)
    return person.id


class PersonChanges(TypedDict, total=False):
    """What of a person is to change; what is left out stays."""

    name: str
    email: str | None
    phone: str | None
    language: str


async def change_person(
    actor: Actor, person_id: UUID, changes: PersonChanges, *, now: datetime
) -> UUID:
    """Correct what is known of a person; a row keeps what it was, the log that it changed.

    Raises Forbidden, NotFound, EmailTaken.
    """
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    wanted = _ensured(changes)
    with kept_whole("name"):
        async with transaction() as work:
            person = await lock_person(work, person_id)
            changed = {
                field: {"from": getattr(person, field), "to": value}
                for field, value in wanted.items()
                if getattr(person, field) != value
            }
            moved = changed.get("email")
            if moved is not None and actor.in_person and await decides(work, person_id, now):
                del changed["email"]
                await ask(work, actor, Asked(ApprovalKind.EMAIL, person_id, email=moved["to"]), now)
            if changed:
                person.update_from_dict({field: each["to"] for field, each in changed.items()})
                await person.save(update_fields=list(changed))
                before = {field: each["from"] for field, each in changed.items()}
                await keep_former(work, person_id, before, now)
                told = {"change": "CHANGED", "fields": without_details(changed)}
                await record_change(work, actor, "Person", person_id, now, told)
    return person_id


async def assign_role(actor: Actor, person_id: UUID, role: Role, *, now: datetime) -> UUID:
    """Give a person one more role; again is nothing. One that decides waits for a second person.

    Raises RoleNotForOrganisation, OwnRole for oneself: an administrator decides no business.
    """
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    if actor.id == person_id:
        raise OwnRole(path=["id"])
    async with transaction() as work:
        person = await lock_person(work, person_id)
        ensure_roles_fit(person.organisation.kind, [role], "role")
        if await RoleAssignment.exists(person_id=person_id, role=role):
            return person_id
        if _that_wait(actor, [role]):
            await ask(work, actor, Asked(ApprovalKind.ROLE, person_id, role=role), now)
        else:
            await RoleAssignment.create(id=uuid4(), person=person, role=role)
            told = {"change": "ROLE_ASSIGNED", "role": role.value}
            await record_change(work, actor, "Person", person_id, now, told)
    return person_id


async def revoke_role(actor: Actor, person_id: UUID, role: Role, *, now: datetime) -> UUID:
    """Take a role from a person; the next event they would see no longer comes (S9).

    What only the role let them have open passes on (R-ROLE-07). Raises LastAdmin.
    """
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    async with transaction() as work:
        await lock_work_of(work, person_id)
        if role is Role.ADMIN:
            await ensure_another_administers(work, person_id)
        await lock_person(work, person_id)
        await withdraw_role(work, actor, person_id, role, now)
        if await RoleAssignment.filter(person_id=person_id, role=role).delete():
            told = {"change": "ROLE_REVOKED", "role": role.value}
            await record_change(work, actor, "Person", person_id, now, told)
            held = await RoleAssignment.filter(person_id=person_id)
            await leave(work, actor, person_id, [each.role for each in held], now)
    return person_id


async def deactivate_person(actor: Actor, person_id: UUID, *, now: datetime) -> UUID:
    """End a person's access, sessions and grants; what they have open passes on (R-ROLE-07).

    What they did stays theirs. Raises LastAdmin.
    """
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    async with transaction() as work:
        await lock_work_of(work, person_id)
        await ensure_another_administers(work, person_id)
        await _set_active(work, actor, person_id, now, active=False)
        await end_access_of(work, person_id, EndReason.REVOKED, now=now, by=actor)
        await leave(work, actor, person_id, (), now)
    return person_id


async def reactivate_person(actor: Actor, person_id: UUID, *, now: datetime) -> UUID:
    """Let a person sign in again, with the roles they had; what had ended stays so.

    Somebody who decides comes back when a second person approves it (S18).
    """
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    async with transaction() as work:
        person = await lock_person(work, person_id)
        if person.active:
            return person_id
        if actor.in_person and await decides(work, person_id, now):
            await ask(work, actor, Asked(ApprovalKind.REACTIVATION, person_id), now)
            return person_id
        await _set_active(work, actor, person_id, now, active=True)
    return person_id


async def erase_person(actor: Actor, person_id: UUID, *, now: datetime) -> UUID:
    """Have a person erased once a second person approves it (R-ROLE-09); see `erasing`.

    Raises LastAdmin, OwnErasure, MachineHasNoData, PersonErased.
    """
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    if actor.id == person_id:
        raise OwnErasure(path=["id"])
    async with transaction() as work:
        await lock_work_of(work, person_id)
        await ensure_another_administers(work, person_id)
        person = await lock_person(work, person_id)
        if person.machine:
            raise MachineHasNoData(path=["id"])
        if actor.in_person:
            await ask(work, actor, Asked(ApprovalKind.ERASURE, person_id), now)
        else:
            await erase(work, actor, person_id, now)
    return person_id


def _that_wait(actor: Actor, roles: Collection[Role]) -> frozenset[Role]:
    """The roles of these that nobody gives alone; the server's own set-up does."""
    return DECIDING & frozenset(roles) if actor.in_person else frozenset()


async def _set_active(
    work: Work, actor: Actor, person_id: UUID, now: datetime, *, active: bool
) -> None:
    person = await lock_person(work, person_id)
    if person.active is not active:
        person.active = active
        await person.save(update_fields=["active"])
        told = {"change": "REACTIVATED" if active else "DEACTIVATED"}
        await record_change(work, actor, "Person", person_id, now, told)


def _ensured(changes: PersonChanges) -> dict[str, str | None]:
    wanted: dict[str, str | None] = {}
    faults = Faults()
    if "name" in changes:
        wanted["name"] = faults.of(ensure_name, changes["name"], "name")
    if email := changes.get("email"):
        wanted["email"] = faults.of(ensure_name, email, "email")
    elif "email" in changes:
        wanted["email"] = None
    if phone := changes.get("phone"):
        wanted["phone"] = faults.of(ensure_name, phone, "phone", limit=40)
    elif "phone" in changes:
        wanted["phone"] = None
    if "language" in changes:
        wanted["language"] = faults.of(ensure_language, changes["language"], "language")
    faults.refuse()
    return wanted
