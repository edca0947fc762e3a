"""`/`: whoever opens the bare address learns what this is and where to go (issue 9, 4)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from api.oauth.pages.start import DOCS, GUIDES
from itr.settings import Settings
from tests.support.sign_in import House, RealTime, open_house


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings, time=RealTime()) as served:
        yield served


@pytest.mark.parametrize(("language", "first"), [("zh-CN", "从问题到解决"), ("en", "A desk from")])
async def test_the_start_page_speaks_the_readers_language_first(
    house: House, language: str, first: str
) -> None:
    http = house.server.client.http
    page = await http.get("/", headers={"Accept-Language": language})

    heading = page.text.split("<h1>")[1]
    assert page.status_code == 200
    assert heading.startswith(first)
    assert "A desk from issue to resolved" in heading
    assert "从问题到解决的服务台" in heading


async def test_the_start_page_leads_to_signing_in_graphiql_the_board_and_the_docs(
    house: House,
) -> None:
    """And no link of it leads nowhere."""
    http = house.server.client.http
    page = await http.get("/")

    links = set(re.findall(r'<a [^>]*href="([^"]+)"', page.text))
    assert {"/graphql", "/graphql/sign-in", "/device", "/schema.graphql"} <= links
    assert {f"/docs/{name}.md" for name in GUIDES} <= links
    for link in sorted(links):
        answer = await http.get(link, headers={"Accept": "text/html"})
        assert answer.status_code == 200, link


async def test_every_page_of_the_docs_is_served_and_nothing_else(house: House) -> None:
    http = house.server.client.http
    assert {path.stem for path in DOCS.glob("*.md")} == GUIDES.keys()

    for name in ("nothing", "..%2FREADME", "decisions"):
        assert (await http.get(f"/docs/{name}.md")).status_code == 404
