"""Every feature of a GraphQL selection, compiled: names, fragments, directives, types, nulls."""

from typing import Any

import orjson
import pytest

from tests.support import planner_desk, planner_rows
from tests.support.planner_desk import Desk, answer_of
from tests.support.planner_rows import FIRMS
from tests.support.planner_schema import SCHEMA

small_desk = planner_desk.small_desk


def ticket_with(desk: Desk, **wanted: Any) -> dict[str, Any]:
    """Return the first row of a ticket that has these values."""
    return next(
        row
        for row in desk.rows["ticket"]
        if all(value(row[name]) for name, value in wanted.items())
    )


async def test_one_statement_answers_a_root_field_however_deep(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        """{ tickets(first: 3) { nodes { id firm { humans { tickets { nodes { steps { ticket {
           owner { firm { tickets(first: 1) { totalCount edges { cursor } } } } } } } } } } } } }"""
    )

    assert answer.errors == []
    assert len(answer.data["tickets"]["nodes"]) == 3
    assert len(answer.statements) == 1


async def test_each_root_field_is_one_statement(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        "{ tickets { totalCount } again: tickets { totalCount } firms { nodes { name } } plain }"
    )

    assert answer.data["plain"] == 7
    assert len(answer.statements) == 3


async def test_aliases_become_the_keys_in_the_order_asked(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        '{ z: firms(first: 1, filter: {name: {eq: "Firm 1"}}) { b: nodes { y: name x: name } } }'
    )

    assert answer.data == {"z": {"b": [{"y": "Firm 1", "x": "Firm 1"}]}}
    assert list(answer.data["z"]["b"][0]) == ["y", "x"]


async def test_an_alias_of_63_bytes_is_a_key_and_one_of_64_is_refused(small_desk: Desk) -> None:
    fits, long = "a" * 63, "a" * 64

    good = await small_desk.ask(f"{{ firms(first: 1) {{ nodes {{ {fits}: name }} }} }}")
    bad = await small_desk.ask(f"{{ firms(first: 1) {{ nodes {{ {long}: name }} }} }}")

    assert list(good.data["firms"]["nodes"][0]) == [fits]
    assert bad.data is None
    assert bad.codes == [(f"firms.nodes.{long}", "ALIAS_TOO_LONG")]
    assert bad.statements == []


async def test_fields_of_the_same_name_are_merged_across_fragments(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        """
        query { tickets(first: 1) { ...A nodes { firm { name } } ... { nodes { firm { rank } } } } }
        fragment A on TicketConnection { nodes { firm { id } ...B } }
        fragment B on Ticket { firm { __typename } number }
        """
    )

    node = answer.data["tickets"]["nodes"][0]
    assert list(node) == ["firm", "number"]
    assert list(node["firm"]) == ["id", "__typename", "name", "rank"]


async def test_skip_and_include_follow_their_variables(small_desk: Desk) -> None:
    query = """query Q($yes: Boolean!, $no: Boolean = false) { firms(first: 1) { nodes {
      name @include(if: $yes) rank @skip(if: $yes) ... @include(if: $no) { secret }
      ...F @skip(if: $no) } } } fragment F on Firm { id }"""

    on = await small_desk.ask(query, variables={"yes": True})
    off = await small_desk.ask(query, variables={"yes": False, "no": True})

    assert list(on.data["firms"]["nodes"][0]) == ["name", "id"]
    assert list(off.data["firms"]["nodes"][0]) == ["rank", "secret"]


async def test_an_object_of_which_everything_is_skipped_is_empty(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        """{ firms(first: 2) { nodes { name @skip(if: true) }
           pageInfo { endCursor @skip(if: true) } } }"""
    )

    assert answer.data == {"firms": {"nodes": [{}, {}], "pageInfo": {}}}


async def test_typename_is_told_everywhere(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        """{ __typename tickets(first: 1) { __typename pageInfo { __typename } edges { __typename
           t: __typename node { __typename plan { __typename } history { __typename } } } } }"""
    )

    page = answer.data["tickets"]
    assert answer.data["__typename"] == "Query"
    assert page["__typename"] == "TicketConnection"
    assert page["pageInfo"] == {"__typename": "PageInfo"}
    assert page["edges"][0]["t"] == "TicketEdge"
    assert page["edges"][0]["node"]["__typename"] == "Ticket"
    assert page["edges"][0]["node"]["plan"] == {"__typename": "Plan"}


