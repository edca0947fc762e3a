"""`/oauth/logout`: signing out of this server, and back to the program (RP-Initiated Logout 1.0).

A link changes nothing: it asks, and the form that is shown signs out.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from anyio import to_thread
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import OAuth2Error
from joserfc import jwt
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.oauth.endpoints import surroundings
from api.oauth.keys import ALGORITHM, RS256, KeyRing
from api.oauth.pages.forms import ForeignForm, Visit, as_link, is_ours, ours, visited
from api.oauth.pages.issuer_address import at_issuer
from api.oauth.pages.rendering import page
from api.oauth.pages.signing_in import end_earlier
from api.oauth.server import metadata
from api.oauth.server.clients import Client
from api.oauth.server.requests import ensure_decent, read_form
from itr.access.operations.grants import client_named

_LONGEST_HINT = 8_192
_WRONG = {
    "id_token_hint": ("不是本系统签发的 ID 令牌", "is no ID token of this server"),
    "client_id": ("没有登记这样的应用", "names no application that is registered here"),
    "post_logout_redirect_uri": (
        "不在该应用登记的退出地址和回调地址之中，或未说明是哪个应用（client_id 或 id_token_hint）",
        "is none of the addresses registered for the application, or it is not said for which one"
        " (client_id or id_token_hint)",
    ),
    "": ("无法读取", "cannot be read"),
}


@dataclass(frozen=True)
class Leave:
    """What a program asks: who it is, and where the browser goes on to."""

    client: Client | None = None
    address: str = ""


class Wrong(Exception):
    """A parameter that is not right; the message is its name."""


async def show(request: Request) -> Response:
    """Ask whether to sign out; who is not signed in goes on at once."""
    visit = await visited(request)
    try:
        leave = await _asked(request)
    except Wrong as wrong:
        return _refused(request, str(wrong))
    if visit.session is None:
        return _gone(visit, leave)
    response = page(
        request,
        "sign_out",
        leads_to=[leave.address] if leave.address else [],
        client=leave.client.row.name if leave.client else "",
        actor=visit.session.actor,
        form_token=visit.form_token,
    )
    return visit.remember(response)


async def take(request: Request) -> Response:
    """Sign out; or a program's request sent as a form, which is asked about like a link."""
    visit = await visited(request)
    try:
        pairs = await read_form(request, repeats=True)
        if not is_ours(pairs):
            return as_link(request, pairs) or _refused(request, "")
        ours(visit, pairs)
        leave = await _asked(request)
    except Wrong as wrong:
        return _refused(request, str(wrong))
    except (OAuth2Error, ForeignForm):
        told = {"zh": ForeignForm.zh, "en": ForeignForm.en, "code": ForeignForm.code}
        return page(request, "refused", status=403, **told)
    await end_earlier(visit)
    return _gone(visit, leave)


def _gone(visit: Visit, leave: Leave) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    if leave.address:
        return visit.remember(RedirectResponse(leave.address, 303, headers), session="")
    return visit.remember(page(visit.request, "signed_out"), session="")


async def _asked(request: Request) -> Leave:
    """What the address says; raises Wrong."""
    try:
        given = dict(ensure_decent(parse_qsl(request.url.query, max_num_fields=20)))
    except (OAuth2Error, ValueError):
        raise Wrong("") from None
    hint, client_id = given.get("id_token_hint"), given.get("client_id")
    ring = surroundings(request).ring
    hinted = await to_thread.run_sync(_client_in, ring, hint) if hint else client_id
    if client_id and hinted != client_id:
        raise Wrong("client_id")
    client = await _client(request, hinted) if hinted else None
    address = given.get("post_logout_redirect_uri", "")
    if address and (client is None or not client.check_sign_out_uri(address)):
        raise Wrong("post_logout_redirect_uri")
    if address and "state" in given:
        address = add_params_to_uri(address, [("state", given["state"])])
    return Leave(client, address)


async def _client(request: Request, client_id: str) -> Client:
    row = await client_named(client_id) if len(client_id) <= 64 else None
    if row is None:
        raise Wrong("client_id")
    return Client(row, surroundings(request).settings.issuer)


def _client_in(ring: KeyRing, hint: str) -> str:
    """Whom an ID token of ours was for, however long ago; raises Wrong."""
    if len(hint) > _LONGEST_HINT or not hint.isascii():
        raise Wrong("id_token_hint")
    try:
        token = jwt.decode(
            hint,
            lambda signed: ring.verifying(signed.headers()),
            algorithms=[ALGORITHM, RS256],
        )
        (audience,) = token.claims["aud"]
    except (JoseError, ValueError, TypeError, KeyError):
        raise Wrong("id_token_hint") from None
    return str(audience)


def _refused(request: Request, name: str) -> Response:
    zh, en = _WRONG[name]
    return page(
        request,
        "refused",
        status=400,
        code="invalid_request",
        zh=f"退出请求的参数 {name} 不正确：{zh}。",
        en=f"The application's request to sign you out is not right: {name} {en}.",
    )


ROUTES = [
    Route(metadata.SIGN_OUT, at_issuer(show), methods=["GET"]),
    Route(metadata.SIGN_OUT, take, methods=["POST"]),
]
