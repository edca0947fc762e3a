"""How the application is served: uvicorn, with bounded connections and clients told to go."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import Any

import uvicorn

from api.app import create_app
from api.serving.admission import Admission, ConnectionLimits
from api.serving.file_handles import BACKLOG, connections
from api.serving.protocols import HTTPProtocol, ServingConfig, WebSocketProtocol
from api.serving.proxies import TrustedProxies
from itr.settings import Settings

_LARGEST_FRAME = 2_500_000


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


def make_server(
    settings: Settings,
    *,
    app: Any = None,
    limits: ConnectionLimits | None = None,
    **options: Any,
) -> Server:
    """A configured server; `await it.serve()` runs it until a signal."""
    limits = limits or ConnectionLimits(
        per_address=settings.connections_per_address, in_all=connections(settings)
    )
    config = ServingConfig(
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
            "backlog": BACKLOG,
            "proxy_headers": False,
            "timeout_keep_alive": limits.idle_seconds,
            "timeout_graceful_shutdown": 8,
            "access_log": False,
            "log_level": "warning",
            "server_header": False,
            **options,
        },
    )
    config.admission = Admission(limits, TrustedProxies.of(settings))
    return Server(config)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM."""
    make_server(settings).run()
