"""Variables nobody takes: refused before they are read, where they stand, and without a value."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_required_input_field,
)

from api.resolvers.root import product_schema
from api.transport.limits import Limits
from itr.access.operations.persons import create_person
from itr.actors.roles import Role
from itr.settings import Settings
from tests.support.client import Answer
from tests.support.desk import FOUNDER, Desk, open_desk

SCHEMA = product_schema()._schema
LIMITS = Limits()
DIGITS = "five thousand digits"
SECRET = "MySecretPassw0rd"


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        inside = set(Role) - {Role.CUSTOMER, Role.PARTNER}
        opened.ids["almighty"] = await create_person(
            FOUNDER, opened.ids["Shanghai"], "almighty", sorted(inside), now=opened.time.now
        )
        yield opened


def fields() -> list[tuple[str, str]]:
    """Every query and mutation that takes something."""
    roots = (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type))
    return [
        (kind, name)
        for kind, root in roots
        if root
        for name in root.fields
        if root.fields[name].args
    ]


def operation(kind: str, name: str) -> str:
    """A document that gives every argument of a field by a variable."""
    root: Any = SCHEMA.query_type if kind == "query" else SCHEMA.mutation_type
    field = root.fields[name]
    declared = " ".join(f"${each}: {given.type}" for each, given in field.args.items())
    passed = " ".join(f"{each}: ${each}" for each in field.args)
    below = " { __typename }" if _has_fields(field.type) else ""
    return f"{kind} ({declared}) {{ {name}({passed}){below} }}"


def _has_fields(kind: Any) -> bool:
    return not hasattr(get_named_type(kind), "coerce_output_value")


def variables_of(kind: str, name: str, odd: Any) -> dict[str, Any]:
    """What fits every argument of a field, as far as the schema tells, beside one odd value."""
    root: Any = SCHEMA.query_type if kind == "query" else SCHEMA.mutation_type
    given = {each: _fitting(one.type) for each, one in root.fields[name].args.items()}
    return {**given, next(iter(given)): odd}


def _fitting(kind: Any) -> Any:
    if not isinstance(kind, GraphQLNonNull):
        return None
    kind = kind.of_type
    if isinstance(kind, GraphQLList):
        return []
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        named = kind.fields.items()
        return {name: _fitting(each.type) for name, each in named if is_required_input_field(each)}
    return {"Int": 1, "Boolean": True, "DateTime": "2026-03-02T01:00:00Z"}.get(kind.name, "1")


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"not": value}
    return value


ODD = {
    "The input is too large": [[{}] * 900] * 8,
    "The input is nested too deeply": nested(300),
    "The list is too long": [1] * 6_500,
    "The number is too long": DIGITS,
}
"""What is told of what: each over one limit, and over no other before it."""


OTHERS_ONLY = frozenset({"acceptCharge", "confirmRequest", "rejectSolution"})
"""What nobody of ours may do."""


@pytest.mark.parametrize(("kind", "name"), fields())
async def test_oversized_variables_are_refused_by_every_query_and_mutation(
    desk: Desk, kind: str, name: str
) -> None:
    """V2, R1: nodes, depth, lists and digits, before anything is made of them."""
    query = operation(kind, name)

    for told, odd in ODD.items():
        answer = await sent(desk, query, variables_of(kind, name, odd))

        assert refused(answer, name, told), answer.body


async def sent(desk: Desk, query: str, variables: dict[str, Any]) -> Answer:
    """Send what other clients than ours would: any depth, any number."""
    body = json.dumps({"query": query, "variables": variables})
    return await desk.as_("almighty").post(body.replace(f'"{DIGITS}"', "9" * 5_000).encode())


def refused(answer: Answer, name: str, told: str) -> bool:
    """Bad input with its path; or nothing told, where only customers or partners may."""
    if answer.code == "FORBIDDEN":
        return answer.errors[0]["path"] == [name] and name in OTHERS_ONLY
    more = answer.errors[0]["extensions"]
    said: str = answer.errors[0]["message"]
    return more["code"] == "BAD_INPUT" and bool(more["inputPath"]) and said.startswith(told)


@pytest.mark.parametrize(
    "asked",
    [
        "{ %s }",
        "{ ... on Mutation { %s } }",
        "{ ...A } fragment A on Mutation { ...B } fragment B on Mutation { %s }",
        "{ ...A ...A } fragment A on Mutation { ...A ... { %s } }",
    ],
)
async def test_who_may_not_save_contracts_is_told_so_before_the_lines_are_read(
    desk: Desk, asked: str
) -> None:
    """V2: also within what a contract may hold, and wherever it is written."""
    save = asked.replace("%s", "saveContract(input: $i) { contract { id } }")
    saved = f"mutation ($i: SaveContractInput!) {save}"
    for many in (20_000, 1_000):
        given = {"number": "C", "lines": [{"nonsense": each} for each in range(many)]}

        answer = await desk.as_("PARTNER").run(saved, {"i": given})

        assert answer.code == "FORBIDDEN"
        assert answer.errors[0]["path"] == ["saveContract"]


async def test_a_contract_may_hold_more_than_other_inputs(desk: Desk) -> None:
    """V2: what an input is large by nature states a number of its own."""
    lines = [{"number": each + 1, "serviceLevelId": "slv_1"} for each in range(700)]
    given = {
        "number": "C", "customerId": "org_1", "startsOn": "2026-01-01", "endsOn": "2026-12-31",
        "lines": lines,
    }  # fmt: skip
    saved = "mutation ($i: SaveContractInput!) { saveContract(input: $i) { userErrors { code } } }"

    answer = await desk.as_("CATALOGUE_MANAGER").run(saved, {"i": given})

    assert answer.data["saveContract"]["userErrors"][0]["code"] == "NOT_FOUND"


async def test_more_than_fifty_faults_are_told_by_their_places(desk: Desk) -> None:
    """R1: the first twenty."""
    query = "query ($f: RequestFilter) { requests(filter: $f) { nodes { id } } }"
    given = {"f": {"and": [{"title": {"contains": 1}}] * 60}}

    answer = await desk.as_("LINE1").run(query, given)

    assert {each["extensions"]["code"] for each in answer.errors} == {"BAD_INPUT"}
    assert [each["extensions"]["inputPath"] for each in answer.errors] == [
        ["f", "and", at, "title", "contains"] for at in range(20)
    ]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"status": {"eq": SECRET}}, ["f", "status", "eq"]),
        ({"status": {"in": ["CLOSED", SECRET]}}, ["f", "status", "in", 1]),
        ({"updatedAt": {"gt": SECRET}}, ["f", "updatedAt", "gt"]),
        ({"title": SECRET}, ["f", "title"]),
        ({SECRET: 1}, ["f"]),
        ({"not": {"number": {"eq": {SECRET: 1}}}}, ["f", "not", "number", "eq"]),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_value_that_is_not_taken_is_named_by_its_place_and_never_repeated(
    desk: Desk, given: dict[str, Any], path: list[Any], language: str
) -> None:
    """R3, V6: unknown values of an enum, and whatever else does not fit."""
    query = "query ($f: RequestFilter) { requests(filter: $f) { nodes { id } } }"

    answer = await desk.as_("LINE1", language=language).run(query, {"f": given})

    assert answer.code == "BAD_INPUT"
    assert SECRET not in answer.content.decode()
    assert answer.errors[0]["extensions"]["inputPath"] == path
    place = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)[1:]
    assert place in answer.errors[0]["message"]


async def test_a_variable_that_is_missing_is_named(desk: Desk) -> None:
    """R3."""
    query = "query ($id: ID!) { node(id: $id) { id } }"

    answer = await desk.as_("LINE1").run(query, {})

    assert (answer.code, answer.errors[0]["extensions"]["inputPath"]) == ("BAD_INPUT", ["id"])


async def test_filters_of_nothing_are_conditions_too(desk: Desk) -> None:
    """V2: `{}` escapes no limit."""
    query = "query ($f: RequestFilter) { requests(filter: $f) { nodes { id } } }"

    answers = [
        await desk.as_("LINE1").run(query, {"f": {"and": [{}] * many}}) for many in (150, 250)
    ]

    assert "errors" not in answers[0].body
    assert (answers[1].code, answers[1].errors[0]["path"]) == ("BAD_INPUT", ["requests"])


async def test_a_fault_of_a_calendar_is_named_as_the_input_names_it(desk: Desk) -> None:
    """26: `timeZone`, not `time_zone`, also within `simulateClock`."""
    calendar = {
        "timeZone": "Asia/Beijing",
        "shifts": [{"weekday": "MONDAY", "opens": "09:00", "closes": "17:00"}],
    }
    tried = (
        "query ($c: WorkingCalendarInput!, $s: DateTime!, $d: Duration)"
        " { workingTime(calendar: $c, start: $s, duration: $d) { at } }"
    )
    folded = "query ($i: SimulateClockInput!) { simulateClock(input: $i) { state } }"
    instant = "2026-03-02T00:00:00Z"
    clock = {"calendar": calendar, "target": "PT1H", "events": [], "at": instant}

    one = await desk.as_("LINE1").run(tried, {"c": calendar, "s": instant, "d": "PT1H"})
    other = await desk.as_("LINE1").run(folded, {"i": clock})

    assert (one.code, other.code) == ("UNKNOWN_TIME_ZONE",) * 2
    assert one.errors[0]["extensions"]["inputPath"] == ["calendar", "timeZone"]
    assert other.errors[0]["extensions"]["inputPath"] == ["input", "calendar", "timeZone"]


def test_there_is_something_to_try() -> None:
    assert isinstance(SCHEMA.query_type, GraphQLObjectType)
    assert len(fields()) > 60
