"""Projects: a customer, a contract, a manager, a team (R-ORG-01)."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid4

from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import OrganisationKind, Permission
from itr.catalogue.models import Contract, Project, ProjectMember
from itr.errors import DomainError, NotFound
from itr.events.work import transaction
from itr.people.names import kept_whole
from itr.people.operations.recording import ensure_works_for, organisation_of, record_change
from itr.texts import ensure_name


class ContractOfAnother(DomainError):
    """A project's contract is its own customer's (R-ORG-01)."""

    code = "CONTRACT_OF_ANOTHER"
    zh = "该合同不属于此客户。"
    en = "The contract belongs to another customer."


async def create_project(
    actor: Actor,
    *,
    name: str,
    customer_id: UUID,
    now: datetime,
    manager_id: UUID | None = None,
    contact_id: UUID | None = None,
    contract_id: UUID | None = None,
    member_ids: Collection[UUID] = (),
    project_id: UUID | None = None,
) -> UUID:
    """Join a customer, a contract and a contact of theirs, a manager and a team (R-ORG-01)."""
    ensure_may(actor, Permission.MANAGE_CONTRACTS)
    name = ensure_name(name, "name")
    with kept_whole("project_id"):
        async with transaction() as work:
            await organisation_of(customer_id, OrganisationKind.CUSTOMER, "customer_id")
            if manager_id is not None:
                await ensure_works_for(manager_id, None, "manager_id")
            if contact_id is not None:
                await ensure_works_for(contact_id, customer_id, "contact_id")
            if contract_id is not None:
                await _ensure_contract_of(contract_id, customer_id)
            project = await Project.create(
                id=project_id or uuid4(),
                name=name,
                customer_id=customer_id,
                manager_id=manager_id,
                contact_id=contact_id,
                contract_id=contract_id,
            )
            for index, person_id in enumerate(dict.fromkeys(member_ids)):
                await ensure_works_for(person_id, None, "member_ids", index)
                await ProjectMember.create(id=uuid4(), project=project, person_id=person_id)
            told = {"change": "CREATED", "name": name}
            await record_change(work, actor, "Project", project.id, now, told, customer_id)
    return project.id


async def _ensure_contract_of(contract_id: UUID, customer_id: UUID) -> None:
    contract = await Contract.get_or_none(id=contract_id).values("customer_id")
    if contract is None:
        raise NotFound(path=["contract_id"])
    if contract["customer_id"] != customer_id:
        raise ContractOfAnother(path=["contract_id"])
