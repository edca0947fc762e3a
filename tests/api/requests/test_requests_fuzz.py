"""Any input to any mutation: never a 500, a refusal with code and path, and then nothing done."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_required_input_field,
)
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from tortoise.connection import get_connection

from api.resolvers.root import product_schema
from itr.access.operations.persons import create_person
from itr.actors.roles import Role
from itr.requests.terms import RequestStatus
from itr.settings import Settings
from tests.support.client import Answer
from tests.support.databases import contents
from tests.support.desk import FOUNDER, Desk, open_desk
from tests.support.requests import brought_to

SCHEMA: GraphQLSchema = product_schema()._schema
assert SCHEMA.mutation_type is not None
MUTATIONS = SCHEMA.mutation_type.fields
EXAMPLES = 400
ALMIGHTY = "almighty"
ACTING = (ALMIGHTY, "LINE1", "CUSTOMER", "PARTNER")
"""Who tries things; named by no input, or somebody would be sent away in the middle."""

words = st.one_of(
    st.sampled_from(
        ["", " ", "x", "路由器不通 no route 🚨", "\x00", "a\x1bb", "\u202e", "x" * 30_000]
    ),
    st.text(max_size=40),
)
instants = st.sampled_from(
    [
        "2026-03-02T01:00:00Z",
        "2030-01-01T00:00:00+08:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2026-12-31T23:59:60Z",
        "yesterday",
        "",
    ]
)
SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "String": words,
    "Boolean": st.booleans(),
    "Int": st.one_of(st.integers(-3, 9), st.integers(-(2**70), 2**70)),
    "Float": st.floats(),
    "DateTime": st.one_of(instants, st.datetimes().map(lambda at: f"{at.isoformat()}Z")),
    "Date": st.one_of(st.dates().map(str), st.sampled_from(["0000-00-00", "2026-02-29", ""])),
    "Duration": st.one_of(
        st.sampled_from(["PT4H", "-PT1S", "P1D", "PT999999999999H", "", "PT0.0000001S"]),
        st.integers(0, 10**6).map(lambda s: f"PT{s}S"),
    ),
    "Decimal": st.one_of(st.decimals().map(str), st.sampled_from(["1e999", "NaN", "0.005", ""])),
    "Long": st.integers(-(2**70), 2**70).map(str),
}
strange = st.one_of(st.none(), st.integers(), st.booleans(), st.lists(st.none(), max_size=2), words)


def values_of(kind: Any, ids: st.SearchStrategy[str], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that mostly fit a type of the schema."""
    if isinstance(kind, GraphQLNonNull):
        return values_of(kind.of_type, ids, depth)
    if isinstance(kind, GraphQLList):
        return st.lists(values_of(kind.of_type, ids, depth + 1), max_size=3)
    if isinstance(kind, GraphQLEnumType):
        return st.sampled_from([*kind.values, "NO_SUCH_VALUE"])
    if isinstance(kind, GraphQLInputObjectType):
        return inputs_of(kind, ids, depth + 1)
    return ids if kind.name == "ID" else SCALARS[kind.name]


