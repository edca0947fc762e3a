"""GraphiQL in a real browser: signed in by the code flow, over HTTP and WebSocket."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect

from api.oauth.pages.graphiql import ASSETS
from tests.api.throwaway import eventually
from tests.browser.conftest import OpenWindow
from tests.browser.windows import Window
from tests.support.desk import Desk
from tests.support.requests import do, submitted
from tests.support.sign_in import House

START = "mutation($id: ID!) { startRequest(input: {id: $id}) { userErrors { code message } } }"
COUNTDOWN = "subscription($id: ID!) { slaCountdown(requestId: $id) { thread state } }"
EDITOR, VARIABLES = ".graphiql-query-editor .CodeMirror", ".graphiql-editor-tool .CodeMirror"
EXPLORED = ".graphiql-operation-title-bar input"


@pytest.fixture(scope="module")
def desk(house: House) -> Desk:
    return Desk(house.settings, house.server.client, house.time, house.ids)


async def enter(window: Window, house: House, who: str = "LINE1") -> None:
    """Open GraphiQL, be sent to sign in, come back."""
    await window.page.goto(f"{house.issuer}/graphql")
    await window.page.locator("#in").click()
    await window.sign_in(who)
    await expect(window.page.locator("#who")).to_have_text(who)


async def write(page: Page, editor: str, text: str) -> None:
    """Replace what an editor holds."""
    await page.locator(editor).click()
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.insert_text(text)


async def kept(page: Page, text: str) -> bool:
    """Whether the browser will still know this when the page is opened anew."""
    return text in str(await page.evaluate("JSON.stringify(localStorage)"))


async def run(page: Page, query: str, **variables: Any) -> None:
    """Write a document and its variables, and run it by the keys developers use."""
    await write(page, VARIABLES, json.dumps(variables))
    await write(page, EDITOR, query)
    await page.keyboard.press("Control+Enter")


async def test_a_developer_signs_in_and_queries_changes_and_follows(
    house: House, desk: Desk, open_window: OpenWindow
) -> None:
    request = await submitted(desk)
    async with open_window(locale="en-GB") as window:
        page, result = window.page, window.page.locator(".result-window")
        await enter(window, house)
        assert urlpath(page) == "/graphql"

        await run(page, "{ viewer { actor { name } roles } }")
        await expect(result).to_contain_text('"LINE1"')

        await run(page, START, id="req_" + "0" * 32)
        await expect(result).to_contain_text('"NOT_FOUND"')
        await expect(result).to_contain_text("There is no such object.")

        await run(page, COUNTDOWN, id=request["id"])
        await expect(result).to_contain_text('"slaCountdown"')
        await do(desk, "LINE1", "respondToRequest", id=request["id"], text="ok")
        await expect(result).to_contain_text('"MET"')


async def test_the_first_tabs_are_a_queue_a_mutation_and_a_countdown(
    house: House, desk: Desk, open_window: OpenWindow
) -> None:
    """Issue 9, 4: each runs as it stands, once it has an id."""
    request = await submitted(desk)
    async with open_window() as window:
        page, result = window.page, window.page.locator(".result-window")
        await enter(window, house)
        tabs = page.locator(".graphiql-tab-button")
        await expect(tabs).to_have_text(["Queue", "Reply", "Countdown"])

        await page.locator(".graphiql-execute-button").click()
        await expect(result).to_contain_text(request["number"])

        for tab, told in (("Reply", '"userErrors": []'), ("Countdown", '"slaCountdown"')):
            await page.get_by_role("tab", name=tab).locator(".graphiql-tab-button").click()
            await write(page, VARIABLES, json.dumps({"id": request["id"]}))
            await page.locator(".graphiql-execute-button").click()
            await expect(result).to_contain_text(told)


async def test_on_a_phone_editor_and_result_are_as_wide_as_the_window(
    house: House, open_window: OpenWindow
) -> None:
    """Issue 9, 4: at 360 pixels nothing is cut off, and what was opened can be closed."""
    async with open_window(viewport={"width": 360, "height": 740}) as window:
        page = window.page
        await enter(window, house)
        await expect(page.locator(".graphiql-tab-button").last).to_be_in_viewport()

        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        for part in (".graphiql-editors", ".graphiql-response"):
            box = await page.locator(part).bounding_box()
            assert box is not None
            assert box["width"] > 340
            assert box["y"] + box["height"] <= 740
        await page.get_by_role("button", name="Show Documentation Explorer").click()
        await page.get_by_role("button", name="Hide Documentation Explorer").click()
        await expect(page.locator(".graphiql-execute-button")).to_be_in_viewport()


async def test_everything_that_can_be_opened_keeps_to_the_content_policy(
    house: House, open_window: OpenWindow
) -> None:
    async with open_window() as window:
        page = window.page
        await enter(window, house)
        for panel in ("Documentation Explorer", "History", "GraphiQL Explorer"):
            await page.get_by_role("button", name=f"Show {panel}").click()
            await expect(page.get_by_role("button", name=f"Hide {panel}")).to_be_visible()

        for tab in ("Queue", "Reply", "Countdown"):
            await page.get_by_role("tab", name=tab).locator(".graphiql-tab-button").click()
            await expect(page.locator(EXPLORED)).to_have_value(tab)
        for dialog in ("short keys", "settings"):
            await page.get_by_role("button", name=f"Open {dialog} dialog").click()
            await expect(page.get_by_role("dialog")).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_whoever_signs_out_is_out_everywhere(house: House, open_window: OpenWindow) -> None:
    """S9."""
    async with open_window() as window:
        page = window.page
        await enter(window, house)
        token = await page.evaluate("sessionStorage.itrRefreshToken")

        await page.locator("#sign-out button").click()

        await page.wait_for_url("**/graphql/sign-in")
        await expect(page.locator("#in")).to_be_visible()
        assert await page.evaluate("sessionStorage.itrToken ?? null") is None
        form = {"grant_type": "refresh_token", "client_id": "itr-graphiql", "refresh_token": token}
        answer = await house.server.client.http.post("/oauth/token", data=form)
        assert answer.json()["error"] == "invalid_grant"
        await page.goto(f"{house.issuer}/oauth/password")
        await expect(page.locator("#email")).to_be_visible()


async def test_a_token_about_to_end_is_renewed_without_a_word(
    house: House, open_window: OpenWindow
) -> None:
    async with open_window() as window:
        page = window.page
        await enter(window, house)
        first = await page.evaluate("sessionStorage.itrToken")
        await page.clock.set_fixed_time(datetime.now(UTC) + timedelta(minutes=14, seconds=30))

        await run(page, "{ viewer { roles } }")

        await expect(page.locator(".result-window")).to_contain_text("LINE1")
        assert await page.evaluate("sessionStorage.itrToken") != first


async def test_a_token_that_ended_leads_back_to_signing_in_and_nothing_written_is_lost(
    house: House, open_window: OpenWindow
) -> None:
    async with open_window(locale="en-GB") as window:
        page = window.page
        await enter(window, house)
        await write(page, EDITOR, "{ viewer { roles } } # half a thought")
        await expect(page.locator(EDITOR)).to_contain_text("half a thought")
        await eventually(lambda: kept(page, "half a thought"), True)
        await page.evaluate(
            "sessionStorage.itrToken = 'ended'; delete sessionStorage.itrRefreshToken"
        )

        await page.keyboard.press("Control+Enter")

        await expect(page.locator("#ended")).to_contain_text("Your sign-in has ended")
        window.excuse("status of 401")
        await page.locator("#in").click()
        await expect(page.locator(EDITOR)).to_contain_text("half a thought")


async def test_somebody_with_a_token_of_their_own_uses_it(
    house: House, desk: Desk, open_window: OpenWindow
) -> None:
    async with open_window() as window:
        page = window.page
        await page.goto(f"{house.issuer}/graphql")
        await page.locator("summary").click()
        await page.locator("#token").fill(desk.as_("ADMIN").token or "")
        await page.keyboard.press("Enter")

        await expect(page.locator("#who")).to_have_text("ADMIN")


async def test_a_refusal_at_signing_in_is_told_and_can_be_tried_again(
    house: House, open_window: OpenWindow
) -> None:
    async with open_window(locale="en-GB") as window:
        await window.page.goto(f"{house.issuer}/graphql/signed-in?error=access_denied&state=x")

        await expect(window.page.get_by_role("alert")).to_contain_text("Signing in did not succeed")
        await expect(window.page.locator("#why")).to_have_text("access_denied")
        await expect(window.page.locator("#in")).to_be_visible()


def test_what_others_wrote_is_as_they_published_it() -> None:
    told = (ASSETS / "vendored" / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", told, re.MULTILINE))

    assert listed == {
        path.stem: hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
        for path in (ASSETS / "vendored").glob("*.gz")
    }


def urlpath(page: Page) -> str:
    """Where the page is, without the server."""
    return "/" + page.url.split("/", 3)[3]
