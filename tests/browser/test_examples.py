"""The complete page of docs/sign-in.md, as it is printed, in a browser and from another origin."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from itr.access.terms import ClientKind
from itr.settings import Settings
from tests.browser.conftest import OpenWindow
from tests.support.client import served
from tests.support.ports import free_port
from tests.support.sign_in import House, RealTime, open_house

PAGE = Path(__file__).parents[2] / "docs" / "sign-in.md"


@pytest.fixture(scope="module")
def origin() -> str:
    """Where the dashboard is served: not where the desk is."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
async def house(settings: Settings, origin: str) -> AsyncIterator[House]:
    ours = settings.model_copy(update={"allowed_origins": origin})
    async with open_house(ours, "LINE1", "LINE2", time=RealTime()) as opened:
        await opened.register("dashboard", ClientKind.DASHBOARD, redirect_uris=[f"{origin}/"])
        yield opened


@pytest.fixture(scope="module")
async def dashboard(house: House, origin: str) -> AsyncIterator[str]:
    """The address of the printed page, with the reader's own issuer and client in it."""
    (printed,) = re.findall(r"```html\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    known = house.clients["dashboard"].client_id
    text = printed.replace("http://127.0.0.1:8000", house.issuer).replace("itr-…", known)

    async def show(_: Request) -> Response:
        return HTMLResponse(text)

    async def no_icon(_: Request) -> Response:
        return Response(status_code=204)

    app = Starlette(routes=[Route("/", show), Route("/favicon.ico", no_icon)])
    port = int(origin.rpartition(":")[2])
    async with served(app, house.settings, port=port):
        yield f"{origin}/"


async def test_the_printed_page_signs_in_asks_keeps_its_tokens_and_signs_out(
    dashboard: str, open_window: OpenWindow
) -> None:
    async with open_window() as window:
        page, said = window.page, window.page.locator("#said")
        await page.goto(dashboard)
        await page.locator("#in").click()
        await window.sign_in("LINE1")
        await page.locator("button[value=allow]").click()
        await expect(said).to_contain_text('"name": "LINE1"')
        assert page.url == dashboard

        await page.reload()
        await expect(said).to_contain_text('"name": "LINE1"')

        await page.locator("#out").click()
        await page.locator("button[value=sign-out]").click()
        await page.wait_for_url(dashboard)
        await expect(said).to_be_empty()
        await page.locator("#in").click()
        await expect(page.locator("#password")).to_be_visible()


async def test_whoever_denies_is_told_so_by_the_page(
    dashboard: str, open_window: OpenWindow
) -> None:
    async with open_window() as window:
        await window.page.goto(dashboard)
        await window.page.locator("#in").click()
        await window.sign_in("LINE2")
        await window.page.locator("button[value=deny]").click()

        await window.page.wait_for_url(dashboard)
        await expect(window.page.locator("#said")).to_have_text('"access_denied"')
