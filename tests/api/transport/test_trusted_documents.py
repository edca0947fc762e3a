"""Documents known by their SHA-256, on every transport; and what is used, by whom."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.trusted_documents import register
from itr.actors.actor import Actor
from itr.actors.roles import OrganisationKind, Role
from itr.settings import Settings, WrongSettings
from itr.trusted_documents.operations import Named, add_documents
from itr.trusted_documents.policy import needs_trusted_documents
from itr.trusted_documents.rules import BadManifest, Listed, listed, sha256_of
from tests.api.throwaway import Counted, Desk
from tests.support.client import Answer, Client, Served, served
from tests.support.desk import FOUNDER

HELLO = "query Hello { hello }"
ADD = 'mutation Add { add(text: "x") }'
COUNT = "subscription Count { count(to: 2) }"


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(settings)


@pytest.fixture(scope="module")
async def server(desk: Desk) -> AsyncIterator[Served]:
    async with served(desk.app(), desk.settings) as running:
        for client in ("board", "firm"):
            await trust(client, HELLO, ADD, COUNT)
        yield running


async def trust(client_id: str, *documents: str) -> None:
    """Register documents, each with an id of a build tool."""
    named = [Named(Listed(f"id-{body.split()[1]}", body), body.split()[1]) for body in documents]
    await add_documents(client_id, named, now=datetime.now(UTC))


@pytest.fixture
def board(server: Served, desk: Desk) -> Client:
    """A wallboard."""
    token = desk.token(desk.person("Board", Role.WALLBOARD), client_id="board")
    return server.client.having(token, language="en")


@pytest.fixture
def developer(server: Served, desk: Desk) -> Client:
    return server.client.having(desk.token(), language="en")


async def post(client: Client, **body: Any) -> Answer:
    """Send exactly this body."""
    return await client.post(orjson.dumps(body))


def hashed(document: str) -> dict[str, Any]:
    """How Apollo's clients name a document."""
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256_of(document)}}


@pytest.mark.parametrize(
    "body",
    [
        {"extensions": hashed(HELLO)},
        {"documentId": f"sha256:{sha256_of(HELLO)}"},
        {"documentId": "id-Hello"},
        {"query": HELLO},
        {"query": HELLO, "extensions": hashed(HELLO)},
        {"query": "", "documentId": "id-Hello", "operationName": "Hello"},
    ],
)
async def test_a_registered_document_runs_however_it_is_named(
    board: Client, body: dict[str, Any]
) -> None:
    answer = await post(board, **body)

    assert answer.data == {"hello": "hello"}


async def test_a_registered_document_can_be_fetched_with_get(board: Client) -> None:
    extensions = orjson.dumps(hashed(HELLO)).decode()

    assert (await board.get(extensions=extensions)).data == {"hello": "hello"}
    assert (await board.get(documentId="id-Hello")).data == {"hello": "hello"}
    assert (await board.get(documentId="id-Add")).status == 405


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        ({"query": "{ me }"}, "DOCUMENT_NOT_TRUSTED", 403),
        ({"query": HELLO + " "}, "DOCUMENT_NOT_TRUSTED", 403),
        ({"query": "{ me }", "extensions": hashed("{ me }")}, "DOCUMENT_NOT_TRUSTED", 403),
        ({"query": "{ me }", "extensions": hashed(HELLO)}, "DOCUMENT_MISMATCH", 400),
        ({"query": "{ me }", "documentId": "id-Hello"}, "DOCUMENT_NOT_TRUSTED", 403),
        ({"extensions": hashed("{ me }")}, "PERSISTED_QUERY_NOT_FOUND", 400),
        ({"documentId": "id-Nothing"}, "PERSISTED_QUERY_NOT_FOUND", 400),
        ({"documentId": "x" * 201}, "BAD_BODY", 400),
        ({"documentId": 5}, "BAD_BODY", 400),
        ({"documentId": "a\0"}, "BAD_BODY", 400),  # R2
        ({"documentId": "sha256:\0"}, "BAD_BODY", 400),
        ({"extensions": {"persistedQuery": {"sha256Hash": "\0"}}}, "BAD_BODY", 400),
        ({"extensions": {"persistedQuery": 5}}, "BAD_BODY", 400),
        ({"extensions": {"persistedQuery": {"sha256Hash": []}}}, "BAD_BODY", 400),
        ({"extensions": {}}, "MISSING_QUERY", 400),
    ],
)
async def test_a_wallboard_runs_nothing_else(
    board: Client, body: dict[str, Any], code: str, status: int
) -> None:
    answer = await post(board, **body)

    assert (answer.code, answer.status) == (code, status)


async def test_documents_of_one_client_are_not_anothers(server: Served, desk: Desk) -> None:
    other = desk.token(desk.person("Other", Role.WALLBOARD), client_id="other")
    everybodys = "query Everybodys { hello }"
    await trust("*", everybodys)
    client = server.client.having(other)

    assert (await post(client, documentId="id-Hello")).code == "PERSISTED_QUERY_NOT_FOUND"
    assert (await post(client, query=HELLO)).code == "DOCUMENT_NOT_TRUSTED"
    assert (await post(client, query=everybodys)).data == {"hello": "hello"}


