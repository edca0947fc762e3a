"""Organisations: branches, customers, partners (R-ORG-01)."""

from datetime import datetime
from uuid import UUID, uuid4

from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import OrganisationKind, Permission
from itr.errors import Faults
from itr.events.work import transaction
from itr.people.models import Organisation
from itr.people.names import kept_whole
from itr.people.operations.recording import organisation_of, record_change
from itr.sla.operations import keep_twins
from itr.texts import ensure_name


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
    faults = Faults()
    name = faults.of(ensure_name, name, "name")
    phone = phone and faults.of(ensure_name, phone, "phone", limit=40)
    email = email and faults.of(ensure_name, email, "email")
    faults.refuse()
    with kept_whole("name"):
        async with transaction() as work:
            if branch_id is not None:
                await organisation_of(branch_id, OrganisationKind.BRANCH, "branchId")
            made = await Organisation.create(
                id=organisation_id or uuid4(),
                kind=kind,
                name=name,
                branch_id=branch_id,
                phone=phone,
                email=email,
                make_up_days=make_up_days,
            )
            if not make_up_days:
                await keep_twins(work, actor, now)
            told = {"change": "CREATED", "kind": kind.value, "name": name}
            await record_change(work, actor, "Organisation", made.id, now, told)
    return made.id
