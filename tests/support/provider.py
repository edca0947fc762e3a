"""Another OpenID provider: a second instance of this server, in a process of its own."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx

from itr.access.models import OAuthClient
from itr.access.operations.clients import create_client
from itr.access.operations.passwords import set_password
from itr.access.terms import ClientKind
from itr.database import connected
from itr.people.models import Person
from itr.settings import Settings
from tests.api.throwaway import eventually
from tests.embedded.conftest import ROOT
from tests.support.databases import environment
from tests.support.desk import FOUNDER, START, furnish
from tests.support.ports import free_port
from tests.support.sign_in import CALLBACK, PASSWORD, Browser, came_back, email_of

VERIFIER = "w" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


@dataclass
class Provider:
    """The other instance, and one person signed in there."""

    settings: Settings
    ids: dict[str, UUID]
    client_id: str
    refresh_token: str = ""

    @property
    def url(self) -> str:
        return self.settings.issuer

    async def sign_in(self) -> dict[str, Any]:
        """Sign LINE1 in by the code flow."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile email itr",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        async with httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False) as http:
            browser = Browser(http)
            await browser.open(f"{self.url}/oauth/authorize?{urlencode(asked)}")
            await browser.sign_in(email_of("LINE1"), PASSWORD)
            back = came_back(await browser.send(intent="allow"))
        return await self._tokens(
            grant_type="authorization_code",
            code=back["code"],
            redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
        )

    async def token(self) -> str:
        """A fresh access token of LINE1."""
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        found: str = (await self._tokens(**form))["access_token"]
        return found

    async def _tokens(self, **form: str) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False) as http:
            answer = await http.post("/oauth/token", data=form | {"client_id": self.client_id})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        self.refresh_token = found["refresh_token"]
        return found


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """`itr serve` in a process of its own."""
    given = {
        **environment(database_url=settings.database_url, valkey_url=settings.valkey_url),
        "ITR_ISSUER": settings.issuer,
        "ITR_PORT": settings.issuer.rpartition(":")[2],
        "PATH": "/usr/bin:/bin",
        "PYTHONUTF8": "1",
    }
    process = subprocess.Popen([sys.executable, "-m", "cli", "serve"], cwd=ROOT, env=given)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@asynccontextmanager
async def open_provider(database_url: str, valkey_url: str, *names: str) -> AsyncIterator[Provider]:
    """The other instance with its own people, where the named ones have passwords."""
    given = environment(database_url=database_url, valkey_url=valkey_url)
    given["ITR_ISSUER"] = f"http://127.0.0.1:{free_port()}"
    settings = Settings.read(given)
    async with connected(settings):
        ids = await furnish(START)
        for name in names:
            await Person.filter(id=ids[name]).update(email=email_of(name))
            await set_password(FOUNDER, ids[name], PASSWORD, now=START)
        key, _ = await create_client(
            FOUNDER,
            name="the other desk",
            kind=ClientKind.DASHBOARD,
            scopes=["openid", "profile", "email", "itr"],
            redirect_uris=[CALLBACK],
            now=START,
        )
        client_id = (await OAuthClient.get(id=key)).client_id
    with running(settings):
        async with httpx.AsyncClient(base_url=settings.issuer, trust_env=False) as http:

            async def healthy() -> int:
                try:
                    return (await http.get("/healthz")).status_code
                except httpx.HTTPError:
                    return 0

            await eventually(healthy, 200, within=60)
        yield Provider(settings, ids, client_id)
