"""Filters: comparators, combinations, and nothing that tells what one may not read (S4)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import planner_desk
from tests.support.oracle_values import e164
from tests.support.planner_desk import Desk
from tests.support.planner_rows import FIRMS, HUMANS, PHONES

small_desk = planner_desk.small_desk

QUERY = (
    "query F($filter: TicketFilter) { tickets(first: 100, filter: $filter) { nodes { number } } }"
)


async def numbers(desk: Desk, filter: Any, who: str = "director") -> set[str]:
    """Return the numbers of the tickets a filter keeps."""
    answer = await desk.ask(QUERY, who, variables={"filter": filter})
    assert answer.errors == []
    return {node["number"] for node in answer.data["tickets"]["nodes"]}


def kept(desk: Desk, keep: Callable[[dict[str, Any]], bool]) -> set[str]:
    """Return the numbers of the rows that are kept."""
    return {row["number"] for row in desk.rows["ticket"] if keep(row)}


def is_printer(row: dict[str, Any]) -> bool:
    """Whether it is one, however it is written."""
    return row["title"] in {"Ｐｒｉｎｔｅｒ", "Printer"}


@pytest.mark.parametrize(
    ("filter", "keep"),
    [
        (None, lambda _: True),
        ({}, lambda _: True),
        ({"priority": None}, lambda _: True),
        ({"priority": {}}, lambda _: True),
        ({"priority": {"gt": 1, "lt": 4}}, lambda row: 1 < row["priority"] < 4),
        ({"priority": {"in": []}}, lambda _: False),
        ({"priority": {"in": None}}, lambda _: False),
        ({"state": {"in": ["OPEN", "DONE"]}}, lambda row: row["state"] != "WAITING"),
        ({"title": {"eq": None}}, lambda row: row["title"] is None),
        ({"title": {"isNull": True}}, lambda row: row["title"] is None),
        ({"title": {"isNull": False}}, lambda row: row["title"] is not None),
        ({"title": {"contains": None}}, lambda _: False),
        ({"title": {"contains": ""}}, lambda row: row["title"] is not None),
        ({"title": {"contains": "%"}}, lambda row: "%" in (row["title"] or "")),
        ({"title": {"contains": "_"}}, lambda row: "_" in (row["title"] or "")),
        ({"title": {"contains": "\\"}}, lambda row: "\\" in (row["title"] or "")),
        ({"title": {"contains": "务器"}}, lambda row: "务器" in (row["title"] or "")),
        ({"title": {"contains": "\0"}}, lambda _: False),
        ({"title": {"contains": "ｐRint"}}, is_printer),
        ({"title": {"eq": "printer"}}, is_printer),
        ({"title": {"in": ["PRINTER", "ｐ"]}}, is_printer),
        ({"title": {"startsWith": "PRI"}}, is_printer),
        ({"title": {"startsWith": "５０％"}}, lambda row: (row["title"] or "")[:3] == "50%"),
        ({"title": {"startsWith": "rinter"}}, lambda _: False),
        ({"title": {"startsWith": None}}, lambda _: False),
        ({"number": {"startsWith": "t-000"}}, lambda row: row["number"] < "T-001"),
        ({"number": {"eq": "ｔ-0003"}}, lambda row: row["number"] == "T-0003"),
        ({"priority": {"gte": 2, "lte": 3}}, lambda row: 2 <= row["priority"] <= 3),
        ({"openedAt": {"gte": "2026-02-02T00:00:00Z", "lte": "2026-02-04T00:00:00Z"}},
         lambda row: "2026-02-02" <= row["opened_at"].isoformat() <= "2026-02-04T00:00:00+00:00"),
        ({"due": {"gte": "2026-03-02"}}, lambda row: str(row["due"] or "0") >= "2026-03-02"),
        ({"target": {"lte": "PT0S"}},
         lambda row: row["target_us"] is not None and row["target_us"] <= 0),
        ({"not": {"target": {"gte": "PT0S"}}},
         lambda row: row["target_us"] is None or row["target_us"] < 0),
        ({"title": {"eq": "a\0"}}, lambda _: False),
        ({"title": {"eq": "\ud800"}}, lambda _: False),
        ({"title": {"in": ["\ud800", "😀"]}}, lambda row: row["title"] == "😀"),
        ({"title": {"eq": "' or true --"}}, lambda _: False),
        ({"not": {"title": {"eq": "\0"}}}, lambda _: True),
        ({"not": {"title": {"eq": "😀"}}}, lambda row: row["title"] != "😀"),
        ({"or": []}, lambda _: False),
        ({"and": []}, lambda _: True),
        ({"or": [{"urgent": {"eq": True}}, {"priority": {"eq": 1}}]},
         lambda row: row["urgent"] or row["priority"] == 1),
        ({"and": [{"urgent": {"eq": True}}, {"not": {"priority": {"eq": 1}}}]},
         lambda row: row["urgent"] and row["priority"] != 1),
        ({"firmId": {"eq": f"frm_{FIRMS[0].hex}"}}, lambda row: row["firm_id"] == FIRMS[0]),
        ({"firmId": {"eq": f"tic_{FIRMS[0].hex}"}}, lambda _: False),
        ({"firmId": {"eq": "nonsense"}}, lambda _: False),
        ({"firmId": {"eq": "frm_\0"}}, lambda _: False),
        ({"not": {"firmId": {"eq": "nonsense"}}}, lambda _: True),
        ({"firmId": {"in": ["nonsense", f"frm_{FIRMS[1].hex}"]}},
         lambda row: row["firm_id"] == FIRMS[1]),
        ({"ownerId": {"isNull": True}}, lambda row: row["owner_id"] is None),
        ({"target": {"lt": "PT0S"}}, lambda row: (row["target_us"] or 0) < 0),
        ({"target": {"eq": "PT25H1M0.000001S"}},
         lambda row: row["target_us"] == 90_060_000_001),
        ({"weight": {"eq": "9223372036854775807"}}, lambda row: row["weight"] == 2**63 - 1),
        ({"price": {"gt": "0.001"}}, lambda row: row["cost"] is not None and row["cost"] > 0.001),
        ({"due": {"lt": "2026-03-02"}}, lambda row: str(row["due"] or "9") < "2026-03-02"),
        ({"openedAt": {"gt": "2026-02-03T08:00:00+08:00"}},
         lambda row: row["opened_at"].isoformat() > "2026-02-03T00:00:00+00:00"),
        ({"late": {"eq": True}}, lambda row: str(row["due"] or "9") < "2026-03-02"),
        ({"id": {"isNull": True}}, lambda _: False),
    ],
    ids=lambda value: "" if callable(value) else repr(value),
)  # fmt: skip
async def test_a_filter_keeps_what_it_says(
    small_desk: Desk, filter: Any, keep: Callable[[dict[str, Any]], bool]
) -> None:
    assert await numbers(small_desk, filter) == kept(small_desk, keep)


async def test_a_long_text_is_a_value_like_any_other(small_desk: Desk) -> None:
    assert await numbers(small_desk, {"title": {"contains": "%" * 1_000_000}}) == set()


@pytest.mark.parametrize(
    ("phone", "found"),
    [
        ({"eq": "13800138000"}, {0, 1}),
        ({"eq": "+86 138 0013 8000"}, {0, 1}),
        ({"eq": "0086-138-0013-8000"}, {0, 1}),
        ({"eq": "１３８-0013-8000"}, {0, 1}),
        ({"eq": "(010) 6552-1234"}, {2, 3}),
        ({"in": ["010 65521234", "tel 021-5550-0001"]}, {2, 3, 4}),
        ({"eq": "+49 (30) 123-45 67"}, {5}),
        ({"eq": "030 1234567"}, set()),
        ({"startsWith": "138"}, {0, 1}),
        ({"startsWith": "+86138"}, {0, 1}),
        ({"startsWith": "010-6552"}, {2, 3}),
        ({"startsWith": "10 65"}, {2, 3}),
        ({"startsWith": "0049"}, {5}),
        ({"contains": "6552"}, {2, 3}),
        ({"contains": "010-65"}, {2, 3}),
        ({"contains": "5550 00"}, {4}),
        ({"contains": "nobody"}, set()),
        ({"contains": ""}, set()),
        ({"eq": ""}, set()),
        ({"eq": None}, {6}),
        ({"isNull": False}, {0, 1, 2, 3, 4, 5}),
    ],
    ids=repr,
)
async def test_a_telephone_number_is_found_by_its_digits_however_it_is_written(
    small_desk: Desk, phone: Any, found: set[int]
) -> None:
    """Spaces, dashes, full-width digits, with or without +86; another country's stays its own."""
    answer = await small_desk.ask(
        "query F($filter: HumanFilter) { humans(first: 100, filter: $filter) { nodes { id } } }",
        variables={"filter": {"phone": phone}},
    )

    assert {node["id"] for node in answer.data["humans"]["nodes"]} == {
        f"hum_{HUMANS[number].hex}" for number in found
    }


