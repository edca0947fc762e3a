"""S19: every link the product sends, and every GET and HEAD route, crawled twice."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode, urljoin

import httpx
import pytest
from starlette.routing import Route
from tortoise.connection import get_connection

from itr.access.terms import ClientKind
from itr.settings import Settings
from tests.support.ports import free_port
from tests.support.sign_in import CALLBACK, Browser, House, RealTime, email_of, open_house

BOOKKEEPING = {"sign_in_elsewhere"}
"""Who leaves for another issuer by a link is noted for a quarter of an hour, to be let in once:
the state has to be bound to the browser, and there is nothing else that a form would add."""
ISSUER = """
[[issuer]]
url = "http://127.0.0.1:{port}"
audience = "us"
algorithms = ["Ed25519"]
key = "company"
name = "Company"
client_id = "us"
client_secret_file = "{secret}"
organisation = "Shanghai"
[issuer.roles]
LINE1 = "LINE1"
"""
SOMETHING = {"issuer": "company", "name": "tokens.js", "path": "graphql"}
"""What stands for the variable parts of paths."""


@pytest.fixture(scope="module")
async def house(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    folder: Path = tmp_path_factory.mktemp("issuers")
    (folder / "secret").write_text("a secret of theirs")
    text = ISSUER.format(port=free_port(), secret=folder / "secret")
    (folder / "issuers.toml").write_text(text)
    ours = settings.model_copy(update={"external_issuers": str(folder / "issuers.toml")})
    async with open_house(ours, "PROCESS_MANAGER", time=RealTime()) as opened:
        await opened.register(
            "dashboard", ClientKind.DASHBOARD, redirect_uris=[CALLBACK], scopes=["itr", "openid"]
        )
        yield opened


def routes(house: House) -> list[str]:
    """Every path that is answered to GET or HEAD, asked of the application itself."""
    found = [
        re.sub(r"\{(\w+)(:\w+)?\}", lambda part: SOMETHING[part[1]], route.path)
        for route in house.server.app.routes
        if isinstance(route, Route) and (route.methods is None or "GET" in route.methods)
    ]
    assert {"/graphql", "/device", "/oauth/logout", "/oauth/signin/company"} <= set(found)
    return sorted(set(found))


async def rows() -> dict[str, str]:
    """What every table holds, as one digest each."""
    connection = get_connection("default")
    tables = await connection.execute_query_dict(
        "select relname as name from pg_class where relkind in ('r', 'p') and not relispartition"
        " and relnamespace = 'public'::regnamespace order by 1"
    )
    return {
        each["name"]: (
            await connection.execute_query_dict(
                "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as said"
                f' from "{each["name"]}" t'
            )
        )[0]["said"]
        for each in tables
    }


async def crawled(house: House, browser: Browser) -> set[str]:
    """Every route and every link on what it answers, each by GET and by HEAD."""
    asked = {
        "response_type": "code",
        "client_id": house.clients["dashboard"].client_id,
        "redirect_uri": CALLBACK,
        "scope": "itr openid",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
    }
    query = urlencode({"query": "{ viewer { roles } requests(first: 5) { nodes { id } } }"})
    ahead = [
        *routes(house),
        f"/oauth/authorize?{urlencode(asked)}",
        f"/oauth/logout?{urlencode({'client_id': asked['client_id']})}",
        "/oauth/signin/company?next=/device",
        "/oauth/callback/company?state=x&code=y",
        "/device?user_code=BCDF-GHJK",
        f"/graphql?{query}",
    ]
    seen: set[str] = set()
    while ahead:
        path = ahead.pop()
        url = urljoin(house.issuer, path)
        if path in seen or not url.startswith(f"{house.issuer}/"):
            continue
        seen.add(path)
        for accept in ("text/html", "application/json", "text/event-stream"):
            for method in ("GET", "HEAD"):
                answer = await browser.http.request(method, url, headers={"accept": accept})
                assert answer.status_code != 500, (method, path)
        page = await browser.http.get(url, headers={"accept": "text/html"})
        ahead += re.findall(r'(?:href|src)="([^"]+)"', page.text)
        if page.has_redirect_location:
            ahead.append(page.headers["location"])
    return seen


@pytest.mark.parametrize("signed_in", [False, True])
async def test_whoever_crawls_everything_twice_changes_no_row(
    house: House, signed_in: bool
) -> None:
    """S19: mail scanners and previews open every link, browsers fetch ahead."""
    browser = house.browser()
    if signed_in:
        await browser.open(f"{house.issuer}/device")
        await browser.sign_in(email_of("PROCESS_MANAGER"))
    before = await rows()

    first = await crawled(house, browser)
    second = await crawled(house, browser)

    after = await rows()
    assert first == second
    assert {name for name in before if before[name] != after[name]} <= BOOKKEEPING
    if signed_in:
        assert (await browser.http.get("/oauth/password")).text.count("PROCESS_MANAGER")


async def test_a_reading_token_crawls_as_well(house: House) -> None:
    """S19: and a link to `/graphql` runs no mutation, whoever holds the token."""
    before = await rows()
    async with httpx.AsyncClient(base_url=house.issuer, trust_env=False) as http:
        mutation = "mutation { markNotificationsRead(input: {}) { clientMutationId } }"
        answer = await http.get("/graphql", params={"query": mutation})

    assert answer.status_code in (400, 401, 405)
    assert await rows() == before
