"""What an issuer publishes of itself: its metadata and the keys it signs with, kept fresh."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.oauth.issuer_http import IssuerHttp, Unreachable, json_of
from itr.issuers.external import ExternalIssuer

logger = logging.getLogger("itr.oauth")

_AT_MOST_EVERY = 1.0


class IssuerMetadata:
    """One issuer's metadata and keys, as it last gave them."""

    def __init__(self, issuer: ExternalIssuer) -> None:
        self.issuer = issuer
        self.ids: dict[str, Any] = {}
        self._metadata: Mapping[str, Any] = {}
        self._asked = -_AT_MOST_EVERY
        self._asking = asyncio.Lock()

    def id_of(self, kid: str | None) -> str:
        """What its key is called among everybody's."""
        return f"{self.issuer.url} {kid or ''}"

    async def find(self, kid: str | None) -> Any:
        """The key of this id; an unknown one is asked for, but not again and again.

        Raises KeyError, Unreachable.
        """
        name = self.id_of(kid)
        if name not in self.ids:
            await self._fetch_unless(lambda: name in self.ids)
        return self.ids[name]

    async def metadata(self) -> Mapping[str, Any]:
        """Its metadata, asked for if there is none yet; raises Unreachable."""
        if not self._metadata:
            await self._fetch_unless(lambda: bool(self._metadata))
        if not self._metadata:
            raise Unreachable("it has given no metadata")
        return self._metadata

    async def fetch(self) -> None:
        """Discover the issuer and take over its keys; raises Unreachable."""
        self._asked = time.monotonic()
        place = self.issuer.url.rstrip("/") + "/.well-known/openid-configuration"
        async with IssuerHttp(self.issuer) as http:
            metadata = await json_of(http, place)
            if metadata.get("issuer") != self.issuer.url:
                raise Unreachable("its metadata names another issuer")
            published = await json_of(http, str(metadata.get("jwks_uri")))
        listed = published.get("keys")
        if not isinstance(listed, list):
            raise Unreachable("its JWKS has no keys")
        self.ids = {
            self.id_of(each.get("kid")): key
            for each in listed
            if isinstance(each, dict) and (key := self._key(each)) is not None
        }
        self._metadata = metadata

    def _key(self, said: dict[str, Any]) -> Any:
        if said.get("kty") == "oct" or said.get("use") == "enc":
            return None
        try:
            return KeySet.import_key_set({"keys": [said]}).keys[0]
        except (JoseError, ValueError, KeyError):
            logger.info("a key of %s is of no use to us", self.issuer.url)
            return None

    async def _fetch_unless(self, known: Callable[[], bool]) -> None:
        async with self._asking:
            if not known() and time.monotonic() - self._asked > _AT_MOST_EVERY:
                try:
                    await self.fetch()
                finally:
                    self._asked = time.monotonic()
