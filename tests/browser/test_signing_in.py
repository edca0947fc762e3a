"""Signing in as people do: by keyboard, without scripts, in two languages."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.async_api import expect

from itr.access.terms import ClientKind
from tests.browser.conftest import OpenWindow
from tests.browser.tls import behind_tls
from tests.support.sign_in import PASSWORD, House, email_of

SAID = {
    "zh-CN": ("zh-CN", "LINE2", "邮箱或密码不正确。", r"尝试次数过多，请在 \d+ 秒后再试。"),
    "en-GB": (
        "en",
        "CUSTOMER",
        "The e-mail address or the password is not right.",
        r"Too many attempts; try again in \d+ seconds\.",
    ),
}


async def test_a_person_signs_in_by_keyboard_alone_and_without_scripts(
    house: House, open_window: OpenWindow
) -> None:
    async with open_window(java_script_enabled=False) as window:
        await window.page.goto(f"{house.issuer}/device")
        await expect(window.page.locator("#email")).to_be_focused()
        await window.page.keyboard.type(email_of("PROCESS_MANAGER"))
        await window.page.keyboard.press("Tab")
        await window.page.keyboard.type(PASSWORD)
        await window.page.keyboard.press("Enter")

        await expect(window.page.locator("#user_code")).to_be_focused()
        await expect(window.page.locator(".whoever strong")).to_have_text("PROCESS_MANAGER")


@pytest.mark.parametrize("language", SAID)
async def test_what_went_wrong_is_told_first_in_the_readers_language(
    house: House, open_window: OpenWindow, language: str
) -> None:
    spoken, who, wrong, locked = SAID[language]
    async with open_window(locale=language, java_script_enabled=False) as window:
        page = window.page
        told = page.locator("#problem > p").first
        await page.goto(f"{house.issuer}/oauth/password")
        await expect(page.locator("html")).to_have_attribute("lang", spoken)

        for _ in range(5):
            await window.sign_in(who, "not the password")
            await expect(told).to_have_text(wrong)
        await expect(page.locator("#email")).to_have_value(email_of(who))
        await expect(page.locator("#password")).to_be_focused()
        await expect(page.locator("#password")).to_have_accessible_description(
            re.compile(f"^{re.escape(wrong)}")
        )
        await window.sign_in(who)

        await expect(told).to_have_text(re.compile(locked))
        window.excuse("status of 422")
        window.excuse("status of 429")


async def test_the_session_is_out_of_reach_of_scripts_and_other_sites(
    house: House, open_window: OpenWindow
) -> None:
    async with open_window() as window:
        await window.page.goto(f"{house.issuer}/device")
        await window.sign_in("PROCESS_MANAGER")
        await expect(window.page.locator("#user_code")).to_be_visible()

        kept = {each["name"]: each for each in await window.context.cookies()}
        assert kept.keys() == {"itr-form", "itr-known", "itr-session"}
        assert {each["httpOnly"] for each in kept.values()} == {True}
        assert {each["sameSite"] for each in kept.values()} <= {"Lax", "Strict"}
        assert await window.page.evaluate("document.cookie") == ""


async def test_behind_https_the_session_is_kept_for_this_host_alone(
    house: House, open_window: OpenWindow
) -> None:
    async with (
        behind_tls(house.settings) as address,
        open_window(ignore_https_errors=True) as window,
    ):
        await window.page.goto(f"{address}/device")
        await window.sign_in("PROCESS_MANAGER")
        await expect(window.page.locator("#user_code")).to_be_visible()

        kept = {each["name"]: each for each in await window.context.cookies()}
        assert kept.keys() == {f"__Host-itr-{name}" for name in ("form", "known", "session")}
        assert {each["secure"] for each in kept.values()} == {True}


async def test_no_other_page_can_show_ours_in_a_frame(
    house: House, open_window: OpenWindow
) -> None:
    """Clickjacking."""
    async with open_window() as window:
        for path in ("/device", "/oauth/password", "/graphql", "/graphql/sign-in"):
            await window.page.set_content(f'<iframe src="{house.issuer}{path}"></iframe>')

            await expect(window.page.frame_locator("iframe").locator("form, main")).to_have_count(0)
            window.excuse("frame-ancestors")


async def test_whoever_is_asked_sees_what_for_and_can_refuse(
    house: House, open_window: OpenWindow
) -> None:
    back = f"{house.issuer}/healthz"
    known = await house.register(
        "dashboard", ClientKind.DASHBOARD, redirect_uris=[back], scopes=["itr:read", "openid"]
    )
    asked = {
        "response_type": "code",
        "client_id": known.client_id,
        "redirect_uri": back,
        "scope": "itr:read openid",
        "state": "s-1",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
    }
    async with open_window(locale="en-GB") as window:
        await window.page.goto(f"{house.issuer}/oauth/authorize?{urlencode(asked)}")
        await window.sign_in("LINE1")

        await expect(window.page.locator("h1")).to_contain_text("Let “dashboard” act for you?")
        await expect(window.page.locator("li")).to_contain_text(
            ["see everything you may see", "know who you are"]
        )
        await window.page.get_by_role("button", name="Deny").click()
        await window.page.wait_for_url(f"{back}?*error=access_denied*")
