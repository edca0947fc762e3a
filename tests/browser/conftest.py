"""A real browser, and a desk on a real socket for it to look at."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import pytest
from playwright.async_api import Browser, async_playwright, expect

from itr.settings import Settings
from tests.browser.chromium import Chromium, found
from tests.browser.windows import PATIENCE, Window, opened
from tests.support.sign_in import House, RealTime, open_house

NOWHERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
"""The browser finds no other machine, whatever a page asks for."""

expect.set_options(timeout=PATIENCE)

OpenWindow = Callable[..., AbstractAsyncContextManager[Window]]


@pytest.fixture(scope="module")
async def chromium() -> Chromium:
    """A Chromium that runs here."""
    return await found()


@pytest.fixture(scope="module")
async def browser(chromium: Chromium) -> AsyncIterator[Browser]:
    """One browser for a module."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=chromium.path,
            env=os.environ | chromium.surroundings,
            args=[NOWHERE],
        )
        async with started:
            yield started


@pytest.fixture
def open_window(browser: Browser) -> OpenWindow:
    """Opens windows; each belongs to somebody else."""
    return partial(opened, browser)


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    """The product on a socket, with people who have passwords."""
    people = ("LINE1", "LINE2", "PROCESS_MANAGER", "CUSTOMER")
    async with open_house(settings, *people, time=RealTime()) as served:
        yield served
