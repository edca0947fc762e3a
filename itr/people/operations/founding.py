"""The first administrator of a server of one's own (`itr admin create`)."""

from datetime import datetime
from uuid import UUID, uuid4

from itr.actors.actor import SYSTEM
from itr.actors.roles import OrganisationKind, Role
from itr.events.work import Work, transaction
from itr.people.models import Organisation, Person, RoleAssignment
from itr.people.names import kept_whole
from itr.people.operations.recording import active_admins, record_change
from itr.people.rules import AdminExists
from itr.texts import ensure_name

HEAD_OFFICE = "总部 Head office"
_ONE_AT_A_TIME = "lock table role_assignment in share row exclusive mode"


async def appoint_admin(
    name: str,
    *,
    email: str,
    password_hash: str,
    now: datetime,
    organisation: str | None = None,
    another: bool = False,
) -> UUID:
    """Add a person who administers and can sign in, of an own branch, made where there is none.

    `organisation` names the branch; without it, it is the oldest. Raises AdminExists unless
    `another` is wanted, EmailTaken.
    """
    name, email = ensure_name(name, "name"), ensure_name(email, "email")
    with kept_whole("name"):
        async with transaction() as work:
            await work.connection.execute_query(_ONE_AT_A_TIME)
            if await active_admins(work) and not another:
                raise AdminExists()
            branch = await _branch(work, organisation, now)
            person = await Person.create(
                id=uuid4(),
                organisation=branch,
                name=name,
                email=email,
                password_hash=password_hash,
            )
            await RoleAssignment.create(id=uuid4(), person=person, role=Role.ADMIN)
            told = {"change": "CREATED", "roles": [Role.ADMIN.value]}
            await record_change(work, SYSTEM, "Person", person.id, now, told)
    return person.id


async def _branch(work: Work, name: str | None, now: datetime) -> Organisation:
    branches = Organisation.filter(kind=OrganisationKind.BRANCH)
    known = branches if name is None else branches.filter(name=name)
    found = await known.order_by("created_at", "id").first()
    if found is not None:
        return found
    wanted = ensure_name(name or HEAD_OFFICE, "organisation")
    made = await Organisation.create(id=uuid4(), kind=OrganisationKind.BRANCH, name=wanted)
    told = {"change": "CREATED", "kind": made.kind.value, "name": wanted}
    await record_change(work, SYSTEM, "Organisation", made.id, now, told)
    return made
