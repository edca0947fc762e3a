"""Taking requests in: what is asked for, what is recorded, what is told in whose language."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from itr.settings import Settings
from tests.support.desk import Desk, open_desk
from tests.support.requests import (
    attempt,
    brought_to,
    call,
    do,
    events_of,
    read,
    stored,
    submitted,
    timeline,
)

INTAKE: dict[str, Any] = {
    "kind": "TECHNICAL",
    "title": "不通 no route",
    "description": "今天早上起",
    "productUnknown": True,
}


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


@pytest.mark.parametrize(
    ("who", "change", "code", "path"),
    [
        ("CUSTOMER", {"title": "  "}, "REQUIRED", "title"),
        ("CUSTOMER", {"description": "\n\t"}, "REQUIRED", "description"),
        ("CUSTOMER", {"productUnknown": False}, "REQUIRED", "productId"),
        ("LINE1", {}, "REQUIRED", "customerId"),
        ("CUSTOMER", {"title": "x" * 401}, "TOO_LONG", "title"),
        ("CUSTOMER", {"description": "x" * 20_001}, "TOO_LONG", "description"),
        ("CUSTOMER", {"title": "a\x00b"}, "INVALID", "title"),
    ],
)
async def test_what_is_missing_is_asked_for_not_guessed(
    desk: Desk, who: str, change: dict[str, Any], code: str, path: str
) -> None:
    """R-REQ-08: by the name of what is missing."""
    before = await stored()

    payload = await attempt(desk, who, "submitRequest", **{**INTAKE, **change})

    assert [(each["code"], each["path"]) for each in payload["userErrors"]] == [
        (code, ["input", path])
    ]
    assert await stored() == before


@pytest.mark.parametrize(
    ("who", "field", "prefix", "name"),
    [
        ("CUSTOMER", "customerId", "org", "Bolt"),
        ("CUSTOMER", "contactId", "per", "bolt"),
        ("CUSTOMER", "contactId", "per", "LINE1"),
        ("LINE1", "contactId", "per", "LINE2"),
        ("LINE1", "customerId", "org", "Shanghai"),
        ("LINE1", "customerId", "org", "Firm"),
        ("PARTNER", "customerId", "org", "Bolt"),
        ("CUSTOMER", "productId", "org", "Acme"),
        ("CUSTOMER", "projectId", "org", "Acme"),
    ],
)
async def test_what_it_names_must_be_there_and_fit(
    desk: Desk, who: str, field: str, prefix: str, name: str
) -> None:
    """R-REQ-08, R-ROLE-04."""
    before = await stored()

    payload = await attempt(
        desk, who, "submitRequest", **INTAKE, **{field: desk.public(prefix, name)}
    )

    assert [(each["code"], each["path"]) for each in payload["userErrors"]] == [
        ("NOT_FOUND", ["input", field])
    ]
    assert await stored() == before


async def test_a_contact_tells_the_customer(desk: Desk) -> None:
    """R-REQ-08: customer or contact."""
    contact = desk.public("per", "colleague")

    request = await do(desk, "LINE1", "submitRequest", **INTAKE, contactId=contact)

    seen = await read(desk, "colleague", request["id"], "customer { name } contact { name }")
    assert seen == {"customer": {"name": "Acme"}, "contact": {"name": "colleague"}}


@pytest.mark.parametrize(
    ("who", "channel"), [("CUSTOMER", "WEB"), ("LINE1", "PHONE"), ("PARTNER", "PARTNER")]
)
async def test_the_channel_is_how_it_reached_us(desk: Desk, who: str, channel: str) -> None:
    """R-REQ-06."""
    await brought_to(desk, "DISPATCHED", owner="PARTNER")
    usual = await submitted(desk, who)
    given = await submitted(desk, who, channel="MONITORING", phase="DELIVERY")

    fields = "channel phase"
    assert await read(desk, "LINE1", usual["id"], fields) == {
        "channel": channel,
        "phase": "AFTER_ACCEPTANCE",
    }
    assert await read(desk, "LINE1", given["id"], fields) == {
        "channel": "MONITORING",
        "phase": "DELIVERY",
    }


async def test_a_partner_follows_what_it_submitted_and_may_withdraw_it(desk: Desk) -> None:
    """R-ROLE-03, R-REQ-08."""
    await brought_to(desk, "DISPATCHED", owner="PARTNER")
    request = await submitted(desk, "PARTNER")

    assert request["viewerCan"] == ["CANCEL"]
    request = await do(desk, "PARTNER", "cancelRequest", id=request["id"], reason="已解决")
    assert request["status"] == "CANCELLED"


async def test_a_number_tells_the_day_and_nothing_of_volume(desk: Desk) -> None:
    """The day of registration by the house calendar, and four unambiguous characters."""
    numbers = [(await submitted(desk))["number"] for _ in range(20)]

    assert len(set(numbers)) == 20
    for number in numbers:
        kind, day, letters = number.split("-")
        assert (kind, day) == ("SR", "260302")
        assert len(letters) == 4
        assert not set(letters) & set("01IO")


async def test_everything_said_stands_on_the_timeline(desk: Desk) -> None:
    """R-REQ-07."""
    request = await brought_to(desk, "IN_PROGRESS")
    id_ = request["id"]
    await do(desk, "LINE1", "respondToRequest", id=id_, text="公开回复 👋")
    await do(desk, "LINE1", "noteOnRequest", id=id_, text="内部备注")
    await do(desk, "LINE1", "logCall", id=id_, summary="电话沟通")
    await do(desk, "CUSTOMER", "respondToRequest", id=id_, text="谢谢")

    told = await timeline(desk, "LINE1", id_)

    assert [(each["type"], each["audience"], each["text"]) for each in told[-4:]] == [
        ("RequestReplied", "PUBLIC", "公开回复 👋"),
        ("RequestNoted", "INTERNAL", "内部备注"),
        ("CallLogged", "PUBLIC", "电话沟通"),
        ("RequestReplied", "PUBLIC", "谢谢"),
    ]
    assert len(await events_of(id_)) == len(told)


@pytest.mark.parametrize(
    ("language", "message"),
    [
        (None, "此项必填。"),
        ("zh-CN,zh;q=0.9", "此项必填。"),
        ("en", "This is required."),
        ("en-GB,en;q=0.8,zh;q=0.3", "This is required."),
        ("fr, de;q=0.5", "此项必填。"),
        ("zh;q=0.2, en;q=0.7", "This is required."),
    ],
)
async def test_user_errors_speak_chinese_unless_english_is_preferred(
    desk: Desk, language: str | None, message: str
) -> None:
    """In the caller's language (Accept-Language)."""
    answer = await call(
        desk, "CUSTOMER", "submitRequest", language=language, **INTAKE | {"title": ""}
    )

    assert answer.data["submitRequest"]["userErrors"][0]["message"] == message


