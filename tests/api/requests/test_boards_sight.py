"""What a board shows whom: figures to a wallboard, nothing to others, no more work for many."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
)

from api.app import create_app
from api.oauth.tokens import issue_token
from api.planner.declare import declaration_of
from api.planner.schema import types_of
from api.planner.stored import stored_type
from api.resolvers.root import product_schema
from api.schema.requests.boards import SlaBoardEntry
from itr.access.operations.persons import create_person
from itr.actors.policy import GRANTS
from itr.actors.roles import Permission, Role
from itr.database import connected
from itr.read_pool import ReadPool
from itr.settings import Settings
from tests.support.boards import SHORT, board, entry_id, following, told
from tests.support.client import Served, Socket, served
from tests.support.desk import FOUNDER, START, Desk, Time, furnish
from tests.support.requests import brought_to, do, submitted

PERSONAL = (
    "路由器不通",
    "从今天早上起",
    "Acme",
    "Bolt",
    "colleague",
    "LINE1",
    "备用链路",
    "router",
)
"""What people wrote, and the names of people, firms and things, in this module's requests."""


@pytest.fixture(scope="module")
async def hall(settings: Settings) -> AsyncIterator[tuple[Desk, Served]]:
    async with connected(settings):
        ids = await furnish(START)
        time = Time()
        async with served(create_app(settings, clock=time), settings) as server:
            yield Desk(settings, server.client, time, ids), server


def token(desk: Desk, name: str) -> str:
    found = desk.as_(name).token
    assert found is not None
    return found


def everything(
    schema: GraphQLSchema, kind: GraphQLNamedType, met: tuple[str, ...] = (), deep: int = 4
) -> str:
    """A selection of every field there is, of everything below it, to a depth."""
    if isinstance(kind, GraphQLUnionType):
        parts = (f"... on {each.name} {everything(schema, each, met, deep)}" for each in kind.types)
        return f"{{ __typename {' '.join(parts)} }}"
    assert isinstance(kind, GraphQLObjectType)
    chosen = ["__typename"]
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if not isinstance(inner, GraphQLObjectType | GraphQLUnionType):
            chosen.append(name)
        elif deep and inner.name not in met and not inner.name.endswith("Connection"):
            chosen.append(f"{name} {everything(schema, inner, (*met, kind.name), deep - 1)}")
    return f"{{ {' '.join(chosen)} }}"


async def test_a_wallboard_that_asks_for_everything_gets_numbers_and_figures_only(
    hall: tuple[Desk, Served],
) -> None:
    """R-ROLE-03, R-ROLE-06: the schema is walked, so that a new field is covered the day it is."""
    desk, server = hall
    request = await brought_to(desk, "RESTORED")
    schema = product_schema()._schema
    message = schema.get_type("SlaBoardMessage")
    assert message is not None
    wanted = everything(schema, message, deep=2)
    assert "request {" in wanted
    assert "title" in wanted

    seen: list[dict[str, Any]] = []
    for who in ("WALLBOARD", "LINE1"):
        async with following(
            server, token(desk, who), f"subscription {{ slaBoard {wanted} }}"
        ) as socket:
            seen.append((await socket.receive())["payload"])
            await do(desk, "LINE1", "noteOnRequest", id=request["id"], text="路由器不通")
            seen.append((await socket.receive())["payload"])
    first, changed, inside, _ = seen

    for told_to_all in (first, changed):
        text = orjson.dumps(told_to_all["data"]).decode()
        assert request["number"] in text
        assert not [each for each in PERSONAL if each in text]
        withheld = told_to_all["extensions"]["withheld"]
        assert "errors" not in told_to_all
        assert {each["permission"] for each in withheld} == {"READ_REQUESTS"}
        assert {each["path"][-1] for each in withheld} == {"request"}
    assert "路由器不通" in orjson.dumps(inside["data"]).decode()


async def test_what_is_withheld_is_told_alike_on_every_transport(
    hall: tuple[Desk, Served],
) -> None:
    """HTTP, WebSocket and SSE: null without an error, and the permission beside the data."""
    desk, server = hall
    query = "{ persons(first: 2) { nodes { name roles } } }"
    client = server.client.having(token(desk, "QUALITY_CONTROLLER"))

    by_http = (await client.run(query)).body
    async with following(server, token(desk, "QUALITY_CONTROLLER"), query) as socket:
        by_socket = (await socket.receive())["payload"]
    async with client.events(query) as events:
        heard = [one.body async for one in events if one.kind == "next"]

    withheld = [{"path": ["persons", "nodes", "roles"], "permission": "MANAGE_PEOPLE"}]
    for body in (by_http, by_socket, *heard):
        assert "errors" not in body
        assert body["data"] == by_http["data"]
        assert body["extensions"]["withheld"] == withheld


