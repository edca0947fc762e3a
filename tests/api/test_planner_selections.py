"""The planner and every feature of a GraphQL selection, on tables of the tests' own."""

from tests.support import planner_tables
from tests.support.planner_tables import Desk

small_desk = planner_tables.small_desk


async def test_a_page_of_tickets_is_one_statement(small_desk: Desk) -> None:
    answer = await small_desk.ask(
        "{ tickets(first: 3) { nodes { id number firm { name } steps { name } } } }"
    )

    assert answer.errors == []
    assert len(answer.data["tickets"]["nodes"]) == 3
    assert len(answer.statements) == 1
