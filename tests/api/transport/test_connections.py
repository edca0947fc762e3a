"""V5, S20: how long a client may take, how many connections there are; real sockets throughout."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from typing import Any

import httpx
import pytest
import uvloop

from api.asgi import make_server
from api.serving import readers
from api.serving.admission import Admission, ConnectionLimits
from api.serving.file_handles import ensure_file_handles, needed
from api.serving.proxies import TrustedProxies
from itr.networks import read_networks
from itr.settings import Settings, WrongSettings
from tests.api.throwaway import Desk
from tests.support.client import Served, served

SHORT = ConnectionLimits(head_seconds=0.3, body_seconds=0.3, idle_seconds=0.3, in_all=60)
HEAD = b"POST /%s HTTP/1.1\r\nHost: desk.test\r\nContent-Type: %s\r\nContent-Length: 900\r\n\r\n"
FORM = HEAD % (b"oauth/token", b"application/x-www-form-urlencoded")
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: desk.test\r\n\r\n"
HALF: dict[str, bytes] = {
    "nothing": b"",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: des",
    "blank lines": b"\r\n",
    "half a form": FORM + b"grant_type=refresh_to",
    "half a body": HEAD % (b"graphql", b"application/json") + b'{"query": "{ he',
    "a chunk": FORM.replace(b"Content-Length: 900", b"Transfer-Encoding: chunked") + b"5\r\nabcde",
    "one request": HEALTH,
    "a request and blank lines": HEALTH + b"\r\n\r\n",
    "a request and half a head": HEALTH + b"GET /heal",
}


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(settings)


@pytest.fixture(scope="module")
async def impatient(desk: Desk) -> AsyncIterator[Served]:
    """A server with short limits."""
    async with served(desk.app(), desk.settings, limits=SHORT) as running:
        yield running


async def connected(address: str, sent: bytes = b"") -> tuple[asyncio.StreamReader, Any]:
    """A connection that has sent this much."""
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    return reader, writer


async def heard(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server closes; fails the test if it does not."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@asynccontextmanager
async def many(address: str, number: int, *shapes: str) -> AsyncIterator[None]:
    """So many connections at once that have sent half of something."""
    async with AsyncExitStack() as stack:
        for at in range(number):
            _, writer = await connected(address, HALF[shapes[at % len(shapes)]])
            stack.callback(writer.close)
        yield


@pytest.mark.parametrize("what", HALF)
async def test_whoever_sends_half_of_something_is_not_waited_for(
    impatient: Served, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """V5, R2: and nothing is logged as an error."""
    reader, writer = await connected(impatient.address, HALF[what])

    answer = await heard(reader)

    writer.close()
    assert answer.count(b"HTTP/1.1 200") == what.count("request")
    silent = ("nothing", "one request", "a request and blank lines")
    assert (b"HTTP/1.1 408" in answer) == (what not in silent)
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


async def test_a_client_that_sends_byte_by_byte_gains_no_time(impatient: Served) -> None:
    """V5: the time is one for the whole head, not for each byte of it."""
    reader, writer = await connected(impatient.address, b"GET /healthz HTTP/1.1\r\n")

    async def drip() -> None:
        while not reader.at_eof():
            writer.write(b"a")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    answer = await heard(reader)

    dripping.cancel()
    writer.close()
    assert b"408" in answer


async def test_heads_without_end_are_refused(impatient: Served) -> None:
    """V5: they would fill the memory."""
    line = b"x-more: " + b"a" * 8_000 + b"\r\n"
    reader, writer = await connected(impatient.address, b"GET / HTTP/1.1\r\n" + line * 40)

    assert b"HTTP/1.1 431" in await heard(reader)
    writer.close()


async def test_who_sends_nothing_keeps_nobody_out(impatient: Served) -> None:
    """V5, S20: five times as many as there may be; whoever waits longest makes room."""
    async with many(impatient.address, 300, "half a head", "half a form", "nothing"):
        answer = await impatient.client.http.get("/healthz")

    assert answer.status_code == 200


async def test_a_thousand_half_open_connections_leave_health_alone(desk: Desk) -> None:
    """S20."""
    async with (
        served(desk.app(), desk.settings) as server,
        many(server.address, 1_000, "half a head", "half a body"),
    ):
        assert (await server.client.http.get("/healthz")).status_code == 200
        assert (await server.client.having(desk.token()).run("{ hello }")).data


async def test_when_all_are_at_work_the_next_is_told_so(desk: Desk) -> None:
    """S20: politely, with a time to come again."""
    limits = ConnectionLimits(in_all=2)
    async with (
        served(desk.app(), desk.settings, limits=limits) as server,
        server.socket(desk.token()),
        server.socket(desk.token()) as working,
    ):
        reader, writer = await connected(server.address, HEALTH)
        answer = await heard(reader)
        writer.close()
        still = await working.ask("{ hello }")

    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 30" in answer
    assert still["data"] == {"hello": "hello"}


def test_an_address_has_so_many_connections_and_a_proxy_as_many_as_it_wants() -> None:
    """V5: of IPv6 a /64 is one address; everybody may come from a trusted proxy."""
    proxies = TrustedProxies(read_networks("10.1.0.0/16"))
    admission = Admission(ConnectionLimits(per_address=3), proxies)

    def entered(*hosts: str) -> list[str | None]:
        return [admission.enter(asyncio.Transport(), host) for host in hosts]

    assert entered(*["203.0.113.7"] * 5) == [None] * 3 + ["address"] * 2
    assert entered("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4")[-1] == "address"
    assert entered(*["10.1.2.3", "127.0.0.1", "::1"] * 5) == [None] * 15
    one = asyncio.Transport()
    assert admission.enter(one, "198.51.100.9") is None
    assert admission.enter(one, "198.51.100.9") is None
    before = len(admission)
    admission.leave(one)
    admission.leave(one)
    assert len(admission) == before - 1


@contextmanager
def few_handles(number: int) -> Iterator[None]:
    """A limit of open files as small as this; what is open stays open."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_few_file_handles_are_one_sentence_at_the_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V5: a soft limit is raised by itself; where the hard one is too low, operators have to."""
    with few_handles(600):
        ensure_file_handles(settings)
        with few_handles(600):
            monkeypatch.setattr("api.serving.file_handles._raise_limit", lambda: None)
            with pytest.raises(WrongSettings, match=rf"600 .* {needed(settings)} "):
                ensure_file_handles(settings)


