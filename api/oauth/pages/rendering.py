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

from api.languages import language_of

TIMES = "script-src 'self'"
"""What a page is allowed that shows times: the script that puts them in the reader's zone."""
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
    request: Request,
    name: str,
    *,
    status: int = 200,
    leads_to: Iterable[str] = (),
    policy: str = "",
    nonce: str = "",
    **given: Any,
) -> HTMLResponse:
    """Render a template in the reader's language, the other beside it.

    `policy` adds to what it may do; styles that its scripts make must carry the `nonce`.

    Its forms may lead to this server and to the origins of `leads_to`: browsers hold redirects
    after a form to the same rule, so a client's address must be named.
    """
    language = language_of(request.headers.get("accept-language"))
    text = (
        _environment().get_template(f"{name}.html").render(language=language, nonce=nonce, **given)
    )
    styles = f"style-src 'self' 'nonce-{nonce}'" if nonce else "style-src 'self'"
    targets = " ".join(["'self'", *sorted({_origin(uri) for uri in leads_to})])
    rules = ["default-src 'none'", styles, "img-src 'self'", f"form-action {targets}"]
    rules += ["frame-ancestors 'none'", "base-uri 'none'"]
    headers = {
        "Content-Security-Policy": "; ".join([*rules, policy] if policy else rules),
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "Vary": "Accept-Language",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    return HTMLResponse(text, status, headers)


def kept(content: bytes | str, media: str, **headers: str) -> Response:
    """A file of ours that browsers may keep for an hour."""
    about = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media, headers=about | headers)


async def style(_: Request) -> Response:
    """The one style sheet."""
    return kept((_TEMPLATES / "style.css").read_text(encoding="utf-8"), "text/css")


async def icon(_: Request) -> Response:
    """The mark in a browser's tab: a clock."""
    return kept((_TEMPLATES / "icon.svg").read_text(encoding="utf-8"), "image/svg+xml")


async def times(_: Request) -> Response:
    """The script that shows times in the reader's zone."""
    return kept((_TEMPLATES / "times.js").read_text(encoding="utf-8"), "text/javascript")


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    web = parts.scheme in ("http", "https")
    return f"{parts.scheme}://{parts.netloc}" if web else f"{parts.scheme}:"


ROUTES = [
    Route("/oauth/style.css", style),
    Route("/oauth/icon.svg", icon),
    Route("/oauth/times.js", times),
]
