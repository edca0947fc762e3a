"""uvicorn's HTTP and WebSocket, with an end to every wait for a client (S10, S20)."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.serving.admission import Admission
from api.serving.readers import DropsStalledReaders

_TURNED_AWAY_SECONDS = 1.0
"""How long whoever may not stay has time to read why."""
_RETRY_AFTER = 30
_SENTENCES = {
    408: "The request did not arrive in time.",
    413: "The request is too large.",
    429: "Too many connections from this address.",
    431: "The head of the request is too large.",
    503: "Too many connections.",
}


class ServingConfig(uvicorn.Config):
    """uvicorn's configuration, and the door that all its connections come through."""

    admission: Admission


class _Phase(Enum):
    """What of a request has come."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()
    ALL = auto()


class HTTPProtocol(DropsStalledReaders, HttpToolsProtocol):
    """uvicorn's HTTP, impatient: head and body come in their time, or the connection ends."""

    config: ServingConfig

    def __init__(self, config: ServingConfig, *given: Any, **named: Any) -> None:
        super().__init__(config, *given, **named)
        self._admission = config.admission
        self._limits = config.admission.limits
        self._phase = _Phase.NOTHING
        self._awaited_phase: _Phase | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._received = 0
        self._over = False
        """Nothing that comes is read any more, or not here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it stay, or say why not."""
        super().connection_made(transport)
        refusal = self._admission.enter(self.transport, self.client[0] if self.client else "")
        if refusal is not None:
            self._end(429 if refusal == "address" else 503)
            return
        self._await(_Phase.HEAD, self._limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._await_nothing()
        self._admission.leave(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and see what is still to come."""
        if self._over or self.transport.is_closing():
            return
        self._received += len(data)
        super().data_received(data)
        if not self._over and not self.transport.is_closing():
            self._look()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._phase = _Phase.HEAD
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is there."""
        self._phase, self._received = _Phase.BODY, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A whole request is there."""
        self._phase, self._received = _Phase.ALL, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """It is answered: another request may come, or the rest of one nobody waits for."""
        super().on_response_complete()
        if self.transport.is_closing():
            self.close_soon()
        else:
            self._admission.awaits(self.transport)

    def handle_websocket_upgrade(self) -> None:
        """It goes on as a socket, which has times of its own."""
        self._over = True
        self._await_nothing()
        super().handle_websocket_upgrade()

    def timeout_keep_alive_handler(self) -> None:
        """No further request came."""
        self.close_soon()

    def _look(self) -> None:
        """Wait for what is missing, no longer than it may take."""
        answered = self.cycle is None or self.cycle.response_complete
        if self._phase is _Phase.BODY:
            self._ensure_not_over(self._limits.message_bytes, 413)
            self._await(_Phase.BODY, self._limits.body_seconds)
        elif self._phase is not _Phase.ALL or answered:
            self._ensure_not_over(self._limits.head_bytes, 431)
            self._await(_Phase.HEAD, self._limits.head_seconds)
        else:
            self._await_nothing()

    def _ensure_not_over(self, most: int, status: int) -> None:
        if self._received > most:
            self._end(status)

    def _await(self, phase: _Phase, seconds: float) -> None:
        if self._awaited_phase is phase or self.transport.is_closing():
            return
        self._await_nothing()
        self._awaited_phase = phase
        self._admission.awaits(self.transport)
        self._deadline = self.loop.call_later(seconds, self._too_late)

    def _await_nothing(self) -> None:
        self._awaited_phase = None
        self._admission.awaits_nothing(self.transport)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        if self._phase is _Phase.NOTHING and not self._received:
            self.close_soon()
        else:
            self._end(408)

    def _end(self, status: int) -> None:
        """Say why, unless an answer has begun; whoever waits for a body hears that none comes.

        What was on its way is heard out for a moment: else the client would not read why.
        """
        self._await_nothing()
        self._over = True
        cycle = self.cycle
        running = cycle is not None and not cycle.response_complete
        if running and cycle.response_started:
            self.transport.abort()
            return
        if running:
            cycle.disconnected = True
            cycle.message_event.set()
        self._say(status)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._admission.goes_first(self.transport)
        self._deadline = self.loop.call_later(_TURNED_AWAY_SECONDS, self.transport.abort)

    def _say(self, status: int) -> None:
        text = _SENTENCES[status].encode()
        again = b"retry-after: %d\r\n" % _RETRY_AFTER if status in (429, 503) else b""
        head = b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
        length = b"content-length: %d\r\n\r\n" % len(text)
        self.transport.write(STATUS_LINE[status] + head + again + length + text)


class WebSocketProtocol(DropsStalledReaders, WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, impatient; it was let in as HTTP."""

    config: ServingConfig

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is counted already, unless somebody serves sockets alone."""
        super().connection_made(transport)
        peer = get_remote_addr(self.transport)
        self.config.admission.enter(self.transport, peer[0] if peer else "")
        self.config.admission.awaits_nothing(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.config.admission.leave(self.transport)
        super().connection_lost(exc)