async def test_what_a_wallboard_may_ask_leads_to_no_person(hall: tuple[Desk, Served]) -> None:
    """R-ROLE-02, R-ROLE-03: each query, each node; all a wallboard finds are its entries."""
    desk, _ = hall
    request = await submitted(desk)
    wallboard = desk.as_("WALLBOARD")
    plain = request["id"].removeprefix("req_")
    ids = [f"{key}_{each.hex}" for key in ("org", "per", "prd") for each in desk.ids.values()]

    found = await wallboard.run(
        "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }",
        {"ids": [f"brd_{plain}", f"req_{plain}", *ids[:90]]},
    )
    demanded = {
        name: {each.needed for each in field.extensions["strawberry-definition"].permission_classes}
        for name, field in product_schema()._schema.query_type.fields.items()  # type: ignore[union-attr]
    }

    there = [each for each in found.data["nodes"] if each is not None]
    assert there == [{"__typename": "SlaBoardEntry", "id": f"brd_{plain}"}]
    may = GRANTS[Role.WALLBOARD]
    assert [name for name, needed in demanded.items() if needed and needed <= may] == ["slaFigures"]


async def test_a_token_for_boards_finds_no_more_than_a_wallboard_does(
    hall: tuple[Desk, Served],
) -> None:
    """R-ROLE-02: scopes narrow, by whatever id something is asked for."""
    desk, server = hall
    request = await submitted(desk)
    inside = desk.as_("LINE1")
    parts = "{ clocks { id } timeline(first: 2) { nodes { id } } customer { id } contact { id } }"
    asked = f"query($id: ID!) {{ node(id: $id) {{ ... on ServiceRequest {parts} }} }}"
    seen = (await inside.run(asked, {"id": request["id"]})).data["node"]
    ids = [
        request["id"],
        seen["customer"]["id"],
        seen["contact"]["id"],
        desk.public("prd", "router"),
    ]
    ids += [each["id"] for each in (*seen["clocks"], *seen["timeline"]["nodes"])]
    everything = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    assert None not in (await inside.run(everything, {"ids": ids})).data["nodes"]

    narrow = issue_token(desk.settings, desk.ids["LINE1"], scope="itr:board", now=desk.time.now)
    found = await server.client.having(narrow).run(everything, {"ids": ids})

    assert found.data["nodes"] == [None] * len(ids)
    entries = types_of(product_schema()._schema).stored.values()
    open_to_all = [each.name for each in entries if not (each.permission or each.found_with)]
    assert open_to_all == [], "what is found by its id demands a permission"


