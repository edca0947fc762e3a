"""What a client may spend: told with every answer, counted before any work, the same everywhere."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
import pytest

from api.transport.budget import Budgets, Overdrawn
from itr.settings import Settings
from tests.api.throwaway import Counted, Desk
from tests.support.client import GRAPHQL_JSON, Answer, Client, Served, in_process, served

BUDGET = 50_000
PAGE = "{ items(first: 1000) { nodes { name } } }"
COST = 1 + 1000 * 2
TIMES, REST = divmod(BUDGET, COST)


def thrifty(settings: Settings, **changes: Any) -> Settings:
    """A budget for a few pages that hardly comes back."""
    return settings.model_copy(update={"cost_budget": BUDGET, "cost_per_second": 0.01, **changes})


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(thrifty(settings))


@pytest.fixture(scope="module")
async def server(desk: Desk) -> AsyncIterator[Served]:
    async with served(desk.app(), desk.settings) as running:
        yield running


@pytest.fixture
def client(server: Served, desk: Desk) -> Client:
    return server.client.having(desk.token(), language="en")


async def overdrawn(client: Client) -> None:
    """Let a client spend all it has."""
    for _ in range(TIMES):
        assert (await client.run(PAGE)).data


async def test_every_answer_says_what_it_cost_and_what_is_left(client: Client) -> None:
    """S5: `extensions.cost`, and the headers of the IETF's draft."""
    first, second = await client.run(PAGE), await client.run("{ hello }")

    assert first.body["extensions"]["cost"]["requested"] == COST
    assert first.body["extensions"]["cost"]["remaining"] == BUDGET - COST
    assert first.body["extensions"]["cost"]["resetAt"].endswith("Z")
    assert second.body["extensions"]["cost"]["requested"] == 1
    assert second.body["extensions"]["cost"]["remaining"] == BUDGET - COST - 1
    assert first.headers["ratelimit-policy"] == f'"cost";q={BUDGET};w={BUDGET * 100}'
    assert first.headers["ratelimit"] == f'"cost";r={BUDGET - COST};t={COST * 100}'
    assert "retry-after" not in first.headers


async def test_over_budget_nothing_is_done_and_the_answer_says_when_to_come_back(
    client: Client, server: Served, desk: Desk
) -> None:
    """S5: refused before any work; others are not touched."""
    await overdrawn(client)
    before = Counted.calls

    modern = await client.run(PAGE, accept=GRAPHQL_JSON)
    plain = await client.run(PAGE, accept="application/json")

    assert Counted.calls == before
    assert (modern.status, plain.status) == (429, 200)
    for answer in (modern, plain):
        assert answer.code == "RATE_LIMITED"
        assert "data" not in answer.body
        wait = answer.errors[0]["extensions"]["retryAfter"]
        assert 0 < wait <= COST * 100
        assert answer.headers["retry-after"] == str(wait)
        assert answer.body["extensions"]["cost"]["remaining"] < COST
    assert (await server.client.having(desk.token()).run(PAGE)).data


async def test_what_is_refused_costs_nothing_and_what_is_not_valid_is_paid_for(
    client: Client,
) -> None:
    """V1: finding out that a document is not valid is work, and work is charged before it."""
    for query in ("{", "{ items(first: 99999) { nodes { name } } }"):
        assert "extensions" not in (await client.run(query)).body

    assert (await client.run("{ nothing }")).code == "GRAPHQL_VALIDATION_FAILED"
    assert (await client.run("{ hello }")).body["extensions"]["cost"]["remaining"] == BUDGET - 2


async def test_sockets_spend_the_same_units(server: Served, desk: Desk) -> None:
    """S5."""
    actor = desk.person("Wu")
    token = desk.token(actor)
    async with server.socket(token) as ours:
        answers = [await ours.ask(PAGE) for _ in range(TIMES)]
        refused = await ours.ask(PAGE)
        still = await ours.ask("{ hello }")

    assert answers[-1]["extensions"]["cost"]["remaining"] == BUDGET - TIMES * COST
    assert refused[0]["extensions"]["code"] == "RATE_LIMITED"
    assert refused[0]["extensions"]["retryAfter"] > 0
    assert still["data"] == {"hello": "hello"}
    assert (await server.client.having(token).run(PAGE)).code == "RATE_LIMITED"


