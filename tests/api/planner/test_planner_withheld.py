"""What an actor may not read is null without an error, and told beside the data."""

import re
from typing import Any

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from api.execution import CompiledSchema
from api.planner import SCALARS, Node, many, payload_field, public_id, stored
from itr.sight.row_filter import RowFilter
from tests.support import planner_desk, planner_rows
from tests.support.planner_desk import Desk, answer_of
from tests.support.planner_rows import FIRMS
from tests.support.planner_schema import SCHEMA
from tests.support.planner_tables import Human

small_desk = planner_desk.small_desk


async def test_a_field_without_permission_is_null_without_an_error(small_desk: Desk) -> None:
    """Told once beside the data, by response keys, with the permission it needs."""
    answer = await small_desk.ask(
        "{ firms { nodes { name a: secret secret } } tickets { edges { node { note } } } }", "clerk"
    )

    assert {node["secret"] for node in answer.data["firms"]["nodes"]} == {None}
    assert answer.errors == []
    assert answer.kept_back == [
        ("firms.nodes.a", "secrets"),
        ("firms.nodes.secret", "secrets"),
        ("tickets.edges.node.note", "notes"),
    ]
    assert re.findall(r'\bt\d+\."?(?:secret|note)\b', "".join(answer.statements)) == []


async def test_whoever_may_read_everything_is_told_of_nothing_withheld(small_desk: Desk) -> None:
    context = small_desk.surroundings("director")

    result: Any = await SCHEMA.execute("{ firms { nodes { secret } } }", context_value=context)

    assert "withheld" not in (result.extensions or {})


async def test_refusals_speak_the_callers_language(small_desk: Desk) -> None:
    chinese = await small_desk.ask("{ humans { nodes { name } } }", "customer", language="zh")
    english = await small_desk.ask("{ humans { nodes { name } } }", "customer", language="en")

    assert chinese.errors[0]["message"] == "您没有权限查看此内容。"
    assert english.errors[0]["message"] == "You may not see this."


async def test_relations_to_a_type_one_may_not_read_are_withheld(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        "{ tickets(first: 1) { nodes { number firm { name crew { name } } owner { name } } } }",
        "customer",
    )

    assert answer.data["tickets"]["nodes"][0]["owner"] is None
    assert answer.data["tickets"]["nodes"][0]["firm"]["crew"] is None
    assert answer.errors == []
    assert answer.kept_back == [
        ("tickets.nodes.firm.crew", "people"),
        ("tickets.nodes.owner", "people"),
    ]


async def test_ones_own_is_read_without_the_permission(small_desk: Desk) -> None:
    """By row, in the one statement, wherever one's own row turns up; others stay withheld."""
    query = "{ humans(first: 100) { nodes { id joined in: years } } }"
    me = f"hum_{planner_rows.ACTORS['clerk'].id.hex}"
    row = next(it for it in small_desk.rows["human"] if me.endswith(it["id"].hex))

    answer = await small_desk.ask(query, "clerk")

    told = {node["id"]: (node["joined"], node["in"]) for node in answer.data["humans"]["nodes"]}
    assert told.pop(me) == (row["joined"].isoformat(), [str(row["joined"].year)])
    assert set(told.values()) == {(None, None)}
    assert answer.kept_back == [("humans.nodes.in", "dates"), ("humans.nodes.joined", "dates")]
    assert len(answer.statements) == 1


async def test_nothing_is_withheld_where_only_ones_own_is_read(small_desk: Desk) -> None:
    me = f"hum_{planner_rows.ACTORS['clerk'].id.hex}"

    answer = await small_desk.ask(
        "query Q($me: ID!) { human(id: $me) { joined years } }", "clerk", variables={"me": me}
    )

    assert answer.data["human"]["joined"] is not None
    assert answer.kept_back == []


async def test_nobody_sorts_others_by_what_is_readable_of_oneself_only(small_desk: Desk) -> None:
    """S4."""
    answer = await small_desk.ask("{ humans(orderBy: {field: JOINED}) { totalCount } }", "clerk")

    assert answer.codes == [("humans", "FORBIDDEN")]


async def test_a_payloads_object_of_a_type_one_may_not_read_is_withheld(small_desk: Desk) -> None:
    answer = await small_desk.ask("mutation { meet { human { name } } }", "customer")

    assert answer.data == {"meet": {"human": None}}
    assert answer.errors == []
    assert answer.kept_back == [("meet.human", "people")]


async def test_an_error_below_a_list_has_the_position_in_its_path(small_desk: Desk) -> None:
    """As the specification wants it; what was refused below the null stands beside it."""
    row = small_desk.rows["ticket"][0]

    answer = await small_desk.ask(
        """mutation M($id: String!) { touch(id: $id) { more {
             t: ticket { firm { tickets(first: 101) { totalCount } } } } } }""",
        variables={"id": row["id"].hex},
    )

    assert answer.data["touch"]["more"] == [{"t": None}, {"t": None}]
    assert answer.errors[0]["path"] == ["touch", "more", 0, "t"]
    assert answer.errors[0]["extensions"] == {"code": "BAD_PAGE", "at": ["firm", "tickets"]}


async def test_what_is_withheld_of_an_event_is_told_with_it_alone(small_desk: Desk) -> None:
    row = small_desk.rows["ticket"][0]
    context = small_desk.surroundings("clerk")

    source: Any = await SCHEMA.subscribe(
        """subscription S($ids: [String!]!) { changes(ids: $ids) {
           ... on TicketChanged { ticket { note } } ... on FirmChanged { firm { secret } } } }""",
        {"ids": [row["id"].hex, FIRMS[0].hex]},
        context_value=context,
    )
    told = [answer_of(result, context).kept_back async for result in source]

    assert told == [[("changes.ticket.note", "notes")], [("changes.firm.secret", "secrets")]]


@stored(table="firm", key="gen", visible=lambda _: RowFilter.everything())
@strawberry.type
class Generous(Node):
    """A firm that promises its people to everybody."""

    id: strawberry.ID = public_id()
    people: list[Human] = many("firm_id")


@strawberry.type
class GenerousQuery:
    """Answers it."""

    firm: Generous | None = payload_field("key")


def test_a_schema_that_promises_what_may_be_withheld_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Generous.people may be withheld"):
        CompiledSchema(GenerousQuery, config=StrawberryConfig(scalar_map=SCALARS))


def test_descriptions_name_the_permission_a_field_needs() -> None:
    fields: Any = SCHEMA._schema.type_map
    assert "Null without secrets." in fields["Firm"].fields["secret"].description
    assert "Null without people." in fields["Ticket"].fields["owner"].description
    assert "Null without dates, except one's own." in fields["Human"].fields["joined"].description
    assert "Takes notes." in fields["TicketFilter"].fields["note"].description
    assert "Takes people." in fields["TicketFilter"].fields["ownerId"].description
    assert "Takes notes." in fields["TicketOrderField"].values["NOTE"].description
    assert "ithout" not in (fields["Human"].fields["name"].description or "")
