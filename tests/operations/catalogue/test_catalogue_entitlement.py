"""Authorising requests against real contracts (R-ENT)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from tortoise.connection import get_connection

from itr.catalogue.operations import (
    ContractLineDraft,
    current_terms,
    house_terms,
    return_quota,
    terms_of,
)
from itr.catalogue.terms import EntitlementOutcome, Phase, QuotaUnit
from itr.database import Database
from itr.errors import NotFound
from itr.events.work import transaction
from tests.support import desk_data as desk

pytestmark = pytest.mark.usefixtures("house")


@pytest.fixture(scope="module")
async def house(database: Database) -> UUID:
    """The house level."""
    return await desk.level(desk.hours(4, 16, 40), house=True)


async def units_taken(line_id: UUID) -> int:
    rows = await get_connection("default").execute_query_dict(
        "select count(*) as taken from quota_taking"
        " where contract_line_id = $1 and returned_at is null",
        [line_id],
    )
    return int(rows[0]["taken"])


async def quota_line(customer: UUID, quota: int, **more: date) -> UUID:
    line_id = uuid4()
    line = ContractLineDraft(
        number=1,
        service_level_id=await desk.level(),
        quota_unit=QuotaUnit.REQUEST,
        quota=quota,
        line_id=line_id,
    )
    await desk.contract(customer, line, **more)
    return line_id


async def test_a_contract_line_that_covers_the_request_entitles_and_is_named() -> None:
    """R-ENT-01, R-CAT-02."""
    customer, line_id, gold = await desk.organisation(), uuid4(), await desk.level()
    line = ContractLineDraft(number=1, service_level_id=gold, line_id=line_id)
    await desk.contract(customer, line)

    found = await desk.authorised(customer)

    assert found.outcome is EntitlementOutcome.ENTITLED
    assert found.contract_line_id == line_id
    assert found.terms.service_level_id == gold


async def test_of_several_lines_of_several_contracts_the_tightest_wins() -> None:
    """R-ENT-01."""
    customer, tight = await desk.organisation(), uuid4()
    slow = await desk.level(desk.hours(1, 4, 9))
    fast = await desk.level(desk.hours(2, 4, 8))
    await desk.contract(customer, ContractLineDraft(number=1, service_level_id=slow))
    await desk.contract(customer, ContractLineDraft(number=7, service_level_id=fast, line_id=tight))

    assert (await desk.authorised(customer)).contract_line_id == tight


@pytest.mark.parametrize("other", ["product", "project", "phase"])
async def test_a_line_for_another_product_project_or_phase_does_not_entitle(other: str) -> None:
    """R-CAT-02, R-REQ-06."""
    customer = await desk.organisation()
    drafts = {
        "product": ContractLineDraft(number=1, product_id=await desk.product()),
        "project": ContractLineDraft(number=1, project_id=await desk.project(customer)),
        "phase": ContractLineDraft(number=1, phase=Phase.DELIVERY),
    }
    await desk.contract(customer, drafts[other])

    found = await desk.authorised(customer, product_id=await desk.product())

    assert found.outcome is EntitlementOutcome.CHARGEABLE


async def test_a_line_for_the_very_product_project_and_phase_entitles() -> None:
    """R-CAT-02, R-ORG-01, R-REQ-06."""
    customer, line_id = await desk.organisation(), uuid4()
    product, project = await desk.product(), await desk.project(customer)
    line = ContractLineDraft(
        number=1,
        service_level_id=await desk.level(),
        product_id=product,
        project_id=project,
        phase=Phase.DELIVERY,
        line_id=line_id,
    )
    await desk.contract(customer, line)

    found = await desk.authorised(
        customer, product_id=product, project_id=project, phase=Phase.DELIVERY
    )

    assert found.contract_line_id == line_id


async def test_a_contract_of_another_customer_entitles_nobody_else() -> None:
    """R-ENT-01."""
    line = ContractLineDraft(number=1, service_level_id=await desk.level())
    await desk.contract(await desk.organisation(), line)

    found = await desk.authorised(await desk.organisation())

    assert found.outcome is EntitlementOutcome.CHARGEABLE


async def test_an_incomplete_record_serves_without_a_promise_at_the_house_level() -> None:
    """R-ENT-01, R-ENT-04: the contract to be completed is named."""
    customer = await desk.organisation()
    contract = await desk.contract(customer, ContractLineDraft(number=1))

    found = await desk.authorised(customer)

    assert found.outcome is EntitlementOutcome.NO_DATA
    assert found.contract_line_id is None
    assert found.incomplete_contract_ids == (contract,)
    assert found.terms == await house_terms()


async def test_a_contract_whose_lines_are_not_entered_yet_is_an_incomplete_record() -> None:
    """R-ENT-01."""
    customer = await desk.organisation()
    await desk.contract(customer)

    assert (await desk.authorised(customer)).outcome is EntitlementOutcome.NO_DATA


async def test_completed_data_entitles_when_authorised_again() -> None:
    """R-ENT-02."""
    customer, number = await desk.organisation(), desk.named("completed")
    await desk.contract(customer, ContractLineDraft(number=1), number=number)
    before = await desk.authorised(customer)

    completed = ContractLineDraft(number=1, service_level_id=await desk.level())
    await desk.contract(customer, completed, number=number)
    after = await desk.authorised(customer)

    assert before.outcome is EntitlementOutcome.NO_DATA
    assert after.outcome is EntitlementOutcome.ENTITLED


async def test_a_complete_line_wins_over_an_incomplete_one() -> None:
    """R-ENT-01."""
    customer = await desk.organisation()
    complete = ContractLineDraft(number=2, service_level_id=await desk.level())
    await desk.contract(customer, ContractLineDraft(number=1), complete)

    assert (await desk.authorised(customer)).outcome is EntitlementOutcome.ENTITLED


async def test_without_a_contract_it_is_chargeable_at_the_products_own_price() -> None:
    """R-ENT-01, R-ENT-04, R-CAT-01."""
    product = await desk.product()
    await desk.price("100.00")
    await desk.price("250.00", product_id=product)

    found = await desk.authorised(await desk.organisation(), product_id=product)

    assert found.outcome is EntitlementOutcome.CHARGEABLE
    assert (found.price, found.currency) == (Decimal("250.00"), "CNY")
    assert found.terms == await house_terms()


async def test_a_product_we_do_not_serve_is_not_served_whatever_the_contract() -> None:
    """R-ENT-01."""
    customer, product = await desk.organisation(), await desk.product(served=False)
    line = ContractLineDraft(number=1, service_level_id=await desk.level())
    await desk.contract(customer, line)

    found = await desk.authorised(customer, product_id=product)

    assert found.outcome is EntitlementOutcome.NOT_SERVED
    assert found.terms == await house_terms()


async def test_an_unknown_product_is_refused() -> None:
    """R-ENT-01."""
    with pytest.raises(NotFound):
        await desk.authorised(await desk.organisation(), product_id=uuid4())


@pytest.mark.parametrize(
    ("registered_at", "outcome"),
    [
        (datetime(2025, 12, 31, 15, 59, tzinfo=UTC), EntitlementOutcome.CHARGEABLE),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), EntitlementOutcome.ENTITLED),
        (datetime(2026, 12, 31, 15, 59, tzinfo=UTC), EntitlementOutcome.ENTITLED),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), EntitlementOutcome.CHARGEABLE),
    ],
)
async def test_what_counts_is_the_date_of_registration_in_the_calendars_zone(
    registered_at: datetime, outcome: EntitlementOutcome
) -> None:
    """R-ENT-01, R-ENT-05."""
    customer = await desk.organisation()
    line = ContractLineDraft(number=1, service_level_id=await desk.level())
    await desk.contract(customer, line)

    assert (await desk.authorised(customer, at=registered_at)).outcome is outcome


async def test_a_contract_that_ends_later_changes_nothing_about_what_was_found() -> None:
    """R-ENT-02: line and terms are pinned by value."""
    customer, number = await desk.organisation(), desk.named("ending")
    line_id, level = uuid4(), await desk.level()
    line = ContractLineDraft(number=1, service_level_id=level, line_id=line_id)
    await desk.contract(customer, line, number=number)
    found = await desk.authorised(customer)

    await desk.contract(customer, number=number, ends_on=date(2026, 1, 31))

    assert (await desk.authorised(customer)).outcome is EntitlementOutcome.CHARGEABLE
    assert await terms_of(found.terms.version_id) == found.terms
    assert (await current_terms(level)).version_id == found.terms.version_id


async def test_a_request_takes_one_unit_however_often_it_is_authorised() -> None:
    """R-ENT-03."""
    customer, request_id = await desk.organisation(), uuid4()
    line_id = await quota_line(customer, 1)

    first = await desk.authorised(customer, request_id=request_id)
    again = await desk.authorised(customer, request_id=request_id)

    assert first.contract_line_id == again.contract_line_id == line_id
    assert await units_taken(line_id) == 1


async def test_an_exhausted_quota_makes_the_next_request_chargeable() -> None:
    """R-ENT-03."""
    customer = await desk.organisation()
    await quota_line(customer, 1)
    await desk.authorised(customer)

    found = await desk.authorised(customer)

    assert found.outcome is EntitlementOutcome.CHARGEABLE
    assert found.contract_line_id is None


async def test_an_exhausted_line_gives_way_to_the_next_tightest() -> None:
    """R-ENT-01, R-ENT-03."""
    customer, slow_line = await desk.organisation(), uuid4()
    await quota_line(customer, 1)
    slow = await desk.level(desk.hours(10, 40, 80))
    await desk.contract(
        customer, ContractLineDraft(number=1, service_level_id=slow, line_id=slow_line)
    )
    await desk.authorised(customer)

    assert (await desk.authorised(customer)).contract_line_id == slow_line


async def test_a_returned_unit_can_be_taken_again_by_anybody_once() -> None:
    """R-ENT-03: given back when cancelled before work began."""
    customer, cancelled = await desk.organisation(), uuid4()
    line_id = await quota_line(customer, 1)
    await desk.authorised(customer, request_id=cancelled)

    for _ in range(2):
        async with transaction() as work:
            return_quota(work, cancelled, desk.NOW + timedelta(hours=1))
    taken = await desk.authorised(customer)
    too_late = await desk.authorised(customer)

    assert taken.contract_line_id == line_id
    assert too_late.outcome is EntitlementOutcome.CHARGEABLE
    assert await units_taken(line_id) == 1


async def test_a_new_contract_year_has_the_whole_quota_again() -> None:
    """R-ENT-03."""
    customer = await desk.organisation()
    line_id = await quota_line(customer, 1, starts_on=date(2025, 4, 1), ends_on=date(2027, 3, 31))
    last_of_the_year = datetime(2026, 3, 31, 4, 0, tzinfo=UTC)

    outcomes = [
        (await desk.authorised(customer, at=at)).outcome
        for at in (last_of_the_year, last_of_the_year, last_of_the_year + timedelta(days=1))
    ]

    entitled, chargeable = EntitlementOutcome.ENTITLED, EntitlementOutcome.CHARGEABLE
    assert outcomes == [entitled, chargeable, entitled]
    assert await units_taken(line_id) == 2


async def test_a_quota_of_visits_is_not_taken_by_authorising() -> None:
    """R-ENT-03: it is taken when the visit is dispatched."""
    customer, line_id = await desk.organisation(), uuid4()
    line = ContractLineDraft(
        number=1,
        service_level_id=await desk.level(),
        quota_unit=QuotaUnit.VISIT,
        quota=0,
        line_id=line_id,
    )
    await desk.contract(customer, line)

    assert (await desk.authorised(customer)).contract_line_id == line_id
    assert await units_taken(line_id) == 0


async def test_authorising_anew_under_another_line_gives_back_the_first_ones_unit() -> None:
    """R-ENT-02, R-ENT-03."""
    customer, request_id, tighter = await desk.organisation(), uuid4(), uuid4()
    first = await quota_line(customer, 1)
    await desk.authorised(customer, request_id=request_id)
    tight = await desk.level(desk.hours(0.1, 0.2, 0.3))
    await desk.contract(
        customer, ContractLineDraft(number=1, service_level_id=tight, line_id=tighter)
    )

    found = await desk.authorised(customer, request_id=request_id)

    assert found.contract_line_id == tighter
    assert await units_taken(first) == 0


async def test_a_refused_transaction_takes_nothing() -> None:
    """R-ENT-03."""
    customer = await desk.organisation()
    line_id = await quota_line(customer, 1)

    def refuse(_: object) -> str:
        raise NotFound()

    with pytest.raises(NotFound):
        await desk.authorised(customer, priority_under=refuse)

    assert await units_taken(line_id) == 0


async def at_once(times: int, act: Callable[[], Awaitable[EntitlementOutcome]]) -> list[str]:
    return [outcome.value for outcome in await asyncio.gather(*(act() for _ in range(times)))]


async def test_of_fifty_at_once_exactly_ten_get_the_last_ten_units() -> None:
    """S14, R-ENT-03."""
    customer = await desk.organisation()
    line_id = await quota_line(customer, 10)

    async def take() -> EntitlementOutcome:
        return (await desk.authorised(customer)).outcome

    outcomes = await at_once(50, take)

    assert outcomes.count("ENTITLED") == 10
    assert outcomes.count("CHARGEABLE") == 40
    assert await units_taken(line_id) == 10


async def test_one_request_authorised_twenty_times_at_once_takes_one_unit() -> None:
    """S13, R-ENT-03."""
    customer, request_id = await desk.organisation(), uuid4()
    line_id = await quota_line(customer, 5)

    async def take() -> EntitlementOutcome:
        return (await desk.authorised(customer, request_id=request_id)).outcome

    assert set(await at_once(20, take)) == {"ENTITLED"}
    assert await units_taken(line_id) == 1


async def test_takers_of_two_quotas_in_opposite_order_do_not_wait_for_each_other() -> None:
    """S14: both lines are tried by everybody, in either order."""
    customer, quick, lasting = await desk.organisation(), uuid4(), uuid4()
    for line_id, targets in ((quick, desk.hours(1, 4, 8)), (lasting, desk.hours(1, 5, 8))):
        line = ContractLineDraft(
            number=1,
            service_level_id=await desk.level(targets),
            quota_unit=QuotaUnit.REQUEST,
            quota=10,
            line_id=line_id,
        )
        await desk.contract(customer, line)

    async def take() -> EntitlementOutcome:
        return (await desk.authorised(customer)).outcome

    outcomes = await at_once(40, take)

    assert outcomes.count("ENTITLED") == 20
    assert (await units_taken(quick), await units_taken(lasting)) == (10, 10)
