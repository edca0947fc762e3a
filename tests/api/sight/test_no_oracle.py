"""Nothing tells what may not be seen: ids, cursors, filters, verbs, all walked from the schema."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)
from tortoise.connection import get_connection

from api.app import create_app
from api.planner.declare import STORED, One
from api.planner.filters import target_class
from api.planner.schema import types_of
from api.planner.stored import stored_type
from api.resolvers.root import product_schema
from itr.actors.policy import GRANTS
from itr.actors.roles import Permission, Role
from itr.settings import Settings
from tests.support.client import Answer, Client, served
from tests.support.databases import contents
from tests.support.desk import Desk, open_desk
from tests.support.firms import lived, settled
from tests.support.whole_schema import PAGE, Whole, document, is_page, node_of

SCHEMA = product_schema()._schema
QUERY, MUTATION, SUBSCRIPTION = SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type
assert QUERY is not None
assert MUTATION is not None
assert SUBSCRIPTION is not None
OUTSIDE = {
    "contact A": Role.CUSTOMER,
    "technician A": Role.PARTNER,
    "BRANCH_MANAGER": Role.BRANCH_MANAGER,
}
MALFORMED = ["", "💥", "req_", "x" * 300]
HIDDEN = ("req", "per", "org", "clk", "evt", "que", "con", "prj", "hov")
"""Types of whose rows the other side's are asked for."""


@dataclass(frozen=True)
class Sides:
    """A desk with two of everything, and the ids of each side by type."""

    desk: Desk
    mine: dict[str, list[str]]
    theirs: dict[str, list[str]]
    made: dict[str, str]
    """This side's requests, by what was done with them."""

    @property
    def whole(self) -> Whole:
        """What can be asked, about this side."""
        return Whole(SCHEMA, self.mine, {})


async def _ids() -> dict[str, list[str]]:
    found = {}
    for key, entry in types_of(SCHEMA).stored.items():
        shown = entry.identity.shown.replace("{t}", "t")
        rows = await get_connection("default").execute_query_dict(
            f"select {shown} as id from {entry.table} t"
        )
        found[key] = [f"{key}_{row['id']}" for row in rows]
    return found


@pytest.fixture(scope="module")
async def sides(settings: Settings) -> AsyncIterator[Sides]:
    async with open_desk(settings) as desk:
        await settled(desk, "A", "Shanghai")
        made = await lived(desk, "A")
        mine = await _ids()
        await settled(desk, "B", "Beijing")
        await lived(desk, "B")
        both = await _ids()
        theirs = {key: [each for each in ids if each not in mine[key]] for key, ids in both.items()}
        yield Sides(desk, {key: ids for key, ids in mine.items() if ids}, theirs, made)


def needed(field: GraphQLField) -> Permission | None:
    """The permission a root field demands."""
    classes = field.extensions["strawberry-definition"].permission_classes
    return classes[0].needed if classes else None


def told(answer: Answer) -> Any:
    """An answer without what differs from one request to the next."""
    body = json.loads(answer.content)
    for error in body.get("errors", []):
        del error["extensions"]["requestId"]
    body.pop("extensions", None)
    return answer.status, body