async def test_arguments_of_nested_fields_take_literals_variables_and_defaults(
    small_desk: Desk,
) -> None:
    query = """query Q($first: Int = 1, $filter: StepFilter) { tickets(first: 30) { nodes {
      pages(first: $first, filter: $filter) { nodes { name } totalCount } } } }"""

    default = await small_desk.ask(query)
    given = await small_desk.ask(query, variables={"first": 2, "filter": {"name": {"eq": "call"}}})

    assert max(len(it["pages"]["nodes"]) for it in default.data["tickets"]["nodes"]) == 1
    found = [it["pages"] for it in given.data["tickets"]["nodes"]]
    assert {step["name"] for page in found for step in page["nodes"]} == {"call"}
    assert max(len(page["nodes"]) for page in found) == 2


async def test_node_finds_any_type_through_inline_fragments(small_desk: Desk) -> None:
    query = """query Q($id: ID!) { node(id: $id) { __typename id
      ... on Firm { name } ... on Ticket { number firm { name } } ... on Entry { version } } }"""
    ticket, entry = small_desk.rows["ticket"][0], small_desk.rows["entry"][0]
    line = f"ent_{entry['ticket_id'].hex}_{entry['version']}"

    firm = await small_desk.ask(query, variables={"id": f"frm_{FIRMS[0].hex}"})
    found = await small_desk.ask(query, variables={"id": f"tic_{ticket['id'].hex}"})
    logged = await small_desk.ask(query, variables={"id": line})

    assert firm.data["node"]["name"] == "Firm 0"
    assert found.data["node"]["number"] == ticket["number"]
    kind = "Opening" if entry["text"] == "opened" else "OtherEntry"
    assert logged.data["node"] == {"__typename": kind, "id": line, "version": entry["version"]}
    assert len(found.statements) == 1


async def test_rows_of_one_table_are_of_the_type_their_column_tells_in_one_statement(
    small_desk: Desk,
) -> None:
    query = """{ tickets(first: 20) { nodes { log { nodes { __typename version
      ... on Opening { begins again { number } } ... on OtherEntry { said version } }
      edges { node { ...Line } } } } } }
      fragment Line on Entry { text }"""

    answer = await small_desk.ask(query)

    lines = [it for ticket in answer.data["tickets"]["nodes"] for it in ticket["log"]["nodes"]]
    assert {it["__typename"]: set(it) for it in lines} == {
        "Opening": {"__typename", "version", "begins", "again"},
        "OtherEntry": {"__typename", "version", "said"},
    }
    assert {it["said"] for it in lines if "said" in it} == {"moved"}
    assert len(answer.statements) == 1


@pytest.mark.parametrize(
    "id",
    [
        "",
        "frm",
        "frm_",
        "nope_00000000000000000000000000000000",
        "tic_00000000000000000000000000000000",
        f"tic_{FIRMS[0].hex}",
        f"frm_{FIRMS[3].hex}",
        f"frm_{FIRMS[0].hex.upper()}",
        f"frm_{FIRMS[0].hex}0",
        f"ent_{FIRMS[0].hex}_0",
        "frm_\x00",
        "hum_\ud800",
        "x" * 1_000_000,
    ],
)
async def test_missing_unseen_malformed_and_wrong_ids_answer_alike(
    small_desk: Desk, id: str
) -> None:
    query = """query Q($id: ID!) { node(id: $id) { id ... on Firm { secret } }
      ticket(id: $id) { id note } }"""

    answer = await small_desk.ask(query, "partner", variables={"id": id})

    assert answer.data == {"node": None, "ticket": None}
    assert answer.errors == []