@pytest.mark.parametrize("who", ["CUSTOMER", "PARTNER", "CATALOGUE_MANAGER", "ADMIN"])
async def test_who_may_not_read_boards_is_refused(hall: tuple[Desk, Served], who: str) -> None:
    """R-ROLE-02: by the one table, whatever rows there are."""
    desk, server = hall
    assert Permission.READ_BOARD not in GRANTS[Role(who)]
    request = await submitted(desk)

    async with following(server, token(desk, who), SHORT) as socket:
        frame = await socket.receive()
    node = await desk.as_(who).run(
        "query($id: ID!) { node(id: $id) { id } }", {"id": entry_id(request)}
    )

    assert frame["payload"]["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert node.data["node"] is None


async def test_a_branch_sees_its_own_and_hears_nothing_of_others(hall: tuple[Desk, Served]) -> None:
    """S1, R-ROLE-03: rows, changes, and figures alike."""
    desk, server = hall
    figures = "subscription { slaFigures { open lines { line open } } }"
    async with (
        following(server, token(desk, "beijing"), SHORT) as rows,
        following(server, token(desk, "beijing"), figures) as counts,
    ):
        before = await told(rows)
        none = await told(counts)
        theirs = await brought_to(desk, "IN_PROGRESS")
        await do(desk, "LINE1", "noteOnRequest", id=theirs["id"], text="x")
        ours = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
        changed, more = await told(rows), await told(counts)

    assert before["entries"] == []
    assert none["open"] == 0
    assert changed["entry"]["number"] == ours["number"]
    assert more["open"] == 1
    await do(desk, "bolt", "cancelRequest", id=ours["id"], reason="gone")


async def test_no_filter_of_boards_says_what_cannot_be_read(hall: tuple[Desk, Served]) -> None:
    """S4: all that boards filter by, they show; what is out of sight is as what is not there."""
    desk, server = hall
    await submitted(desk)
    entry = stored_type(SlaBoardEntry)
    assert entry.filter_class is not None
    fields = entry.filter_class.__filter_of__.fields.values()  # type: ignore[attr-defined]
    assert {declaration_of(entry.fields[name]).permission for name in fields} == {None}

    async def seen(who: str, filter: dict[str, Any]) -> list[Any]:
        async with following(server, token(desk, who), SHORT, filter=filter) as socket:
            entries: list[Any] = (await told(socket))["entries"]
            return entries

    acme, nobody = desk.public("org", "Acme"), "org_" + "0" * 32
    assert await seen("beijing", {"customerId": {"eq": acme}}) == []
    assert await seen("beijing", {"not": {"customerId": {"eq": acme}}}) == await seen(
        "beijing", {"not": {"customerId": {"eq": nobody}}}
    )
    assert await seen("WALLBOARD", {"customerId": {"eq": acme}}) != []


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """The statements that go to pools while the block runs."""
    statements: Counter[str] = Counter()
    with monkeypatch.context() as patched:
        for name in ("fetch", "fetchrow", "fetchval"):
            asked = getattr(ReadPool, name)

            def count(
                pool: Any, query: str, *arguments: Any, _asked: Any = asked, **options: Any
            ) -> Any:
                statements[query] += 1
                return _asked(pool, query, *arguments, **options)

            patched.setattr(ReadPool, name, count)
        yield statements


async def test_five_hundred_equal_wallboards_cost_what_one_costs(
    hall: tuple[Desk, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decision 5: one computation per change for equal document, variables and scope."""
    desk, server = hall
    request = await submitted(desk)
    names = [f"wall {number}" for number in range(6)]
    for name in names:
        desk.ids[name] = await create_person(
            FOUNDER, desk.ids["Shanghai"], name, [Role.WALLBOARD], now=desk.time.now
        )
    entry = board("number risk clocks { thread remaining }")
    monkeypatch.setattr("api.transport.source.SHARED_SECONDS", 60.0)  # however slow the machine

    async with AsyncExitStack() as opened:
        sockets = [await opened.enter_async_context(server.socket(token(desk, it))) for it in names]
        with counted(monkeypatch) as statements:
            await asyncio.gather(*(_hung(socket, entry, 84) for socket in sockets))
        assert statements.total() == 3  # what the source knows, the snapshot, its entries

        with counted(monkeypatch) as statements:
            await do(desk, "LINE1", "respondToRequest", id=request["id"], text="ok")
            heard = await asyncio.gather(*(_heard(socket, 84) for socket in sockets))

    assert {len(each) for each in heard} == {84}
    assert len({orjson.dumps(message) for each in heard for message in each}) == 1
    assert heard[0][0]["entry"]["number"] == request["number"]
    assert statements.total() == 3  # the look, the entry, and the mutation's own answer


async def _hung(socket: Socket, document: str, times: int) -> None:
    for _ in range(times):
        await socket.subscribe(document)
    for _ in range(times):
        await told(socket)


async def _heard(socket: Socket, times: int) -> list[dict[str, Any]]:
    return [await told(socket) for _ in range(times)]


async def test_what_depends_on_the_person_is_not_shared(hall: tuple[Desk, Served]) -> None:
    """R-ROLE-07: equal scope, equal permissions, and yet only the owner can deliver."""
    desk, server = hall
    request = await brought_to(desk, "IN_PROGRESS")
    entry = board("number request { viewerCan }")
    only = {"id": {"eq": entry_id(request)}}

    async with (
        following(server, token(desk, "LINE1"), entry, filter=only) as owner,
        following(server, token(desk, "second"), entry, filter=only) as other,
    ):
        first = [(await told(each))["entries"][0] for each in (owner, other)]
        await do(desk, "LINE1", "respondToRequest", id=request["id"], text="ok")
        then = [(await told(each))["entry"] for each in (owner, other)]

    for mine, theirs in (first, then):
        assert mine["number"] == theirs["number"]
        assert "DELIVER" in mine["request"]["viewerCan"]
        assert "DELIVER" not in theirs["request"]["viewerCan"]


async def test_what_happens_to_other_customers_costs_a_customers_board_nothing(
    hall: tuple[Desk, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1, S10: a request stays its customer's, so that no statement is asked for another's."""
    desk, server = hall
    ours = await submitted(desk)
    theirs = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
    acme = {"customerId": {"in": [desk.public("org", "Acme")]}}
    filters = [acme, {"and": [{"priority": {"eq": "P3"}}, acme]}, {"not": acme}, {"or": [acme]}]

    async with AsyncExitStack() as opened:
        sockets = [
            await opened.enter_async_context(
                following(server, token(desk, "WALLBOARD"), SHORT, filter=each)
            )
            for each in filters
        ]
        for each in sockets:
            await told(each)
        with counted(monkeypatch) as statements:
            await do(desk, "LINE1", "noteOnRequest", id=theirs["id"], text="x")
            elsewhere = await told(sockets[2])
            asked = sum(number for text, number in statements.items() if "as version" in text)
        await do(desk, "LINE1", "noteOnRequest", id=ours["id"], text="x")
        heard = [await told(sockets[place]) for place in (0, 1, 3)]

    assert asked <= 2  # of those that may show it; what an `or` keeps is not looked into
    assert elsewhere["entry"]["number"] == theirs["number"]
    assert {each["entry"]["number"] for each in heard} == {ours["number"]}
    await do(desk, "bolt", "cancelRequest", id=theirs["id"], reason="gone")