def places(kind: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where ids stand in a value of a type; lists are passed through."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        for name, each in named.fields.items():
            if name not in at and len(at) < 4:
                yield from places(each.type, (*at, name))
    elif named.name == "ID":
        yield at


def put(kind: Any, value: Any, at: tuple[str, ...], id_: str) -> Any:
    """The value with an id at a place."""
    kind = get_nullable_type(kind)
    if is_list_type(kind):
        inner = value[0] if value else None
        return [put(kind.of_type, inner, at, id_)]
    if not at:
        return id_
    given = dict(value or {})
    part = kind.fields[at[0]]
    given[at[0]] = put(part.type, given.get(at[0]), at[1:], id_)
    return given


def fitting(sides: Sides, name: str, field: GraphQLField) -> dict[str, Any]:
    """Arguments of the right types, about this side's own."""
    given = next(sides.whole.arguments(field))
    about = {"Queue": "que", "Person": "per", "Role": "per", "Problem": "prb"}
    key = next((key for word, key in about.items() if word in name), "req")
    kinds = {"queueId": "que", "assigneeId": "per", "productId": "prd", "customerId": "org"}
    for argument, definition in field.args.items():
        for at in places(definition.type, (argument,)):
            known = kinds.get(at[-1], key)
            if argument in given and known in sides.mine and at[-1] in (given[argument] or {}):
                given[argument] = put(
                    definition.type, given[argument], at[1:], sides.mine[known][0]
                )
    return given


def inner_of(field: GraphQLField) -> str:
    """The least selection that shows what happened."""
    named: Any = get_named_type(field.type)
    if not is_composite_type(named):
        return ""
    if "userErrors" in getattr(named, "fields", {}):
        return "{ userErrors { path code message } }"
    return f"{{ {PAGE} nodes {{ id }} }}" if is_page(named) else "{ __typename }"


@dataclass(frozen=True)
class Taker:
    """A place in the arguments of a query or mutation where an id stands."""

    kind: str
    name: str
    field: GraphQLField
    least: dict[str, Any]
    at: tuple[str, ...]

    async def told(self, client: Client, id_: str) -> Any:
        """The answer with this id there."""
        argument = self.at[0]
        kind = self.field.args[argument].type
        value = put(kind, self.least.get(argument), self.at[1:], id_)
        given = {**self.least, argument: value}
        text = document(self.kind, self.name, self.field, given, inner_of(self.field))
        return told(await client.run(text, given))


def takers(sides: Sides, role: Role) -> Iterator[Taker]:
    """Every place where a role may give an id, but filters, which find nothing (S1)."""
    for kind, root in (("query", QUERY), ("mutation", MUTATION)):
        for name, field in root.fields.items():
            if needed(field) not in {None, *GRANTS[role]}:
                continue
            least = fitting(sides, name, field)
            filtered = {"filter", "orderBy"} if is_page(get_named_type(field.type)) else set()
            for argument in field.args.keys() - filtered:
                for at in places(field.args[argument].type, (argument,)):
                    yield Taker(kind, name, field, least, at)


@pytest.mark.parametrize("who", OUTSIDE)
async def test_no_id_tells_whether_there_is_such_a_thing(sides: Sides, who: str) -> None:
    """S2, R-ROLE-04: missing, another's, of another type, malformed, wherever an id is taken.

    Where an input has another fault that is looked at first, that one is told, of what is missing
    as of what is another's.
    """
    client, asked = sides.desk.as_(who), 0
    for taker in takers(sides, OUTSIDE[who]):
        answers = [await taker.told(client, each) for each in MALFORMED]
        for key in HIDDEN:
            answers.append(await taker.told(client, f"{key}_{'0' * 32}"))
            theirs = await taker.told(client, sides.theirs[key][0])
            assert theirs == answers[-1], (taker.name, taker.at, key)
        about = [each for each in answers if not _another_fault(each, taker.at)]
        assert about, (taker.name, taker.at)
        assert all(each == about[0] for each in about), (taker.name, taker.at, about)
        asked += 1
    assert asked > 5


def _another_fault(answer: Any, at: tuple[str, ...]) -> bool:
    """Whether something else was wrong that is looked at before the thing is looked for."""
    (payload,) = answer[1]["data"].values() if answer[1].get("data") else (None,)
    faults = payload.get("userErrors", []) if isinstance(payload, dict) else []
    return bool(faults) and at[-1] not in faults[0]["path"]


@pytest.mark.parametrize("who", OUTSIDE)
async def test_no_id_of_ours_tells_it_either_to_who_has_the_request_in_hand(
    sides: Sides, who: str
) -> None:
    """V8, S2: what stands in no list of theirs, be it nobody's secret, is as what is missing."""
    client, asked = sides.desk.as_(who), 0
    hidden = {key: id_ for key, ids in sides.mine.items() if (id_ := await _unseen(client, ids))}
    in_hand = sides.made["with partner" if "technician" in who else "waiting"]
    for taker in takers(sides, OUTSIDE[who]):
        if taker.kind == "query":
            continue
        least = {**taker.least, "input": {**taker.least["input"], **_about(taker, in_hand)}}
        about = replace(taker, least=least)
        for key, id_ in hidden.items():
            missing = await about.told(client, f"{key}_{'0' * 32}")
            assert await about.told(client, id_) == missing, (taker.name, taker.at, key)
            asked += 1
    assert asked > 5


async def _unseen(client: Client, ids: list[str]) -> str | None:
    """The first of these that `node` does not show."""
    for id_ in ids:
        answer = await client.run("query($id: ID!) { node(id: $id) { id } }", {"id": id_})
        if (answer.body.get("data") or {}).get("node") is None:
            return id_
    return None


def _about(taker: Taker, request_id: str) -> dict[str, str]:
    """The input's request, unless it is where the id goes."""
    named = "id" in taker.field.args["input"].type.of_type.fields
    return {"id": request_id} if named and taker.at != ("input", "id") else {}


@pytest.mark.parametrize("who", OUTSIDE)
async def test_no_id_tells_it_in_a_subscription_either(
    sides: Sides, settings: Settings, who: str
) -> None:
    """S2."""
    desk, ids = sides.desk, ["", "💥", "req_" + "0" * 32, *(sides.theirs[k][0] for k in HIDDEN)]
    assert SUBSCRIPTION is not None
    app = create_app(settings, clock=desk.time)
    async with (
        served(app, settings) as server,
        server.socket(desk.as_(who).token) as socket,
    ):
        for name, field in SUBSCRIPTION.fields.items():
            permission = needed(field)
            if permission is not None and permission not in GRANTS[OUTSIDE[who]]:
                continue
            for argument, definition in field.args.items():
                if get_named_type(definition.type).name != "ID":
                    continue
                seen = []
                for id_ in ids:
                    given = {argument: id_}
                    text = document("subscription", name, field, given, "{ __typename }")
                    await socket.subscribe(text, given)
                    answer = await socket.receive()
                    seen.append(_without_request(answer))
                    if answer["type"] == "next":
                        assert (await socket.receive())["type"] == "complete"
                assert all(each == seen[0] for each in seen), [
                    (i[:8], s) for i, s in zip(ids, seen, strict=True)
                ]
                assert "NOT_FOUND" in json.dumps(seen[0]) or "FORBIDDEN" in json.dumps(seen[0])


def _without_request(answer: dict[str, Any]) -> Any:
    payload = answer["payload"]
    errors = payload if isinstance(payload, list) else payload.get("errors", [])
    return answer["type"], [
        {**each, "extensions": {"code": each["extensions"]["code"]}} for each in errors
    ]


async def test_cursors_are_no_lever(sides: Sides) -> None:
    """S3: forged, another's, of another order; and never more than 100 rows."""
    mine, other = sides.desk.as_("LINE1"), sides.desk.as_("LINE2")
    used = 0
    for name, field in QUERY.fields.items():
        if not is_page(get_named_type(field.type)) or needed(field) not in GRANTS[Role.LINE1]:
            continue

        async def code(client: Any = mine, name: str = name, **given: Any) -> str:
            words = ", ".join(f"{key}: {value}" for key, value in given.items())
            return (await client.run(f"{{ {name}({words}) {{ nodes {{ id }} }} }}")).code

        for side in ("after", "before"):
            for forged in ("", "-1", "x", "💥", "MTA=", "A" * 5_000):
                assert await code(**{side: json.dumps(forged)}) == "BAD_CURSOR", (name, forged)
        for number in (-1, 101):
            for side in ("first", "last"):
                assert await code(**{side: number}) == "BAD_PAGE", (name, side, number)
        page = f"{{ {name}(first: 1) {{ edges {{ cursor }} }} }}"
        edges = (await other.run(page)).data[name]["edges"]
        if not edges:
            continue
        used += 1
        theirs = json.dumps(edges[0]["cursor"])
        assert await code(after=theirs) == "BAD_CURSOR", f"{name}: another's cursor is good"
        argument = field.args.get("orderBy")
        if argument is not None:
            own = json.dumps((await mine.run(page)).data[name]["edges"][0]["cursor"])
            kind: Any = get_named_type(argument.type)
            for each in get_named_type(kind.fields["field"].type).values:
                for direction in ("ASC", "DESC"):
                    order = f"[{{ field: {each}, direction: {direction} }}]"
                    if order == _own_order(field):
                        continue
                    assert await code(after=own, orderBy=order) == "BAD_CURSOR", (name, order)
    assert used > 5


def _own_order(field: GraphQLField) -> str:
    entry = stored_type(_origin(node_of(get_named_type(field.type))))
    if len(entry.order) != 1:
        return ""
    (name,) = entry.order
    direction = "DESC" if name.startswith("-") else "ASC"
    return f"[{{ field: {name.removeprefix('-').upper()}, direction: {direction} }}]"


def _origin(kind: Any) -> Any:
    return kind.extensions["strawberry-definition"].origin


async def test_nobody_filters_or_sorts_by_what_they_cannot_read(sides: Sides) -> None:
    """S4, R-ROLE-04: every field of every filter and order, for every role that sees the list."""
    refusals = {"FORBIDDEN": 0, "": 0}
    groups: dict[tuple[str, str, bool], str] = {}
    for name, field in QUERY.fields.items():
        if not is_page(get_named_type(field.type)):
            continue
        entry = stored_type(_origin(node_of(get_named_type(field.type))))
        for text, wanted in (*_filtered(sides, field, entry), *_ordered(field, entry)):
            for role in Role:
                if needed(field) not in GRANTS[role]:
                    continue
                lacks = not wanted <= GRANTS[role]
                if (name, text, lacks) in groups:
                    continue  # a role with the same answer has asked
                groups[name, text, lacks] = role
                answer = await sides.desk.as_(role).run(f"{{ {name}({text}) {{ totalCount }} }}")
                expected = "FORBIDDEN" if lacks else ""
                got = answer.code if answer.errors else ""
                assert got == expected, (role, name, text, answer.body)
                refusals[expected] += 1
    assert all(refusals.values()), refusals


def _filtered(sides: Sides, field: GraphQLField, entry: Any) -> Iterator[tuple[str, set[Any]]]:
    argument = field.args.get("filter")
    if argument is None:
        return
    kind: Any = get_named_type(argument.type)
    for name, part in kind.fields.items():
        if name in ("and", "or", "not"):
            continue
        of = entry.filter_class.__filter_of__
        wanted: set[Any] = set()
        if name in of.fields:
            each = entry.fields[of.fields[name]]
            declaration = each.metadata[STORED]
            wanted.add(declaration.permission)
            if isinstance(declaration.source, One):
                wanted.add(stored_type(target_class(each)).permission)
        comparator: Any = get_named_type(part.type)
        if not isinstance(comparator, GraphQLInputObjectType):
            yield f"filter: {{ {name}: true }}", wanted - {None}
        elif "isNull" in comparator.fields:
            yield f"filter: {{ {name}: {{ isNull: true }} }}", wanted - {None}
        else:
            yield f"filter: {{ or: [{{ {name}: {{}} }}] }}", wanted - {None}


def _ordered(field: GraphQLField, entry: Any) -> Iterator[tuple[str, set[Any]]]:
    argument = field.args.get("orderBy")
    if argument is None:
        return
    kind: Any = get_named_type(argument.type)
    fields = entry.order_class.__order_of__.fields
    by_name = {str(key).upper(): value for key, value in fields.items()}
    for name in get_named_type(kind.fields["field"].type).values:
        wanted = {entry.fields[by_name[name]].metadata[STORED].permission}
        yield f"orderBy: [{{ field: {name}, direction: ASC }}]", wanted - {None}


@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_a_role_without_the_permission_is_refused_and_does_nothing(
    sides: Sides, kind: str
) -> None:
    """R-ROLE-02: every query and mutation, every role."""
    root = QUERY if kind == "query" else MUTATION
    before = await contents(get_connection("default"))
    refused = 0
    for name, field in root.fields.items():
        permission = needed(field)
        if permission is None:
            continue
        given = fitting(sides, name, field)
        text = document(kind, name, field, given, inner_of(field))
        for role in Role:
            if permission in GRANTS[role]:
                continue
            answer = await sides.desk.as_(role).run(text, given)
            assert answer.code == "FORBIDDEN", (role, name, answer.body)
            assert answer.errors[0]["path"] == [name]
            refused += 1
    assert refused > 100
    assert await contents(get_connection("default")) == before


async def test_a_role_without_the_permission_follows_nothing(
    sides: Sides, settings: Settings
) -> None:
    """R-ROLE-02, S9: every subscription, every role."""
    desk, refused = sides.desk, 0
    assert SUBSCRIPTION is not None
    async with served(create_app(settings, clock=desk.time), settings) as server:
        for role in Role:
            lacking = {
                name: field
                for name, field in SUBSCRIPTION.fields.items()
                if needed(field) not in GRANTS[role]
            }
            if not lacking:
                continue
            async with server.socket(desk.as_(role).token) as socket:
                for name, field in lacking.items():
                    given = fitting(sides, name, field)
                    text = document("subscription", name, field, given, "{ __typename }")
                    await socket.subscribe(text, given)
                    answer = await socket.receive()
                    assert "FORBIDDEN" in json.dumps(answer["payload"]), (role, name, answer)
                    if answer["type"] == "next":
                        assert (await socket.receive())["type"] == "complete"
                    refused += 1
    assert refused > 10
