"""GraphiQL: its editor and how it signs in and out; all it needs is served from here."""

from __future__ import annotations

import gzip
import secrets
from functools import cache
from pathlib import Path

from authlib.oauth2.rfc6749 import OAuth2Error
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.oauth.pages.forms import ForeignForm, submitted, visited
from api.oauth.pages.issuer_address import at_issuer
from api.oauth.pages.rendering import kept, page
from api.oauth.pages.signing_in import end_earlier

CLIENT_ID, SIGNED_IN = "itr-graphiql", "/graphql/signed-in"
ASSETS = Path(__file__).parent / "assets"
_MEDIA = {".js": "text/javascript", ".css": "text/css"}
_SCRIPTS = "script-src 'self'; connect-src 'self'"
_EDITOR = f"{_SCRIPTS}; font-src data:"


@at_issuer
async def editor(request: Request) -> Response:
    """The editor; its script sends whoever has no token to sign in."""
    visit = await visited(request)
    nonce, token = secrets.token_urlsafe(16), visit.form_token
    return visit.remember(page(request, "graphiql", policy=_EDITOR, nonce=nonce, form_token=token))


@at_issuer
async def sign_in(request: Request) -> Response:
    """Where the editor sends people to sign in, and where they come back to with a code."""
    return page(request, "graphiql_sign_in", policy=_SCRIPTS)


async def sign_out(request: Request) -> Response:
    """End the browser's session too: nobody else gets in by it."""
    visit = await visited(request)
    try:
        await submitted(visit)
    except (ForeignForm, OAuth2Error):
        told = {"zh": ForeignForm.zh, "en": ForeignForm.en, "code": ForeignForm.code}
        return page(request, "refused", status=403, **told)
    await end_earlier(visit)
    return visit.remember(RedirectResponse("/graphql/sign-in", status_code=303), session="")


async def asset(request: Request) -> Response:
    """A script or style sheet of the editor, packed if the browser can unpack it."""
    name = request.path_params["name"]
    packed = _packed().get(name)
    if packed is None:
        return Response(status_code=404)
    media = _MEDIA[Path(name).suffix]
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return kept(gzip.decompress(packed), media, Vary="Accept-Encoding")
    return kept(packed, media, **{"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})


@cache
def _packed() -> dict[str, bytes]:
    """Every asset as it travels, by name; those of others are kept packed."""
    ours = {path.name: gzip.compress(path.read_bytes(), mtime=0) for path in ASSETS.glob("*.*s")}
    return ours | {path.stem: path.read_bytes() for path in ASSETS.glob("vendored/*.gz")}


ROUTES = [
    Route("/graphql/sign-in", sign_in),
    Route(SIGNED_IN, sign_in),
    Route("/graphql/sign-out", sign_out, methods=["POST"]),
    Route("/graphql/assets/{name}", asset),
]
