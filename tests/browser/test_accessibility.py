"""Every page for everybody: axe-core finds nothing against WCAG 2.1 A and AA, light and dark."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect

from itr.access.models import Consent
from itr.access.terms import ClientKind
from itr.people.models import Person
from tests.browser.chromium import HERE
from tests.browser.conftest import OpenWindow
from tests.browser.windows import Window
from tests.support.node import installed
from tests.support.sign_in import CALLBACK, PASSWORD, House

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
ASK = """async (rules) => (await axe.run(
  {include: [["html"]], exclude: [[".graphiql-container"]]}, {runOnly: rules})).violations"""
"""What is inside GraphiQL is its makers' affair; the page around it is ours."""
FOCUS = """() => {
  const one = document.activeElement, drawn = getComputedStyle(one);
  return [one.id || one.value || one.getAttribute("href") || one.localName, drawn.outlineStyle];
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    """The script that asks the rules."""
    installed(HERE)
    return (HERE / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
async def clients(house: House) -> None:
    """A dashboard that asks for consent, and a wallboard."""
    board = house.ids["WALLBOARD"]
    await Person.filter(id=board).update(machine=True)
    await house.register("hall", ClientKind.WALLBOARD, actor_id=board, scopes=["itr:board"])
    await house.register(
        "dashboard", ClientKind.DASHBOARD, redirect_uris=[CALLBACK], scopes=["itr", "openid"]
    )


async def start(window: Window, house: House) -> None:
    await window.page.goto(f"{house.issuer}/")
    await expect(window.page.get_by_role("heading", level=1)).to_be_visible()


async def ask_for_consent(window: Window, house: House) -> None:
    asked = {
        "response_type": "code",
        "client_id": house.clients["dashboard"].client_id,
        "redirect_uri": CALLBACK,
        "scope": "itr openid",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
    }
    await window.page.goto(f"{house.issuer}/oauth/authorize?{urlencode(asked)}")


async def sign_in_wrongly(window: Window, house: House) -> None:
    await ask_for_consent(window, house)
    await window.sign_in("nobody", "not the password")
    window.excuse("status of 422")


async def consent(window: Window, house: House) -> None:
    await ask_for_consent(window, house)
    await window.sign_in("PROCESS_MANAGER")


async def device(window: Window, house: House) -> None:
    await window.page.goto(f"{house.issuer}/device")
    await window.sign_in("PROCESS_MANAGER")


async def device_waiting(window: Window, house: House) -> None:
    form = {"client_id": house.clients["hall"].client_id}
    answer = await house.server.client.http.post("/oauth/device_authorization", data=form)
    await window.page.goto(answer.json()["verification_uri_complete"])
    await window.sign_in("PROCESS_MANAGER")
    await window.page.locator("button[value=look]").click()
    await expect(window.page.locator("button[value=allow]")).to_be_visible()


async def device_decided(window: Window, house: House) -> None:
    await device_waiting(window, house)
    await window.page.locator("button[value=deny]").click()
    await expect(window.page.get_by_role("status")).to_be_visible()


async def password(window: Window, house: House) -> None:
    await window.page.goto(f"{house.issuer}/oauth/password")
    await window.sign_in("PROCESS_MANAGER")
    await window.page.locator("#old").fill("not the password")
    await window.page.locator("#new").fill(PASSWORD + "!")
    await window.page.locator("#again").fill(PASSWORD + "?")
    await window.page.locator("button[value=change]").click()
    await expect(window.page.get_by_role("alert")).to_be_visible()
    window.excuse("status of 422")


async def consents(window: Window, house: House) -> None:
    agreed = {"client_id": house.clients["dashboard"].id, "person_id": house.ids["LINE1"]}
    given = {"scope": "itr openid", "given_at": datetime.now(UTC)}
    await Consent.get_or_create(**agreed, defaults=given)
    await window.page.goto(f"{house.issuer}/oauth/consents")
    await window.sign_in("LINE1")
    await expect(window.page.locator("button[value=withdraw]")).to_be_visible()


async def sign_out(window: Window, house: House) -> None:
    await window.page.goto(f"{house.issuer}/oauth/password")
    await window.sign_in("PROCESS_MANAGER")
    await window.page.goto(f"{house.issuer}/oauth/logout")
    await expect(window.page.locator("button[value=sign-out]")).to_be_visible()


async def signed_out(window: Window, house: House) -> None:
    await window.page.goto(f"{house.issuer}/oauth/logout")
    await expect(window.page.get_by_role("status")).to_be_visible()


async def refused(window: Window, house: House) -> None:
    await window.page.goto(f"{house.issuer}/oauth/authorize?client_id=nobody")
    window.excuse("status of 400")


async def not_signed_in(window: Window, house: House) -> None:
    await window.page.goto(f"{house.issuer}/oauth/signin/nobody?next=/device")
    window.excuse("status of 404")


async def graphiql_sign_in(window: Window, house: House) -> None:
    await window.page.goto(f"{house.issuer}/graphql/sign-in?ended")
    await window.page.locator("summary").click()
    await expect(window.page.locator("#token")).to_be_visible()


async def graphiql(window: Window, house: House) -> None:
    await window.page.goto(f"{house.issuer}/graphql")
    await window.page.locator("#in").click()
    await window.sign_in("PROCESS_MANAGER")
    await expect(window.page.locator("#who")).to_have_text("PROCESS_MANAGER")


PAGES: list[Callable[[Window, House], Awaitable[None]]] = [
    start,
    sign_in_wrongly,
    consent,
    device,
    device_waiting,
    device_decided,
    password,
    consents,
    sign_out,
    signed_out,
    refused,
    not_signed_in,
    graphiql_sign_in,
    graphiql,
]


async def violations(page: Page, axe: str) -> list[str]:
    """What the rules say against a page: the rule, and where."""
    await page.evaluate(axe)
    found: list[dict[str, Any]] = await page.evaluate(ASK, RULES)
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("show", PAGES, ids=lambda show: show.__name__)
async def test_a_page_has_nothing_against_the_rules(
    house: House, open_window: OpenWindow, axe: str, show: Callable[..., Awaitable[None]]
) -> None:
    async with open_window(color_scheme="light") as window:
        await show(window, house)

        assert await violations(window.page, axe) == []
        await window.page.emulate_media(color_scheme="dark")
        assert await violations(window.page, axe) == []


async def test_the_rules_find_what_is_against_them(open_window: OpenWindow, axe: str) -> None:
    async with open_window() as window:
        await window.page.set_content("<input>")

        assert any(each.startswith("label: ") for each in await violations(window.page, axe))


@pytest.mark.parametrize("width", [320, 1280])
async def test_no_page_is_wider_than_its_window(
    house: House, open_window: OpenWindow, width: int
) -> None:
    async with open_window(viewport={"width": width, "height": 640}) as window:
        for show in (start, sign_in_wrongly, consent, refused, graphiql_sign_in):
            await show(window, house)

            assert await window.page.evaluate("document.documentElement.scrollWidth") == width


async def test_the_keyboard_goes_through_a_page_in_order_and_shows_where_it_is(
    house: House, open_window: OpenWindow
) -> None:
    async with open_window() as window:
        page = window.page
        await page.goto(f"{house.issuer}/device")
        seen = [await page.evaluate(FOCUS)]
        for _ in range(2):
            await page.keyboard.press("Tab")
            seen.append(await page.evaluate(FOCUS))
        assert seen == [["email", "solid"], ["password", "solid"], ["sign-in", "solid"]]

        await window.sign_in("PROCESS_MANAGER")
        await page.locator("#user_code").focus()
        seen = []
        for _ in range(3):
            await page.keyboard.press("Tab")
            seen.append(await page.evaluate(FOCUS))
        assert seen == [["look", "solid"], ["sign-out", "solid"], ["/oauth/password", "solid"]]
