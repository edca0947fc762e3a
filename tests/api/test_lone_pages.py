"""A query of one page says what it says among others: data, what is withheld, errors."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from itr.settings import Settings
from tests.support.desk import Desk, open_desk
from tests.support.requests import submitted


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        for number in range(3):
            await submitted(opened, title=f"request {number}")
        yield opened


async def said(desk: Desk, who: str, query: str, **variables: Any) -> dict[str, Any]:
    """What comes back, less what differs from asking to asking."""
    body = (await desk.as_(who).run(query, variables)).body
    body["extensions"].pop("cost", None)
    for error in body.get("errors", []):
        error.pop("locations", None)
        error["extensions"].pop("requestId")
    return body


@pytest.mark.parametrize(
    ("who", "field"),
    [
        ("LINE1", "requests { nodes { number title clocks { thread } } totalCount }"),
        ("LINE1", "mine: requests(first: 2) { edges { cursor } pageInfo { hasNextPage } }"),
        ("CUSTOMER", "requests { nodes { number line stints { number } } }"),
        ("LINE1", "requests(first: 101) { nodes { id } }"),
        ("LINE1", 'requests(after: "made up") { nodes { id } }'),
        ("LINE1", "requests(first: 1, last: 1) { nodes { id } }"),
        ("SPARES_MANAGER", "problems { nodes { id } }"),
        ("WALLBOARD", "requests { nodes { id } }"),
    ],
)
async def test_a_page_alone_is_answered_like_one_in_a_fragment(
    desk: Desk, who: str, field: str
) -> None:
    alone = await said(desk, who, f"{{ {field} }}")
    walked = await said(desk, who, f"{{ ... {{ {field} }} }}")

    assert alone == walked


async def test_arguments_from_variables_count_anew_each_time(desk: Desk) -> None:
    query = """query($first: Int, $after: String, $filter: RequestFilter) {
        requests(first: $first, after: $after, filter: $filter) {
            nodes { title } pageInfo { endCursor } } }"""

    async def titles(**given: Any) -> tuple[list[str], str]:
        page = (await desk.as_("LINE1").run(query, given)).data["requests"]
        return [each["title"] for each in page["nodes"]], page["pageInfo"]["endCursor"]

    for _ in range(2):
        everything, _end = await titles(first=3)
        first, end = await titles(first=1)
        rest, _end = await titles(first=2, after=end)
        assert [*first, *rest] == everything
        for title in everything:
            assert (await titles(filter={"title": {"eq": title}}))[0] == [title]


async def test_a_page_alone_is_refused_to_a_machine_by_the_same_words(desk: Desk) -> None:
    refused = await said(desk, "WALLBOARD", "{ requests { nodes { id } } }")

    assert refused["data"] is None
    assert [(each["path"], each["extensions"]["code"]) for each in refused["errors"]] == [
        (["requests"], "FORBIDDEN")
    ]
