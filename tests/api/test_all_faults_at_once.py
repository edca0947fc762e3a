"""All faults of an input are told at once, whichever mutation it is given to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLSchema,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

from api.oauth.tokens import issue_token
from api.resolvers.root import product_schema
from itr.access.operations.persons import create_person
from itr.actors.roles import Role
from itr.settings import Settings
from tests.support.client import Client
from tests.support.desk import FOUNDER, Desk, open_desk
from tests.support.requests import attempt, brought_to

SCHEMA: GraphQLSchema = product_schema()._schema
assert SCHEMA.mutation_type is not None
MUTATIONS = SCHEMA.mutation_type.fields
OF_SCALARS = {
    "Int": 1, "Float": 1.0, "Boolean": True, "Long": "1", "Decimal": "1", "Date": "2026-03-02",
    "DateTime": "2026-03-02T01:00:00Z", "Duration": "PT4H", "ID": "no id", "String": "  ",
}  # fmt: skip


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        inside = sorted(set(Role) - {Role.CUSTOMER, Role.PARTNER})
        opened.ids["almighty"] = await create_person(
            FOUNDER, opened.ids["Shanghai"], "almighty", inside, now=opened.time.now
        )
        yield opened


@pytest.fixture
def almighty(desk: Desk) -> Client:
    lifetime = timedelta(days=1)
    token = issue_token(
        desk.settings, desk.ids["almighty"], now=desk.time.now, lifetime=lifetime, scope="itr"
    )
    return desk.client.having(token, language="en")


def faulty(kind: Any) -> Any:
    """A value with a blank wherever a text is asked for."""
    kind = get_nullable_type(kind)
    if is_list_type(kind):
        return [faulty(kind.of_type)]
    if isinstance(kind, GraphQLInputObjectType):
        return {
            name: faulty(each.type)
            for name, each in kind.fields.items()
            if is_non_null_type(each.type)
        }
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    return OF_SCALARS[kind.name]


def places(kind: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Where the faults are."""
    kind = get_nullable_type(kind)
    if is_list_type(kind):
        if isinstance(get_nullable_type(kind.of_type), GraphQLInputObjectType):
            yield from places(kind.of_type, (*path, "0"))
    elif isinstance(kind, GraphQLInputObjectType):
        for name, each in kind.fields.items():
            if is_non_null_type(each.type):
                yield from places(each.type, (*path, name))
    elif kind.name == "String":
        yield path


@pytest.mark.parametrize(
    "name", [name for name, each in MUTATIONS.items() if any(places(each.args["input"].type, ()))]
)
async def test_every_blank_text_is_named(desk: Desk, almighty: Client, name: str) -> None:
    given = MUTATIONS[name].args["input"].type
    document = f"""mutation($input: {given}) {{ {name}(input: $input) {{
        userErrors {{ code path }} }} }}"""

    answer = await almighty.run(document, {"input": faulty(given)})
    if "errors" in answer.body:  # what only customers do
        answer = await desk.as_("CUSTOMER").run(document, {"input": faulty(given)})

    told = {tuple(each["path"]) for each in answer.data[name]["userErrors"]}
    assert told >= set(places(given, ("input",)))


async def test_a_request_is_told_everything_that_is_wrong_with_it(desk: Desk) -> None:
    """R-REQ-08: what has to be looked up beside what is seen at once."""
    nowhere = "0" * 32

    payload = await attempt(
        desk,
        "LINE1",
        "submitRequest",
        kind="TECHNICAL",
        title="x" * 401,
        description="x",
        customerId=desk.public("org", "Acme"),
        productId=f"prd_{nowhere}",
        projectId=f"prj_{nowhere}",
        followsId=f"req_{nowhere}",
    )

    assert {(each["path"][1], each["code"]) for each in payload["userErrors"]} == {
        ("title", "TOO_LONG"),
        ("productId", "NOT_FOUND"),
        ("projectId", "NOT_FOUND"),
        ("followsId", "NOT_FOUND"),
    }


async def test_a_blank_title_and_a_missing_product_are_told_together(desk: Desk) -> None:
    """R-REQ-08."""
    payload = await attempt(
        desk, "CUSTOMER", "submitRequest", kind="TECHNICAL", title=" ", description="x"
    )

    assert {(each["path"][1], each["code"]) for each in payload["userErrors"]} == {
        ("title", "REQUIRED"),
        ("productId", "REQUIRED"),
    }


async def test_a_plan_is_told_of_its_words_and_of_its_date(desk: Desk) -> None:
    """R-REQ-05."""
    request = await brought_to(desk, "IN_PROGRESS")

    payload = await attempt(
        desk,
        "LINE1",
        "planRequest",
        id=request["id"],
        summary="x" * 20_001,
        expectedAt="2020-01-01T00:00:00Z",
    )

    assert [each["path"][1] for each in payload["userErrors"]] == ["summary", "expectedAt"]
