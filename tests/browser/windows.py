"""Windows of a real browser that remember everything that went wrong in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.support.sign_in import PASSWORD, email_of

PATIENCE = 60_000
"""Milliseconds a busy machine may take for anything; nothing waits this long to be right."""
_OURS = {"127.0.0.1", "localhost"}
_WITHIN = {"data", "blob", "about"}


@dataclass
class Window:
    """One person's browser: a page, and what the browser complained about."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors on the console, broken scripts, refusals of the content policy."""
    foreign: list[str] = field(default_factory=list)
    """Addresses of other machines that were asked for."""

    def excuse(self, part: str) -> None:
        """Strike a complaint that was meant to come; fails the test when it did not."""
        meant = [each for each in self.complaints if part in each]
        assert meant, (part, self.complaints)
        self.complaints = [each for each in self.complaints if each not in meant]

    async def sign_in(self, who: str, password: str = PASSWORD) -> None:
        """Fill in the form that is shown, as people do."""
        await self.page.locator("#email").fill(email_of(who))
        await self.page.locator("#password").fill(password)
        async with self.page.expect_navigation():
            await self.page.locator("button[value=sign-in]").click()

    def _listen(self) -> None:
        self.context.on("console", self._heard)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("request", self._asked)
        self.page.on("websocket", lambda socket: self._left_for(socket.url))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        self._left_for(request.url)

    def _left_for(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _WITHIN and parts.hostname not in _OURS:
            self.foreign.append(url)


@asynccontextmanager
async def opened(browser: Browser, **given: Any) -> AsyncIterator[Window]:
    """A window nobody has used yet; at the end nothing may have gone wrong in it."""
    async with await browser.new_context(**given) as context:
        context.set_default_timeout(PATIENCE)
        window = Window(context, await context.new_page())
        window._listen()
        yield window
        assert window.complaints == [], window.complaints
        assert window.foreign == [], window.foreign
