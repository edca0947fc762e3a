"""OLA as shares of each service level, and suppliers held against them (R-OLA-01, R-OLA-02)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest

from itr.actors.roles import Role
from itr.catalogue.models import ServiceLevelVersion, UnderpinningContract
from itr.catalogue.operations import save_service_level, terms_of
from itr.catalogue.terms import Priority
from itr.catalogue.underpinning import TargetBeyondShare, save_underpinning_contract
from itr.database import Database
from itr.errors import DomainError, Forbidden
from itr.sla.clock import Target
from tests.support import desk_data as desk

pytestmark = pytest.mark.usefixtures("database")

MINUTE = 60_000_000


@pytest.fixture(scope="module")
async def always(database: Database) -> UUID:
    """A calendar."""
    return await desk.calendar()


async def saved(calendar: UUID, **more: Any) -> UUID:
    wanted: dict[str, Any] = {
        "name": desk.named("level"),
        "calendar_id": calendar,
        "targets": desk.hours(1, 4, 8),
        "now": desk.NOW,
    }
    return await save_service_level(desk.SETUP, **{**wanted, **more})


async def test_each_service_level_carries_its_own_shares(always: UUID) -> None:
    """R-OLA-01: null is the default."""
    own = await terms_of(await saved(always, ola_shares={"13": "30.5", "15": "9.5"}))
    default = await terms_of(await saved(always))

    assert (own.shares[13], own.shares[9]) == (Fraction("30.5"), Fraction(15))
    assert default.shares[13] == 25


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ({"13": "26"}, "OLA_ABOVE_SLA"),
        ({"0": "1"}, "UNKNOWN_CONTROL_POINT"),
        ({"13": "-1"}, "BAD_SHARE"),
    ],
)
async def test_an_ola_that_cannot_support_the_sla_is_never_saved(
    always: UUID, shares: Mapping[str, str], code: str
) -> None:
    """R-OLA-02."""
    before = await ServiceLevelVersion.all().count()

    with pytest.raises(DomainError) as refused:
        await saved(always, ola_shares=shares)

    assert refused.value.code == code
    assert await ServiceLevelVersion.all().count() == before


async def test_a_window_longer_than_the_customers_step_is_refused(always: UUID) -> None:
    """R-CP-03: 3 days of 24 hours are 30 % of 240 hours; no budget, no bound."""
    await saved(always, targets=desk.hours(1, 4, 8, 240))
    await saved(always, ola_shares={"27": "0", "26": "20"}, targets=desk.hours(1, 4, 8))
    await saved(always, targets=desk.days(1, 2, 3, 10))
    await saved(
        always, targets=desk.hours(1, 4, 8, 160), ola_shares={"27": "45", "26": "10", "28": "15"}
    )

    for targets in (desk.hours(1, 4, 8, 239), desk.days(1, 2, 3, 9)):
        with pytest.raises(DomainError) as refused:
            await saved(always, targets=targets)
        problems = getattr(refused.value, "problems", (refused.value,))
        assert {problem.code for problem in problems} == {"WINDOW_BEYOND_BUDGET"}
        assert len(problems) == 4
        assert problems[0].message("zh")


async def test_a_level_cannot_be_tightened_below_what_its_suppliers_promise(always: UUID) -> None:
    """R-OLA-02: unless somebody has accepted the risk."""
    level, firm = uuid4(), await desk.partner()
    await saved(always, name="served", service_level_id=level)
    kept: dict[str, Any] = {
        "partner_id": firm,
        "service_level_id": level,
        "priority": Priority.P1,
    }
    target = Target(us=24 * MINUTE)  # 10 % of 8 − 4 hours
    await save_underpinning_contract(desk.SETUP, **kept, point=19, target=target, now=desk.NOW)

    with pytest.raises(TargetBeyondShare):
        await saved(always, name="served", targets=desk.hours(1, 5, 8))
    await saved(always, name="served", targets=desk.hours(1, 4, 9))

    person = await desk.person(await desk.branch(), Role.OPERATIONS_DIRECTOR)
    await save_underpinning_contract(
        desk.SETUP,
        **kept,
        point=19,
        target=Target(us=60 * MINUTE),
        risk_accepted_by=person.id,
        now=desk.NOW,
    )
    await saved(always, name="served", targets=desk.hours(1, 5, 8))
    assert (await UnderpinningContract.get(partner_id=firm)).risk_accepted_by == person.id


async def test_who_accepts_a_risk_is_only_named_where_there_is_one(always: UUID) -> None:
    """R-OLA-02."""
    level, firm = uuid4(), await desk.partner()
    await saved(always, service_level_id=level)
    person = await desk.person(await desk.branch(), Role.OPERATIONS_DIRECTOR)

    kept = await save_underpinning_contract(
        desk.SETUP,
        partner_id=firm,
        service_level_id=level,
        point=19,
        priority=Priority.P2,
        target=Target(us=MINUTE),
        risk_accepted_by=person.id,
        now=desk.NOW,
    )

    assert (await UnderpinningContract.get(id=kept)).risk_accepted_by is None
    facts = await desk.facts_of(kept)
    assert [fact["type"] for fact in facts] == ["UnderpinningContractSaved"]


async def test_a_step_that_is_only_measured_has_no_room_for_a_supplier(always: UUID) -> None:
    """R-OLA-02, R-CP-01."""
    level, firm = uuid4(), await desk.partner()
    await saved(always, service_level_id=level, targets=desk.hours(1, 8, 8))

    with pytest.raises(TargetBeyondShare):
        await save_underpinning_contract(
            desk.SETUP,
            partner_id=firm,
            service_level_id=level,
            point=19,
            priority=Priority.P1,
            target=Target(us=1),
            now=desk.NOW,
        )


async def test_only_who_manages_contracts_saves_them(always: UUID) -> None:
    """R-ROLE-02."""
    level, firm = uuid4(), await desk.partner()
    await saved(always, service_level_id=level)
    somebody = await desk.person(await desk.branch(), Role.LINE1, Role.DISPATCH_MANAGER)

    with pytest.raises(Forbidden):
        await save_underpinning_contract(
            somebody,
            partner_id=firm,
            service_level_id=level,
            point=19,
            priority=Priority.P1,
            target=Target(us=1),
            now=desk.NOW,
        )
