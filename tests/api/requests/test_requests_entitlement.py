"""What a request is entitled to, from submission to closing, by GraphQL."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from itr.access.operations.persons import create_person
from itr.actors.roles import OrganisationKind, Role
from itr.catalogue.operations import (
    ContractLineDraft,
    save_catalogue_item,
    save_contract,
    save_product,
    save_service_level,
)
from itr.catalogue.organisations import create_organisation
from itr.catalogue.terms import ChargeKind, FaultLevel, Impact, QuotaUnit
from itr.requests.due_timers import fire_due_timers
from itr.settings import Settings
from itr.sla.models import Timer
from tests.support.desk import FOUNDER, Desk, hours, level_named, open_desk, targets
from tests.support.firms import key_in
from tests.support.notified import listed
from tests.support.requests import (
    CRITICAL,
    attempt,
    clock,
    do,
    events_of,
    read,
    refused,
    stored,
    submitted,
    timeline,
)

SEEN = {"price": {"amount": "800.00"}, "taxPercent": "6"}
"""The charge of a request that no contract covers, as the customer is shown it."""
CHARGE = (
    "charge { state item price { amount currency } taxPercent tax { amount } total { amount } }"
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
            tax_percent=Decimal("6"),
            target="4 h",
            quality_standard="certified",
            now=opened.time.now,
        )
        opened.ids["kettle"] = await save_product(FOUNDER, name="kettle", now=opened.time.now)
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

    seen = SEEN if agreement == "acceptCharge" else {}
    await do(desk, who.format(name=name), agreement, id=request["id"], **seen)
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
            f"mutation($input: AcceptChargeInput!) {{ {verb}(input: $input)"
            " { request { id } } }",
            {"input": {"id": request["id"], **SEEN}},
        )
        assert answer.code == "FORBIDDEN"
    assert await refused(desk, "CUSTOMER", "acceptCharge", id=request["id"], **SEEN) == (
        "NOT_FOUND"
    )

    assert await stored() == before


async def priced(desk: Desk, price: str, tax_percent: str = "6") -> None:
    """The catalogue as it is from now on."""
    await save_catalogue_item(
        FOUNDER,
        name="remote support",
        charge_kind=ChargeKind.SUPPORT,
        price=Decimal(price),
        tax_percent=Decimal(tax_percent),
        target="4 h",
        quality_standard="certified",
        now=desk.time.now,
    )


async def charge_seen(desk: Desk, who: str, id: str) -> dict[str, Any] | None:
    """What somebody is shown of a request's charge."""
    found = await read(desk, who, id, CHARGE)
    assert found is not None
    shown: dict[str, Any] | None = found["charge"]
    return shown


def shown(state: str, price: str = "800.00", tax: str = "48.00", total: str = "848.00") -> Any:
    """A charge of six per cent tax, as it is shown."""
    return {
        "state": state,
        "item": "remote support",
        "price": {"amount": price, "currency": "CNY"},
        "taxPercent": "6.000",
        "tax": {"amount": tax},
        "total": {"amount": total},
    }


async def test_a_charge_shows_item_price_tax_and_currency_before_anything_is_accepted(
    desk: Desk,
) -> None:
    """R-ENT-06, R-ROLE-06: to the customer and to us, not to a partner firm."""
    await firm(desk, "seeing")
    id_ = (await of(desk, "seeing"))["id"]

    assert await charge_seen(desk, "seeing", id_) == shown("PENDING")
    assert await charge_seen(desk, "LINE1", id_) == shown("PENDING")
    with_contract = await submitted(desk)
    assert await charge_seen(desk, "CUSTOMER", with_contract["id"]) is None
    await do(desk, "PROCESS_MANAGER", "waiveCharge", id=id_)
    await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL)
    place = desk.public("que", "queueFirm")
    await do(desk, "DISPATCH_MANAGER", "dispatchRequest", id=id_, queueId=place)
    assert await charge_seen(desk, "PARTNER", id_) is None
    types = [each["type"] for each in await timeline(desk, "PARTNER", id_)]
    assert not [each for each in types if each.startswith("Charge")]


@pytest.mark.parametrize(
    ("price", "tax_percent"), [("801.00", "6"), ("800.00", "13")], ids=["price", "tax"]
)
async def test_a_price_that_changed_since_it_was_seen_is_not_accepted(
    desk: Desk, price: str, tax_percent: str
) -> None:
    """R-ENT-06: the error tells what it is by now, and so does the request."""
    name = f"slow {price} {tax_percent}"
    await firm(desk, name)
    id_ = (await of(desk, name))["id"]
    await priced(desk, price, tax_percent)
    before = await stored()
    try:
        payload = await attempt(desk, name, "acceptCharge", id=id_, **SEEN)
        now = await charge_seen(desk, name, id_)
        after = await stored()
    finally:
        await priced(desk, "800.00")

    assert [each["code"] for each in payload["userErrors"]] == ["CHARGE_CHANGED"]
    assert f"{price} CNY + {tax_percent} %" in payload["userErrors"][0]["message"]
    assert after == before
    assert now is not None
    assert (now["state"], now["price"]["amount"]) == ("PENDING", price)


