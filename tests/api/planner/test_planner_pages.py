"""Pages: keyset in both directions, cursors that are no lever, counts only when asked for."""

import base64
from typing import Any

import orjson
import pytest

from api.planner.cursors import CursorKey
from api.planner.reading import reader_text
from tests.support import planner_desk
from tests.support.cursors import write_cursor
from tests.support.planner_desk import Desk
from tests.support.planner_rows import ACTORS, FIRMS, Someone

small_desk = planner_desk.small_desk

PAGE = """query P($first: Int, $after: String, $last: Int, $before: String, $by: [TicketOrder!]) {
  tickets(first: $first, after: $after, last: $last, before: $before, orderBy: $by) {
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

ORDERS = [
    [],
    [("PRIORITY", "ASC")],
    [("ENDED", "ASC")],
    [("ENDED", "DESC")],
    [("TITLE", "DESC"), ("TARGET", "ASC")],
    [("TARGET", "DESC"), ("URGENT", "ASC"), ("OPENED_AT", "DESC")],
    [("WEIGHT", "ASC"), ("PRICE", "DESC")],
    [("PACE", "ASC"), ("AGE", "DESC")],
    [("PACE", "DESC"), ("STATE", "ASC")],
    [("PRICE", "DESC"), ("DUE", "DESC")],
    [("DUE", "ASC"), ("STATE", "DESC"), ("NOTE", "ASC")],
]


def by(order: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Return an `orderBy` argument."""
    return [{"field": field, "direction": direction} for field, direction in order]


async def page(desk: Desk, who: str | Someone = "director", **variables: Any) -> Any:
    """Return one page of tickets."""
    answer = await desk.ask(PAGE, who, variables=variables)
    assert answer.errors == []
    return answer.data["tickets"]


