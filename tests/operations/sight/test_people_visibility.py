"""Which rows of people and catalogue an actor sees (R-ROLE-03, R-ROLE-04, R-ROLE-06)."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from itr.actors.actor import Actor
from itr.actors.roles import Role
from itr.catalogue.in_force import current_terms
from itr.catalogue.operations import ContractLineDraft
from itr.database import Database
from itr.sight import catalogue, people
from itr.sight.row_filter import RowFilter
from tests.support import desk_data as desk


@dataclass
class Town:
    """Two of everything: A is the one whose people look, B is somebody else's."""

    actors: dict[str, Actor]
    rows: dict[str, UUID]
    names: dict[UUID, str]

    async def sees(self, who: str, visible: Callable[[Actor], RowFilter], table: str) -> set[str]:
        """The names of the rows one of the actors sees."""
        found = await desk.ids_seen(visible(self.actors[who]), table)
        return {self.names[key] for key in found if key in self.names}


@pytest.fixture(scope="module")
async def town(database: Database) -> Town:
    rows: dict[str, UUID] = {}
    actors: dict[str, Actor] = {}
    house = await desk.level(house=True)
    version = (await current_terms(house)).version_id
    for side in "AB":
        rows[f"branch {side}"] = await desk.branch()
        rows[f"customer {side}"] = await desk.organisation(branch=rows[f"branch {side}"])
        rows[f"partner {side}"] = await desk.partner()
        for name, of, roles in (
            ("contact", "customer", (Role.CUSTOMER,)),
            ("colleague", "customer", (Role.CUSTOMER,)),
            ("technician", "partner", (Role.PARTNER,)),
            ("engineer", "branch", (Role.LINE2,)),
            ("bystander", "branch", (Role.LINE1,)),
            ("manager", "branch", (Role.BRANCH_MANAGER,)),
            ("wallboard", "branch", (Role.WALLBOARD,)),
            ("admin", "branch", (Role.ADMIN,)),
        ):
            who = f"{name} {side}"
            actors[who] = await desk.person(rows[f"{of} {side}"], *roles)
            rows[who] = actors[who].id
        rows[f"queue {side}"] = await desk.queue(2, branch_id=rows[f"branch {side}"])
        rows[f"partner queue {side}"] = await desk.queue(2, partner_id=rows[f"partner {side}"])
        rows[f"project {side}"] = await desk.project(rows[f"customer {side}"])
        rows[f"level {side}"] = await desk.level()
        rows[f"contract {side}"] = await desk.contract(
            rows[f"customer {side}"],
            ContractLineDraft(number=1, service_level_id=rows[f"level {side}"]),
        )
        rows[f"product {side}"] = await desk.product(served=False)
        rows[f"request {side}"] = await desk.request(
            rows[f"customer {side}"],
            rows[f"contact {side}"],
            version,
            handed_to=rows[f"partner {side}"],
            contact_id=rows[f"contact {side}"],
            assignee_id=rows[f"engineer {side}"],
            product_id=rows[f"product {side}"],
            branch_id=rows[f"branch {side}"],
            partner_id=rows[f"partner {side}"],
        )
    rows["served"] = await desk.product()
    return Town(actors, rows, {key: name for name, key in rows.items()})


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("contact A", {"customer A"}),
        ("technician A", {"partner A", "customer A"}),
        ("manager A", {"branch A", "customer A", "partner A"}),
        ("wallboard A", set()),
    ],
)
async def test_organisations_are_seen_by_those_who_deal_with_them(
    town: Town, who: str, sees: set[str]
) -> None:
    """R-ROLE-03, R-ROLE-06: partners never see another partner, customers no partner."""
    assert await town.sees(who, people.visible_organisations, "organisation") == sees


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("contact A", {"contact A", "colleague A", "engineer A"}),
        ("technician A", {"technician A", "contact A", "engineer A"}),
        (
            "manager A",
            {
                "contact A",
                "colleague A",
                "engineer A",
                "bystander A",
                "manager A",
                "wallboard A",
                "admin A",
            },
        ),
        ("wallboard A", set()),
    ],
)
async def test_persons_are_own_colleagues_and_who_works_on_ones_requests(
    town: Town, who: str, sees: set[str]
) -> None:
    """R-ROLE-03, R-ROLE-06."""
    assert await town.sees(who, people.visible_persons, "person") == sees


async def test_a_customer_and_another_partner_do_not_see_who_works_for_a_partner(
    town: Town,
) -> None:
    """R-ROLE-06: partners do not see other partners."""
    house = (await current_terms(town.rows["level A"])).version_id
    shared = {"contact_id": town.rows["contact A"], "assignee_id": town.rows["technician B"]}
    await desk.request(
        town.rows["customer A"],
        town.rows["contact A"],
        house,
        handed_to=town.rows["partner A"],
        **shared,
    )

    for who in ("contact A", "technician A"):
        assert "technician B" not in await town.sees(who, people.visible_persons, "person")


