"""A wallboard is let in on another screen, or refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import expect

from itr.access.terms import ClientKind
from itr.people.models import Person
from tests.browser.conftest import OpenWindow
from tests.support.sign_in import House

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
async def wallboard(house: House) -> str:
    """The client id of a wallboard."""
    actor = house.ids["WALLBOARD"]
    await Person.filter(id=actor).update(machine=True)
    known = await house.register(
        "大厅 Hall", ClientKind.WALLBOARD, actor_id=actor, scopes=["itr:board"]
    )
    return known.client_id


async def posted(house: House, path: str, **form: str) -> dict[str, Any]:
    """What the authorization server tells the wallboard."""
    answer: dict[str, Any] = (await house.server.client.http.post(path, data=form)).json()
    return answer


@pytest.mark.parametrize(
    ("button", "heading", "told"),
    [("Allow", "Allowed", "access_token"), ("Deny", "Denied", "error")],
)
async def test_the_code_on_the_screen_is_typed_in_and_decided_on(
    house: House, wallboard: str, open_window: OpenWindow, button: str, heading: str, told: str
) -> None:
    shown = await posted(house, "/oauth/device_authorization", client_id=wallboard)
    async with open_window(locale="en-GB", timezone_id="Asia/Kolkata") as window:
        page = window.page
        await page.goto(shown["verification_uri"])
        await window.sign_in("PROCESS_MANAGER")
        await page.locator("#user_code").fill("bcdf bcdf")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("No device waits with this code")
        window.excuse("status of 422")
        await page.locator("#user_code").fill(shown["user_code"].lower())
        await page.keyboard.press("Enter")
        await expect(page.locator("p.code")).to_have_text(shown["user_code"])
        await expect(page.locator("dd").first).to_have_text("大厅 Hall")
        await expect(page.locator("time")).to_have_text(re.compile(r"GMT\+5:30|IST"))
        await expect(page.locator("time")).to_have_attribute("title", re.compile(r"UTC\+00:00"))

        await page.get_by_role("button", name=button).click()

        await expect(page.locator("h1")).to_contain_text(heading)
    code = shown["device_code"]
    answer = await posted(
        house, "/oauth/token", grant_type=DEVICE, client_id=wallboard, device_code=code
    )
    assert answer.get("error", "access_denied") == "access_denied"
    assert told in answer


async def test_the_address_with_the_code_in_it_has_it_filled_in(
    house: House, wallboard: str, open_window: OpenWindow
) -> None:
    shown = await posted(house, "/oauth/device_authorization", client_id=wallboard)
    async with open_window() as window:
        await window.page.goto(shown["verification_uri_complete"])
        await window.sign_in("PROCESS_MANAGER")

        await expect(window.page.locator("#user_code")).to_have_value(shown["user_code"])