async def test_nodes_of_mixed_types_are_one_statement_in_the_order_asked(small_desk: Desk) -> None:
    ticket, entry = small_desk.rows["ticket"][0], small_desk.rows["entry"][0]
    ids = [
        f"ent_{entry['ticket_id'].hex}_{entry['version']}",
        "nonsense",
        f"tic_{ticket['id'].hex}",
        f"frm_{FIRMS[1].hex}",
        f"tic_{ticket['id'].hex}",
        f"tic_{FIRMS[1].hex}",
    ]

    answer = await small_desk.ask(
        """query Q($ids: [ID!]!) { nodes(ids: $ids) { id __typename
           ... on Ticket { steps { name } } } }""",
        variables={"ids": ids},
    )

    found = answer.data["nodes"]
    assert [it and it["id"] for it in found] == [ids[0], None, ids[2], ids[3], ids[4], None]
    assert len(answer.statements) == 1


async def test_a_hundred_and_one_nodes_are_refused(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        "query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }", variables={"ids": ["x"] * 101}
    )

    assert answer.codes[0][1] == "BAD_PAGE"


async def test_a_union_answers_the_type_that_stands_there(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        """{ tickets(first: 30) { nodes { id subject { __typename ... on Firm { firm: name }
           ... on Human { human: name } } } } }"""
    )

    for row, node in zip(
        sorted(small_desk.rows["ticket"], key=lambda it: (it["opened_at"], it["id"]), reverse=True),
        answer.data["tickets"]["nodes"],
        strict=True,
    ):
        kind = {"firm": "Firm", "human": "Human"}.get(row["subject_kind"])
        assert (node["subject"] or {}).get("__typename") == kind


async def test_an_embedded_object_is_null_where_it_is_not_present(small_desk: Desk) -> None:
    row = ticket_with(small_desk, cost=lambda it: it is None)

    answer = await small_desk.ask(
        "query Q($id: ID!) { ticket(id: $id) { cost { amount } plan { money { currency } } } }",
        variables={"id": f"tic_{row['id'].hex}"},
    )

    assert answer.data["ticket"] == {"cost": None, "plan": {"money": None}}


async def test_computed_values_are_filled_where_they_are_selected(small_desk: Desk) -> None:
    row = ticket_with(small_desk, state=lambda it: it == "DONE")
    query = """query Q($id: ID!) { ticket(id: $id) { can: deeds history { since: begins lasted parts
      deed } firm { tickets(first: 2) { nodes { deeds } } } } }"""

    answer = await small_desk.ask(query, variables={"id": f"tic_{row['id'].hex}"})

    found = answer.data["ticket"]
    steps = [it for it in small_desk.rows["step"] if it["ticket_id"] == row["id"]]
    assert found["can"] == ["REOPEN"]
    assert len(found["history"]) == len(steps)
    assert all(node["deeds"] for node in found["firm"]["tickets"]["nodes"])
    assert len(answer.statements) == 1


async def test_a_root_that_cannot_be_null_takes_the_answer_with_it(small_desk: Desk) -> None:
    answer = await small_desk.ask("{ plain humans { nodes { name } } }", "customer")

    assert answer.data is None
    assert answer.codes == [("humans", "FORBIDDEN")]
    assert answer.statements == []


async def test_rows_out_of_sight_are_absent_at_every_level(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        """{ tickets(first: 100) { totalCount nodes { firm { id } siblings(first: 100) {
           totalCount nodes { firm { id } } } } } firms { nodes { id } } }""",
        "partner",
    )

    mine = {f"frm_{key.hex}" for key in FIRMS[1:3]}
    rows = [row for row in small_desk.rows["ticket"] if row["firm_id"] in FIRMS[1:3]]
    own = [row for row in small_desk.rows["ticket"] if row["owner_id"] == planner_rows.HUMANS[3]]
    assert {node["id"] for node in answer.data["firms"]["nodes"]} == mine
    assert answer.data["tickets"]["totalCount"] == len({row["id"] for row in rows + own})
    for node in answer.data["tickets"]["nodes"]:
        assert node["firm"] is None or node["firm"]["id"] in mine
        assert node["siblings"]["totalCount"] == len(node["siblings"]["nodes"])


