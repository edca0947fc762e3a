"""Who uses what: by field and argument, by document, by client."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tortoise.connection import get_connection

from api.app import create_app
from api.resolvers.root import product_schema
from api.transport.schema import GuardedSchema
from itr.settings import Settings
from itr.trusted_documents.operations import KEPT, MOST_DOCUMENTS, count_uses, forget_old_usage
from tests.api.throwaway import Desk
from tests.support.client import Client, in_process

DOCUMENT = """query Mine($n: Int!) { viewer { roles } ...Q }
fragment Q on Query { requests(first: $n) { nodes { number __typename } } }"""
FIELDS = """query ($coordinates: [String!], $client: String, $gone: Boolean! = false) {
    fieldUsage(coordinates: $coordinates, clientId: $client, deprecated: $gone) {
        coordinate clientId uses deprecated } }"""
DOCUMENTS = """query ($client: String) { documentUsage(clientId: $client) {
    name sha256 clientId uses trusted } }"""


@pytest.fixture(scope="module")
def schema() -> GuardedSchema:
    return product_schema()


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(settings)


@pytest.fixture(scope="module")
async def client(desk: Desk, schema: GuardedSchema) -> AsyncIterator[Client]:
    app = create_app(desk.settings, schema=schema, load_actor=desk.load_actor)
    async with in_process(app) as anybody:
        yield anybody


async def used(asked: Client, desk: Desk, **variables: Any) -> list[dict[str, Any]]:
    """What a planner is told."""
    from itr.actors.roles import Role

    planner = asked.having(desk.token(desk.person("Plan", Role.PROCESS_MANAGER)))
    found: list[dict[str, Any]] = (await planner.run(FIELDS, variables)).data["fieldUsage"]
    return found


async def test_what_clients_ask_for_is_counted_by_field_and_argument(
    client: Client, desk: Desk, schema: GuardedSchema
) -> None:
    asking = client.having(desk.token(desk.person(), client_id="app-one"))
    for n in (1, 2, 3):
        assert (await asking.run(DOCUMENT, {"n": n})).data
    await asking.run("{ nothing }")
    await schema.usage.flush()

    rows = await used(client, desk, client="app-one")

    assert {row["coordinate"]: row["uses"] for row in rows} == {
        "Query.requests": 3,
        "Query.requests(first:)": 3,
        "Query.viewer": 3,
        "RequestConnection.nodes": 3,
        "ServiceRequest.number": 3,
        "Viewer.roles": 3,
    }
    assert {row["clientId"] for row in rows} == {"app-one"}


async def test_counts_add_up_over_flushes_and_documents(
    client: Client, desk: Desk, schema: GuardedSchema
) -> None:
    asking = client.having(desk.token(desk.person(), client_id="app-two"))
    for query in ("{ viewer { roles } }", "query Other { viewer { permissions } }"):
        assert (await asking.run(query)).data
        await schema.usage.flush()

    rows = await used(client, desk, client="app-two", coordinates=["Query.viewer"])

    assert [(row["coordinate"], row["uses"]) for row in rows] == [("Query.viewer", 2)]


async def test_documents_are_counted_by_client(
    client: Client, desk: Desk, schema: GuardedSchema
) -> None:
    from itr.actors.roles import Role

    asking = client.having(desk.token(desk.person(), client_id="app-three"))
    assert (await asking.run(DOCUMENT, {"n": 1})).data
    await schema.usage.flush()
    planner = client.having(desk.token(desk.person("Plan", Role.ADMIN)))

    (row,) = (await planner.run(DOCUMENTS, {"client": "app-three"})).data["documentUsage"]

    assert row["name"] == "Mine"
    assert len(row["sha256"]) == 64
    assert (row["uses"], row["trusted"]) == (1, False)


async def test_only_planners_are_told(client: Client, desk: Desk) -> None:
    asking = client.having(
        desk.token(
            desk.person(
                "Line",
            )
        )
    )

    assert (await asking.run(FIELDS)).code == "FORBIDDEN"
    assert (await asking.run(DOCUMENTS)).code == "FORBIDDEN"


async def test_a_database_that_is_away_loses_no_count(
    client: Client, desk: Desk, schema: GuardedSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.transport import usage

    asking = client.having(desk.token(desk.person(), client_id="app-four"))
    assert (await asking.run("{ viewer { roles } }")).data

    async def away(*_: object, **__: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(usage, "count_uses", away)
        await schema.usage.flush()
    assert (await asking.run("{ viewer { roles } }")).data
    await schema.usage.flush()

    rows = await used(client, desk, client="app-four", coordinates=["Viewer.roles"])
    assert [row["uses"] for row in rows] == [2]


async def test_a_client_that_sends_a_new_document_each_time_fills_no_table(
    client: Client, desk: Desk, schema: GuardedSchema
) -> None:
    """R7: neither in memory nor over a day; others are counted meanwhile, and so are fields."""
    flood = client.having(desk.token(desk.person("Flood"), client_id="app-flood"))
    other = client.having(desk.token(desk.person("Calm"), client_id="app-calm"))
    for number in range(210):
        assert (await flood.run(f"query Q{number} {{ viewer {{ roles }} }}")).data
    assert (await other.run("{ viewer { roles } }")).data
    await schema.usage.flush()

    assert await rows_of("app-flood") == 200
    assert await rows_of("app-calm") == 1
    (seen,) = await used(client, desk, client="app-flood", coordinates=["Viewer.roles"])
    assert seen["uses"] == 210


async def test_of_one_client_only_so_many_documents_are_told_apart_on_a_day(
    client: Client,
) -> None:
    """R7: whatever processes and flushes there are; what is known is counted on."""
    now = datetime.now(UTC)
    for flush in range(3):
        new = {("app-day", f"{flush}-{number}", "Q"): 1 for number in range(400)}
        await count_uses(new | {("app-day", "0-1", "Q"): 5}, {}, now=now)
    await count_uses({("app-other-day", "0-1", "Q"): 5}, {}, now=now)

    assert await rows_of("app-day") == MOST_DOCUMENTS
    assert await rows_of("app-other-day") == 1
    known = await get_connection("default").execute_query_dict(
        "select uses from document_use where client_id = 'app-day' and sha256 = '0-1'"
    )
    assert known[0]["uses"] == 15


async def rows_of(client_id: str) -> int:
    """How many documents are kept of a client."""
    found = await get_connection("default").execute_query_dict(
        "select count(*) as number from document_use where client_id = $1", [client_id]
    )
    return int(found[0]["number"])


async def test_what_was_counted_more_than_a_year_ago_is_forgotten(client: Client) -> None:
    now = datetime.now(UTC)
    key = {("app-old", "Query.viewer"): 1}
    await count_uses({}, key, now=now - KEPT - timedelta(days=1))
    await count_uses({}, key, now=now)

    await forget_old_usage(now)

    rows = await get_connection("default").execute_query_dict(
        "select day from field_use where client_id = 'app-old'"
    )
    assert [row["day"] for row in rows] == [now.date()]
