"""Signing in as people do: pages in a browser without scripts, over a real socket."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit
from uuid import UUID

import httpx

from api.app import create_app
from itr.access.models import OAuthClient
from itr.access.operations import clients
from itr.access.operations.passwords import set_password
from itr.access.terms import ClientKind
from itr.database import connected
from itr.people.models import Person
from itr.settings import Settings
from tests.support.client import Served, served
from tests.support.desk import FOUNDER, Time, furnish
from tests.support.ports import free_port

PASSWORD = "correct horse battery staple"
CALLBACK = "http://127.0.0.1:9/callback"
DASHBOARD_SCOPES = ("itr", "itr:read", "itr:board", "openid", "profile", "email")


@dataclass
class RealTime(Time):
    """The machine's clock, for programs that have one of their own."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        """What the server takes for now."""
        return datetime.now(UTC)


@dataclass
class Registered:
    """A client as its developer knows it."""

    id: UUID
    client_id: str
    secret: str | None


@dataclass
class House:
    """A server at its public address, its people, and clients of every kind."""

    settings: Settings
    server: Served
    time: Time
    ids: dict[str, UUID]
    clients: dict[str, Registered] = field(default_factory=dict)
    browsers: list[Browser] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        """The public address."""
        return self.settings.issuer

    def browser(self) -> Browser:
        """A browser nobody has used yet."""
        plain = httpx.AsyncHTTPTransport(verify=False)  # HTTP: no authorities to load
        opened = Browser(httpx.AsyncClient(base_url=self.issuer, timeout=20, transport=plain))
        self.browsers.append(opened)
        return opened

    async def register(self, name: str, kind: ClientKind, **given: Any) -> Registered:
        """Register a client."""
        given.setdefault("scopes", ["itr"])
        key, secret = await clients.create_client(
            FOUNDER, name=name, kind=kind, now=self.time.now, **given
        )
        row = await OAuthClient.get(id=key)
        self.clients[name] = Registered(key, row.client_id, secret)
        return self.clients[name]


@dataclass
class Browser:
    """Follows links and sends forms; holds cookies; runs no scripts."""

    http: httpx.AsyncClient
    response: httpx.Response | None = None
    away: httpx.Response | None = None
    """Where it was sent last, if that is another server."""

    @property
    def page(self) -> str:
        """What is shown, without markup."""
        assert self.response is not None
        return html.unescape(re.sub(r"<[^>]+>", " ", self.response.text))

    async def open(self, url: str) -> httpx.Response:
        """Go to an address; redirects within the server are followed, others are returned."""
        return await self._follow(await self.http.get(url))

    async def send(self, **typed: str) -> httpx.Response:
        """Send the first form of the page with what is typed, from the page itself."""
        if typed == {"intent": "allow"} and self.away is not None:
            return self.away  # nobody asks twice: see the tests of consent
        assert self.response is not None
        fields = self.fields() | typed
        action = re.search(r'<form[^>]*action="([^"]*)"', self.response.text)
        target = urljoin(str(self.response.url), html.unescape(action[1]) if action else "")
        return await self._follow(await self.http.post(target, data=fields))

    def fields(self) -> dict[str, str]:
        """The hidden fields of the page's first form."""
        assert self.response is not None
        form = self.response.text.split("<form", 1)[1].split("</form>", 1)[0]
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
        return {name: html.unescape(value) for name, value in hidden}

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """Fill in the sign-in form that is shown."""
        return await self.send(email=email, password=password, intent="sign-in")

    async def _follow(self, response: httpx.Response) -> httpx.Response:
        self.away = None
        while response.has_redirect_location:
            target = urljoin(str(response.url), response.headers["location"])
            if urlsplit(target).netloc != self.http.base_url.netloc.decode():
                self.away = response
                return response
            response = await self.http.get(target)
        self.response = response
        return response


def came_back(response: httpx.Response) -> dict[str, str]:
    """What a client is told in the address it gets the browser back at."""
    parts = urlsplit(response.headers["location"])
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def email_of(name: str) -> str:
    """The name somebody signs in with."""
    return f"{name.lower()}@desk.example"


@asynccontextmanager
async def open_house(
    settings: Settings, *names: str, time: Time | None = None, port: int | None = None
) -> AsyncIterator[House]:
    """A furnished server on a socket, where the named people have passwords."""
    port = port or free_port()
    settings = settings.model_copy(update={"issuer": f"http://127.0.0.1:{port}"})
    time = time or Time()
    async with connected(settings):
        ids = await furnish(time.now)
        for name in names:
            await Person.filter(id=ids[name]).update(email=email_of(name))
            await set_password(FOUNDER, ids[name], PASSWORD, now=time.now)
        app = create_app(settings, clock=time)
        async with served(app, settings, port=port) as server:
            house = House(settings, server, time, ids)
            try:
                yield house
            finally:
                for browser in house.browsers:
                    await browser.http.aclose()
