"""Tokens of other issuers: discovery, their keys, and what their claims say of a person."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import NAMESPACE_URL, uuid5

import httpx
import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, KeySet

from api.oauth.tokens import Claims, Unauthenticated
from itr.access.issuers import ExternalIssuer
from itr.access.operations.external import Vouched, person_vouched_for
from itr.access.scopes import PERMITTED
from itr.errors import DomainError

logger = logging.getLogger("itr.oauth")

_LONGEST = 16_384
_LARGEST_ANSWER = 512 * 1024
_LEEWAY = timedelta(seconds=30)
_RENEWED_EVERY = 300.0
_AT_MOST_EVERY = 1.0


class Unreachable(Exception):
    """The issuer does not answer as an issuer does."""


class Issuers:
    """The issuers of the configuration, with the keys they sign with now."""

    def __init__(self, issuers: tuple[ExternalIssuer, ...] = ()) -> None:
        self._keys = {issuer.url: _Keys(issuer) for issuer in issuers}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Keep their keys fresh until the block ends; one that is away is asked again later."""
        task = asyncio.create_task(self._renew_forever(), name="external issuers")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def __contains__(self, key_id: str) -> bool:
        return any(key_id in keys.ids for keys in self._keys.values())

    def vouches(self, token: str) -> bool:
        """Whether the token claims to be of one of them; nothing is verified yet."""
        return bool(self._keys) and _claimed_issuer(token) in self._keys

    async def claims(self, token: str, *, now: datetime) -> Claims:
        """Verify a token and bring its person up to date; raises Unauthenticated."""
        keys = self._keys[_claimed_issuer(token) or ""]
        try:
            header, said = await _verified(keys, token)
            _ensure_good(keys.issuer, said, now)
            vouched = _vouched(keys.issuer, said)
            person_id = await person_vouched_for(vouched, now=now)
        except (JoseError, ValueError, TypeError, KeyError, Unreachable, DomainError) as error:
            logger.warning("a token of %s is refused: %s", keys.issuer.url, type(error).__name__)
            raise Unauthenticated from None
        ours = [word for word in str(said.get("scope", "")).split() if word in PERMITTED]
        token_id = str(said.get("jti") or token.rsplit(".", 1)[-1])
        return Claims(
            person_id,
            client_id=str(said.get("azp") or said.get("client_id") or keys.issuer.url)[:100],
            token_id=uuid5(NAMESPACE_URL, f"{keys.issuer.url} {token_id}").hex,
            expires_at=datetime.fromtimestamp(said["exp"], tz=UTC),
            scope=" ".join(ours) if ours else None,
            key_id=keys.id_of(header.get("kid")),
        )

    async def renew(self) -> None:
        """Ask every issuer for its keys; whoever does not answer keeps those it had."""
        for keys in self._keys.values():
            try:
                await keys.fetch()
            except Unreachable as error:
                logger.warning("%s gives no keys: %s", keys.issuer.url, error)

    async def _renew_forever(self) -> None:
        while self._keys:
            await self.renew()
            await asyncio.sleep(_RENEWED_EVERY)


