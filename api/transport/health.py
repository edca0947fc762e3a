"""What operators and load balancers ask: alive, ready, and the schema as a file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from api.transport.services import Services
from itr.database import pending_migrations
from itr.sight.privileges import ensure_privileges
from itr.sight.row_level_security import ensure_row_level_security
from itr.valkey import open_valkey

_PATIENCE = 3.0
_REMEMBERED = 1.0
_FAR_BEHIND = 15.0


async def healthz(_: Request) -> Response:
    """The process is alive."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The process can serve: database and migrations; without Valkey it is degraded, not failed."""
    state = request.app.state
    asked_at, known = getattr(state, "readiness", (0.0, None))
    if known is None or time.monotonic() - asked_at > _REMEMBERED:
        known = await _readiness(state.services)
        state.readiness = (time.monotonic(), known)
    return JSONResponse(known, status_code=503 if known["status"] == "failed" else 200)


async def _readiness(services: Services) -> dict[str, str]:
    settings = services.settings
    checks = {
        "database": await _outcome(services.database.reads.execute("select")),
        "migrations": await _outcome(_migrated(services)),
        "valkey": await _outcome(_ping(settings.valkey_url)),
        "feed": "ok" if services.feed.lag < _FAR_BEHIND else "behind",
    }
    ready = checks["database"] == "ok" and checks["migrations"] == "ok"
    status = "ok" if set(checks.values()) == {"ok"} else "degraded" if ready else "failed"
    return {"status": status, **checks}


async def schema_file(request: Request) -> Response:
    """The schema in its own language, for code generators."""
    return PlainTextResponse(request.app.state.schema.text)


async def _outcome(check: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            await check
    except Exception:
        return "failed"
    return "ok"


async def _migrated(services: Services) -> None:
    pending = await pending_migrations(services.settings)
    if pending:
        raise RuntimeError(f"{pending} migrations are pending")
    async with services.database.reads.acquire() as connection:
        await ensure_privileges(connection)
        await ensure_row_level_security(connection)


async def _ping(url: str) -> None:
    async with open_valkey(url) as valkey:
        await cast("Awaitable[bool]", valkey.ping())
