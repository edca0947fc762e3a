"""A small, real GraphQL client: HTTP in process or over a socket, WebSocket, SSE."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from api.asgi import make_server
from itr.settings import Settings

GRAPHQL_JSON = "application/graphql-response+json"


@dataclass(frozen=True)
class Answer:
    """What came back for one operation."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.content)
        return decoded

    @property
    def data(self) -> dict[str, Any]:
        """The data; fails the test when there are errors."""
        assert "errors" not in self.body, self.body["errors"]
        data: dict[str, Any] = self.body["data"]
        return data

    @property
    def errors(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body.get("errors", [])
        return found

    @property
    def withheld(self) -> list[dict[str, Any]]:
        """What is null for lack of a permission."""
        told: list[dict[str, Any]] = self.body.get("extensions", {}).get("withheld", [])
        return told

    @property
    def code(self) -> str:
        """The code of the only error."""
        assert len(self.errors) == 1, self.body
        code: str = self.errors[0]["extensions"]["code"]
        return code


@dataclass
class Client:
    """Speaks GraphQL as one person."""

    http: httpx.AsyncClient
    token: str | None = None
    language: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def having(self, token: str | None, *, language: str | None = None) -> Client:
        """The same server, somebody else."""
        return Client(self.http, token, language or self.language)

    async def run(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        operation: str | None = None,
        **headers: str,
    ) -> Answer:
        """Run a query or mutation."""
        body = {"query": query, "variables": variables, "operationName": operation}
        return await self.post(orjson.dumps(body), **headers)

    async def post(
        self, content: bytes, *, media: str | None = "application/json", **headers: str
    ) -> Answer:
        """Send any body."""
        sent = self._headers(**headers)
        if media is not None:
            sent["content-type"] = media
        response = await self.http.post("/graphql", content=content, headers=sent)
        return Answer(response.status_code, response.headers, response.content)

    async def get(self, path: str = "/graphql", **parameters: str) -> Answer:
        """Send a GET."""
        response = await self.http.get(path, params=parameters, headers=self._headers())
        return Answer(response.status_code, response.headers, response.content)

    @asynccontextmanager
    async def events(
        self, query: str, variables: Mapping[str, Any] | None = None, **headers: str
    ) -> AsyncIterator[AsyncIterator[ServerEvent]]:
        """Open an event stream; needs a server on a real socket."""
        sent = self._headers(**headers) | {"accept": "text/event-stream"}
        body = {"query": query, "variables": variables}
        async with self.http.stream("POST", "/graphql", json=body, headers=sent) as response:
            assert response.headers["content-type"].startswith("text/event-stream"), (
                response.status_code,
                await response.aread(),
            )
            yield _events_of(response.aiter_lines())

    def _headers(self, **more: str) -> dict[str, str]:
        headers = dict(self.headers)
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        if self.language is not None:
            headers["accept-language"] = self.language
        return headers | {name.replace("_", "-"): value for name, value in more.items()}


@dataclass(frozen=True)
class ServerEvent:
    """One event of a stream; a comment has the kind `comment`."""

    kind: str
    data: str
    id: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.data)
        return decoded


async def _events_of(lines: AsyncIterator[str]) -> AsyncIterator[ServerEvent]:
    kind, data, event_id = "message", "", None
    async for line in lines:
        if line.startswith(":"):
            yield ServerEvent("comment", line[1:].strip())
        elif line == "":
            if kind != "message" or data:
                yield ServerEvent(kind, data, event_id)
            kind, data, event_id = "message", "", None
        else:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                kind = value
            elif name == "data":
                data += value
            elif name == "id":
                event_id = value


@asynccontextmanager
async def in_process(app: Starlette) -> AsyncIterator[Client]:
    """Start the application's lifespan and speak to it without a socket."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://desk.test") as http,
    ):
        yield Client(http)


@dataclass
class Served:
    """An application behind a real socket."""

    client: Client
    address: str
    stop: Callable[[], Awaitable[None]]
    app: Starlette

    @asynccontextmanager
    async def socket(
        self, token: str | None = None, *, payload: object = ..., **options: Any
    ) -> AsyncIterator[Socket]:
        """Open a WebSocket; with a token or payload also initialise it."""
        options.setdefault("subprotocols", [Subprotocol("graphql-transport-ws")])
        async with connect(f"ws://{self.address}/graphql", **options) as connection:
            opened = Socket(connection)
            if token is not None:
                payload = {"Authorization": f"Bearer {token}"}
            if payload is not ...:
                await opened.send({"type": "connection_init", "payload": payload})
            if token is not None:
                assert (await opened.receive())["type"] == "connection_ack"
            yield opened


@dataclass
class Socket:
    """One WebSocket speaking graphql-transport-ws."""

    connection: ClientConnection
    number: int = 0

    async def send(self, message: object) -> None:
        """Send any JSON."""
        await self.connection.send(orjson.dumps(message).decode())

    async def receive(self, *, timeout: float = 10) -> dict[str, Any]:
        """The next message that is not a ping; every frame must be text."""
        async with asyncio.timeout(timeout):
            while True:
                frame = await self.connection.recv()
                assert isinstance(frame, str), "frames must be text"
                message: dict[str, Any] = json.loads(frame)
                if message["type"] != "ping":
                    return message

    async def subscribe(
        self, query: str, variables: Mapping[str, Any] | None = None, *, name: str | None = None
    ) -> str:
        """Start an operation; returns its id."""
        self.number += 1
        name = name or f"op{self.number}"
        payload = {"query": query, "variables": variables}
        await self.send({"id": name, "type": "subscribe", "payload": payload})
        return name

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run one query and return its payload."""
        name = await self.subscribe(query, variables)
        answer = await self.receive()
        assert answer["id"] == name
        if answer["type"] == "next":
            assert (await self.receive()) == {"id": name, "type": "complete"}
        payload: dict[str, Any] = answer["payload"]
        return payload

    async def closed(self, *, timeout: float = 10) -> tuple[int, str]:
        """Wait until the server closes; returns code and reason."""
        async with asyncio.timeout(timeout):
            try:
                while True:
                    await self.connection.recv()
            except ConnectionClosed as closed:
                received = closed.rcvd
                return (received.code, received.reason) if received else (1006, "")


@asynccontextmanager
async def served(
    app: Starlette, settings: Settings, *, port: int = 0, **options: Any
) -> AsyncIterator[Served]:
    """Serve the application on a port of this machine, a free one unless it is named."""
    server = make_server(settings, app=app, host="127.0.0.1", port=port, lifespan="on", **options)
    server.capture_signals = nullcontext  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            await serving
            raise RuntimeError("the server did not start")
        await asyncio.sleep(0.02)
    host, port = server.servers[0].sockets[0].getsockname()
    address = f"{host}:{port}"

    async def stop() -> None:
        server.should_exit = True
        await serving

    try:
        plain = httpx.AsyncHTTPTransport(verify=False)  # HTTP: no authorities to load
        async with httpx.AsyncClient(
            base_url=f"http://{address}", timeout=20, transport=plain
        ) as http:
            yield Served(Client(http), address, stop, app)
    finally:
        await stop()
