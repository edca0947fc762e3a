"""Random queries: the planner and a slow, obvious oracle give the same answers."""

import random
from typing import Any

import pytest

from tests.support import planner_desk
from tests.support.oracle import Oracle
from tests.support.oracle_answers import differences
from tests.support.oracle_queries import QueryMaker, Values
from tests.support.oracle_rules import RULES
from tests.support.planner_desk import Desk, answer_of
from tests.support.planner_rows import ACTORS
from tests.support.planner_schema import SCHEMA

small_desk = planner_desk.small_desk

QUERIES = 100


@pytest.mark.parametrize("who", ACTORS)
async def test_random_queries_answer_what_the_oracle_answers(small_desk: Desk, who: str) -> None:
    values = Values(SCHEMA._schema, small_desk.rows)
    for seed in range(QUERIES):
        context = small_desk.surroundings(who)
        oracle = Oracle(SCHEMA, small_desk.rows, RULES, context=context)
        dice = random.Random(f"{who} {seed}")
        maker = QueryMaker(SCHEMA._schema, small_desk.rows, values, context, dice, oracle=oracle)
        query, variables = maker.make()

        expected: Any = oracle.answer(query, variables)
        result: Any = await SCHEMA.execute(query, variables, context_value=context)
        answer = answer_of(result, context)

        found = differences(expected, answer.data, answer.errors, oracle.withheld, answer.withheld)
        assert not found, f"{who} {seed}: {found}\n{query}\n{variables}"
        assert len(answer.statements) <= maker.asked
