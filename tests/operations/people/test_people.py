"""Organisations, persons, roles, queues and projects (R-ORG, R-ROLE)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from tortoise.connection import get_connection

from itr.access.operations.persons import assign_role, create_person, deactivate_person, revoke_role
from itr.actors.policy import GRANTS
from itr.actors.roles import OrganisationKind, Permission, Role
from itr.catalogue.models import ProjectMember
from itr.catalogue.organisations import create_organisation
from itr.catalogue.projects import create_project
from itr.errors import DomainError, Forbidden, NotFound
from itr.people.models import Organisation, Person, Queue, QueueMember, RoleAssignment
from itr.people.names import NameTaken
from itr.people.operations import (
    add_queue_member,
    create_queue,
    find_actor_for_role,
    load_actor,
    remove_queue_member,
)
from tests.support import desk_data as desk

pytestmark = pytest.mark.usefixtures("database")

INSIDE = sorted(set(Role) - {Role.CUSTOMER, Role.PARTNER})


async def refused(doing: Awaitable[Any]) -> tuple[str, tuple[str | int, ...]]:
    with pytest.raises(DomainError) as refusal:
        await doing
    return refusal.value.code, refusal.value.path


async def changes_of(person_id: UUID) -> list[str]:
    facts = await desk.facts_of(person_id)
    assert {each["type"] for each in facts} <= {"PersonChanged"}
    assert [each["subject_version"] for each in facts] == list(range(1, len(facts) + 1))
    return [orjson.loads(each["payload"])["change"] for each in facts]


async def test_a_person_with_several_roles_has_the_union_of_their_permissions() -> None:
    """R-ROLE-01."""
    actor = await desk.person(await desk.branch(), Role.LINE1, Role.CATALOGUE_MANAGER)

    assert actor.roles == {Role.LINE1, Role.CATALOGUE_MANAGER}
    assert actor.permissions == GRANTS[Role.LINE1] | GRANTS[Role.CATALOGUE_MANAGER]


async def test_an_actor_knows_person_organisation_and_kind() -> None:
    """R-ORG-01, R-ROLE-03."""
    customer = await desk.organisation()

    actor = await desk.person(customer, Role.CUSTOMER)

    assert (actor.organisation_id, actor.organisation_kind) == (
        customer,
        OrganisationKind.CUSTOMER,
    )
    assert not actor.scope.sees_all


async def test_a_person_without_roles_loads_and_may_do_nothing() -> None:
    """R-ROLE-02."""
    actor = await desk.person(await desk.branch())

    assert actor.permissions == frozenset()


async def test_nobody_unknown_acts() -> None:
    """R-ROLE-02."""
    assert await load_actor(uuid4()) is None


@pytest.mark.parametrize("role", INSIDE)
@pytest.mark.parametrize("outside", [OrganisationKind.CUSTOMER, OrganisationKind.PARTNER])
async def test_our_own_roles_are_only_ever_held_in_our_branches(
    role: Role, outside: OrganisationKind
) -> None:
    """R-ROLE-03: a customer's or partner's person never sees what internal roles see."""
    organisation = await desk.organisation(outside)
    own = Role.CUSTOMER if outside is OrganisationKind.CUSTOMER else Role.PARTNER
    somebody = await desk.person(organisation, own)

    created = create_person(desk.SETUP, organisation, "somebody", [own, role], now=desk.NOW)
    assert await refused(created) == ("ROLE_NOT_FOR_ORGANISATION", ("roles",))
    assigned = assign_role(desk.SETUP, somebody.id, role, now=desk.NOW)
    assert await refused(assigned) == ("ROLE_NOT_FOR_ORGANISATION", ("role",))

    assert await load_actor(somebody.id) == somebody


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (OrganisationKind.BRANCH, Role.CUSTOMER),
        (OrganisationKind.BRANCH, Role.PARTNER),
        (OrganisationKind.CUSTOMER, Role.PARTNER),
        (OrganisationKind.PARTNER, Role.CUSTOMER),
    ],
)
async def test_customers_are_people_of_customers_and_partners_of_partners(
    kind: OrganisationKind, role: Role
) -> None:
    """R-ROLE-03."""
    organisation = await desk.organisation(kind)

    created = create_person(desk.SETUP, organisation, "somebody", [role], now=desk.NOW)

    assert await refused(created) == ("ROLE_NOT_FOR_ORGANISATION", ("roles",))


async def test_a_role_is_given_once_and_taken_once_and_both_are_facts() -> None:
    """R-ROLE-01, S9, S16: whoever holds the person in memory hears of it."""
    actor = await desk.person(await desk.branch(), Role.LINE1)

    for _ in range(2):
        await assign_role(desk.SETUP, actor.id, Role.LINE2, now=desk.NOW)
    both = await load_actor(actor.id)
    for _ in range(2):
        await revoke_role(desk.SETUP, actor.id, Role.LINE1, now=desk.NOW)
    after = await load_actor(actor.id)

    assert both is not None
    assert both.roles == {Role.LINE1, Role.LINE2}
    assert after is not None
    assert after.roles == {Role.LINE2}
    assert await changes_of(actor.id) == ["CREATED", "ROLE_ASSIGNED", "ROLE_REVOKED"]


async def test_a_deactivated_person_acts_no_more_and_stays_on_record() -> None:
    """S9, S16."""
    actor = await desk.person(await desk.branch(), Role.LINE1)

    for _ in range(2):
        await deactivate_person(desk.SETUP, actor.id, now=desk.NOW)

    assert await load_actor(actor.id) is None
    assert await Person.exists(id=actor.id)
    assert await changes_of(actor.id) == ["CREATED", "DEACTIVATED"]


CHANGES: dict[str, Callable[[Any, UUID], Awaitable[Any]]] = {
    "organisation": lambda by, of: create_organisation(
        by, kind=OrganisationKind.CUSTOMER, name="forbidden", now=desk.NOW
    ),
    "person": lambda by, of: create_person(by, of, "forbidden", [], now=desk.NOW),
    "assign": lambda by, of: assign_role(by, by.id, Role.ADMIN, now=desk.NOW),
    "revoke": lambda by, of: revoke_role(by, by.id, Role.LINE1, now=desk.NOW),
    "deactivate": lambda by, of: deactivate_person(by, by.id, now=desk.NOW),
    "queue": lambda by, of: create_queue(by, name="forbidden", line=1, now=desk.NOW),
    "member": lambda by, of: add_queue_member(by, uuid4(), by.id, now=desk.NOW),
    "no member": lambda by, of: remove_queue_member(by, uuid4(), by.id, now=desk.NOW),
    "project": lambda by, of: create_project(by, name="forbidden", customer_id=of, now=desk.NOW),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_only_the_admin_changes_people_and_only_contract_managers_projects(
    change: str,
) -> None:
    """R-ROLE-02."""
    branch = await desk.branch()
    somebody = await desk.person(branch, Role.LINE1, Role.PROCESS_MANAGER, Role.BRANCH_MANAGER)
    counts = (Organisation, Person, RoleAssignment, Queue)
    before = [await model.all().count() for model in counts]

    with pytest.raises(Forbidden):
        await CHANGES[change](somebody, branch)

    assert [await model.all().count() for model in counts] == before


async def test_a_customer_is_served_by_an_own_branch() -> None:
    """R-ORG-01."""
    branch = await desk.branch()

    customer = await Organisation.get(id=await desk.organisation(branch=branch))

    assert customer.branch_id == branch
    for wrong, code in ((await desk.partner(), "WRONG_ORGANISATION"), (uuid4(), "NOT_FOUND")):
        served = desk.organisation(branch=wrong)
        assert await refused(served) == (code, ("branchId",))


@pytest.mark.parametrize(
    ("more", "code", "path"),
    [
        ({"name": "\n"}, "REQUIRED", ("name",)),
        ({"name": "a\tb"}, "INVALID", ("name",)),
        ({"name": "x" * 1_000_000}, "TOO_LONG", ("name",)),
        ({"email": "x" * 201}, "TOO_LONG", ("email",)),
        ({"phone": "5" * 41}, "TOO_LONG", ("phone",)),
        ({"phone": "\x00"}, "INVALID", ("phone",)),
        ({"language": "fr"}, "INVALID", ("language",)),
    ],
)
async def test_what_nobody_can_read_is_refused_with_code_and_path(
    more: dict[str, Any], code: str, path: tuple[str, ...]
) -> None:
    """S17."""
    wanted = {"organisation_id": await desk.branch(), "name": "张伟 Wei 👷", "roles": ()}

    created = create_person(desk.SETUP, **{**wanted, **more}, now=desk.NOW)

    assert await refused(created) == (code, path)


async def test_names_of_any_script_are_kept_as_they_are() -> None:
    """S17."""
    name = "张伟 Ümit O’Neil 👷🏽"

    key = await create_person(desk.SETUP, await desk.branch(), f" {name} ", [], now=desk.NOW)

    assert (await Person.get(id=key)).name == name


async def test_an_id_given_twice_is_refused_not_overwritten() -> None:
    """S13."""
    key, branch = uuid4(), await desk.branch()
    await create_person(desk.SETUP, branch, "first", [], person_id=key, now=desk.NOW)

    with pytest.raises(NameTaken):
        await create_person(desk.SETUP, branch, "second", [], person_id=key, now=desk.NOW)

    assert (await Person.get(id=key)).name == "first"


async def test_a_queue_has_a_line_a_lead_and_people_of_its_own_house() -> None:
    """R-ORG-04, R-LIN-01."""
    branch = await desk.branch()
    lead = await desk.person(branch, Role.LINE_LEAD)
    members = [await desk.person(branch, Role.LINE2) for _ in range(2)]

    queue_id = await desk.queue(2, members=[each.id for each in members], branch_id=branch)
    await add_queue_member(desk.SETUP, queue_id, lead.id, now=desk.NOW)
    await add_queue_member(desk.SETUP, queue_id, lead.id, now=desk.NOW)
    await remove_queue_member(desk.SETUP, queue_id, members[0].id, now=desk.NOW)

    left = await QueueMember.filter(queue_id=queue_id).values_list("person_id", flat=True)
    assert set(left) == {lead.id, members[1].id}


@pytest.mark.parametrize("line", [0, 4, -1, 32768])
async def test_there_are_three_lines(line: int) -> None:
    """R-LIN-01."""
    assert await refused(desk.queue(line)) == ("NO_SUCH_LINE", ("line",))


async def test_a_partners_queue_has_that_partners_people_and_ours_has_ours() -> None:
    """R-ORG-04, R-ROLE-03."""
    firm, rival, branch = await desk.partner(), await desk.partner(), await desk.branch()
    theirs = await desk.person(firm, Role.PARTNER)
    rivals = await desk.person(rival, Role.PARTNER)
    ours = await desk.person(branch, Role.LINE2)

    await desk.queue(2, members=[theirs.id], partner_id=firm)

    for stranger in (rivals.id, ours.id):
        opened = desk.queue(2, members=[theirs.id, stranger], partner_id=firm)
        assert await refused(opened) == ("NOT_OF_ORGANISATION", ("memberIds", 1))
    opened = desk.queue(2, members=[theirs.id], branch_id=branch)
    assert await refused(opened) == ("NOT_OF_ORGANISATION", ("memberIds", 0))
    assert await refused(desk.queue(2, partner_id=branch)) == (
        "WRONG_ORGANISATION",
        ("partnerId",),
    )


async def test_a_project_joins_a_customer_a_contract_of_theirs_a_manager_and_a_team() -> None:
    """R-ORG-01."""
    branch, customer = await desk.branch(), await desk.organisation()
    manager = await desk.person(branch, Role.PROJECT_MANAGER)
    engineer = await desk.person(branch, Role.LINE1)
    contract = await desk.contract(customer, ends_on=date(2030, 1, 1))

    project = await create_project(
        desk.SETUP,
        name="project",
        customer_id=customer,
        manager_id=manager.id,
        contract_id=contract,
        member_ids=[engineer.id],
        now=desk.NOW,
    )

    assert await ProjectMember.exists(project_id=project, person_id=engineer.id)


async def test_a_project_refuses_what_belongs_to_others() -> None:
    """R-ORG-01."""
    customer, other = await desk.organisation(), await desk.organisation()
    theirs = await desk.person(other, Role.CUSTOMER)
    contract = await desk.contract(other)

    def project(**more: Any) -> Awaitable[UUID]:
        wanted = {"name": "project", "customer_id": customer, "now": desk.NOW}
        return create_project(desk.SETUP, **{**wanted, **more})

    assert await refused(project(contract_id=contract)) == (
        "CONTRACT_OF_ANOTHER",
        ("contract_id",),
    )
    assert await refused(project(contract_id=uuid4())) == ("NOT_FOUND", ("contract_id",))
    assert await refused(project(manager_id=theirs.id)) == (
        "NOT_OF_ORGANISATION",
        ("manager_id",),
    )
    assert await refused(project(customer_id=await desk.branch())) == (
        "WRONG_ORGANISATION",
        ("customer_id",),
    )


async def test_a_sign_in_for_a_role_is_found_by_organisation_id_public_id_or_name() -> None:
    """R-ROLE-01: what `itr token` asks for."""
    first, second = await desk.partner(), await desk.partner()
    await desk.person(first, Role.PARTNER)
    wanted = await desk.person(second, Role.PARTNER)
    name = (await Organisation.get(id=second)).name

    for organisation in (second, str(second), f"org_{second.hex}", name):
        assert await find_actor_for_role(Role.PARTNER, organisation) == wanted
    assert await find_actor_for_role(Role.PARTNER, "nobody's") is None
    assert await find_actor_for_role(Role.CUSTOMER, second) is None


async def test_a_sign_in_for_a_role_is_nobody_who_left() -> None:
    """S9."""
    branch = await desk.branch()
    first = await desk.person(branch, Role.ANALYST)
    second = await desk.person(branch, Role.ANALYST)

    assert await find_actor_for_role(Role.ANALYST, branch) == first
    await deactivate_person(desk.SETUP, first.id, now=desk.NOW)

    assert await find_actor_for_role(Role.ANALYST, branch) == second


async def test_an_actor_is_read_in_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decision 6: a token becomes an actor at the price of one statement."""
    actor = await desk.person(await desk.branch(), Role.LINE1, Role.LINE2)
    asked: list[str] = []
    connection = type(get_connection("default"))
    ask = connection.execute_query_dict

    async def counted(self: Any, query: str, values: Any = None) -> Any:
        asked.append(query)
        return await ask(self, query, values)

    monkeypatch.setattr(connection, "execute_query_dict", counted)

    assert await load_actor(actor.id) == actor
    assert len(asked) == 1


async def test_admins_manage_people_and_decide_no_business() -> None:
    """R-ROLE-02: domain section 1."""
    admin = await desk.person(await desk.branch(), Role.ADMIN)

    does = {each for each in admin.permissions if not each.startswith("READ_")}
    assert does == {
        Permission.MANAGE_PEOPLE,
        Permission.MANAGE_CLIENTS,
        Permission.APPROVE_DEVICES,
        Permission.APPROVE_ACCESS,
    }
    assert not admin.permissions & {Permission.READ_REQUESTS, Permission.READ_CONTRACTS}
    assert replace(admin, roles=frozenset()).permissions == frozenset()
    with pytest.raises(NotFound):
        await assign_role(admin, uuid4(), Role.LINE1, now=desk.NOW)