async def test_sockets_take_and_refuse_the_same(server: Served, board: Client) -> None:
    assert board.token is not None
    before = Counted.calls
    async with server.socket(board.token) as ours:
        for name, payload in (
            ("1", {"documentId": "id-Count"}),
            ("2", {"extensions": hashed(COUNT)}),
            ("3", {"query": "subscription { count(to: 1) }"}),
            ("4", {"query": 'mutation { add(text: "y") }'}),
            ("5", {"documentId": "id-Nothing"}),
        ):
            await ours.send({"id": name, "type": "subscribe", "payload": payload})
        messages = [await ours.receive() for _ in range(9)]

    heard = {name: [m for m in messages if m["id"] == name] for name in "12345"}
    for name in "12":
        assert [one["type"] for one in heard[name]] == ["next", "next", "complete"]
    codes = [heard[name][0]["payload"][0]["extensions"]["code"] for name in "345"]
    assert codes == ["DOCUMENT_NOT_TRUSTED"] * 2 + ["PERSISTED_QUERY_NOT_FOUND"]
    assert Counted.calls == before


async def test_streams_take_and_refuse_the_same(board: Client) -> None:
    async def heard(body: dict[str, Any]) -> list[Any]:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {board.token}"}
        answer = await board.http.post("/graphql", json=body, headers=headers)
        lines = [line for line in answer.text.splitlines() if line.startswith("data: {")]
        return [json.loads(line.removeprefix("data: ")) for line in lines]

    counted = await heard({"documentId": "id-Count"})
    refused = await heard({"query": "subscription { count(to: 1) }"})

    assert [one["data"]["count"] for one in counted] == [0, 1]
    assert [one["errors"][0]["extensions"]["code"] for one in refused] == ["DOCUMENT_NOT_TRUSTED"]


async def test_developers_run_what_they_like(developer: Client) -> None:
    assert (await post(developer, query="{ me }")).data == {"me": "Li"}
    assert (await post(developer, query="{ me }", extensions=hashed("{ me }"))).data
    answer = await post(developer, query="{ me }", extensions=hashed(HELLO))
    assert answer.code == "DOCUMENT_MISMATCH"


@pytest.mark.parametrize(
    ("roles", "client_id", "machine", "needed"),
    [
        ({Role.WALLBOARD}, "board", False, True),
        ({Role.WALLBOARD, Role.LINE1}, "board", False, True),
        ({Role.WALLBOARD}, "itr", False, False),
        ({Role.PARTNER}, "firm", True, True),
        ({Role.PARTNER}, "firm", False, False),
        ({Role.PARTNER}, "itr", True, False),
        ({Role.CUSTOMER}, "dashboard", False, False),
        ({Role.LINE1}, "dashboard", True, False),
    ],
)
def test_wallboards_and_partner_machines_need_trusted_documents(
    roles: set[Role], client_id: str, machine: bool, needed: bool
) -> None:
    """Developers, with a token of `itr token`, do not."""
    actor = Actor(
        id=FOUNDER.id,
        name="x",
        organisation_id=None,
        organisation_kind=OrganisationKind.PARTNER,
        roles=frozenset(roles),
        client_id=client_id,
        machine=machine,
    )

    assert needs_trusted_documents(actor) is needed


async def test_a_partners_machine_is_bound_and_its_people_are_not(
    server: Served, desk: Desk
) -> None:
    machine = desk.person("Robot", Role.PARTNER)
    desk.change(machine, machine=True)
    person = desk.person("Worker", Role.PARTNER)

    codes = [
        (await post(server.client.having(desk.token(each, client_id="firm")), query="{ me }")).body
        for each in (machine, person)
    ]

    assert codes[0]["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
    assert codes[1]["data"] == {"me": "Worker"}


RELAY = {hashlib.md5(HELLO.encode(), usedforsecurity=False).hexdigest(): HELLO}
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": "a", "name": "Hello", "type": "query", "body": HELLO}],
}


@pytest.mark.parametrize("manifest", [RELAY, APOLLO, [["a", HELLO]], {f"sha256:{'0' * 64}": HELLO}])
def test_manifests_of_relay_and_apollo_are_read(manifest: object) -> None:
    (found,) = listed(manifest)

    assert found.body == HELLO
    assert found.sha256 == hashlib.sha256(HELLO.encode()).hexdigest()
    assert found.alias in {*RELAY, "a", "0" * 64}


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        [],
        5,
        None,
        "x",
        {"a": 5},
        {"": HELLO},
        {"a": " "},
        [[1, 2, 3]],
        {**APOLLO, "operations": 5},
    ],
)
def test_other_manifests_are_refused(manifest: object) -> None:
    with pytest.raises(BadManifest):
        listed(manifest)


REQUESTS = "query Requests($n: Int!) { requests(first: $n) { nodes { id number } } }"


async def test_documents_are_registered_from_the_command_line(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`itr documents add`: checked against the schema, all or none."""
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"r": REQUESTS}))
    await register(settings, manifest, "app")
    await register(settings, manifest, "app")
    assert [
        line.split("，")[1].split(" / ")[0] for line in capsys.readouterr().out.splitlines()
    ] == [
        "其中新增 1 个",
        "其中新增 0 个",
    ]

    for wrong in ({"r": REQUESTS, "x": "{ nothing }"}, {"x": "{"}, {"x": "{ a } { b }"}, []):
        manifest.write_text(json.dumps(wrong))
        with pytest.raises(WrongSettings):
            await register(settings, manifest, "another")
    manifest.write_text("{")
    with pytest.raises(WrongSettings):
        await register(settings, manifest, "another")
