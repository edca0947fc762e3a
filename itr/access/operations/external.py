"""People whom another issuer vouches for: kept as persons of ours, as its claims say."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError

from itr.access.models import ExternalIdentity
from itr.access.operations.erasing import erased_subject
from itr.access.operations.leaving import leave
from itr.access.operations.recording import record
from itr.access.rules import NOT_SAID, HowSignedIn
from itr.actors.actor import SYSTEM
from itr.actors.roles import Role
from itr.errors import NotFound
from itr.events.work import transaction
from itr.people.details import keep_former
from itr.people.models import Organisation, Person, RoleAssignment
from itr.people.names import kept_whole
from itr.people.rules import PersonErased, ensure_roles_fit
from itr.texts import ensure_name


@dataclass(frozen=True)
class Vouched:
    """What an issuer says of somebody, in our words."""

    issuer: str
    subject: str
    name: str
    email: str | None
    organisation: str
    roles: frozenset[Role]
    how: HowSignedIn = NOT_SAID
    said_at: datetime | None = None
    """When its token was issued; what an older one says no longer counts."""


async def person_vouched_for(said: Vouched, *, now: datetime) -> UUID:
    """The person of ours, made or changed to what is said of them now.

    Nobody is taken for a person we knew before, also not by e-mail: an issuer vouches for its own.
    Raises NotFound for an organisation we do not have, RoleNotForOrganisation, and EmailTaken
    where they also have a password here and somebody else signs in with their new address.
    """
    try:
        return await _brought_up_to_date(said, now)
    except IntegrityError:  # another process saw them first
        with kept_whole("subject"):
            return await _brought_up_to_date(said, now)


async def no_longer_vouched_for(
    issuer: str, subject: str, *, now: datetime, said_at: datetime | None = None
) -> None:
    """Take the roles of a person whose issuer now names none of ours for them; again is nothing."""
    known = await ExternalIdentity.get_or_none(issuer=issuer, subject=subject)
    if known is None:
        return
    async with transaction() as work:
        person = await Person.filter(id=known.person_id).select_for_update(no_key=True).get()
        if not await _is_newest(known, said_at):
            return
        if await _roles_changed(person, frozenset()):
            await leave(work, SYSTEM, person.id, (), now)
            told = {"change": "VOUCHED_FOR", "issuer": issuer, "roles": []}
            await record(
                work, SYSTEM, "PersonChanged", about="person", subject=person.id, now=now, told=told
            )


async def _brought_up_to_date(said: Vouched, now: datetime) -> UUID:
    organisation = await _organisation(said.organisation)
    ensure_roles_fit(organisation.kind, said.roles, "roles")
    name = ensure_name(said.name[:200], "name")
    async with transaction() as work:
        known = await ExternalIdentity.get_or_none(issuer=said.issuer, subject=said.subject)
        if known is None:
            await _ensure_not_erased(said)
            person = Person(id=uuid4())
        else:
            person = await Person.filter(id=known.person_id).select_for_update(no_key=True).get()
            if not await _is_newest(known, said.said_at):
                return person.id
        before = (person.name, person.email, person.organisation_id) if known else None
        person.name, person.email = name, said.email and said.email[:200]
        person.organisation_id = organisation.id
        moved = before is not None and before[2] != organisation.id
        changed = before != (person.name, person.email, person.organisation_id)
        if changed:
            await person.save(force_create=known is None)
        if known is None:
            await ExternalIdentity.create(
                id=uuid4(),
                issuer=said.issuer,
                subject=said.subject,
                person_id=person.id,
                vouched_at=said.said_at,
            )
        roles_changed = await _roles_changed(person, said.roles)
        if known is not None and (roles_changed or moved):
            await leave(work, SYSTEM, person.id, () if moved else said.roles, now)
        if roles_changed or changed:
            await keep_former(work, person.id, _gone(before, person), now)
            told = {"change": "VOUCHED_FOR", "issuer": said.issuer, "roles": sorted(said.roles)}
            await record(
                work, SYSTEM, "PersonChanged", about="person", subject=person.id, now=now, told=told
            )
    return person.id


def _gone(before: Sequence[Any] | None, person: Person) -> dict[str, Any]:
    """The name and address that were another before, by what they were."""
    was = dict(zip(("name", "email"), before or (), strict=False))
    return {field: value for field, value in was.items() if value != getattr(person, field)}


async def _ensure_not_erased(said: Vouched) -> None:
    """Nobody comes back by a token that another issuer still gives them. Raises PersonErased."""
    if await ExternalIdentity.exists(
        issuer=said.issuer, subject=erased_subject(said.issuer, said.subject)
    ):
        raise PersonErased(path=["subject"])


async def _is_newest(known: ExternalIdentity, said_at: datetime | None) -> bool:
    """Whether nothing newer was said of them; the person is locked, so that it stays so."""
    await known.refresh_from_db(fields=["vouched_at"])
    if said_at is None or known.vouched_at == said_at:
        return True
    if known.vouched_at is not None and said_at < known.vouched_at:
        return False
    known.vouched_at = said_at
    await known.save(update_fields=["vouched_at"])
    return True


async def _roles_changed(person: Person, wanted: Collection[Role]) -> bool:
    held = {each.role for each in await RoleAssignment.filter(person_id=person.id)}
    await RoleAssignment.filter(person_id=person.id, role__in=held - set(wanted)).delete()
    await RoleAssignment.bulk_create(
        RoleAssignment(id=uuid4(), person_id=person.id, role=role)
        for role in sorted(set(wanted) - held)
    )
    return held != set(wanted)


async def _organisation(said: str) -> Organisation:
    try:
        found = await Organisation.get_or_none(id=UUID(said.removeprefix("org_")))
    except ValueError:
        named = await Organisation.filter(name=said).limit(2)
        found = named[0] if len(named) == 1 else None
    if found is None:
        raise NotFound(path=["organisation"])
    return found
