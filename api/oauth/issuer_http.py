"""Asking other issuers: at their own hosts only, not for long, and no more than they need to say.

What an issuer's metadata says is not followed to anywhere else, so nobody who can change it makes
this server ask around in the network it stands in (S15).
"""

from __future__ import annotations

import asyncio
import ssl
from functools import cache
from typing import Any

import httpx2
import orjson
from authlib.integrations.httpx_client import AsyncOAuth2Client

from itr.issuers.external import ExternalIssuer, origin_of

LARGEST_ANSWER = 512 * 1024
PATIENCE = 10.0
"""Seconds for one question, its answer read."""
_EACH_STEP = 5.0


class Unreachable(Exception):
    """The issuer does not answer as an issuer does."""


class IssuerHttp(AsyncOAuth2Client):  # type: ignore[misc]
    """Authlib's client, held to one issuer's hosts; an answer is read whole, up to a size."""

    def __init__(self, issuer: ExternalIssuer, **given: Any) -> None:
        self._issuer = issuer
        super().__init__(timeout=_EACH_STEP, follow_redirects=False, verify=_trusted(), **given)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send it, if it goes to the issuer; raises Unreachable."""
        url = str(request.url)
        if not is_at(self._issuer, url):
            raise Unreachable(f"{url.partition('?')[0]} is at none of its hosts")
        options["stream"] = True
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await super().send(request, **options)
                try:
                    body = await _read(answer)
                finally:
                    await answer.aclose()
        except (httpx2.HTTPError, TimeoutError) as error:
            raise Unreachable(f"{url.partition('?')[0]}: {type(error).__name__}") from None
        return httpx2.Response(answer.status_code, content=body, request=request)


def is_at(issuer: ExternalIssuer, url: str) -> bool:
    """Whether an address is one of the issuer's."""
    origin = origin_of(url)
    return origin is not None and origin in issuer.origins


async def json_of(http: IssuerHttp, url: str) -> dict[str, Any]:
    """What stands at an address of the issuer's; raises Unreachable."""
    try:
        answer = await http.request("GET", url, withhold_token=True)
        found = orjson.loads(answer.content)
    except (httpx2.InvalidURL, ValueError) as error:
        raise Unreachable(f"{url[:200]}: {type(error).__name__}") from None
    if answer.status_code != 200 or not isinstance(found, dict):
        raise Unreachable(f"{url} answers {answer.status_code}")
    return found


@cache
def _trusted() -> ssl.SSLContext:
    """Whom to trust, read once: reading it takes a tenth of a second on the event loop."""
    return httpx2.create_ssl_context()


async def _read(answer: httpx2.Response) -> bytes:
    body = bytearray()
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > LARGEST_ANSWER:
            raise Unreachable("its answer is too large")
    return bytes(body)
