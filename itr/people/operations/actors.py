"""Loading who acts (R-ROLE-01)."""

from typing import Any
from uuid import UUID

from tortoise.connection import get_connection

from itr.actors.actor import Actor
from itr.actors.roles import OrganisationKind, Role

_ACTOR = """
select person.id, person.name, person.machine,
    organisation.id as organisation_id, organisation.kind,
    case when organisation.kind <> 'BRANCH' then organisation.name end as firm,
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
        machine=row["machine"],
        firm=row["firm"],
    )


def _id_in(organisation: UUID | str) -> UUID | None:
    if isinstance(organisation, UUID):
        return organisation
    try:
        return UUID(organisation.removeprefix("org_"))
    except ValueError:
        return None