def test_a_reader_that_stalls_is_dropped_on_the_loop_that_servers_run_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S10: uvloop's transports are no `asyncio.Transport`."""
    monkeypatch.setattr(readers, "STALLED_SECONDS", 0.2)
    ended = threading.Event()

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await asyncio.wait_for(_next(send, receive), 20))["type"] != "http.disconnect":
            pass
        ended.set()

    async def _next(send: Any, receive: Any) -> Any:
        gone = asyncio.ensure_future(receive())
        while not gone.done():
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            await asyncio.sleep(0)
        return gone.result()

    server = make_server(settings, app=flood, host="127.0.0.1", port=0, lifespan="off")
    server.capture_signals = nullcontext  # type: ignore[method-assign]
    running = threading.Thread(target=lambda: uvloop.run(server.serve()))
    running.start()
    while not server.started:
        running.join(0.02)
    lazy = socket.create_connection(server.servers[0].sockets[0].getsockname())
    lazy.sendall(HEALTH)

    dropped = ended.wait(15)

    lazy.close()
    server.should_exit = True
    running.join()
    assert dropped


SAID = [
    ("127.0.0.1", "198.51.100.9", "127.0.0.1"),
    ("10.1.0.9", "198.51.100.9", "198.51.100.9"),
    ("10.1.0.9", "203.0.113.1, 198.51.100.9, 10.1.0.4", "198.51.100.9"),
    ("10.1.0.9", "<b>free text</b>", "10.1.0.9"),
    ("10.1.0.9", "203.0.113.1, free text, 10.1.0.4", "10.1.0.4"),
    ("10.1.0.9", "198.51.100.9:4711", "198.51.100.9"),
    ("10.1.0.9", "[2001:db8::1]:4711", "2001:db8::1"),
    ("10.1.0.9", "2001:DB8:0::1", "2001:db8::1"),
    ("10.1.0.9", "fe80::1%<script>", "10.1.0.9"),
    ("10.1.0.9", "::ffff:198.51.100.9", "198.51.100.9"),
    ("::ffff:10.1.0.9", "198.51.100.9", "198.51.100.9"),
    ("10.1.0.9", "", "10.1.0.9"),
    ("10.2.0.9", "198.51.100.9", "10.2.0.9"),
]


