"""What operators and load balancers ask: alive, ready, and the schema as a file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from api.transport.services import Services
from itr.database import pending_migrations
from itr.events.feed import open_valkey
from itr.settings import Settings

_PATIENCE = 3.0
_FAR_BEHIND = 15.0


async def healthz(_: Request) -> Response:
    """The process is alive."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The process can serve: database and migrations; without Valkey it is degraded, not failed."""
    services: Services = request.app.state.services
    settings = services.settings
    checks = {
        "database": await _outcome(services.pool.execute("select")),
        "migrations": await _outcome(_migrated(settings)),
        "valkey": await _outcome(_ping(settings.valkey_url)),
        "feed": "ok" if services.feed.lag < _FAR_BEHIND else "behind",
    }
    ready = checks["database"] == "ok" and checks["migrations"] == "ok"
    status = "ok" if set(checks.values()) == {"ok"} else "degraded" if ready else "failed"
    return JSONResponse({"status": status, **checks}, status_code=200 if ready else 503)


async def schema_file(request: Request) -> Response:
    """The schema in its own language, for code generators."""
    return PlainTextResponse(request.app.state.schema.as_str() + "\n")


async def _outcome(check: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            await check
    except Exception:
        return "failed"
    return "ok"


async def _migrated(settings: Settings) -> None:
    pending = await pending_migrations(settings)
    if pending:
        raise RuntimeError(f"{pending} migrations are pending")


async def _ping(url: str) -> None:
    async with open_valkey(url) as valkey:
        await cast("Awaitable[bool]", valkey.ping())