def test_the_oracle_reads_telephone_numbers_as_the_database_does() -> None:
    read = [e164(each) for each in PHONES if each is not None]

    assert read == [
        "8613800138000", "8613800138000", "861065521234", "861065521234", "862155500001",
        "49301234567",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "filter",
    [
        {"note": {"eq": "internal"}},
        {"not": {"note": {"isNull": True}}},
        {"or": [{"and": [{"note": {"contains": "x"}}]}]},
        {"note": {}},
    ],
    ids=repr,
)
async def test_nobody_filters_by_what_they_cannot_read(small_desk: Desk, filter: Any) -> None:
    answer = await small_desk.ask(QUERY, "clerk", variables={"filter": filter})

    assert answer.codes == [("tickets", "FORBIDDEN")]
    assert answer.statements == []


async def test_nobody_sorts_by_what_they_cannot_read(small_desk: Desk) -> None:
    answer = await small_desk.ask("{ tickets(orderBy: {field: NOTE}) { totalCount } }", "clerk")

    assert answer.codes == [("tickets", "FORBIDDEN")]


async def test_nobody_filters_by_relations_they_cannot_read(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        QUERY, "customer", variables={"filter": {"ownerId": {"isNull": False}}}
    )

    assert answer.codes == [("tickets", "FORBIDDEN")]


