"""Finding requests: by number and text however written, by deadline, from whatever they hang on."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import GraphQLEnumType

from api.resolvers.root import product_schema
from itr.requests.terms import RequestStatus
from itr.settings import Settings
from tests.support.desk import Desk, hours, open_desk
from tests.support.requests import MINOR, ask, brought_to, submitted

STATES = ("REGISTERED", "WAITING", "CLOSED", "IN_PROGRESS", "CANCELLED", "DELIVERED", "DISPATCHED")
WALK = """query($by: [RequestOrder!], $first: Int, $after: String, $last: Int, $before: String) {
    requests(orderBy: $by, first: $first, after: $after, last: $last, before: $before) {
        nodes { id number status deadline closedAt clocks { deadline state completedAt } }
        pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }"""
FIND = "query($filter: RequestFilter) { requests(filter: $filter) { nodes { id } } }"


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        for state in STATES:
            await brought_to(opened, state, title=f"ＶＰＮ 中断，{state}")
            opened.time.pass_(hours(0.25))
        await brought_to(opened, "IN_PROGRESS", classified=MINOR)
        yield opened


async def listed(desk: Desk, field: str, direction: str, **window: Any) -> dict[str, Any]:
    """A page of all requests in this order."""
    by = [{"field": field, "direction": direction}]
    found: dict[str, Any] = (await ask(desk, "LINE1", WALK, by=by, **window))["requests"]
    return found


async def found(desk: Desk, **filter: Any) -> set[str]:
    """The ids of the requests a filter keeps."""
    nodes = (await ask(desk, "LINE1", FIND, filter=filter))["requests"]["nodes"]
    return {each["id"] for each in nodes}


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_requests_are_sorted_by_their_tightest_open_deadline(
    desk: Desk, direction: str
) -> None:
    """What has none, because it waits or is over, comes last either way."""
    nodes = (await listed(desk, "DEADLINE", direction, first=100))["nodes"]

    told = [each["deadline"] for each in nodes]
    for each in nodes:
        running = [
            clock["deadline"]
            for clock in each["clocks"]
            if clock["completedAt"] is None and clock["deadline"] and clock["state"] != "CANCELLED"
        ]
        over = each["status"] in ("CLOSED", "CANCELLED")
        assert each["deadline"] == (None if over else min(running, default=None))
    dated = [each for each in told if each is not None]
    assert 3 <= len(dated) < len(told)
    assert told == [
        *sorted(dated, reverse=direction == "DESC"),
        *[None] * (len(told) - len(dated)),
    ]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", ["DEADLINE", "STATUS", "CLOSED_AT", "PRIORITY"])
async def test_each_order_is_walked_alike_from_both_ends(
    desk: Desk, field: str, direction: str
) -> None:
    """By cursors, across rows without a value and ties, a step at a time."""
    whole = [each["id"] for each in (await listed(desk, field, direction, first=100))["nodes"]]

    forward: list[str] = []
    page = await listed(desk, field, direction, first=2)
    for _ in whole:
        forward += [each["id"] for each in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        page = await listed(desk, field, direction, first=2, after=page["pageInfo"]["endCursor"])
    backward: list[str] = []
    page = await listed(desk, field, direction, last=2)
    for _ in whole:
        backward = [each["id"] for each in page["nodes"]] + backward
        if not page["pageInfo"]["hasPreviousPage"]:
            break
        page = await listed(desk, field, direction, last=2, before=page["pageInfo"]["startCursor"])

    assert forward == whole
    assert backward == whole


async def test_statuses_are_sorted_by_the_lifecycle(desk: Desk) -> None:
    nodes = (await listed(desk, "STATUS", "ASC", first=100))["nodes"]

    told = [each["status"] for each in nodes]
    assert told == sorted(told, key=list(RequestStatus).index)
    assert told != sorted(told)


def test_enums_that_can_be_sorted_by_are_listed_in_their_course() -> None:
    """The order of the values in the schema is the order of the list."""
    kinds = product_schema()._schema.type_map
    statuses, priorities = kinds["RequestStatus"], kinds["Priority"]
    assert isinstance(statuses, GraphQLEnumType)
    assert isinstance(priorities, GraphQLEnumType)

    assert list(statuses.values)[:2] == ["REGISTERED", "AUTHORISED"]
    assert list(statuses.values)[-2:] == ["CLOSED", "CANCELLED"]
    assert list(priorities.values) == ["P1", "P2", "P3", "P4"]


@pytest.mark.parametrize("contained", ["vpn", "VPN 中断,", "ｖｐｎ　中断"])
async def test_a_title_is_found_whatever_its_case_and_width(desk: Desk, contained: str) -> None:
    kept = await found(desk, title={"contains": contained})
    begun = await found(desk, title={"startsWith": contained})

    assert len(kept) == len(STATES)
    assert begun == kept


def full_width(text: str) -> str:
    """A text as a Chinese input method may leave it."""
    return re.sub(r"[!-~]", lambda sign: chr(ord(sign[0]) + 0xFEE0), text)


async def test_a_request_is_found_by_its_number_however_it_is_written(desk: Desk) -> None:
    request = await submitted(desk)
    query = "query($number: String!) { request(number: $number) { id number } }"

    for number in (request["number"], request["number"].lower(), full_width(request["number"])):
        told = await ask(desk, "CUSTOMER", query, number=f" {number} ")
        assert told["request"] == {"id": request["id"], "number": request["number"]}
        assert await found(desk, number={"eq": number}) == {request["id"]}


@pytest.mark.parametrize("number", ["", "SR-260302-0000", "\0", "%", "' or true --", "x" * 10_000])
async def test_a_number_of_no_request_in_sight_is_null(desk: Desk, number: str) -> None:
    query = "query($number: String!) { request(number: $number) { id } }"
    foreign = (await submitted(desk))["number"]

    assert await ask(desk, "CUSTOMER", query, number=number) == {"request": None}
    assert await ask(desk, "rival", query, number=foreign) == {"request": None}
    refused = await desk.as_("WALLBOARD").run(query, {"number": foreign})
    assert refused.code == "FORBIDDEN"
    assert refused.errors[0]["path"] == ["request"]


async def test_a_bound_of_an_interval_can_be_part_of_it(desk: Desk) -> None:
    request = await submitted(desk)
    told = "query($id: ID!) { node(id: $id) { ... on ServiceRequest { registeredAt } } }"
    at = (await ask(desk, "LINE1", told, id=request["id"]))["node"]["registeredAt"]

    assert request["id"] in await found(desk, registeredAt={"gte": at, "lte": at})
    assert request["id"] not in await found(desk, registeredAt={"gt": at})


async def test_requests_are_reached_from_whatever_they_hang_on(desk: Desk) -> None:
    """One round trip for a page: the customer's, the owner's, the queue's, the product's."""
    request = await brought_to(desk, "IN_PROGRESS", owner="LINE2")
    page = "(first: 100) { totalCount nodes { id } }"
    query = f"""query($id: ID!) {{ node(id: $id) {{ ... on ServiceRequest {{
        customer {{ requests{page} }} assignee {{ assignedRequests{page} }}
        queue {{ requests{page} }} product {{ requests{page} }}
        contract {{ requests{page} }} }} }} }}"""

    node = (await ask(desk, "LINE1", query, id=request["id"]))["node"]

    reached = {
        "customer": {"customerId": {"eq": desk.public("org", "Acme")}},
        "product": {"productId": {"eq": desk.public("prd", "router")}},
        "assignee": {"assigneeId": {"eq": desk.public("per", "LINE2")}},
        "queue": {"queueId": {"eq": desk.public("que", "queue2")}},
        "contract": {"contractId": {"eq": desk.public("con", "contract")}},
    }
    for name, same in reached.items():
        lists = node[name].get("requests") or node[name]["assignedRequests"]
        ids = {each["id"] for each in lists["nodes"]}
        assert request["id"] in ids, name
        assert ids == await found(desk, **same), name
        assert lists["totalCount"] == len(ids)


async def test_reachable_lists_end_where_sight_ends(desk: Desk) -> None:
    """R-ROLE-03: a customer sees of a colleague of ours only the requests of its own firm."""
    own = await brought_to(desk, "IN_PROGRESS", owner="LINE2")
    query = """query($id: ID!) { node(id: $id) { ... on ServiceRequest {
        assignee { assignedRequests(first: 100) { nodes { customer { id } } } } } } }"""

    node = (await ask(desk, "CUSTOMER", query, id=own["id"]))["node"]

    customers = {each["customer"]["id"] for each in node["assignee"]["assignedRequests"]["nodes"]}
    assert customers == {desk.public("org", "Acme")}


@pytest.mark.parametrize("who", ["CUSTOMER", "LINE1", "WALLBOARD"])
async def test_the_viewer_has_the_id_of_its_person(desk: Desk, who: str) -> None:
    told = (await ask(desk, who, "{ viewer { id actor { id } } }"))["viewer"]

    assert told["id"] == desk.public("per", who)
    assert told["actor"] in (None, {"id": told["id"]})