@pytest.mark.parametrize(("peer", "said", "client"), SAID)
async def test_only_named_proxies_say_who_a_client_is(
    settings: Settings, peer: str, said: str, client: str
) -> None:
    """V9: addresses only; where somebody says anything else, the last that was one stands."""
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse

    app = Desk(settings.model_copy(update={"trusted_proxies": "10.1.0.0/16"})).app()

    async def who(request: Request) -> PlainTextResponse:
        assert request.client is not None
        return PlainTextResponse(f"{request.client.host} {request.url.scheme}")

    app.router.add_route("/who", who)
    transport = httpx.ASGITransport(app=app, client=(peer, 5))
    headers = {"x-forwarded-for": said, "x-forwarded-proto": "https"}
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as http:
        answer = await http.get("/who", headers=headers)

    believed = peer.endswith("10.1.0.9")
    assert answer.text == f"{client} {'https' if believed else 'http'}"


def test_nobody_is_trusted_unless_named(settings: Settings) -> None:
    """V9, S21: none by default, and nothing but addresses and networks."""
    plain = {
        "ITR_DATABASE_URL": settings.database_url,
        "ITR_VALKEY_URL": settings.valkey_url,
        "ITR_SECRET": "s" * 32,
    }
    assert Settings.read(plain).trusted_proxies == ""
    for wrong in ("*", "proxy.example", "10.0.0.1/8", "10.0.0.1;10.0.0.2"):
        with pytest.raises(WrongSettings, match="addresses and networks"):
            Settings.read(plain | {"ITR_TRUSTED_PROXIES": wrong})


@pytest.mark.parametrize(
    ("origins", "said"),
    [
        ("https://desk.example/", "a slash at its end: an origin ends after its host, https://d"),
        ("https://desk.example, http://127.0.0.1:5173/app", "http://127.0.0.1:5173/app has a path"),
        ("https://desk.example?x", "has a path"),
        ("desk.example", "is no origin like"),
        ("*", "is no origin like"),
        ("null", "is no origin like"),
        ("https://Desk.example", "is no origin like"),
        ("https://desk.example:443", "the usual port, which browsers leave out"),
        ("https://a@desk.example", "is no origin like|has a path"),
    ],
)
def test_an_origin_that_no_browser_sends_is_refused_with_a_sentence(
    settings: Settings, origins: str, said: str
) -> None:
    """Issue: it was taken in silence, and no page was let in."""
    plain = {
        "ITR_DATABASE_URL": settings.database_url,
        "ITR_VALKEY_URL": settings.valkey_url,
        "ITR_SECRET": "s" * 32,
    }
    fine = "https://desk.example, http://127.0.0.1:5173,http://[::1]:3000"

    assert Settings.read(plain | {"ITR_ALLOWED_ORIGINS": fine}).allowed_origins == fine
    with pytest.raises(WrongSettings, match=said):
        Settings.read(plain | {"ITR_ALLOWED_ORIGINS": origins})


async def test_pages_of_allowed_origins_may_send_the_headers_of_traces(
    settings: Settings,
) -> None:
    """Issue: `traceparent` and `tracestate` were refused by CORS."""
    app = Desk(settings.model_copy(update={"allowed_origins": "https://board.example"})).app()
    asked = {
        "origin": "https://board.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "traceparent, tracestate, authorization",
    }
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as http:
        allowed = await http.options("/graphql", headers=asked)
        foreign = await http.options("/graphql", headers=asked | {"origin": "https://x.example"})

    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://board.example"
    assert foreign.status_code == 400
