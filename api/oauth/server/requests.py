"""Requests as Authlib reads them, made of what Starlette received."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import (
    InvalidClientError,
    InvalidRequestError,
    OAuth2Payload,
    OAuth2Request,
)
from starlette.requests import ClientDisconnect, Request

FORM = "application/x-www-form-urlencoded"
_LARGEST_FORM = 64 * 1024
_MOST_FIELDS = 40


class FormPayload(OAuth2Payload):  # type: ignore[misc]
    """The parameters of a request, each with all the values it was given."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._lists: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in pairs:
            self._lists[name].append(value)
        self._data = {name: values[0] for name, values in self._lists.items()}

    @property
    def data(self) -> dict[str, str]:
        """The first value of each."""
        return self._data

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        """All values of each."""
        return self._lists


class FormRequest(OAuth2Request):  # type: ignore[misc]
    """A request to the authorization server at its public address, whatever a proxy called it."""

    def __init__(
        self, method: str, url: str, headers: Mapping[str, str], pairs: list[tuple[str, str]]
    ) -> None:
        super().__init__(method, url, headers=headers)
        self.payload = FormPayload(pairs)

    @property
    def form(self) -> dict[str, str]:
        """What the body says."""
        data: dict[str, str] = self.payload.data
        return data

    @property
    def args(self) -> dict[str, str]:
        """What the address says."""
        return self.form


@dataclass
class Reply:
    """What Authlib wants answered."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def location(self) -> str | None:
        """Where a browser is sent."""
        return self.headers.get("Location")

    @location.setter
    def location(self, value: str) -> None:
        self.headers["Location"] = value


async def read_form(request: Request, *, repeats: bool = False) -> list[tuple[str, str]]:
    """Read an urlencoded body; raises InvalidRequestError for anything else, or a repeated name."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != FORM:
        raise InvalidRequestError("The body must be application/x-www-form-urlencoded.")
    body = await _body(request)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise InvalidRequestError("The body cannot be read.") from None
    return ensure_decent(pairs, repeats=repeats)


async def _body(request: Request) -> bytes:
    """The whole body; raises InvalidRequestError, also where the client leaves in the middle."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST_FORM:
                raise InvalidRequestError("The body is too large.")
    except ClientDisconnect:
        raise InvalidRequestError("The body did not arrive.") from None
    return bytes(body)


def ensure_text(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Refuse credentials that are no ASCII text, which nobody could decode (RFC 7617)."""
    if not headers.get("authorization", "").isascii():
        raise InvalidClientError(status_code=401)
    return headers


def ensure_decent(pairs: list[tuple[str, str]], *, repeats: bool = False) -> list[tuple[str, str]]:
    """Refuse NUL characters, and parameters given twice (RFC 6749, 3.2)."""
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise InvalidRequestError("A parameter holds a NUL character.")
    names = [name for name, _ in pairs]
    if not repeats and len(set(names)) < len(names):
        raise InvalidRequestError("A parameter is given more than once.")
    return pairs
