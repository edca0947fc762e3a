"""The authorization server's endpoints for programs; people's pages are in `api.oauth.pages`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
from anyio import to_thread
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Error
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.oauth.server import metadata
from api.oauth.server.authorization_server import DeskServer, Surroundings, serve
from api.oauth.server.openid import user_info
from api.oauth.server.requests import FormRequest, Reply, ensure_text, read_form
from api.oauth.tokens import Unauthenticated
from itr.access.operations.grants import any_needs_rs256
from itr.access.scopes import OPENID
from itr.database import AWAY

logger = logging.getLogger("itr.oauth")

Handler = Callable[[Request], Awaitable[Response]]


def surroundings(request: Request) -> Surroundings:
    """What the running application says of now, its keys, and who calls."""
    services = request.app.state.services
    return Surroundings(
        settings=services.settings,
        ring=services.identities.ring,
        now=services.clock(),
        address=request.client.host if request.client else "",
    )


def _endpoint(path: str, answer: Callable[[DeskServer], Reply]) -> Route:
    async def handle(request: Request) -> Response:
        try:
            around = surroundings(request)
            url = around.settings.issuer.rstrip("/") + path
            headers = ensure_text(request.headers)
            form = await read_form(request)
            reply = await serve(around, FormRequest("POST", url, headers, form), answer)
        except UnicodeError:
            reply = _refused(InvalidClientError(status_code=401))
        except OAuth2Error as error:
            reply = _refused(error)
        except AWAY as error:
            logger.warning("the database is away: %s", type(error).__name__)
            reply = Reply(503, {"error": "temporarily_unavailable"}, {"Retry-After": "1"})
        except Exception:
            logger.exception("%s failed", path)
            reply = Reply(500, {"error": "server_error"})
        return answered(reply)

    return Route(path, handle, methods=["POST"])


def answered(reply: Reply) -> Response:
    """A reply as JSON that nobody keeps; a client that was not let in is told no more than that."""
    body, headers = reply.body, dict(reply.headers)
    if isinstance(body, dict) and body.get("error") == "invalid_client":
        body = {"error": "invalid_client", "error_description": "Client authentication failed."}
        headers["WWW-Authenticate"] = 'Basic realm="itr", error="invalid_client"'
        reply.status = 401
    headers |= {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(orjson.dumps(body), reply.status, headers)


async def user_info_endpoint(request: Request) -> Response:
    """Who the token's person is (OpenID Connect Core 5.3)."""
    services = request.app.state.services
    challenge = f'Bearer realm="itr", resource_metadata="{_resource(request)}"'
    try:
        identity = await services.identify(request.headers.get("authorization"))
    except Unauthenticated:
        given = ', error="invalid_token"' if request.headers.get("authorization") else ""
        return Response(status_code=401, headers={"WWW-Authenticate": challenge + given})
    scope = identity.claims.scope or ""
    if OPENID not in scope.split():
        refusal = f'{challenge}, error="insufficient_scope", scope="openid"'
        return Response(status_code=403, headers={"WWW-Authenticate": refusal})
    user = await serve(
        surroundings(request),
        FormRequest("GET", services.settings.issuer, request.headers, []),
        lambda server: server.user(identity.actor.id),
    )
    if user is None:
        return Response(status_code=401, headers={"WWW-Authenticate": challenge})
    return answered(Reply(200, user_info(user, scope)))


def _resource(request: Request) -> str:
    return metadata.resource_metadata_url(request.app.state.services.settings)


def _public(body: Callable[[Request], Any], *, seconds: int) -> Handler:
    async def handle(request: Request) -> Response:
        headers = {
            "Content-Type": "application/json",
            "Cache-Control": f"public, max-age={seconds}",
            "Access-Control-Allow-Origin": "*",
        }
        return Response(orjson.dumps(body(request)), headers=headers)

    return handle


def _refused(error: OAuth2Error) -> Reply:
    status, body, headers = error()
    if status >= 500 or not isinstance(body, dict):
        return _refused(InvalidRequestError())
    return Reply(status, body, dict(headers))


_server = _public(
    lambda request: metadata.server_metadata(request.app.state.services.settings), seconds=300
)
_resource_page = _public(
    lambda request: metadata.resource_metadata(request.app.state.services.settings), seconds=300
)


async def _jwks(request: Request) -> Response:
    """The public keys; RSA keys only where a client needs them: making them takes a while."""
    ring, rsa = request.app.state.services.identities.ring, await any_needs_rs256()
    keys = await to_thread.run_sync(partial(ring.published, rsa=rsa))
    return await _public(lambda _: keys, seconds=30)(request)


ROUTES = [
    _endpoint(metadata.TOKEN, DeskServer.create_token_response),
    _endpoint(metadata.REVOKE, lambda server: server.create_endpoint_response("revocation")),
    _endpoint(metadata.INTROSPECT, lambda server: server.create_endpoint_response("introspection")),
    _endpoint(
        metadata.DEVICE, lambda server: server.create_endpoint_response("device_authorization")
    ),
    Route(metadata.USER_INFO, user_info_endpoint, methods=["GET", "POST"]),
    Route(metadata.JWKS, _jwks),
    Route("/.well-known/openid-configuration", _server),
    Route("/.well-known/oauth-authorization-server", _server),
    Route("/.well-known/oauth-authorization-server/{path:path}", _server),
    Route("/.well-known/oauth-protected-resource", _resource_page),
    Route("/.well-known/oauth-protected-resource/{path:path}", _resource_page),
]
