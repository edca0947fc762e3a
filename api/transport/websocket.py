"""graphql-transport-ws: one socket, many operations, none able to harm another (S8, S9, S10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from strawberry.types import ExecutionResult

from api.languages import language_of
from api.oauth import Identity, Unauthenticated
from api.transport.bodies import Operation, decode
from api.transport.context import Stream
from api.transport.errors import Refusal, is_request_error, present
from api.transport.http import payload_of
from api.transport.services import Services
from api.transport.streaming import results_of

if TYPE_CHECKING:
    from itr.errors import Language

GOING_AWAY = 1001
TOO_BIG = 1009
TRY_AGAIN_LATER = 1013
BAD_REQUEST = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
NO_SUBPROTOCOL = 4406
INIT_TIMEOUT = 4408
ID_TAKEN = 4409
TOO_MANY = 4429

_LONGEST_ID = 200


class Closed(Exception):
    """The socket is closed, or is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """A WebSocket that speaks graphql-transport-ws for one person."""

    def __init__(self, services: Services, websocket: WebSocket) -> None:
        self._services = services
        self._websocket = websocket
        self._identity: Identity | None = None
        self._initialised = False
        self._language: Language = language_of(websocket.headers.get("accept-language"))
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._closing = False
        self._serving: asyncio.Task[Any] | None = None

    async def serve(self) -> None:
        """Serve the socket until either side ends it; leaves nothing running behind."""
        helpers = [asyncio.create_task(self._await_init())]
        self._serving = asyncio.current_task()
        try:
            while True:
                await self._hear(await self._next_frame(), helpers)
        except Closed as closed:
            await self.close(closed.code, closed.reason)
        except WebSocketDisconnect:
            pass
        except asyncio.CancelledError:
            if not self._closing or self._serving is None:
                raise
            self._serving.uncancel()
        finally:
            self._closing = True
            if self._identity is not None:
                self._services.connections.leave(self._identity.claims.person_id, self)
            tasks = [*helpers, *self._operations.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def recheck(self) -> None:
        """Close the socket when its token or its person has come to an end (S9)."""
        if self._identity is None:
            return
        try:
            await self._services.identities.renew(self._identity.claims)
        except Unauthenticated:
            await self.close(FORBIDDEN, "the access token has ended")

    async def go_away(self) -> None:
        """Close the socket because the server stops; the client resumes elsewhere."""
        await self.close(GOING_AWAY, "the server is stopping")

    async def close(self, code: int, reason: str) -> None:
        """Close with a code, once, without waiting for a reader that does not read."""
        if self._closing:
            return
        self._closing = True
        try:
            async with asyncio.timeout(self._services.limits.send_seconds / 4):
                await self._websocket.close(code, reason)
        except (RuntimeError, TimeoutError, WebSocketDisconnect, OSError):
            if self._serving is not None and self._serving is not asyncio.current_task():
                self._serving.cancel()

    async def _next_frame(self) -> dict[str, Any]:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect" or self._closing:
            raise WebSocketDisconnect(message.get("code", 1000))
        text = message.get("text")
        if text is None:
            raise Closed(BAD_REQUEST, "frames must be text")
        if len(text) > self._services.limits.body_bytes:
            raise Closed(TOO_BIG, "the frame is too big")
        try:
            frame = decode(text)
        except Refusal:
            raise Closed(BAD_REQUEST, "frames must be JSON") from None
        if not isinstance(frame, dict):
            raise Closed(BAD_REQUEST, "frames must be JSON objects")
        return frame

    async def _hear(self, frame: dict[str, Any], helpers: list[asyncio.Task[None]]) -> None:
        kind = frame.get("type")
        if kind == "connection_init":
            await self._initialise(frame.get("payload"), helpers)
        elif kind == "ping":
            await self._send({"type": "pong"})
        elif kind == "subscribe":
            await self._subscribe(frame)
        elif kind == "complete":
            task = self._operations.pop(_id_of(frame), None)
            if task is not None:
                task.cancel()
        elif kind != "pong":
            raise Closed(BAD_REQUEST, "the message type is not known")

    async def _await_init(self) -> None:
        await asyncio.sleep(self._services.limits.init_seconds)
        if not self._initialised:
            await self.close(INIT_TIMEOUT, "connection_init did not come in time")

    async def _initialise(self, payload: object, helpers: list[asyncio.Task[None]]) -> None:
        if self._initialised:
            raise Closed(TOO_MANY, "connection_init came twice")
        self._initialised = True
        given = payload if payload is not None else {}
        if not isinstance(given, dict):
            raise Closed(BAD_REQUEST, "the payload of connection_init must be an object")
        headers = {str(name).lower(): str(value) for name, value in given.items()}
        if "accept-language" in headers:
            self._language = language_of(headers["accept-language"])
        await self._sign_in(headers)
        await self._send({"type": "connection_ack"})
        helpers += [self._helper(self._expire), self._helper(self._ping)]

    async def _sign_in(self, headers: Mapping[str, str]) -> None:
        authorization = headers.get("authorization", self._websocket.headers.get("authorization"))
        if not authorization:
            raise Closed(UNAUTHORIZED, "connection_init carries no Authorization")
        try:
            identity = await self._services.identify(authorization)
        except Unauthenticated:
            raise Closed(FORBIDDEN, "the access token is not good") from None
        if self._services.connections.closing:
            raise Closed(GOING_AWAY, "the server is stopping")
        try:
            self._services.connections.join(identity.claims.person_id, self)
        except Refusal:
            raise Closed(TOO_MANY, "too many connections") from None
        self._identity = identity

    async def _subscribe(self, frame: dict[str, Any]) -> None:
        identity = self._identity
        if identity is None:
            raise Closed(UNAUTHORIZED, "connection_init comes first")
        name = _id_of(frame)
        if name in self._operations:
            raise Closed(ID_TAKEN, f"subscriber for {name} already exists")
        try:
            operation = self._operation_of(frame.get("payload"))
        except Refusal as refusal:
            errors = present([refusal], language=self._language, request_id=uuid4().hex)
            await self._send({"id": name, "type": "error", "payload": errors})
            return
        task = asyncio.create_task(self._run(name, identity, operation))
        self._operations[name] = task

    def _operation_of(self, payload: object) -> Operation:
        if len(self._operations) >= self._services.limits.operations_per_socket:
            raise Refusal("TOO_MANY_OPERATIONS")
        return Operation.of(payload)

    async def _run(self, name: str, identity: Identity, operation: Operation) -> None:
        request_id = uuid4().hex
        client = self._websocket.client
        ending: dict[str, Any] | None = None
        with suppress(Closed):
            context = self._services.context(
                await self._renewed(identity),
                language=self._language,
                request_id=request_id,
                client_address=client.host if client else "",
                stream=Stream(),
            )
            results = results_of(self._services, context, operation, transport="ws")
            begun = False
            async with aclosing(cast("Any", results)):
                async for result in results:
                    ending = None if begun else self._refused(name, result, request_id)
                    if ending is not None:
                        break
                    begun = True
                    payload = payload_of(
                        result, self._language, request_id, query_cost=context.query_cost
                    )
                    await self._send({"id": name, "type": "next", "payload": payload})
            if self._operations.get(name) is asyncio.current_task():
                del self._operations[name]
                await self._send(ending or {"id": name, "type": "complete"})

    async def _renewed(self, identity: Identity) -> Identity:
        try:
            return await self._services.identities.renew(identity.claims)
        except Unauthenticated:
            await self.close(FORBIDDEN, "the access token has ended")
            raise Closed(FORBIDDEN, "the access token has ended") from None

    def _refused(
        self, name: str, result: ExecutionResult, request_id: str
    ) -> dict[str, Any] | None:
        """The message that ends an operation which never began."""
        if not is_request_error(result.data, result.errors):
            return None
        errors = present(result.errors or [], language=self._language, request_id=request_id)
        return {"id": name, "type": "error", "payload": errors}

    async def _send(self, message: Mapping[str, Any]) -> None:
        """Send one text frame; a reader that does not take it in time is dropped (S10)."""
        text = orjson.dumps(message).decode()
        try:
            async with asyncio.timeout(self._services.limits.send_seconds), self._sending:
                if self._closing or self._websocket.application_state != WebSocketState.CONNECTED:
                    raise Closed(GOING_AWAY, "the socket is closed")
                await self._websocket.send_text(text)
        except TimeoutError:
            await self.close(TRY_AGAIN_LATER, "the reader is too slow")
            raise Closed(TRY_AGAIN_LATER, "the reader is too slow") from None
        except (RuntimeError, WebSocketDisconnect, OSError):
            raise Closed(GOING_AWAY, "the socket is closed") from None

    def _helper(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        return asyncio.create_task(work())

    async def _expire(self) -> None:
        while self._identity is not None and not self._closing:
            left = self._identity.claims.expires_at - self._services.clock()
            await asyncio.sleep(max(left.total_seconds(), 0) + 0.05)
            await self.recheck()

    async def _ping(self) -> None:
        with suppress(Closed):
            while True:
                await asyncio.sleep(self._services.limits.ping_seconds)
                await self._send({"type": "ping"})


def _id_of(frame: Mapping[str, Any]) -> str:
    name = frame.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_ID:
        raise Closed(BAD_REQUEST, "the id must be a short text")
    return name
