"""What a client sent and what it wants back: bodies, media types, parameters (S6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from api.transport.errors import Refusal

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENTS = "text/event-stream"
_LONGEST_ID = 200
_OFFERED = (JSON, GRAPHQL_JSON, EVENTS)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as a client asks for it."""

    query: str
    """Its text; empty when it is only named, until it is looked up."""
    variables: dict[str, Any] | None
    name: str | None
    extensions: dict[str, Any] | None
    sha256: str | None = None
    """The SHA-256 of a registered document, or what the text must have."""
    document_id: str | None = None
    """The id a client's build gave a registered document."""
    registered: bool = False
    """Whether it was found among the registered documents."""

    @classmethod
    def of(cls, data: object) -> Operation:
        """Check the shape of the parameters; raises Refusal."""
        if not isinstance(data, dict):
            raise Refusal("BAD_BODY")
        query, name = data.get("query"), data.get("operationName")
        variables, extensions = data.get("variables"), data.get("extensions")
        if not isinstance(query, (str, type(None))) or not isinstance(name, (str, type(None))):
            raise Refusal("BAD_BODY")
        for value in (variables, extensions):
            if not isinstance(value, (dict, type(None))):
                raise Refusal("BAD_BODY")
        sha256, document_id = _named(data.get("documentId"), extensions)
        if not query and not sha256 and not document_id:
            raise Refusal("MISSING_QUERY")
        return cls(query or "", variables, name or None, extensions, sha256, document_id)


async def read_operation(request: Request, *, at_most: int) -> Operation:
    """Read the operation of a request; raises Refusal."""
    if request.method == "GET":
        return Operation.of(_parameters(request.query_params))
    media, charset = _content_type(request.headers.get("content-type", ""))
    if media != JSON or charset not in ("", "utf-8", "utf8"):
        raise Refusal("UNSUPPORTED_MEDIA_TYPE")
    return Operation.of(decode(await _body(request, at_most)))


def decode(text: bytes | str) -> object:
    """Decode JSON; raises Refusal for anything that is not: broken, too deep, not UTF-8."""
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeError, RecursionError) as error:
        if "infinity" in str(error):
            return _decode_with_infinities(text)
        raise Refusal("BAD_BODY") from None


def _decode_with_infinities(text: bytes | str) -> object:
    """Decode JSON with a number beyond all bounds, which is told where it stands when counted."""
    try:
        return json.loads(text, parse_int=float, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Refusal("BAD_BODY") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def preferred_media(accept: str | None) -> str | None:
    """What to answer with, or None when nothing the client accepts can be had."""
    if not accept or not accept.strip():
        return JSON
    wanted = sorted(
        (_ranked(part, place) for place, part in enumerate(accept.split(","))), reverse=True
    )
    for weight, _, media in wanted:
        if weight <= 0:
            break
        if media in _OFFERED:
            return media
        if media in ("*/*", "application/*"):
            return JSON
        if media == "text/*":
            return EVENTS
    return None


def wants_page(request: Request) -> bool:
    """Whether a browser asks for something to look at."""
    accept = request.headers.get("accept", "")
    return request.method == "GET" and "text/html" in accept and not request.query_params


async def _body(request: Request, at_most: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > at_most:
        raise Refusal("BODY_TOO_LARGE")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > at_most:
            raise Refusal("BODY_TOO_LARGE")
        parts.append(part)
    return b"".join(parts)


def _parameters(given: Mapping[str, str]) -> dict[str, Any]:
    taken: dict[str, Any] = {
        name: given.get(name) for name in ("query", "operationName", "documentId")
    }
    for name in ("variables", "extensions"):
        text = given.get(name)
        taken[name] = decode(text) if text else None
    return taken


def _named(
    document_id: object, extensions: Mapping[str, Any] | None
) -> tuple[str | None, str | None]:
    """The SHA-256 and the id an operation gives for its document; raises Refusal."""
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is not None and not isinstance(persisted, dict):
        raise Refusal("BAD_BODY")
    sha256 = (persisted or {}).get("sha256Hash")
    given_sha256, given_id = _short_text(sha256), _short_text(document_id)
    if given_id.startswith("sha256:"):
        return given_sha256 or given_id.removeprefix("sha256:"), None
    return given_sha256 or None, given_id or None


def _short_text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_ID or "\0" in value:
        raise Refusal("BAD_BODY")
    return value


def _content_type(header: str) -> tuple[str, str]:
    media, *parameters = (part.strip().lower() for part in header.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return media, value.strip().strip('"')
    return media, ""


def _ranked(part: str, place: int) -> tuple[float, int, str]:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                weight = 0.0
    return weight, -place, media