@pytest.mark.parametrize("order", ORDERS, ids=repr)
@pytest.mark.parametrize("size", [1, 7])
async def test_walking_forward_and_backward_sees_every_row_once(
    small_desk: Desk, order: list[tuple[str, str]], size: int
) -> None:
    whole = [
        edge["node"]["id"] for edge in (await page(small_desk, first=100, by=by(order)))["edges"]
    ]

    forward: list[str] = []
    after = None
    for _ in range(len(whole) + 1):
        found = await page(small_desk, first=size, after=after, by=by(order))
        assert found["pageInfo"]["hasPreviousPage"] is bool(forward)
        forward += [edge["node"]["id"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    backward: list[str] = []
    before = None
    for _ in range(len(whole) + 1):
        found = await page(small_desk, last=size, before=before, by=by(order))
        assert found["pageInfo"]["hasNextPage"] is bool(backward)
        backward = [edge["node"]["id"] for edge in found["edges"]] + backward
        before = found["pageInfo"]["startCursor"]
        if not found["pageInfo"]["hasPreviousPage"]:
            break

    assert len(whole) == len(small_desk.rows["ticket"])
    assert forward == whole
    assert backward == whole


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", ["ENDED", "TITLE", "TARGET", "PRICE", "DUE", "PACE"])
async def test_rows_without_a_value_come_last_either_way(
    small_desk: Desk, field: str, direction: str
) -> None:
    name = field.lower()
    answer = await small_desk.ask(
        f"query Q($by: [TicketOrder!]) {{ tickets(first: 100, orderBy: $by)"
        f" {{ nodes {{ {name} }} }} }}",
        variables={"by": by([(field, direction)])},
    )

    empty = [node[name] is None for node in answer.data["tickets"]["nodes"]]
    assert empty == sorted(empty)
    assert any(empty)


async def test_an_enum_is_sorted_in_the_course_its_values_are_listed_in(small_desk: Desk) -> None:
    """By what comes after what, not by the alphabet."""
    query = "query Q($by: [TicketOrder!]) { tickets(first: 100, orderBy: $by) { nodes { state } } }"
    found = {}
    for direction in ("ASC", "DESC"):
        answer = await small_desk.ask(query, variables={"by": by([("STATE", direction)])})
        states = [node["state"] for node in answer.data["tickets"]["nodes"]]
        found[direction] = list(dict.fromkeys(states))

    assert found == {"ASC": ["OPEN", "WAITING", "DONE"], "DESC": ["DONE", "WAITING", "OPEN"]}


async def test_a_page_holds_twenty_unless_asked_otherwise_and_never_more_than_a_hundred(
    small_desk: Desk,
) -> None:
    plain = await page(small_desk)
    explicit = await page(small_desk, first=None, last=None, after=None, before=None, by=None)

    assert len(plain["edges"]) == 20
    assert explicit == plain


@pytest.mark.parametrize("size", [20, 50])
async def test_a_page_of_a_planned_size_is_read_without_numbering_its_rows(
    small_desk: Desk, size: int
) -> None:
    query = "query Q($first: Int) { tickets(first: $first) { nodes { id } edges { cursor } } }"
    whole = await small_desk.ask(query, variables={"first": size})
    less = await small_desk.ask(query, variables={"first": size - 1})

    assert [("row_number" in each.statements[0]) for each in (whole, less)] == [False, True]
    for part in ("nodes", "edges"):
        assert whole.data["tickets"][part][: size - 1] == less.data["tickets"][part]
    assert len(whole.data["tickets"]["nodes"]) == min(size, len(small_desk.rows["ticket"]))


async def test_an_empty_page_knows_what_is_around_it(small_desk: Desk) -> None:
    none = await page(small_desk, first=0)
    end = (await page(small_desk, last=1))["pageInfo"]["endCursor"]
    beyond = await page(small_desk, first=5, after=end)

    assert none["edges"] == []
    assert none["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }
    assert beyond["edges"] == []
    assert beyond["pageInfo"]["hasPreviousPage"] is True
    assert beyond["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize(
    "arguments",
    [{"first": 101}, {"last": 101}, {"first": -1}, {"last": -5}, {"first": 1, "last": 1}],
    ids=repr,
)
async def test_page_sizes_out_of_bounds_are_refused(
    small_desk: Desk, arguments: dict[str, int]
) -> None:
    answer = await small_desk.ask(PAGE, variables=arguments)

    assert answer.codes == [("tickets", "BAD_PAGE")]
    assert answer.statements == []


async def test_nested_pages_are_refused_at_their_path(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        "{ a: firms { nodes { b: tickets(first: 101) { totalCount } } } }"
    )

    assert answer.codes == [("a.nodes.b", "BAD_PAGE")]


async def test_nested_pages_have_cursors_of_their_own(small_desk: Desk) -> None:
    query = """query Q($id: ID!, $after: String) { node(id: $id) { ... on Firm {
      tickets(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } } }"""
    expected = sorted(
        (row for row in small_desk.rows["ticket"] if row["firm_id"] == FIRMS[0]),
        key=lambda row: (row["opened_at"], row["id"]),
        reverse=True,
    )

    seen: list[str] = []
    after = None
    for _ in range(len(expected)):
        answer = await small_desk.ask(
            query, variables={"id": f"frm_{FIRMS[0].hex}", "after": after}
        )
        found = answer.data["node"]["tickets"]
        seen += [node["id"] for node in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break

    assert seen == [f"tic_{row['id'].hex}" for row in expected]


async def refused(desk: Desk, cursor: str, who: str | Someone = "director", **more: Any) -> bool:
    """Tell whether a cursor is refused as such, before any statement."""
    answer = await desk.ask(PAGE, who, variables={"first": 1, "after": cursor, **more})
    back = await desk.ask(PAGE, who, variables={"last": 1, "before": cursor, **more})
    codes = {code for _, code in [*answer.codes, *back.codes]}
    return codes == {"BAD_CURSOR"} and answer.statements + back.statements == []


@pytest.mark.parametrize(
    "cursor",
    ["", "-1", "0", "MQ==", "YXJyYXljb25uZWN0aW9uOi0x", "\0", "\ud800", "🙂", "+/", "A" * 20_000],
)
async def test_made_up_cursors_are_refused(small_desk: Desk, cursor: str) -> None:
    assert await refused(small_desk, cursor)


async def test_a_cursor_changed_in_any_place_is_refused(small_desk: Desk) -> None:
    cursor = (await page(small_desk, first=1))["pageInfo"]["endCursor"]
    data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    for place in range(0, len(data), 5):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert await refused(small_desk, base64.urlsafe_b64encode(changed).decode())
    assert await refused(small_desk, base64.urlsafe_b64encode(data[:16]).decode())


async def test_cursors_of_others_are_refused(small_desk: Desk) -> None:
    director = ACTORS["director"]
    wider = Someone(director.id, director.permissions, ACTORS["partner"].scope)
    cursor = (await page(small_desk, "clerk", first=1))["pageInfo"]["endCursor"]
    own = (await page(small_desk, first=1))["pageInfo"]["endCursor"]

    assert await refused(small_desk, cursor, "director")
    assert await refused(small_desk, own, wider)
    assert not await refused(small_desk, own)


async def test_cursors_of_another_order_or_list_are_refused(small_desk: Desk) -> None:
    cursor = (await page(small_desk, first=1, by=by([("PRIORITY", "ASC")])))["pageInfo"][
        "endCursor"
    ]
    nested = await small_desk.ask(
        "{ firms(first: 1) { nodes { tickets(first: 1) { pageInfo { endCursor } } } } }"
    )
    inner = nested.data["firms"]["nodes"][0]["tickets"]["pageInfo"]["endCursor"]

    assert await refused(small_desk, cursor)
    assert await refused(small_desk, cursor, by=by([("PRIORITY", "DESC")]))
    assert await refused(small_desk, inner)


async def test_a_cursor_of_an_older_secret_is_refused(small_desk: Desk) -> None:
    cursor = (await page(small_desk, first=1))["pageInfo"]["endCursor"]

    answer = await small_desk.ask(PAGE, variables={"first": 1, "after": cursor}, secret=b"new")

    assert answer.codes == [("tickets", "BAD_CURSOR")]


async def test_the_statement_signs_cursors_as_python_does(small_desk: Desk) -> None:
    who = ACTORS["director"]
    found = await page(small_desk, first=100, by=by([("TITLE", "ASC")]))
    context = small_desk.surroundings(who)
    key = CursorKey.derive(context.secret_for("cursor"), reader_text(who), "Query.tickets", "title")

    titles = {f"tic_{row['id'].hex}": row for row in small_desk.rows["ticket"]}
    for edge in found["edges"]:
        row = titles[edge["node"]["id"]]
        assert edge["cursor"] == write_cursor([row["title"], str(row["id"])], key)


async def test_the_total_is_counted_only_when_asked_for(small_desk: Desk) -> None:
    without = await small_desk.ask("{ tickets { nodes { id } pageInfo { hasNextPage } } }")
    counted = await small_desk.ask("{ tickets(filter: {urgent: {eq: true}}) { totalCount } }")

    assert "select count(*) from ticket" not in without.statements[0]
    assert counted.data["tickets"]["totalCount"] == sum(
        row["urgent"] for row in small_desk.rows["ticket"]
    )


async def test_the_total_does_not_depend_on_the_page(small_desk: Desk) -> None:
    cursor = (await page(small_desk, first=3))["pageInfo"]["endCursor"]

    answer = await small_desk.ask(
        "query Q($after: String) { tickets(first: 2, after: $after) { totalCount nodes { id } } }",
        variables={"after": cursor},
    )

    assert answer.data["tickets"]["totalCount"] == len(small_desk.rows["ticket"])


async def test_a_field_named_twice_in_an_order_counts_once(small_desk: Desk) -> None:
    twice = await page(small_desk, by=by([("PRIORITY", "ASC"), ("PRIORITY", "DESC")]))
    once = await page(small_desk, by=by([("PRIORITY", "ASC")]))

    assert orjson.dumps(twice) == orjson.dumps(once)


async def test_more_than_five_orders_are_refused(small_desk: Desk) -> None:
    answer = await small_desk.ask(PAGE, variables={"by": by([("PRIORITY", "ASC")] * 6)})

    assert answer.codes == [("tickets", "BAD_INPUT")]