async def test_what_is_accepted_is_pinned(desk: Desk) -> None:
    """R-ENT-06: whatever the catalogue says later."""
    await firm(desk, "pinned")
    id_ = (await of(desk, "pinned"))["id"]
    await do(desk, "pinned", "acceptCharge", id=id_, **SEEN)
    await priced(desk, "950.00", "13")
    try:
        assert await charge_seen(desk, "pinned", id_) == shown("ACCEPTED")
    finally:
        await priced(desk, "800.00")


DECISIONS = {
    "acceptCharge": ("{name}", SEEN),
    "waiveCharge": ("PROCESS_MANAGER", {}),
    "withdrawCharge": ("LINE1", {"reason": "合同已补录"}),
}
VERBS = {
    "acceptCharge": "ACCEPT_CHARGE",
    "waiveCharge": "WAIVE_CHARGE",
    "withdrawCharge": "WITHDRAW_CHARGE",
}


@pytest.mark.parametrize("first", [None, *DECISIONS], ids=str)
async def test_a_charge_is_decided_on_once_and_viewer_can_says_so(
    desk: Desk, first: str | None
) -> None:
    """R-ENT-06: refused in any other state than PENDING, where there is no charge at all too."""
    name = f"decided {first}"
    gold = ContractLineDraft(1, service_level_id=await level_named("gold"))
    await firm(desk, name, *([] if first else [gold]))
    id_ = (await of(desk, name))["id"]
    if first is not None:
        for verb, (who, _) in DECISIONS.items():
            found = await read(desk, who.format(name=name), id_, "viewerCan")
            assert VERBS[verb] in (found or {})["viewerCan"]
        who, given = DECISIONS[first]
        await do(desk, who.format(name=name), first, id=id_, **given)
    before = await stored()

    for verb, (who, given) in DECISIONS.items():
        code = await refused(desk, who.format(name=name), verb, id=id_, **given)
        assert code == "CHARGE_NOT_PENDING"
        found = await read(desk, who.format(name=name), id_, "viewerCan")
        assert VERBS[verb] not in (found or {})["viewerCan"]

    assert await stored() == before


async def test_a_withdrawn_charge_can_be_offered_again_while_it_is_not_accepted(
    desk: Desk,
) -> None:
    """R-ENT-06."""
    await firm(desk, "again")
    id_ = (await of(desk, "again"))["id"]
    await do(desk, "LINE1", "withdrawCharge", id=id_, reason="先核实合同")
    assert await refused(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL) == (
        "CHARGE_NOT_ACCEPTED"
    )

    await do(desk, "LINE1", "offerCharge", id=id_)
    await do(desk, "again", "acceptCharge", id=id_, **SEEN)

    assert (await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL))["status"] == "AUTHORISED"
    assert await refused(desk, "LINE1", "offerCharge", id=id_) == "MOVE_NOT_ALLOWED"
    covered = await submitted(desk)
    assert await refused(desk, "LINE1", "offerCharge", id=covered["id"]) == "NOTHING_TO_CHARGE"


async def test_a_charge_ends_with_its_request_and_with_a_contract_that_covers_it_after_all(
    desk: Desk,
) -> None:
    """R-ENT-06: nothing stays to be accepted that will not be charged."""
    await firm(desk, "covered later")
    cancelled = (await of(desk, "covered later"))["id"]
    accepted = (await of(desk, "covered later"))["id"]
    line = ContractLineDraft(1, service_level_id=await level_named("gold"))
    await do(desk, "covered later", "cancelRequest", id=cancelled, reason="不需要了")
    await contract(desk, "covered later", line)
    await do(desk, "LINE1", "acceptRequest", id=accepted, **CRITICAL)

    for id_ in (cancelled, accepted):
        assert (await charge_seen(desk, "covered later", id_) or {})["state"] == "WITHDRAWN"