class _Keys:
    """One issuer's keys, as it last published them."""

    def __init__(self, issuer: ExternalIssuer) -> None:
        self.issuer = issuer
        self.ids: dict[str, Any] = {}
        self._asked = -_AT_MOST_EVERY
        self._asking = asyncio.Lock()

    def id_of(self, kid: str | None) -> str:
        """What its key is called among everybody's."""
        return f"{self.issuer.url} {kid or ''}"

    async def find(self, kid: str | None) -> Any:
        """The key of this id; an unknown one is asked for, but not again and again."""
        name = self.id_of(kid)
        if name not in self.ids:
            async with self._asking:
                if name not in self.ids and time.monotonic() - self._asked > _AT_MOST_EVERY:
                    await self.fetch()
        return self.ids[name]

    async def fetch(self) -> None:
        """Discover the issuer and take over its keys; raises Unreachable."""
        self._asked = time.monotonic()
        place = self.issuer.url.rstrip("/") + "/.well-known/openid-configuration"
        async with httpx.AsyncClient(timeout=5, trust_env=True) as http:
            metadata = await _json(http, place)
            if metadata.get("issuer") != self.issuer.url:
                raise Unreachable("its metadata names another issuer")
            published = await _json(http, str(metadata.get("jwks_uri")))
        listed = published.get("keys")
        if not isinstance(listed, list):
            raise Unreachable("its JWKS has no keys")
        found = {}
        for each in listed:
            if isinstance(each, dict) and each.get("kty") != "oct" and each.get("use") != "enc":
                try:
                    found[self.id_of(each.get("kid"))] = KeySet.import_key_set(
                        {"keys": [each]}
                    ).keys[0]
                except (JoseError, ValueError, KeyError):
                    logger.info("a key of %s is of no use to us", self.issuer.url)
        self.ids = found


async def _json(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    try:
        answer = await http.get(url)
        found = orjson.loads(answer.content[:_LARGEST_ANSWER])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Unreachable(f"{url}: {type(error).__name__}") from None
    if answer.status_code != 200 or not isinstance(found, dict):
        raise Unreachable(f"{url} answers {answer.status_code}")
    return found


async def _verified(keys: _Keys, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token signed by a key of the issuer, by an algorithm it may use."""
    header = _part(token, 0)
    kid = header.get("kid")
    key = await keys.find(kid if isinstance(kid, str) else None)

    def chosen(_: GuestProtocol) -> Any:
        return key

    decoded = jwt.decode(token, chosen, algorithms=list(keys.issuer.algorithms))
    return dict(decoded.header), decoded.claims


def _ensure_good(issuer: ExternalIssuer, said: Mapping[str, Any], now: datetime) -> None:
    """Refuse another issuer's, another audience's, an expired token, and one that is no access."""
    audiences = said.get("aud")
    audiences = audiences if isinstance(audiences, list) else [audiences]
    if said.get("iss") != issuer.url or issuer.audience not in audiences:
        raise ValueError("issuer or audience")
    if said.get("typ") in ("ID", "Refresh", "Logout") or "at_hash" in said:
        raise ValueError("not an access token")
    expires, latest = said.get("exp"), (now + _LEEWAY).timestamp()
    if not isinstance(expires, int | float) or now.timestamp() >= expires:
        raise ValueError("expired")
    for name in ("iat", "nbf"):
        begins = said.get(name, 0)
        if not isinstance(begins, int | float) or begins > latest:
            raise ValueError("not yet good")


def _vouched(issuer: ExternalIssuer, said: Mapping[str, Any]) -> Vouched:
    subject, organisation = said.get("sub"), issuer.organisation_of(said)
    roles = issuer.roles_of(said)
    if not isinstance(subject, str) or not 0 < len(subject) <= 300:
        raise ValueError("no subject")
    if organisation is None or not roles:
        raise ValueError("no organisation or role of ours")
    name = issuer.text_of(said, "name") or issuer.text_of(said, "email") or subject
    email = issuer.text_of(said, "email")
    return Vouched(issuer.url, subject, name, email, organisation, roles)


def _claimed_issuer(token: str) -> str | None:
    try:
        issuer = _part(token, 1).get("iss")
    except ValueError:
        return None
    return issuer if isinstance(issuer, str) else None


def _part(token: str, number: int) -> dict[str, Any]:
    parts = token.split(".")
    if len(token) > _LONGEST or len(parts) != 3:
        raise ValueError("not a JWT")
    text = parts[number]
    try:
        found: dict[str, Any] = orjson.loads(_decoded(text))
        return dict(found.items())
    except (AttributeError, UnicodeError, ValueError):
        raise ValueError("not a JWT") from None


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
