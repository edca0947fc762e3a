"""How the application is served: uvicorn, with stalled readers dropped and clients told to go."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.app import create_app
from itr.settings import Settings

STALLED_SECONDS = 12.0
"""How long a reader may take nothing of what waits for it (S10)."""
_KERNEL_BUFFER = 256 * 1024
_LARGEST_FRAME = 2_500_000


class _DropsStalledReaders(asyncio.Protocol):
    """Cuts a connection whose reader takes nothing, instead of keeping its answers forever."""

    _stalled: asyncio.TimerHandle | None = None
    _writes_to: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the kernel from taking in megabytes for a reader that does not read."""
        self._writes_to = transport if isinstance(transport, asyncio.Transport) else None
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER)
        super().connection_made(transport)

    def pause_writing(self) -> None:
        """Give the reader its time."""
        super().pause_writing()
        if self._writes_to is not None and self._stalled is None:
            loop = asyncio.get_running_loop()
            self._stalled = loop.call_later(STALLED_SECONDS, self._writes_to.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        self._forget()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None


class HTTPProtocol(_DropsStalledReaders, HttpToolsProtocol):
    """uvicorn's HTTP, impatient."""


class WebSocketProtocol(_DropsStalledReaders, WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, impatient."""


class Server(uvicorn.Server):
    """A server that tells sockets 1001 and ends event streams before it closes (SIGTERM)."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then leave what lives as long as the process out of garbage collection."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Send long connections away, then close as uvicorn does."""
        for server in self.servers:
            server.close()
        app: Any = self.config.app
        services = getattr(getattr(app, "state", None), "services", None)
        if services is not None:
            await services.connections.go_away()
            await asyncio.sleep(0.1)
        await super().shutdown(sockets)


def make_server(settings: Settings, *, app: Any = None, **options: Any) -> Server:
    """A configured server; `await it.serve()` runs it until a signal."""
    config = uvicorn.Config(
        app or create_app(settings),
        **{
            "host": settings.host,
            "port": settings.port,
            "http": HTTPProtocol,
            "ws": WebSocketProtocol,
            "ws_max_size": _LARGEST_FRAME,
            "ws_ping_interval": 6.0,
            "ws_ping_timeout": 6.0,
            "ws_per_message_deflate": False,
            "h11_max_incomplete_event_size": 65_536,
            "timeout_keep_alive": 30,
            "timeout_graceful_shutdown": 8,
            "access_log": False,
            "log_level": "warning",
            "server_header": False,
            **options,
        },
    )
    return Server(config)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM."""
    make_server(settings).run()