async def test_streams_spend_the_same_units(client: Client) -> None:
    """S5."""
    await overdrawn(client)

    async with client.events(PAGE) as events:
        heard = [one async for one in events if one.kind != "comment"]

    assert [one.kind for one in heard] == ["next", "complete"]
    assert heard[0].body["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


@pytest.mark.parametrize("transport", ["socket", "stream"])
async def test_events_of_a_subscription_are_paid_for_too(
    server: Served, desk: Desk, transport: str
) -> None:
    """S5: when the budget is used up the operation ends, and the connection does not."""
    token = desk.token(desk.person("Zheng"))
    client = server.client.having(token)
    await overdrawn(client)
    left = 5
    page = f"{{ items(first: {(REST - left - 1) // 2}) {{ nodes {{ name }} }} }}"
    assert (await client.run(page)).body["extensions"]["cost"]["remaining"] == left
    query = "subscription { count(to: 1000) }"

    if transport == "stream":
        async with client.events(query) as events:
            results = [one.body async for one in events if one.kind == "next"]
    else:
        async with server.socket(token) as ours:
            await ours.subscribe(query)
            messages = [await ours.receive()]
            while messages[-1]["type"] == "next":
                messages.append(await ours.receive())
            results = [one["payload"] for one in messages if one["type"] == "next"]
            assert messages[-1]["type"] == "complete"
            await ours.send({"type": "ping"})
            assert (await ours.receive())["type"] == "pong"

    *events_heard, last = results
    assert last["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert [one["data"]["count"] for one in events_heard] == list(range(left - 1))
    assert [one["extensions"]["cost"]["remaining"] for one in events_heard] == [3, 2, 1, 0]


async def test_all_processes_together_give_out_what_the_bucket_holds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S5: also when they are asked at once, however long Valkey takes on a busy machine."""
    monkeypatch.setattr("api.transport.budget._PATIENCE", 30)
    token = desk.token(desk.person("Feng"))
    async with in_process(desk.app()) as one, in_process(desk.app()) as two:
        asked = [each.having(token).run(PAGE) for each in (one, two) * TIMES]
        answers: list[Answer] = await asyncio.gather(*asked)

    assert len([each for each in answers if "errors" not in each.body]) == TIMES


async def test_without_valkey_each_process_counts_for_itself(settings: Settings) -> None:
    desk = Desk(thrifty(settings, valkey_url="valkey://127.0.0.1:1/0"))
    async with in_process(desk.app()) as anybody:
        client = anybody.having(desk.token())
        await overdrawn(client)

        assert (await client.run(PAGE)).code == "RATE_LIMITED"


async def test_slices_are_spent_before_the_bucket_is_asked_again(valkey_url: str) -> None:
    """Small operations ask Valkey now and then, and never spend more than there is."""
    budgets = Budgets(capacity=BUDGET, per_second=0.001)
    async with budgets.shared(valkey_url):
        drawn, draws = budgets._draw_shared, []
        assert drawn is not None

        async def counted(**given: Any) -> Any:
            draws.append(given["args"][0])
            return await drawn(**given)

        budgets._draw_shared = counted
        client = uuid4().hex
        for _ in range(BUDGET):
            await budgets.spend(client, 1)
        with pytest.raises(Overdrawn) as refused:
            await budgets.spend(client, 1)

    assert refused.value.standing.remaining == 0
    assert refused.value.retry_after == pytest.approx(1000, abs=1)
    assert len(draws) < 300


async def test_what_was_spent_comes_back(valkey_url: str) -> None:
    """A bucket leaks: as much as it holds is back within a moment here."""
    budgets, client = Budgets(capacity=BUDGET, per_second=10**9), uuid4().hex
    async with budgets.shared(valkey_url):
        for _ in range(50):
            await budgets.spend(client, BUDGET)


EXPLAIN = """query ($document: String!, $variables: String) {
    cost(document: $document, variables: $variables) {
        requested limit depth aliases refusal paths { path times cost } } }"""
DEEP = """query ($n: Int!) { requests(first: $n) { nodes { ...R } pageInfo { endCursor } } }
    fragment R on ServiceRequest { id clocks { state: state } }"""


async def explained(client: Client, document: str, variables: object = None) -> Answer:
    """Ask what a document costs."""
    given = orjson.dumps(variables).decode() if variables is not None else None
    return await client.run(EXPLAIN, {"document": document, "variables": given})


@pytest.fixture(scope="module")
async def product(settings: Settings) -> AsyncIterator[Client]:
    from api.app import create_app

    desk = Desk(settings)
    app = create_app(settings, load_actor=desk.load_actor)
    async with in_process(app) as anybody:
        yield anybody.having(desk.token(), language="en")


async def test_a_document_is_explained_by_path(product: Client) -> None:
    """S5: what is told is what is charged."""
    told = (await explained(product, DEEP, {"n": 10})).data["cost"]
    run = await product.run(DEEP, {"n": 10})

    assert told == {
        "requested": 101,
        "limit": 50_000,
        "depth": 4,
        "aliases": 1,
        "refusal": None,
        "paths": [
            {"path": "requests", "times": 1, "cost": 101},
            {"path": "requests.nodes", "times": 10, "cost": 80},
            {"path": "requests.nodes.id", "times": 10, "cost": 10},
            {"path": "requests.nodes.clocks", "times": 10, "cost": 60},
            {"path": "requests.nodes.clocks.state", "times": 50, "cost": 50},
            {"path": "requests.pageInfo", "times": 10, "cost": 20},
            {"path": "requests.pageInfo.endCursor", "times": 10, "cost": 10},
        ],
    }
    assert run.body["extensions"]["cost"]["requested"] == told["requested"]


async def test_a_document_that_is_too_dear_says_why(product: Client) -> None:
    doubled = " ".join(
        f"fragment F{one} on Query {{ ...F{one + 1} ...F{one + 1} }}" for one in range(30)
    )
    document = f"{{ ...F0 }} {doubled} fragment F30 on Query {{ viewer {{ roles }} }}"

    told = (await explained(product, document)).data["cost"]

    assert told["refusal"].startswith("The query is too complex: fields at the root")
    assert told["requested"] == 2**31 - 1
    assert len(told["paths"]) == 500


@pytest.mark.parametrize(
    ("document", "variables", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer { roles } }", [], "BAD_INPUT"),
        ("query A { viewer { roles } } query B { viewer { roles } }", None, "UNKNOWN_OPERATION"),
    ],
)
async def test_what_cannot_be_explained_is_an_error(
    product: Client, document: str, variables: object, code: str
) -> None:
    answer = await explained(product, document, variables)

    assert answer.code == code
    assert answer.errors[0]["path"] == ["cost"]
