"""graphql-transport-ws: guarded, and no operation able to harm another."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from api.transport.limits import Limits
from itr.settings import Settings
from tests.api.throwaway import SECRET, Desk, eventually, make_things, record, running
from tests.support.client import Served, served

QUICK = Limits(init_seconds=0.4, send_seconds=2.0, ping_seconds=0.5, sockets_per_actor=3)


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(settings, QUICK)


@pytest.fixture(scope="module")
async def server(desk: Desk, settings: Settings) -> AsyncIterator[Served]:
    await make_things(settings)
    async with served(desk.app(), settings) as running_server:
        yield running_server


async def test_queries_mutations_and_subscriptions_share_a_socket(
    server: Served, desk: Desk
) -> None:
    async with server.socket(desk.token()) as ours:
        assert (await ours.ask("{ hello me }"))["data"] == {"hello": "hello", "me": "Li"}
        assert (await ours.ask('mutation { add(text: "x") }'))["data"] == {"add": "x"}
        name = await ours.subscribe("subscription { count(to: 3) }")
        messages = [await ours.receive() for _ in range(4)]

    assert [one["payload"]["data"]["count"] for one in messages[:3]] == [0, 1, 2]
    assert messages[3] == {"id": name, "type": "complete"}


async def test_the_token_may_come_in_the_handshake(server: Served, desk: Desk) -> None:
    headers = {"authorization": f"Bearer {desk.token()}"}
    async with server.socket(payload=None, additional_headers=headers) as ours:
        assert (await ours.receive())["type"] == "connection_ack"


async def test_subscribing_before_the_ack_is_4401(server: Served) -> None:
    """S8."""
    async with server.socket() as ours:
        await ours.subscribe("{ hello }")

        assert (await ours.closed())[0] == 4401


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"Authorization": "Bearer nonsense"}, 4403),
        ({"Authorization": "Basic eDp5"}, 4403),
        ({}, 4401),
        (None, 4401),
        ("text", 4400),
        ([], 4400),
    ],
)
async def test_a_bad_token_does_not_get_in(server: Served, payload: object, code: int) -> None:
    """S8."""
    async with server.socket(payload=payload) as ours:
        assert (await ours.closed())[0] == code


async def test_an_expired_token_does_not_get_in(server: Served, desk: Desk) -> None:
    """S9."""
    token = desk.token(now=datetime.now(UTC) - timedelta(days=2))
    async with server.socket(payload={"Authorization": f"Bearer {token}"}) as ours:
        assert (await ours.closed())[0] == 4403


async def test_a_socket_that_says_nothing_is_closed_with_4408(server: Served) -> None:
    """S8."""
    async with server.socket() as ours:
        assert (await ours.closed(timeout=3))[0] == 4408


async def test_a_second_init_is_4429(server: Served, desk: Desk) -> None:
    async with server.socket(desk.token()) as ours:
        await ours.send({"type": "connection_init"})

        assert (await ours.closed())[0] == 4429


async def test_an_id_in_use_is_4409(server: Served, desk: Desk) -> None:
    async with server.socket(desk.token()) as ours:
        await ours.subscribe("subscription { names }", name="same")
        await ours.subscribe("subscription { names }", name="same")

        assert (await ours.closed())[0] == 4409


async def test_the_legacy_subprotocol_is_refused(server: Served) -> None:
    """S8."""
    async with server.socket(subprotocols=[Subprotocol("graphql-ws")]) as ours:
        assert (await ours.closed())[0] == 4406


async def test_a_foreign_origin_gets_403(server: Served) -> None:
    """S6."""
    url = f"ws://{server.address}/graphql"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, origin=Origin("https://evil.example")):
            pass

    assert refused.value.response.status_code == 403
    own = Origin(f"http://{server.address}")
    async with server.socket(origin=own) as ours:
        await ours.send({"type": "ping"})
        assert (await ours.receive())["type"] == "pong"


@pytest.mark.parametrize(
    "frame",
    [
        "[]",
        "null",
        "5",
        "broken",
        '"text"',
        "{}",
        '{"type":5}',
        '{"type":"start","id":"1"}',
        '{"type":"subscribe","id":["a"],"payload":{"query":"{hello}"}}',
        '{"type":"subscribe","id":null,"payload":{"query":"{hello}"}}',
        '{"type":"subscribe","id":"","payload":{"query":"{hello}"}}',
        '{"type":"complete","id":{}}',
        '{"type":"complete"}',
        '{"a":"\\ud800"}',
        "[" * 100_000,
    ],
)
async def test_a_broken_frame_closes_cleanly_with_4400(
    server: Served, desk: Desk, frame: str
) -> None:
    """S8."""
    async with server.socket(desk.token()) as ours:
        await ours.connection.send(frame)

        assert (await ours.closed())[0] == 4400


async def test_binary_frames_are_refused(server: Served, desk: Desk) -> None:
    async with server.socket(desk.token()) as ours:
        await ours.connection.send(b'{"type":"ping"}')

        assert (await ours.closed())[0] == 4400


async def test_a_frame_of_17_mb_is_refused(server: Served, desk: Desk) -> None:
    """S8."""
    async with server.socket(desk.token()) as ours:
        with suppress(ConnectionClosed):
            await ours.connection.send("x" * 17_000_000)

        assert (await ours.closed())[0] == 1009


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        [],
        5,
        {"query": None},
        {"query": 5},
        {"query": "{"},
        {"query": "{ nothing }"},
        {"query": "{hello}", "variables": 5},
        {"query": "{hello}", "operationName": "B"},
        {"query": "{hello}", "extensions": []},
        {"query": "query ($n: Int!) { items(first: $n) { nodes { name } } }"},
        {"query": "{ ... @defer { hello } }"},
    ],
)
async def test_a_bad_operation_is_its_own_error_and_siblings_live_on(
    server: Served, desk: Desk, payload: object
) -> None:
    """S8."""
    async with server.socket(desk.token()) as ours:
        await ours.subscribe("subscription { count(to: 2, pause: 0.1) }", name="sibling")
        await ours.send({"id": "bad", "type": "subscribe", "payload": payload})
        messages = [await ours.receive() for _ in range(4)]

    kinds = [(one["id"], one["type"]) for one in messages]
    assert ("bad", "error") in kinds
    assert kinds.count(("sibling", "next")) == 2
    assert ("sibling", "complete") in kinds
    error = next(one for one in messages if one["id"] == "bad")["payload"][0]
    assert error["extensions"]["code"]
    assert error["extensions"]["requestId"]


@pytest.mark.parametrize(
    "query", ["{ failsHard }", "{ fails }", "subscription { breaks }", "{ colour }"]
)
async def test_a_planted_secret_appears_in_no_frame(server: Served, desk: Desk, query: str) -> None:
    """S7."""
    async with server.socket(desk.token()) as ours:
        await ours.subscribe(query)
        frames = []
        async with asyncio.timeout(5):
            while not frames or '"complete"' not in frames[-1]:
                frames.append(str(await ours.connection.recv()))

    assert not any(SECRET in frame for frame in frames)
    assert any('"INTERNAL"' in frame for frame in frames)


async def test_completing_an_operation_cancels_its_sql(
    server: Served, desk: Desk, settings: Settings
) -> None:
    """S11."""
    async with server.socket(desk.token()) as ours:
        name = await ours.subscribe('{ slow(seconds: 30, tag: "completed") }')
        await eventually(lambda: running(settings, "completed"), 1)

        await ours.send({"id": name, "type": "complete"})

        await eventually(lambda: running(settings, "completed"), 0)
        assert (await ours.ask("{ hello }"))["data"] == {"hello": "hello"}


async def test_every_event_sees_the_person_as_they_are_now(
    server: Served, desk: Desk, settings: Settings
) -> None:
    """S9."""
    actor = desk.person("Wang")
    async with server.socket(desk.token(actor)) as ours:
        await ours.subscribe("subscription { names }")
        assert (await ours.receive())["payload"]["data"]["names"] == "Wang"

        desk.change(actor, name="Zhao")
        await tell(settings, actor.id)

        async with asyncio.timeout(3):
            while (await ours.receive())["payload"]["data"]["names"] != "Zhao":
                pass


async def test_a_person_who_is_shut_out_loses_the_socket_within_2_seconds(
    server: Served, desk: Desk, settings: Settings
) -> None:
    """S9."""
    actor = desk.person("Sun")
    token = desk.token(actor)
    async with server.socket(token) as ours:
        await ours.subscribe("subscription { names }")

        del desk.people[actor.id]
        await tell(settings, actor.id)

        assert (await ours.closed(timeout=2))[0] == 4403
    answer = await server.client.having(token).run("{ hello }")
    assert (answer.status, answer.code) == (401, "UNAUTHENTICATED")


async def test_the_end_of_a_token_closes_the_socket_within_2_seconds(
    server: Served, desk: Desk
) -> None:
    """S9."""
    token = desk.token(lifetime=timedelta(seconds=2))
    async with server.socket(token) as ours:
        await ours.subscribe("subscription { names }")

        assert (await ours.closed(timeout=4))[0] == 4403


async def test_sockets_per_person_are_capped(server: Served, desk: Desk) -> None:
    """S10."""
    actor = desk.person("Many")
    async with (
        server.socket(desk.token(actor)),
        server.socket(desk.token(actor)),
        server.socket(desk.token(actor)),
    ):
        payload = {"Authorization": f"Bearer {desk.token(actor)}"}
        async with server.socket(payload=payload) as fourth:
            assert (await fourth.closed())[0] == 4429
        async with server.socket(desk.token()):
            pass


async def test_the_server_pings(server: Served, desk: Desk) -> None:
    async with server.socket(desk.token()) as ours, asyncio.timeout(3):
        frame = await ours.connection.recv()

    assert frame == '{"type":"ping"}'


async def test_a_reader_that_stalls_is_dropped_and_others_are_not(
    server: Served, desk: Desk
) -> None:
    """S10."""
    services = server.app.state.services
    lazy = await stalled_socket(server.address, desk.token(), "subscription { flood }")
    async with server.socket(desk.token()) as ours:
        before = len(services.connections)
        assert before == 2

        async with asyncio.timeout(15):
            while len(services.connections) == before:
                assert (await ours.ask("{ hello }"))["data"] == {"hello": "hello"}
                await asyncio.sleep(0.1)
    lazy.close()


async def test_nothing_is_left_when_a_client_vanishes(server: Served, desk: Desk) -> None:
    services = server.app.state.services
    tasks = len(asyncio.all_tasks())
    for _ in range(5):
        async with server.socket(desk.token()) as ours:
            await ours.subscribe("subscription { names }")
            await ours.subscribe("subscription { things { __typename } }")
            ours.connection.transport.abort()

    async def left() -> tuple[int, int]:
        return len(services.connections), len(services.live)

    await eventually(left, (0, 0))
    await asyncio.sleep(0.2)
    assert len(asyncio.all_tasks()) <= tasks + 2


async def test_stopping_the_server_tells_clients_to_go_elsewhere(
    desk: Desk, settings: Settings
) -> None:
    async with (
        served(desk.app(), settings) as other,
        other.socket(desk.token()) as ours,
    ):
        await ours.subscribe("subscription { names }")
        stopping = asyncio.create_task(other.stop())

        assert (await ours.closed(timeout=3))[0] == 1001
        await stopping


async def tell(settings: Settings, person_id: object) -> None:
    """Have the log say that a person changed."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        await record(connection, person_id, kind="person")  # type: ignore[arg-type]
    finally:
        await connection.close()


async def stalled_socket(address: str, token: str, query: str) -> socket.socket:
    """Open a socket by hand, subscribe, and never read again."""
    host, port = address.split(":")
    raw = await asyncio.to_thread(socket.create_connection, (host, int(port)))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.sendall(
        f"GET /graphql HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
    )
    await asyncio.to_thread(raw.recv, 1000)
    for message in (
        f'{{"type":"connection_init","payload":{{"Authorization":"Bearer {token}"}}}}',
        f'{{"type":"subscribe","id":"1","payload":{{"query":"{query}"}}}}',
    ):
        data = message.encode()
        header = struct.pack("!BBH", 0x81, 0x80 | 126, len(data)) + bytes(4)
        raw.sendall(header + data)
        await asyncio.sleep(0.2)
    return raw
