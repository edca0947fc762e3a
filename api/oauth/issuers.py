"""Tokens of other issuers: discovery, their keys, and what their claims say of a person."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import NAMESPACE_URL, uuid5

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol

from api.oauth.issuer_http import Unreachable
from api.oauth.issuer_metadata import IssuerMetadata
from api.oauth.tokens import Claims, Unauthenticated
from itr.access.operations.external import Vouched, person_vouched_for
from itr.access.scopes import PERMITTED
from itr.errors import DomainError
from itr.issuers.external import ExternalIssuer, is_clean

logger = logging.getLogger("itr.oauth")

_LONGEST = 16_384
LEEWAY = timedelta(seconds=30)
_RENEWED_EVERY = 300.0
_WRONG = (JoseError, ValueError, TypeError, KeyError, OverflowError)
"""What a token is that does not say what it should."""


class Issuers:
    """The issuers of the configuration, with the keys they sign with now."""

    def __init__(self, issuers: tuple[ExternalIssuer, ...] = ()) -> None:
        self._keys = {issuer.url: IssuerMetadata(issuer) for issuer in issuers}

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

    @property
    def signing_in(self) -> list[IssuerMetadata]:
        """Those whose people can sign in on our pages, in the order of the file."""
        return [keys for keys in self._keys.values() if keys.issuer.client is not None]

    def vouches(self, token: str) -> bool:
        """Whether the token claims to be of one of them; nothing is verified yet."""
        return bool(self._keys) and _claimed_issuer(token) in self._keys

    async def claims(self, token: str, *, now: datetime) -> Claims:
        """Verify a token and bring its person up to date; raises Unauthenticated."""
        keys = self._keys[_claimed_issuer(token) or ""]
        try:
            header, said = await verified(keys, token)
            _ensure_good(keys.issuer, said, now)
            expires_at = datetime.fromtimestamp(said["exp"], tz=UTC)
            person_id = await person_vouched_for(vouched(keys.issuer, said), now=now)
        except (*_WRONG, Unreachable, DomainError) as error:
            logger.warning("a token of %s is refused: %s", keys.issuer.url, type(error).__name__)
            raise Unauthenticated from None
        ours = [word for word in str(said.get("scope", "")).split() if word in PERMITTED]
        token_id = str(said.get("jti") or token.rsplit(".", 1)[-1])
        return Claims(
            person_id,
            client_id=_program(keys.issuer, said),
            token_id=uuid5(NAMESPACE_URL, f"{keys.issuer.url} {token_id}").hex,
            expires_at=expires_at,
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


def _program(issuer: ExternalIssuer, said: Mapping[str, Any]) -> str:
    """The program they say it is: by their name for it, which is never one of ours."""
    return f"{said.get('azp') or said.get('client_id') or ''} {issuer.url}".strip()[:100]


async def verified(keys: IssuerMetadata, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token signed by a key of the issuer, by an algorithm it may use.

    Raises JoseError, ValueError, KeyError, Unreachable.
    """
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
    kind = said.get("typ")
    of_a_sign_in = "at_hash" in said or ("nonce" in said and kind != "Bearer")
    if kind in ("ID", "Refresh", "Logout") or of_a_sign_in:
        raise ValueError("not an access token")
    expires, latest = said.get("exp"), (now + LEEWAY).timestamp()
    if not isinstance(expires, int | float) or now.timestamp() >= expires:
        raise ValueError("expired")
    for name in ("iat", "nbf"):
        begins = said.get(name, 0)
        if not isinstance(begins, int | float) or begins > latest:
            raise ValueError("not yet good")


def vouched(issuer: ExternalIssuer, said: Mapping[str, Any]) -> Vouched:
    """What claims say of their person; raises ValueError where that is nobody of ours."""
    subject: Any = said.get("sub")
    organisation = issuer.organisation_of(said)
    roles = issuer.roles_of(said)
    if not is_subject(subject):
        raise ValueError("no subject")
    if organisation is None or not roles:
        raise ValueError("no organisation or role of ours")
    name = issuer.text_of(said, "name") or issuer.text_of(said, "email") or subject
    email = issuer.text_of(said, "email")
    said_at = issued_at(said)
    return Vouched(issuer.url, subject, name, email, organisation, roles, said_at=said_at)


def issued_at(said: Mapping[str, Any]) -> datetime | None:
    """When claims were made, if they say so."""
    made = said.get("iat")
    return datetime.fromtimestamp(made, tz=UTC) if isinstance(made, int | float) else None


def is_subject(said: object) -> bool:
    """Whether it can name a person at an issuer."""
    return isinstance(said, str) and 0 < len(said) <= 300 and is_clean(said)


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
