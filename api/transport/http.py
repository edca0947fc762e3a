"""GraphQL over HTTP as its specification has it, behind a bearer token."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from graphql import located_error
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from api.languages import language_of
from api.oauth import Identity, Unauthenticated
from api.oauth.server.metadata import resource_metadata_url
from api.transport import bodies
from api.transport.budget import QueryCost
from api.transport.context import Context
from api.transport.errors import Refusal, answer, is_request_error, present
from api.transport.services import Services, request_id_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from itr.errors import Language

STATUS: Mapping[str, int] = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "BODY_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "TOO_MANY_CONNECTIONS": 429,
    "RATE_LIMITED": 429,
    "DOCUMENT_NOT_TRUSTED": 403,
}
"""The status of a refusal that is not a plain 400."""


_UNWATCHED_SECONDS = 0.05
"""How long an operation runs before anybody looks whether its client is still there."""


class Gone(Exception):
    """The client has left; nobody is there to answer."""


class Exchange:
    """One HTTP request and its answer."""

    def __init__(self, services: Services, request: Request) -> None:
        self.services = services
        self.request = request
        self.request_id = request_id_of(request.headers)
        self.language: Language = language_of(request.headers.get("accept-language"))
        self.media = bodies.preferred_media(request.headers.get("accept"))

    async def identify(self) -> Identity:
        """Return who asks; raises Refusal."""
        try:
            return await self.services.identify(self.request.headers.get("authorization"))
        except Unauthenticated:
            raise Refusal("UNAUTHENTICATED") from None

    async def operation(self) -> bodies.Operation:
        """Read what is asked; raises Refusal."""
        if self.media is None:
            raise Refusal("NOT_ACCEPTABLE")
        at_most = self.services.limits.body_bytes
        return await bodies.read_operation(self.request, at_most=at_most)

    async def run(self, identity: Identity, operation: bodies.Operation) -> Response:
        """Run a query or mutation within its time and answer it."""
        services = self.services
        context = services.context(
            identity,
            language=self.language,
            request_id=self.request_id,
            client_address=self.request.client.host if self.request.client else "",
        )
        structlog.contextvars.bind_contextvars(request_id=self.request_id)
        try:
            with services.watching.operation("http", context, self.request.headers) as watched:
                async with _while_client_waits(self.request.receive):
                    async with asyncio.timeout(services.limits.operation_seconds):
                        resolved = await services.trusted.resolve(identity.actor, operation)
                        result = await self._executed(watched.resolved(resolved), context)
                watched.came(result.errors)
        except TimeoutError:
            result = ExecutionResult(data=None, errors=[Refusal("TIMEOUT")])
        return self._answered(result, context.query_cost)

    async def _executed(self, operation: bodies.Operation, context: Context) -> ExecutionResult:
        allowed = OperationType.from_http("GET" if self.request.method == "GET" else "POST")
        return await self.services.schema.execute(
            operation.query,
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.name,
            allowed_operation_types=allowed - {OperationType.SUBSCRIPTION},
            operation_extensions=operation.extensions,
        )

    def refused(self, refusal: Refusal) -> Response:
        """Answer with a request error and the status that goes with it."""
        code = str((refusal.extensions or {})["code"])
        body = answer(
            code, language=self.language, request_id=self.request_id, reason=refusal.reason
        )
        response = self._response(body, STATUS.get(code, 400))
        if code == "UNAUTHENTICATED":
            response.headers["www-authenticate"] = self._challenge()
        if code == "METHOD_NOT_ALLOWED":
            response.headers["allow"] = "POST" if self.request.method == "GET" else "GET, POST"
        if code == "TOO_MANY_CONNECTIONS":
            response.headers["retry-after"] = "30"
        return response

    def _challenge(self) -> str:
        """What a client needs to get in, and where it finds out more (RFC 6750, RFC 9728)."""
        where = resource_metadata_url(self.services.settings)
        given = ', error="invalid_token"' if self.request.headers.get("authorization") else ""
        return f'Bearer realm="itr"{given}, resource_metadata="{where}"'

    def failed(self, error: Exception) -> Response:
        """Answer a failure before the operation ran, without a word of it (S7)."""
        shown = present([located_error(error)], language=self.language, request_id=self.request_id)
        known = shown[0]["extensions"]["code"] in ("UNAVAILABLE", "TIMEOUT")
        return self._response({"errors": shown}, 503 if known else 500)

    def _answered(self, result: ExecutionResult, query_cost: QueryCost | None) -> Response:
        errors = result.errors
        status = 200
        body = payload_of(result, self.language, self.request_id, query_cost=query_cost)
        if is_request_error(result.data, errors):
            code = body["errors"][0]["extensions"]["code"]
            if code == "METHOD_NOT_ALLOWED":
                return self.refused(Refusal(code))
            status = STATUS.get(code, 400) if self.media == bodies.GRAPHQL_JSON else 200
        response = self._response(body, status)
        if query_cost is not None:
            response.headers.update(query_cost.headers())
        return response

    def _response(self, body: Mapping[str, Any], status: int) -> Response:
        media = bodies.GRAPHQL_JSON if self.media == bodies.GRAPHQL_JSON else bodies.JSON
        headers = {
            "content-type": f"{media}; charset=utf-8",
            "cache-control": "no-store",
            "x-request-id": self.request_id,
        }
        return Response(orjson.dumps(body), status, headers)


def payload_of(
    result: ExecutionResult,
    language: Language,
    request_id: str,
    *,
    query_cost: QueryCost | None = None,
) -> dict[str, Any]:
    """Make the body of an answer: `data` is absent when nothing was executed."""
    payload: dict[str, Any] = {}
    if result.errors:
        payload["errors"] = present(result.errors, language=language, request_id=request_id)
    if not is_request_error(result.data, result.errors):
        payload["data"] = result.data
    extensions = (result.extensions or {}) | (
        query_cost.extensions(datetime.now(UTC)) if query_cost else {}
    )
    if extensions:
        payload["extensions"] = extensions
    return payload


@asynccontextmanager
async def _while_client_waits(receive: Receive) -> AsyncIterator[None]:
    """Run the block; when the client leaves meanwhile, cancel it and raise Gone (S11).

    Watching begins after a moment, because most operations are over by then.
    """
    working = asyncio.current_task()
    watching: asyncio.Task[None] | None = None
    left = False

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = True
        if working is not None:
            working.cancel()

    def begin() -> None:
        nonlocal watching
        watching = asyncio.ensure_future(watch())

    beginning = asyncio.get_running_loop().call_later(_UNWATCHED_SECONDS, begin)
    try:
        yield
    except asyncio.CancelledError:
        if left and working is not None:
            working.uncancel()
            raise Gone from None
        raise
    finally:
        beginning.cancel()
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