def inputs_of(
    kind: GraphQLInputObjectType, ids: st.SearchStrategy[str], depth: int = 0
) -> st.SearchStrategy[Any]:
    """Input objects: what is required nearly always, one field now and then of a strange kind."""
    if depth > 3:
        return st.just({})

    @st.composite
    def build(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        spoilt = draw(st.sampled_from([*kind.fields, *[None] * (5 * len(kind.fields))]))
        for name, field in kind.fields.items():
            if name == "clientMutationId":
                continue
            if name == spoilt:
                given[name] = draw(strange)
            elif is_required_input_field(field) or draw(st.integers(0, 3)) == 0:
                given[name] = draw(values_of(field.type, ids, depth))
        return given

    return build()


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(portal: BlockingPortal, settings: Settings) -> Iterator[Desk]:
    with portal.wrap_async_context_manager(open_desk(settings)) as opened:
        portal.call(_furnish, opened)
        yield opened


async def _furnish(desk: Desk) -> None:
    """Requests in every state, and somebody of ours who may everything."""
    inside = set(Role) - {Role.CUSTOMER, Role.PARTNER}
    desk.ids[ALMIGHTY] = await create_person(
        FOUNDER, desk.ids["Shanghai"], ALMIGHTY, sorted(inside), now=desk.time.now
    )
    for status in RequestStatus:
        request = await brought_to(desk, status, queue="queueAll")
        desk.ids[f"request {status}"] = _uuid(request["id"])
    request = await brought_to(desk, "IN_PROGRESS", owner="PARTNER")
    desk.ids["request of PARTNER"] = _uuid(request["id"])


def _uuid(public: str) -> Any:
    from uuid import UUID

    return UUID(public.partition("_")[2])


def known_ids(desk: Desk) -> st.SearchStrategy[str]:
    """Ids of what there is, with the right prefix or another, and of what there is not."""
    requests = [f"req_{key.hex}" for name, key in desk.ids.items() if name.startswith("request ")]
    prefixes = {"queue": "que", "house": "slv", "router": "prd", "toaster": "prd", "office": "cal"}
    others = [
        next((short for word, short in prefixes.items() if name.startswith(word)), "per")
        + f"_{key.hex}"
        for name, key in desk.ids.items()
        if not name.startswith("request ") and name not in ACTING
    ]
    organisations = [f"org_{desk.ids[name].hex}" for name in ("Acme", "Bolt", "Firm", "Shanghai")]
    nowhere = ["", "req_", "req_" + "0" * 32, "\x00", "💥", "x" * 5000, "per_" + "f" * 32]
    return st.one_of(
        st.sampled_from(requests),
        st.sampled_from([*others, *organisations]),
        st.sampled_from(nowhere),
    )


_LATEST = "select coalesce(max(id), 0) as latest from event"
_SINCE = """
select actor_id, type, origin->>'client' as client, origin->>'address' as address
from event where id > $1
"""


async def _attempt(desk: Desk, who: str, name: str, value: Any) -> tuple[Answer, bool]:
    """The answer to one mutation, and whether anything changed; if so, the log tells of it."""
    kind = get_named_type(MUTATIONS[name].args["input"].type)
    document = f"""mutation($input: {kind}!) {{ {name}(input: $input) {{
        userErrors {{ path code message }} }} }}"""
    connection = get_connection("default")
    before = await contents(connection)
    latest = (await connection.execute_query_dict(_LATEST))[0]["latest"]
    body = json.dumps({"query": document, "variables": {"input": value}})
    answer = await desk.as_(who).post(body.encode())
    changed = await contents(connection) != before
    told = await connection.execute_query_dict(_SINCE, [latest])
    assert bool(told) == changed, (name, value, "changed and not told, or told and not changed")
    for fact in told:
        assert fact["actor_id"] == desk.ids[who], (name, fact)
        assert fact["client"], (name, fact)
        assert fact["address"], (name, fact)
    return answer, changed


def test_every_mutation_takes_one_input_and_answers_with_user_errors() -> None:
    """The API's convention, which the fuzz stands on."""
    for name, field in MUTATIONS.items():
        assert list(field.args) == ["input"], name
        payload = get_named_type(field.type)
        assert not isinstance(field.type, GraphQLNonNull), f"{name} cannot be null when FORBIDDEN"
        errors = payload.fields["userErrors"].type
        assert str(errors) == "[UserError!]!", name


def test_any_input_is_done_or_refused_and_a_refusal_changes_nothing(
    portal: BlockingPortal, desk: Desk
) -> None:
    """S17, S7; S16: and whatever changed has who did it and from where."""
    ids = known_ids(desk)
    attempts = st.sampled_from(sorted(MUTATIONS)).flatmap(
        lambda name: st.tuples(
            st.just(name),
            inputs_of(get_named_type(MUTATIONS[name].args["input"].type), ids),
            st.sampled_from([ALMIGHTY, "LINE1", *ACTING]),
        )
    )
    outcomes = {"done": 0, "refused": 0, "bad": 0, "forbidden": 0}

    @how(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(attempts)
    def attempt(each: tuple[str, Any, str]) -> None:
        name, value, who = each
        answer, changed = portal.call(_attempt, desk, who, name, value)
        assert answer.status in (200, 400), answer.content
        if answer.errors:
            (code,) = {each["extensions"]["code"] for each in answer.errors}
            assert code in ("BAD_INPUT", "FORBIDDEN"), (name, value, answer.body)
            assert not changed
            if code == "FORBIDDEN":
                assert answer.errors[0]["path"] == [name]
            outcomes["bad" if code == "BAD_INPUT" else "forbidden"] += 1
            return
        errors = answer.data[name]["userErrors"]
        assert not (errors and changed), (name, value, errors)
        for error in errors:
            assert error["path"][0] == "input", error
            assert error["message"], error
        outcomes["refused" if errors else "done"] += 1

    attempt()
    assert all(outcomes.values()), outcomes