async def test_a_list_root_is_narrowed_by_its_resolver(small_desk: Desk) -> None:
    answer = await small_desk.ask("{ openTickets(priority: 2) { number state priority } }")

    expected = sorted(
        row["number"]
        for row in small_desk.rows["ticket"]
        if row["priority"] == 2 and row["state"] != "DONE"
    )
    assert [node["number"] for node in answer.data["openTickets"]] == expected


async def test_a_cursor_is_read_in_the_statement_that_reads_the_rows(small_desk: Desk) -> None:
    query = "query Q($number: String!) { numbered(number: $number) { number } }"
    context = small_desk.surroundings("director")

    found: Any = await SCHEMA.execute(query, {"number": "T-0003"}, context_value=context)
    seen = context.cursor
    missing: Any = await SCHEMA.execute(query, {"number": "none"}, context_value=context)

    assert answer_of(found, context).data == {"numbered": {"number": "T-0003"}}
    assert answer_of(missing, context).data == {"numbered": None}
    assert int(seen or 0) <= int(context.cursor or 0)
    assert len(context.pool.statements) == 2


async def test_payload_objects_are_read_at_their_own_paths(small_desk: Desk) -> None:
    row = small_desk.rows["ticket"][0]

    answer = await small_desk.ask(
        """mutation M($id: String!) {
           touch(id: $id) { ticket { number } more { t: ticket { id note } } }
           other: touch(id: $id) { ticket { priority } } }""",
        "clerk",
        variables={"id": row["id"].hex},
    )

    assert answer.data["touch"]["ticket"] == {"number": row["number"]}
    assert answer.data["touch"]["more"][0]["t"] == {"id": f"tic_{row['id'].hex}", "note": None}
    assert answer.data["touch"]["more"][1] == {"t": None}
    assert answer.data["other"]["ticket"] == {"priority": row["priority"]}
    assert answer.errors == []
    assert answer.kept_back == [("touch.more.t.note", "notes")]


async def test_subscription_events_read_the_objects_of_their_union(small_desk: Desk) -> None:
    row = small_desk.rows["ticket"][0]
    context = small_desk.surroundings("director")

    source: Any = await SCHEMA.subscribe(
        """subscription S($ids: [String!]!) { changes(ids: $ids) { __typename
           ... on TicketChanged { ticket { number } } ... on FirmChanged { firm { name } } } }""",
        {"ids": [row["id"].hex, FIRMS[0].hex]},
        context_value=context,
    )
    told = [answer_of(result, context).data["changes"] async for result in source]

    assert told == [
        {"__typename": "TicketChanged", "ticket": {"number": row["number"]}},
        {"__typename": "FirmChanged", "firm": {"name": "Firm 0"}},
    ]
    assert len(context.pool.statements) == 2


async def test_answers_have_no_line_breaks(small_desk: Desk) -> None:
    context = small_desk.surroundings("director")

    result: Any = await SCHEMA.execute(
        "{ tickets { nodes { title steps { name } } } }", context_value=context
    )

    assert b"\n" not in orjson.dumps(result.data)


async def test_a_thousand_fields_of_each_row_are_one_statement(small_desk: Desk) -> None:
    names = ["number", "title", "openedAt", "target", "id"]
    fields = " ".join(f"f{number}: {names[number % 5]}" for number in range(1000))

    answer = await small_desk.ask(f"{{ tickets(first: 3) {{ nodes {{ {fields} }} }} }}")

    assert (answer.errors, len(answer.statements)) == ([], 1)
    for node in answer.data["tickets"]["nodes"]:
        assert len(node) == 1000
        assert {node[f"f{number}"] for number in range(0, 1000, 5)} == {node["f0"]}


async def test_a_selection_too_deep_or_too_wide_is_refused(small_desk: Desk) -> None:
    deep = (
        "{ tickets { nodes { " + "firm { tickets { nodes { " * 20 + "id" + " } } }" * 20 + "} } }"
    )
    wide = "{ firms { nodes { " + " ".join(f"a{n}: name" for n in range(1001)) + " } } }"

    assert {code for _, code in (await small_desk.ask(deep)).codes} == {"QUERY_TOO_LARGE"}
    assert {code for _, code in (await small_desk.ask(wide)).codes} == {"QUERY_TOO_LARGE"}
