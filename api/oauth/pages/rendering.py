"""Turning templates into answers that nobody frames, keeps or scripts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

_TEMPLATES = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(
    name: str, *, status: int = 200, leads_to: Iterable[str] = (), nonce: str = "", **given: Any
) -> HTMLResponse:
    """Render a template; its forms may lead to this server and to the origins of `leads_to`.

    Browsers hold redirects after a form to the same rule, so a client's address must be named.
    """
    text = _environment().get_template(f"{name}.html").render(nonce=nonce, **given)
    targets = " ".join(["'self'", *sorted({_origin(uri) for uri in leads_to})])
    scripts = f"; script-src 'nonce-{nonce}'; connect-src 'self'" if nonce else ""
    policy = (
        f"default-src 'none'; style-src 'self'; form-action {targets};"
        f" frame-ancestors 'none'; base-uri 'none'{scripts}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    return HTMLResponse(text, status, headers)


async def style(_: Request) -> Response:
    """The one style sheet."""
    text = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(text, media_type="text/css", headers=headers)


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    web = parts.scheme in ("http", "https")
    return f"{parts.scheme}://{parts.netloc}" if web else f"{parts.scheme}:"


ROUTES = [Route("/oauth/style.css", style)]
