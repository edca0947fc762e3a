"""What the operations on people share: finding, locking, recording."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from itr.actors.actor import Actor
from itr.actors.roles import OrganisationKind
from itr.errors import NotFound
from itr.events.log import Fact
from itr.events.work import Work
from itr.people.history import next_version
from itr.people.models import Organisation, Person
from itr.people.rules import LastAdmin, NotOfOrganisation, PersonErased, ensure_kind

_ADMINS = """
select p.id from person p join role_assignment r on r.person_id = p.id
where r.role = 'ADMIN' and p.active order by p.id for no key update of p, r
"""


async def organisation_of(
    organisation_id: UUID, kind: OrganisationKind | None, path: str
) -> Organisation:
    """The organisation, of the wanted kind. Raises NotFound, WrongOrganisation."""
    found = await Organisation.get_or_none(id=organisation_id)
    if found is None:
        raise NotFound(path=[path])
    if kind is not None:
        ensure_kind(found.kind, kind, path)
    return found


async def active_admins(work: Work) -> list[UUID]:
    """Who administers, locked in one order, so that two who leave at once do not both go."""
    return [row["id"] for row in await work.connection.execute_query_dict(_ADMINS)]


async def ensure_another_administers(work: Work, person_id: UUID) -> None:
    """Refuse that the last who administers goes. Raises LastAdmin."""
    if await active_admins(work) == [person_id]:
        raise LastAdmin(path=["id"])


async def lock_person(work: Work, person_id: UUID) -> Person:
    """The person, locked, as what the work is about. Raises NotFound, PersonErased."""
    work.subject_id = person_id
    person = await Person.filter(id=person_id).select_for_update(no_key=True).first()
    if person is None:
        raise NotFound(path=["id"])
    if person.erased_at is not None:
        raise PersonErased(path=["id"])
    await person.fetch_related("organisation")
    return person


async def ensure_works_for(person_id: UUID, firm_id: UUID | None, *path: str | int) -> None:
    """Refuse a person who is not of the firm, or, without one, not of our branches."""
    person = await Person.get_or_none(id=person_id, active=True).select_related("organisation")
    if person is None:
        raise NotFound(path=path)
    ours = person.organisation.kind is OrganisationKind.BRANCH
    if not (ours if firm_id is None else person.organisation.id == firm_id):
        raise NotOfOrganisation(path=path)


async def record_change(
    work: Work,
    actor: Actor,
    subject_type: str,
    subject: UUID,
    now: datetime,
    told: Mapping[str, Any],
    customer_id: UUID | None = None,
) -> None:
    """Have a change of somebody or something written to the log: `told` says what (S16)."""
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