async def test_an_emergency_is_served_first_and_its_charge_decided_on_later(desk: Desk) -> None:
    """R-ENT-01, R-ENT-06."""
    await firm(desk, "burning")
    id_ = (await of(desk, "burning"))["id"]
    declared = {"reason": "停产", "classification": CRITICAL}
    await do(desk, "PROCESS_MANAGER", "declareEmergency", id=id_, **declared)
    await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL)

    assert await charge_seen(desk, "burning", id_) == shown("PENDING")
    await do(desk, "burning", "acceptCharge", id=id_, **SEEN)
    assert await charge_seen(desk, "burning", id_) == shown("ACCEPTED")


async def test_the_customer_is_told_of_a_charge_and_reminded_after_three_working_days(
    desk: Desk,
) -> None:
    """R-ENT-06: once, and not when it is decided on."""
    await firm(desk, "told")
    await firm(desk, "quick")
    now = desk.time.now
    ids = {}
    for name in ("told", "quick"):
        contact = desk.public("per", name)
        ids[name] = (await of_ours(desk, contact))["id"]
    await do(desk, "quick", "acceptCharge", id=ids["quick"], **SEEN)

    while await fire_due_timers(now + timedelta(days=30)):
        pass

    said = {name: await listed(key_in(id_), "CHARGE") for name, id_ in ids.items()}
    assert [each["who"] for each in said["told"]] == ["told", "told"]
    assert [each["who"] for each in said["quick"]] == ["quick"]
    reminded = [each for each in await events_of(ids["told"]) if each["type"] == "ChargeReminded"]
    assert len(reminded) == 1
    day = timedelta(days=1)
    due = (await charge_timer(desk, now)).astimezone(now.tzinfo)
    assert 3 * day <= due - now <= 5 * day


async def of_ours(desk: Desk, contact: str) -> dict[str, Any]:
    """A request line 1 registers for a customer who called."""
    product = desk.public("prd", "router")
    words = {"kind": "TECHNICAL", "title": "来电", "description": "电话", "productId": product}
    return await do(desk, "LINE1", "submitRequest", contactId=contact, **words)


async def charge_timer(desk: Desk, now: datetime) -> datetime:
    """When the customer of a request registered just now will be reminded."""
    id_ = (await of_ours(desk, desk.public("per", "told")))["id"]
    timer = await Timer.get(request_id=key_in(id_), kind="CHARGE_REMINDER")
    return timer.due_at


async def test_without_a_price_a_charge_can_be_waived_and_not_accepted(desk: Desk) -> None:
    """R-ENT-06: nobody accepts what they were not shown."""
    await firm(desk, "unpriced")
    given = {"phase": "DELIVERY", "kind": "TECHNICAL", "title": "调试", "description": "现场"}
    product = desk.public("prd", "router")
    request = await do(desk, "unpriced", "submitRequest", productId=product, **given)
    id_ = request["id"]
    assert "ACCEPT_CHARGE" not in request["viewerCan"]

    code = await refused(desk, "unpriced", "acceptCharge", id=id_, **SEEN)
    seen = await charge_seen(desk, "unpriced", id_)
    await do(desk, "PROCESS_MANAGER", "waiveCharge", id=id_)

    assert code == "NO_PRICE"
    assert seen is not None
    assert (seen["state"], seen["item"], seen["price"], seen["total"]) == (
        "PENDING", None, None, None,
    )  # fmt: skip


async def test_a_product_that_is_not_served_is_refused_whatever_the_contract(desk: Desk) -> None:
    """R-ENT-01."""
    await firm(desk, "toasting", ContractLineDraft(1, service_level_id=await level_named("gold")))
    request = await of(desk, "toasting", product="toaster")
    code = await refused(desk, "toasting", "acceptCharge", id=request["id"], **SEEN)
    assert code == "CHARGE_NOT_PENDING", "R-ENT-06: there is nothing to agree to"
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


async def test_authorising_once_more_puts_to_the_customer_what_nothing_covers_after_all(
    desk: Desk,
) -> None:
    """R-ENT-02, R-ENT-06: served without data, then found to be chargeable, or not served."""
    await firm(desk, "ended", ContractLineDraft(1))
    chargeable = (await of(desk, "ended"))["id"]
    unserved = (await of(desk, "ended", product="kettle"))["id"]
    for id_ in (chargeable, unserved):
        await do(desk, "LINE1", "acceptRequest", id=id_, **CRITICAL)
    yesterday = desk.time.now.date() - timedelta(days=1)
    await contract(desk, "ended", ContractLineDraft(1), ends_on=yesterday)
    await save_product(FOUNDER, name="kettle", served=False, now=desk.time.now)

    await do(desk, "LINE1", "reauthoriseRequest", id=chargeable)
    code = await refused(desk, "LINE1", "reauthoriseRequest", id=unserved)

    assert await charge_seen(desk, "ended", chargeable) == shown("PENDING")
    assert code == "NOT_SERVED"


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
