"""One machine has several names, a browser's cookies have one: pages are at the issuer's."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from functools import wraps
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

Show = Callable[[Request], Awaitable[Response]]


def at_issuer(show: Show) -> Show:
    """Show the page at the issuer's own name for this machine, wherever else it was opened.

    Who opens `localhost` where the issuer is `127.0.0.1` would sign in there and not be signed in
    here. Only the names of this very machine are taken for one another, at the same port: what a
    proxy makes of a host is left alone.
    """

    @wraps(show)
    async def shown(request: Request) -> Response:
        target = _at_issuer(request)
        if target is None:
            return await show(request)
        return RedirectResponse(target, 303, {"Cache-Control": "no-store"})

    return shown


def _at_issuer(request: Request) -> str | None:
    issuer = urlsplit(str(request.app.state.services.settings.issuer))
    try:
        here = urlsplit(f"//{request.headers.get('host', '')}")
        same_port = (here.port or 80) == (issuer.port or 80)
    except ValueError:
        return None
    if issuer.scheme != "http" or here.hostname == issuer.hostname or not same_port:
        return None
    if not (_is_this_machine(here.hostname) and _is_this_machine(issuer.hostname)):
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return f"http://{issuer.netloc}{request.url.path}{query}"


def _is_this_machine(name: str | None) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name or "").is_loopback
    except ValueError:
        return False
