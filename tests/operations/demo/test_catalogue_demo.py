"""The demonstration data: whole, the same on every machine, and seeded once."""

from datetime import UTC, datetime

import pytest
from tortoise.connection import get_connection

from itr.actors.roles import Role
from itr.catalogue.operations import house_terms
from itr.catalogue.terms import EntitlementOutcome, Phase
from itr.database import connected
from itr.demo.data import (
    CALENDARS,
    DESKTOP,
    GOLD,
    GRAIN,
    HOUSE,
    LAKE,
    OLD,
    QUEUES,
    RIDGE,
    SILVER,
    VIDEO,
    demo_id,
)
from itr.demo.seeding import seed
from itr.people.models import Organisation, QueueMember
from itr.people.operations import find_actor_for_role
from itr.settings import Settings
from tests.support import desk_data as desk

TABLES = [
    "organisation",
    "person",
    "role_assignment",
    "queue",
    "queue_member",
    "project",
    "project_member",
    "calendar",
    "calendar_version",
    "calendar_span",
    "product",
    "catalogue_item",
    "service_product",
    "package",
    "service_level",
    "service_level_version",
    "service_target",
    "service_pause",
    "contract",
    "contract_line",
    "event",
]
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


async def counted() -> dict[str, int]:
    rows = {}
    for table in TABLES:
        found = await get_connection("default").execute_query_dict(
            f"select count(*) as rows from {table}"
        )
        rows[table] = found[0]["rows"]
    return rows


@pytest.fixture(scope="module")
async def shares(settings: Settings) -> list[float]:
    """The demonstration data, and the shares of progress told while it was written."""
    told: list[float] = []
    await seed(settings, lambda share, _what: told.append(share), now=NOON)
    return told


async def test_seeding_again_adds_nothing(settings: Settings, shares: list[float]) -> None:
    """A second start reuses the data."""
    async with connected(settings):
        before = await counted()

    await seed(settings, lambda _share, _what: None)

    async with connected(settings):
        assert await counted() == before
    assert all(before.values())
    assert shares == sorted(shares)
    assert shares[-1] == 1


async def test_there_is_somebody_for_each_role(settings: Settings, shares: list[float]) -> None:
    """R-ROLE-01: one sign-in per role."""
    async with connected(settings):
        for role in Role:
            actor = await find_actor_for_role(role)
            assert actor is not None
            assert role in actor.roles
        assert await find_actor_for_role(Role.CUSTOMER, RIDGE) is not None


async def test_each_line_and_each_partner_has_a_queue_with_people(
    settings: Settings, shares: list[float]
) -> None:
    """R-ORG-04."""
    async with connected(settings):
        for name, *_ in QUEUES:
            assert await QueueMember.exists(queue_id=demo_id("queue", name))
    assert {line for _, line, *_ in QUEUES} == {1, 2, 3}


async def test_the_four_outcomes_of_authorisation_can_be_tried(
    settings: Settings, shares: list[float]
) -> None:
    """R-ENT-01."""
    product = {name: demo_id("product", name) for name in (DESKTOP, VIDEO, OLD)}
    customer = {name: demo_id("organisation", name) for name in (LAKE, RIDGE, GRAIN)}
    async with connected(settings):
        gold = await desk.authorised(customer[LAKE], at=NOON)
        silver = await desk.authorised(customer[LAKE], phase=Phase.DELIVERY, at=NOON)
        desktop = await desk.authorised(customer[RIDGE], product_id=product[DESKTOP], at=NOON)
        video = await desk.authorised(customer[RIDGE], product_id=product[VIDEO], at=NOON)
        paid = await desk.authorised(customer[GRAIN], product_id=product[DESKTOP], at=NOON)
        old = await desk.authorised(customer[GRAIN], product_id=product[OLD], at=NOON)
        house = await house_terms()

    assert [each.terms.name for each in (gold, silver, desktop)] == [GOLD, SILVER, SILVER]
    assert desktop.contract_line_id == demo_id("contract line", "HT-2025-0002/1")
    assert video.outcome is EntitlementOutcome.NO_DATA
    assert paid.outcome is EntitlementOutcome.CHARGEABLE
    assert str(paid.price) == "1200.00"
    assert old.outcome is EntitlementOutcome.NOT_SERVED
    assert (house.name, house.calendar_id) == (HOUSE, demo_id("calendar", next(iter(CALENDARS))))


async def test_customers_are_served_by_our_branches(
    settings: Settings, shares: list[float]
) -> None:
    """R-ORG-01."""
    async with connected(settings):
        customer = await Organisation.get(id=demo_id("organisation", LAKE))
        assert customer.branch_id == demo_id("organisation", "上海分公司")
