"""Plans: remembered by shape, never by value; declarations that break promises are refused."""

import re
from datetime import datetime
from typing import Any

import pytest
import strawberry

from api.planner import Node, column, embedded, one, relied_on, same_row, stored
from api.planner.plans import OUTLINES, Remembered
from itr.sight.row_filter import RowFilter
from tests.support import planner_desk, planner_rows, planner_tables
from tests.support.oracle_columns import broken_promises
from tests.support.planner_desk import Desk
from tests.support.planner_rows import FIRMS
from tests.support.planner_schema import SCHEMA
from tests.support.planner_tables import Firm

small_desk = planner_desk.small_desk

QUERY = """query Plans($first: Int, $filter: TicketFilter, $skip: Boolean = false) {
  tickets(first: $first, filter: $filter) { nodes { number note @skip(if: $skip) } totalCount } }"""


async def statement(desk: Desk, who: str = "director", **variables: Any) -> str:
    """Return the one statement that answers."""
    answer = await desk.ask(QUERY, who, variables=variables)
    assert len(answer.statements) == 1
    return answer.statements[0]


async def test_values_are_parameters_and_share_one_statement(small_desk: Desk) -> None:
    one = await statement(small_desk, first=1, filter={"number": {"eq": "T-0001"}})
    other = await statement(small_desk, first=9, filter={"number": {"eq": "'; drop table x"}})

    assert one == other
    assert "T-0001" not in one


async def test_the_shape_of_arguments_makes_another_statement(small_desk: Desk) -> None:
    plain = await statement(small_desk)
    empty = await statement(small_desk, filter={"title": {"eq": None}})
    equal = await statement(small_desk, filter={"title": {"eq": "x"}})
    several = await statement(small_desk, filter={"title": {"in": ["x", "y"]}})

    assert len({plain, empty, equal, several}) == 4
    assert "$1 is null or" not in equal


@pytest.mark.parametrize(
    "filter",
    [
        *({"title": {operator: "x"}} for operator in ("eq", "contains", "startsWith")),
        {"title": {"in": ["x", "y"]}},
        {"or": [{"title": {"contains": "x"}}] * 3},
    ],
)
async def test_what_is_given_is_folded_once_not_for_every_row(
    small_desk: Desk, filter: dict[str, Any]
) -> None:
    """V4: ten long texts to look for, folded for each of some thousand rows, took 12 s."""
    asked = await statement(small_desk, filter=filter)

    nothing = ", ".join(["null"] * max(int(each) for each in re.findall(r"\$(\d+)", asked)))
    async with small_desk.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local plan_cache_mode = force_generic_plan")
        await connection.execute(f"prepare asked as {asked}")
        plan = await connection.fetch(f"explain (verbose) execute asked({nothing})")
        await connection.execute("deallocate asked")

    lines = [line.strip() for (line,) in plan]
    assert any("NORMALIZE" in line.upper() for line in lines)
    conditions = [line for line in lines if line.split(":")[0].endswith(("Filter", "Cond"))]
    assert [line for line in conditions if re.search(r"normalize\(\$", line, re.I)] == []


@pytest.mark.parametrize("operator", ["eq", "in"])
async def test_sight_is_asked_only_of_what_is_looked_for(small_desk: Desk, operator: str) -> None:
    """V4: ninety conditions on an owner, each asking the sight of every row, took 5 s."""
    given = {"not": {"firmId": {operator: "frm_1"}}}

    asked = await small_desk.ask(QUERY, "partner", variables={"filter": given})
    freely = await statement(small_desk, filter=given)

    named = r'\(t1\."firm_id" = [^()]*(\([^()]*\))?\)'
    assert re.search(rf"\({named} and \(\(select", asked.statements[0])
    assert re.search(rf"\({named}\) is not true|{named} is not true", freely)
    assert "from firm" not in freely


async def test_permissions_and_sight_make_other_statements(small_desk: Desk) -> None:
    director = await statement(small_desk)
    clerk = await small_desk.ask(QUERY, "clerk")
    partner = await statement(small_desk, "partner", skip=True)

    assert '"note"' in director
    assert 't1."note"' not in clerk.statements[0]
    assert "firm_id = any" in partner


async def test_the_same_question_is_planned_once(small_desk: Desk) -> None:
    await statement(small_desk, first=3)
    before = len(OUTLINES)

    for first in range(1, 9):
        await statement(small_desk, first=first)

    assert len(OUTLINES) == before


async def test_two_actors_of_one_kind_share_a_statement_but_not_rows(small_desk: Desk) -> None:
    customer = planner_rows.ACTORS["customer"]
    other = planner_rows.Someone(
        planner_rows.HUMANS[5],
        customer.permissions,
        planner_rows.Scope(all=False, firms=frozenset({FIRMS[1]})),
    )
    query = "{ firms { nodes { name } } }"

    one = await small_desk.ask(query, customer)
    two = await small_desk.ask(query, other)

    assert one.statements == two.statements
    assert one.data != two.data


def test_what_was_used_least_recently_is_forgotten() -> None:
    remembered: Remembered[str] = Remembered(2)
    for key in ("a", "b", "a", "c"):
        remembered.get(key, lambda key=key: f"first {key}")  # type: ignore[misc]

    assert remembered.get("a", lambda: "again") == "first a"
    assert remembered.get("b", lambda: "again") == "again"


async def test_every_column_the_types_rely_on_is_there_and_as_promised(small_desk: Desk) -> None:
    relied = relied_on(SCHEMA._schema)

    found = await broken_promises(small_desk.pool, relied)

    assert len(relied) > 40
    assert found == []


def _everything(actor: object) -> RowFilter:
    return RowFilter.everything()


def test_a_field_with_a_permission_must_be_nullable() -> None:
    with pytest.raises(TypeError, match=r"Secret.word has a permission and must be nullable"):

        @embedded
        @strawberry.type
        class Secret:
            word: str = column(permission="words")


def test_a_relation_to_one_row_must_be_nullable() -> None:
    with pytest.raises(TypeError, match=r"Owned.firm may be out of sight and must be nullable"):

        @embedded
        @strawberry.type
        class Owned:
            firm: Firm = one("firm_id")


def test_an_object_that_may_be_absent_must_be_nullable() -> None:
    with pytest.raises(TypeError, match=r"Maybe.money may be absent and must be nullable"):

        @embedded
        @strawberry.type
        class Maybe:
            money: planner_tables.Money = same_row(present="false")


def test_every_field_of_a_stored_type_is_declared() -> None:
    with pytest.raises(TypeError, match=r"Loose.word is not declared"):

        @embedded
        @strawberry.type
        class Loose:
            word: str


def test_a_stored_type_is_a_node() -> None:
    with pytest.raises(TypeError, match="must implement Node"):

        @stored(table="x", key="x", visible=_everything)
        @strawberry.type
        class Thing:
            at: datetime = column()


def test_the_default_order_shows_nothing_that_needs_a_permission() -> None:
    with pytest.raises(TypeError, match="would show the order of rank"):

        @stored(table="x", key="x", visible=_everything, order="rank")
        @strawberry.type
        class Ranked(Node):
            rank: int | None = column(permission="ranks")