@pytest.mark.parametrize(
    ("visible", "table", "prefix"),
    [
        (people.visible_organisations, "organisation", "customer"),
        (people.visible_persons, "person", "contact"),
        (people.visible_queues, "queue", "queue"),
        (people.visible_projects, "project", "project"),
        (catalogue.visible_contracts, "contract", "contract"),
        (catalogue.visible_service_levels, "service_level", "level"),
        (catalogue.visible_products, "product", "product"),
    ],
)
async def test_internal_roles_see_everything(
    town: Town, visible: Callable[[Actor], RowFilter], table: str, prefix: str
) -> None:
    """R-ROLE-03."""
    seen = await town.sees("bystander A", visible, table)

    assert {f"{prefix} A", f"{prefix} B"} <= seen
    assert visible(town.actors["bystander A"]) == RowFilter.everything()


@pytest.mark.parametrize(
    ("visible", "table", "prefix"),
    [
        (people.visible_organisations, "organisation", "customer"),
        (people.visible_persons, "person", "contact"),
        (people.visible_queues, "queue", "queue"),
    ],
)
async def test_admins_see_all_people_and_queues_and_no_business(
    town: Town, visible: Callable[[Actor], RowFilter], table: str, prefix: str
) -> None:
    """R-ROLE-03: people are theirs to manage."""
    assert {f"{prefix} A", f"{prefix} B"} <= await town.sees("admin A", visible, table)
    assert not await town.sees("admin A", catalogue.visible_contracts, "contract")


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("contact A", set()),
        ("technician A", {"partner queue A"}),
        ("manager A", {"queue A"}),
        ("wallboard A", set()),
    ],
)
async def test_queues_are_seen_by_those_who_work_in_them(
    town: Town, who: str, sees: set[str]
) -> None:
    """R-ROLE-03, R-ROLE-06."""
    assert await town.sees(who, people.visible_queues, "queue") == sees


@pytest.mark.parametrize(
    ("who", "own"),
    [("contact A", True), ("manager A", True), ("technician A", False), ("wallboard A", False)],
)
async def test_projects_and_contracts_are_the_customers_own_and_no_partners(
    town: Town, who: str, own: bool
) -> None:
    """R-ROLE-03, R-ROLE-06."""
    projects = await town.sees(who, people.visible_projects, "project")
    contracts = await town.sees(who, catalogue.visible_contracts, "contract")

    assert projects == ({"project A"} if own else set())
    assert contracts == ({"contract A"} if own else set())


async def test_contract_lines_levels_versions_and_targets_follow_the_contract(town: Town) -> None:
    """R-ROLE-03: what hangs on a row is seen with it."""
    contact = town.actors["contact A"]
    level = town.rows["level A"]
    terms = await current_terms(level)

    assert len(await desk.ids_seen(catalogue.visible_contract_lines(contact), "contract_line")) == 1
    assert await town.sees("contact A", catalogue.visible_service_levels, "service_level") == {
        "level A"
    }
    versions = catalogue.visible_service_level_versions(contact)
    assert await desk.ids_seen(versions, "service_level_version") == {terms.version_id}
    targets = catalogue.visible_service_targets(contact)
    assert len(await desk.ids_seen(targets, "service_target")) == 16
    nothing = await town.sees("technician A", catalogue.visible_service_levels, "service_level")
    assert nothing == set()


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("contact A", {"served", "product A"}),
        ("technician A", {"served", "product A"}),
        ("wallboard A", set()),
    ],
)
async def test_outside_one_sees_products_we_serve_and_those_of_ones_own_requests(
    town: Town, who: str, sees: set[str]
) -> None:
    """R-ROLE-03."""
    assert await town.sees(who, catalogue.visible_products, "product") == sees


@pytest.mark.parametrize("who", ["contact A", "technician A"])
async def test_calendars_items_and_packages_are_read_inside_the_house_only(
    town: Town, who: str
) -> None:
    """R-ROLE-06."""
    assert catalogue.visible_calendars(town.actors[who]) == RowFilter.nothing()
    assert catalogue.visible_calendars(town.actors["manager A"]) == RowFilter.everything()


@pytest.mark.parametrize(
    "visible",
    [
        people.visible_organisations,
        people.visible_persons,
        people.visible_projects,
        people.visible_queues,
        catalogue.visible_contracts,
        catalogue.visible_contract_lines,
        catalogue.visible_products,
        catalogue.visible_service_levels,
        catalogue.visible_service_level_versions,
        catalogue.visible_service_targets,
    ],
)
async def test_actors_of_one_kind_share_one_wording_and_differ_in_arguments(
    town: Town, visible: Callable[[Actor], RowFilter]
) -> None:
    """Decision 2: equal kinds of scope share one prepared statement."""
    for kind in ("contact", "technician", "manager"):
        first, second = visible(town.actors[f"{kind} A"]), visible(town.actors[f"{kind} B"])
        assert first.sql == second.sql
        for each, side in ((first, "A"), (second, "B")):
            own = town.actors[f"{kind} {side}"].organisation_id
            assert set(each.arguments.values()) <= {own}
