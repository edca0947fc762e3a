"""The `/graphql` endpoint: one path for HTTP, WebSocket, SSE and GraphiQL."""

from __future__ import annotations

from graphql import located_error
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from api.oauth.pages import graphiql
from api.transport import bodies
from api.transport.context import Context
from api.transport.errors import Refusal, report
from api.transport.http import Exchange, Gone
from api.transport.services import Services
from api.transport.sse import EventStream
from api.transport.websocket import NO_SUBPROTOCOL, Socket
from itr.origins import read_origins
from itr.settings import Settings

_HEADERS = [
    "authorization",
    "content-type",
    "last-event-id",
    "traceparent",
    "tracestate",
    "x-request-id",
]
"""What pages of other origins may send: those of traces, too, which browsers' tracing adds."""


class GraphQLEndpoint:
    """Where `/graphql` is routed to: the view of the running application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request or socket on."""
        await scope["app"].state.view(scope, receive, send)


class GraphQLFirst:
    """Hands requests for `/graphql` on before any route is matched; all others go their way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one on."""
        ours = scope["type"] == "http" and scope["path"] == "/graphql" and not scope["root_path"]
        await (scope["app"].state.view if ours else self._app)(scope, receive, send)


def origins_allowed(settings: Settings) -> list[Middleware]:
    """Let browser dashboards of the configured origins in; nobody else's pages."""
    origins = read_origins(settings.allowed_origins)
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=_HEADERS,
            expose_headers=[
                "x-request-id",
                "www-authenticate",
                "retry-after",
                "ratelimit",
                "ratelimit-policy",
            ],
        )
    ]


class GraphQLView(GraphQL[Context, None]):
    """Strawberry's view for its origin check; the rest of the protocol is ours."""

    def __init__(self, services: Services) -> None:
        super().__init__(
            services.schema,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            allowed_origins=read_origins(services.settings.allowed_origins),
        )
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request or one socket."""
        if scope["type"] == "websocket":
            await self._serve_socket(WebSocket(scope, receive, send))
            return
        response = await self._respond(Request(scope, receive, send))
        if response is not None:
            await response(scope, receive, send)

    async def _respond(self, request: Request) -> ASGIApp | None:
        exchange = Exchange(self._services, request)
        if request.method not in ("GET", "POST"):
            return exchange.refused(Refusal("METHOD_NOT_ALLOWED"))
        try:
            if bodies.wants_page(request):
                return await graphiql.editor(request)
            return await self._answer(exchange)
        except Refusal as refusal:
            return exchange.refused(refusal)
        except (Gone, ClientDisconnect):
            return None
        except Exception as error:
            report([located_error(error)], request_id=exchange.request_id)
            return exchange.failed(error)

    async def _answer(self, exchange: Exchange) -> ASGIApp:
        identity = await exchange.identify()
        operation = await exchange.operation()
        if exchange.media == bodies.EVENTS:
            return EventStream(exchange, identity, operation)
        return await exchange.run(identity, operation)

    async def _serve_socket(self, websocket: WebSocket) -> None:
        if not self._check_websocket_origin(websocket):
            await self.reject_websocket(websocket)
            return
        protocol = await self.pick_websocket_subprotocol(websocket)
        await websocket.accept(subprotocol=protocol)
        if protocol is None:
            await websocket.close(NO_SUBPROTOCOL, "Subprotocol not acceptable")
            return
        await Socket(self._services, websocket).serve()