@pytest.mark.parametrize(
    ("language", "message"),
    [(None, "您的角色无权执行此操作。"), ("en", "Your roles do not permit this.")],
)
async def test_errors_speak_the_same_languages(
    desk: Desk, language: str | None, message: str
) -> None:
    """In the caller's language (Accept-Language)."""
    answer = await call(desk, "ANALYST", "submitRequest", language=language, **INTAKE)

    assert answer.code == "FORBIDDEN"
    assert answer.errors[0]["message"] == message


def test_every_error_has_its_sentence_in_both_languages() -> None:
    """In the enum of codes, too."""
    from api.resolvers.root import product_schema
    from itr.errors import DomainError

    product_schema()
    kinds = [DomainError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    for kind in kinds:
        if kind.__module__.startswith("tests"):
            continue
        assert kind.zh, kind
        assert any("一" <= letter <= "鿿" for letter in kind.zh) or "{zh_reason}" in kind.zh, kind
        assert kind.en, kind
        assert not any("一" <= letter <= "鿿" for letter in kind.en), kind


async def test_a_number_that_is_taken_already_is_made_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-REQ-08: nobody looks whether a number is free; that it is not shows when it is written."""
    monkeypatch.setattr("itr.requests.intake.ALPHABET", "AB")  # sixteen numbers a day

    made = [await submitted(desk) for _ in range(6)]

    assert len({request["number"] for request in made}) == 6
