"""GraphQL over server-sent events: one stream per operation, resumable by its event ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, cast

import orjson
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from api.oauth import Identity, Unauthenticated
from api.transport import bodies
from api.transport.budget import QueryCost
from api.transport.context import Stream
from api.transport.errors import Refusal, answer
from api.transport.http import Exchange, payload_of
from api.transport.streaming import EVERYTHING, results_of

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_HEARTBEAT = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


class EventStream:
    """An ASGI response that sends an operation's results until it, or the token, ends."""

    def __init__(self, exchange: Exchange, identity: Identity, operation: bodies.Operation) -> None:
        self._exchange = exchange
        self._services = exchange.services
        self._identity = identity
        self._operation = operation
        self._stream = Stream()
        self._query_cost: QueryCost | None = None
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
        self._ended = asyncio.Event()
        self._last_words = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send headers, frames and heartbeats; a reader that stalls is dropped (S10)."""
        person_id = self._identity.claims.person_id
        connections = self._services.connections
        try:
            connections.join(person_id, self)
        except Refusal as refusal:
            await self._exchange.refused(refusal)(scope, receive, send)
            return
        tasks = [
            asyncio.create_task(self._produce()),
            asyncio.create_task(self._watch(receive)),
            asyncio.create_task(self._expire()),
        ]
        try:
            with suppress(TimeoutError):
                await self._send_all(send)
        finally:
            connections.leave(person_id, self)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def recheck(self) -> None:
        """End the stream when the person behind the token has been shut out (S9)."""
        try:
            await self._services.identities.renew(self._identity.claims)
        except Unauthenticated:
            language, request_id = self._exchange.language, self._exchange.request_id
            body = answer("UNAUTHENTICATED", language=language, request_id=request_id)
            self._last_words = _next(body, None) + _COMPLETE
            self._ended.set()

    async def go_away(self) -> None:
        """End the stream without `complete`, so that the client comes back with its cursor."""
        self._ended.set()

    async def _send_all(self, send: Send) -> None:
        headers = [*_HEADERS, (b"x-request-id", self._exchange.request_id.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send(send, _HEARTBEAT)
        async for frame in self._until_ended():
            await self._send(send, frame)
        await self._send(send, self._last_words, more=False)

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(self._services.limits.send_seconds):
            await send({"type": "http.response.body", "body": body, "more_body": more})

    async def _until_ended(self) -> AsyncIterator[bytes]:
        ended = asyncio.create_task(self._ended.wait())
        coming: asyncio.Task[bytes | None] | None = None
        try:
            while not self._ended.is_set():
                coming = coming or asyncio.create_task(self._frames.get())
                await asyncio.wait(
                    {coming, ended},
                    timeout=self._services.limits.ping_seconds,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if coming.done():
                    frame, coming = coming.result(), None
                    if frame is None:
                        return
                    yield frame
                elif not ended.done():
                    yield _HEARTBEAT
        finally:
            for task in (ended, coming):
                if task is not None:
                    task.cancel()

    async def _produce(self) -> None:
        async with aclosing(cast("Any", self._results())) as results:
            async for result in results:
                await self._frames.put(self._frame(result))
        await self._frames.put(_COMPLETE)
        await self._frames.put(None)

    def _results(self) -> AsyncIterator[ExecutionResult]:
        request = self._exchange.request
        context = self._services.context(
            self._identity,
            language=self._exchange.language,
            request_id=self._exchange.request_id,
            client_address=request.client.host if request.client else "",
            last_event_id=request.headers.get("last-event-id"),
            stream=self._stream,
        )
        allowed = EVERYTHING - ({OperationType.MUTATION} if request.method == "GET" else set())
        self._query_cost = context.query_cost
        return results_of(
            self._services, context, self._operation, transport="sse", allowed=allowed
        )

    def _frame(self, result: ExecutionResult) -> bytes:
        exchange = self._exchange
        body = payload_of(
            result, exchange.language, exchange.request_id, query_cost=self._query_cost
        )
        return _next(body, self._stream.cursor)

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._ended.set()

    async def _expire(self) -> None:
        left = self._identity.claims.expires_at - self._services.clock()
        await asyncio.sleep(max(left.total_seconds(), 0) + 0.05)
        await self.recheck()


def _next(body: dict[str, Any], cursor: str | None) -> bytes:
    """Frame one result: data on one line, the cursor as the event's id."""
    data = orjson.dumps(body).replace(b"\r", b"").replace(b"\n", b"")
    resume = f"id: {cursor}\n".encode() if cursor else b""
    return b"event: next\n" + resume + b"data: " + data + b"\n\n"
