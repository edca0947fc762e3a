"""What a request is entitled to, from submission to closing, by GraphQL."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from itr.catalogue.operations import (
    ContractLineDraft,
    save_catalogue_item,
    save_contract,
    save_service_level,
)
from itr.catalogue.terms import ChargeKind, QuotaUnit
from itr.people.operations import create_organisation, create_person
from itr.people.roles import OrganisationKind, Role
from itr.requests.terms import FaultLevel, Impact
from itr.settings import Settings
from tests.support.desk import FOUNDER, Desk, hours, level_named, open_desk, targets
from tests.support.requests import (
    CRITICAL,
    attempt,
    clock,
    do,
    events_of,
    read,
    refused,
    stored,
    timeline,
)

ENTITLEMENT = "entitlement { outcome charge contractLine { number } }"


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        await save_catalogue_item(
            FOUNDER,
            name="remote support",
            charge_kind=ChargeKind.SUPPORT,
            price=Decimal("800.00"),
            target="4 h",
            quality_standard="certified",
            now=opened.time.now,
        )
        yield opened


async def firm(desk: Desk, name: str, *lines: ContractLineDraft, **dates: date) -> None:
    """A customer with one person of its name, and a contract if it has lines."""
    now = desk.time.now
    kind = OrganisationKind.CUSTOMER
    desk.ids[f"{name} firm"] = await create_organisation(FOUNDER, kind=kind, name=name, now=now)
    desk.ids[name] = await create_person(
        FOUNDER, desk.ids[f"{name} firm"], name, (Role.CUSTOMER,), now=now
    )
    if lines:
        await contract(desk, name, *lines, **dates)


async def contract(desk: Desk, name: str, *lines: ContractLineDraft, **dates: date) -> None:
    desk.ids[f"{name} contract"] = await save_contract(
        FOUNDER,
        number=f"C-{name}",
        customer_id=desk.ids[f"{name} firm"],
        lines=lines,
        now=desk.time.now,
        contract_id=desk.ids.get(f"{name} contract"),
        **{"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31), **dates},
    )


async def of(desk: Desk, name: str, product: str = "router") -> dict[str, Any]:
    """A request this firm has just submitted."""
    return await do(
        desk,
        name,
        "submitRequest",
        kind="TECHNICAL",
        title="不通",
        description="今天早上起",
        productId=desk.public("prd", product),
    )


async def test_a_contract_line_entitles_is_named_and_runs_the_clocks_from_registration(
    desk: Desk,
) -> None:
    """R-ENT-01, R-ENT-05."""
    await firm(desk, "entitled", ContractLineDraft(7, service_level_id=await level_named("gold")))
    request = await of(desk, "entitled")
    assert (request["priority"], clock(request, "RESOLUTION")["target"]) == ("P3", "PT40H")
    desk.time.pass_(hours(0.5))

    request = await do(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)

    assert clock(request, "RESOLUTION")["target"] == "PT8H"
    assert clock(request, "RESOLUTION")["elapsed"] == "PT30M"
    assert await read(desk, "entitled", request["id"], ENTITLEMENT) == {
        "entitlement": {"outcome": "ENTITLED", "charge": None, "contractLine": {"number": 7}}
    }


@pytest.mark.parametrize(
    ("who", "agreement", "charge", "event"),
    [
        ("{name}", "acceptCharge", "ACCEPTED", "ChargeAccepted"),
        ("PROCESS_MANAGER", "waiveCharge", "WAIVED", "ChargeWaived"),
    ],
)
async def test_a_chargeable_request_is_refused_until_somebody_agrees_to_the_price(
    desk: Desk, who: str, agreement: str, charge: str, event: str
) -> None:
    """R-ENT-01, R-ENT-04: then the house level runs its clocks."""
    name = f"charged {charge}"
    await firm(desk, name)
    request = await of(desk, name)
    before = await stored()

    payload = await attempt(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)
    assert [each["code"] for each in payload["userErrors"]] == ["CHARGE_NOT_ACCEPTED"]
    assert "800.00 CNY" in payload["userErrors"][0]["message"]
    assert await stored() == before

    await do(desk, who.format(name=name), agreement, id=request["id"])
    request = await do(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)

    assert request["status"] == "AUTHORISED"
    assert clock(request, "RESOLUTION")["target"] == "PT40H"
    assert await read(desk, name, request["id"], ENTITLEMENT) == {
        "entitlement": {"outcome": "CHARGEABLE", "charge": charge, "contractLine": None}
    }
    assert event in [each["type"] for each in await timeline(desk, name, request["id"])]


async def test_nobody_else_agrees_to_a_price(desk: Desk) -> None:
    """R-ENT-01, R-ROLE-02."""
    await firm(desk, "stingy")
    request = await of(desk, "stingy")
    before = await stored()

    for who, verb in (("LINE1", "acceptCharge"), ("PROCESS_MANAGER", "acceptCharge")):
        answer = await desk.as_(who).run(
            f"mutation($input: RequestInput!) {{ {verb}(input: $input) {{ request {{ id }} }} }}",
            {"input": {"id": request["id"]}},
        )
        assert answer.code == "FORBIDDEN"
    assert await refused(desk, "CUSTOMER", "acceptCharge", id=request["id"]) == "NOT_FOUND"

    assert await stored() == before


async def test_a_product_that_is_not_served_is_refused_whatever_the_contract(desk: Desk) -> None:
    """R-ENT-01."""
    await firm(desk, "toasting", ContractLineDraft(1, service_level_id=await level_named("gold")))
    request = await of(desk, "toasting", product="toaster")
    await do(desk, "toasting", "acceptCharge", id=request["id"])
    before = await stored()

    assert await refused(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL) == (
        "NOT_SERVED"
    )

    assert await stored() == before


async def test_without_data_it_is_served_and_once_completed_authorised_once_more(
    desk: Desk,
) -> None:
    """R-ENT-01, R-ENT-02, R-ENT-04, R-PRI-03: the clocks keep what they counted."""
    await firm(desk, "unknown", ContractLineDraft(1))
    request = await of(desk, "unknown")
    id_ = request["id"]
    request = await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL)
    assert clock(request, "RESOLUTION")["target"] == "PT40H"
    assert "REAUTHORISE" in (await read(desk, "LINE1", id_) or {})["viewerCan"]
    desk.time.pass_(hours(1))

    code = await refused(desk, "LINE1", "reauthoriseRequest", id=id_)
    assert code == "NOTHING_TO_REAUTHORISE", "nothing was completed yet"
    await contract(
        desk, "unknown", ContractLineDraft(1, service_level_id=await level_named("gold"))
    )
    request = await do(desk, "LINE1", "reauthoriseRequest", id=id_)

    assert clock(request, "RESOLUTION")["target"] == "PT8H"
    assert clock(request, "RESOLUTION")["elapsed"] == "PT1H"
    found = await read(desk, "LINE1", id_, ENTITLEMENT)
    assert found == {
        "entitlement": {"outcome": "ENTITLED", "charge": None, "contractLine": {"number": 1}}
    }
    assert await refused(desk, "LINE1", "reauthoriseRequest", id=id_) == "NOTHING_TO_REAUTHORISE"
    assert "REAUTHORISE" not in request["viewerCan"]
    told = [each["type"] for each in await timeline(desk, "LINE1", id_)]
    assert told.count("RequestReauthorised") == 1


async def test_a_level_whose_own_matrix_gives_another_priority_says_so_on_the_timeline(
    desk: Desk,
) -> None:
    """R-ENT-02, R-PRI-01, R-PRI-03."""
    impacts = [impact.value for impact in Impact]
    await save_service_level(
        FOUNDER,
        name="never urgent",
        calendar_id=desk.ids["always"],
        targets=targets(RESPONSE=1, RESTORATION=4, RESOLUTION=8, CLOSURE=240),
        matrix={level.value: dict.fromkeys(impacts, "P2") for level in FaultLevel},
        now=desk.time.now,
    )
    await firm(desk, "unsure", ContractLineDraft(1))
    id_ = (await of(desk, "unsure"))["id"]
    await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL)
    line = ContractLineDraft(1, service_level_id=await level_named("never urgent"))
    await contract(desk, "unsure", line)

    request = await do(desk, "LINE1", "reauthoriseRequest", id=id_)

    told = (await timeline(desk, "LINE1", id_))[-1]
    assert request["priority"] == "P2"
    assert (told["type"], told["priorityBefore"], told["priority"]) == (
        "RequestReauthorised", "P1", "P2",
    )  # fmt: skip


async def test_situation_31_a_contract_that_ends_later_changes_nothing_but_for_new_requests(
    desk: Desk,
) -> None:
    """R-ENT-02."""
    line = ContractLineDraft(1, service_level_id=await level_named("gold"))
    await firm(desk, "ending", line)
    request = await of(desk, "ending")
    await do(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)

    yesterday = desk.time.now.date() - timedelta(days=1)
    await contract(desk, "ending", line, ends_on=yesterday)
    desk.time.pass_(hours(1))
    minor = CRITICAL | {"faultLevel": "MINOR"}
    request = await do(desk, "LINE1", "reclassifyRequest", id=request["id"], **minor)

    found = await read(desk, "LINE1", request["id"], ENTITLEMENT)
    assert found is not None
    assert found["entitlement"]["outcome"] == "ENTITLED"
    assert clock(request, "RESOLUTION")["target"] == "PT8H"
    new = await of(desk, "ending")
    code = await refused(desk, "LINE1", "acceptRequest", id=new["id"], **CRITICAL)
    assert code == "CHARGE_NOT_ACCEPTED"


async def quota_left(desk: Desk, name: str) -> bool:
    """Whether another request of the firm would be entitled; leaves no trace of the question."""
    request = await of(desk, name)
    payload = await attempt(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)
    await do(desk, name, "cancelRequest", id=request["id"], reason="只是问问")
    return payload["userErrors"] == []


async def test_a_quota_is_given_back_when_cancelled_before_work_began(desk: Desk) -> None:
    """R-ENT-03."""
    gold = await level_named("gold")
    one = ContractLineDraft(1, service_level_id=gold, quota_unit=QuotaUnit.REQUEST, quota=1)
    await firm(desk, "rationed", one)
    request = await of(desk, "rationed")
    await do(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)
    assert not await quota_left(desk, "rationed")

    await do(desk, "rationed", "cancelRequest", id=request["id"], reason="不需要了")

    assert await quota_left(desk, "rationed")


async def test_a_quota_is_not_given_back_once_work_began_wherever_the_request_went(
    desk: Desk,
) -> None:
    """R-ENT-03: back in a queue, it was worked on all the same."""
    gold = await level_named("gold")
    one = ContractLineDraft(1, service_level_id=gold, quota_unit=QuotaUnit.REQUEST, quota=1)
    await firm(desk, "used", one)
    id_ = (await of(desk, "used"))["id"]
    await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL)
    await do(desk, "LINE1", "dispatchRequest", id=id_, queueId=desk.public("que", "queue1"))
    await do(desk, "LINE1", "startRequest", id=id_)
    await do(desk, "LINE1", "requeueRequest", id=id_, reason="换人")

    await do(desk, "used", "cancelRequest", id=id_, reason="不需要了")

    assert not await quota_left(desk, "used")


async def test_a_rejected_request_gives_its_quota_back(desk: Desk) -> None:
    """R-ENT-03, R-REQ-01: the requester is told why."""
    gold = await level_named("gold")
    one = ContractLineDraft(1, service_level_id=gold, quota_unit=QuotaUnit.REQUEST, quota=1)
    await firm(desk, "turned down", one)
    request = await of(desk, "turned down")
    await do(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)

    await do(
        desk,
        "PROCESS_MANAGER",
        "rejectRequest",
        id=request["id"],
        reason="不属于服务范围",
        code="NOT_SERVED",
    )

    seen = await read(desk, "turned down", request["id"], "status endedReason clocks { state }")
    assert seen == {
        "status": "REJECTED",
        "endedReason": "不属于服务范围",
        "clocks": [{"state": "CANCELLED"}] * 3,
    }
    assert await quota_left(desk, "turned down")


async def test_a_refused_acceptance_leaves_no_trace_in_the_log(desk: Desk) -> None:
    """R-REQ-01, S16: what was refused did not happen."""
    await firm(desk, "traceless")
    request = await of(desk, "traceless")

    await refused(desk, "LINE1", "acceptRequest", id=request["id"], **CRITICAL)

    assert [each["type"] for each in await events_of(request["id"])] == ["RequestRegistered"]