async def test_a_relation_out_of_sight_filters_like_none(small_desk: Desk) -> None:
    own = HUMANS[3]
    foreign = [
        row
        for row in small_desk.rows["ticket"]
        if row["owner_id"] == own and row["firm_id"] not in FIRMS[1:3]
    ]
    assert foreign

    for row in foreign:
        same = {"firmId": {"eq": f"frm_{row['firm_id'].hex}"}}
        assert row["number"] not in await numbers(small_desk, same, "partner")
    none = await numbers(small_desk, {"firmId": {"isNull": True}}, "partner")
    assert none == {row["number"] for row in foreign}


@pytest.mark.parametrize(
    ("some", "keep"),
    [
        ({}, lambda _: True),
        (None, None),
        ({"name": {"eq": "fix"}, "spent": {"gt": "PT0S"}},
         lambda step: step["name"] == "fix" and step["spent_us"] > 0),
        ({"not": {"place": {"isNull": True}}}, lambda step: step["place"] is not None),
        ({"ticketId": {"eq": "nonsense"}}, lambda _: False),
    ],
    ids=["any", "none", "two", "negated", "nobody"],
)  # fmt: skip
async def test_a_filter_asks_for_one_row_of_a_list_of_which_all_holds(
    small_desk: Desk, some: Any, keep: Callable[[dict[str, Any]], bool] | None
) -> None:
    steps = small_desk.rows["step"]
    having = [step["ticket_id"] for step in steps if keep is None or keep(step)]

    found = await numbers(small_desk, {"steps": {"some": some}})
    others = await numbers(small_desk, {"not": {"steps": {"some": some}}})

    assert found == kept(small_desk, lambda row: keep is None or row["id"] in having)
    assert found | others == kept(small_desk, lambda _: True)
    assert not found & others


async def test_nobody_filters_by_a_list_they_cannot_read(small_desk: Desk) -> None:
    """R-ROLE-04: neither by what it has, nor by whether it has anything."""
    query = "query F($filter: FirmFilter) { firms(filter: $filter) { totalCount } }"
    for some in ({}, None, {"name": {"contains": "a"}}):
        given = {"filter": {"humans": {"some": some}}}
        answer = await small_desk.ask(query, "customer", variables=given)
        assert answer.codes == [("firms", "FORBIDDEN")]


async def test_filters_too_deep_or_too_many_are_refused(small_desk: Desk) -> None:
    deep: dict[str, Any] = {"priority": {"eq": 1}}
    for _ in range(8):
        deep = {"not": deep}
    many = {"or": [{"priority": {"eq": 1}}] * 101}
    long = {"priority": {"in": [1] * 201}}

    for given in (deep, many, long):
        answer = await small_desk.ask(QUERY, variables={"filter": given})
        assert answer.codes == [("tickets", "BAD_INPUT")]


@pytest.mark.parametrize(
    "filter",
    [
        {"openedAt": {"gt": "yesterday"}},
        {"openedAt": {"gt": "2026-02-03T08:00:00"}},
        {"openedAt": {"gt": "0001-01-01T00:00:00+23:59"}},
        {"openedAt": {"gt": "2026-02-30T08:00:00Z"}},
        {"target": {"eq": "P1Y"}},
        {"target": {"eq": "PT9999999999999H"}},
        {"weight": {"eq": "9223372036854775808"}},
        {"price": {"eq": "NaN"}},
        {"price": {"eq": "1e1000"}},
        {"due": {"eq": "20260302"}},
        {"priority": {"eq": 2**40}},
        {"nothing": {"eq": 1}},
    ],
    ids=repr,
)
async def test_values_that_are_none_are_refused_before_anything_is_read(
    small_desk: Desk, filter: Any
) -> None:
    answer = await small_desk.ask(QUERY, variables={"filter": filter})

    assert answer.data is None
    assert answer.errors
    assert answer.statements == []
