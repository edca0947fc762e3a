"""Access tokens: JWTs as RFC 9068 has them, signed with Ed25519, for this server only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, OKPKey

from api.oauth.keys import ALGORITHM, KeyRing
from itr.errors import DomainError
from itr.settings import Settings

TYPE = "at+jwt"
LIFETIME = timedelta(hours=12)
"""How long a token printed by `itr token` lasts; tokens of clients last minutes."""
LEEWAY = timedelta(seconds=5)
_LONGEST = 4_096
_GRANT = "itr_grant"
"""The claim that names the grant a token belongs to."""


class Unauthenticated(DomainError):
    """No token, or one that is not, or no longer, good; which of these is not told."""

    code = "UNAUTHENTICATED"
    zh = "请先登录：缺少访问令牌，或令牌无效、已过期。"
    en = "Sign in first: the access token is missing, not valid or expired."


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says; without a scope it carries all its person's permissions."""

    person_id: UUID
    client_id: str
    token_id: str
    expires_at: datetime
    scope: str | None = None
    grant_id: UUID | None = None
    key_id: str | None = None
    issued_at: datetime | None = None


def issue_token(
    settings: Settings,
    person_id: UUID,
    *,
    client_id: str = "itr",
    lifetime: timedelta = LIFETIME,
    scope: str | None = None,
    grant_id: UUID | None = None,
    now: datetime | None = None,
    ring: KeyRing | None = None,
    more: Mapping[str, object] | None = None,
) -> str:
    """Return a signed access token with which `client_id` acts as the person.

    `more` tells other resource servers of the person; this one reads its own tables.
    """
    issued_at = now or datetime.now(UTC)
    key_id, key = (ring or KeyRing.first_of(settings)).signing(issued_at)
    claims: dict[str, object] = {
        **(more or {}),
        "iss": settings.issuer,
        "aud": audience(settings),
        "sub": f"per_{person_id.hex}",
        "client_id": client_id,
        "iat": int(issued_at.timestamp()),
        "exp": int((issued_at + lifetime).timestamp()),
        "jti": uuid4().hex,
    }
    if scope is not None:
        claims["scope"] = scope
    if grant_id is not None:
        claims[_GRANT] = grant_id.hex
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key_id}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


def verify_token(
    settings: Settings, token: str, *, now: datetime, ring: KeyRing | None = None
) -> Claims:
    """Check signature, algorithm, type, issuer, audience and time; raises Unauthenticated."""
    if len(token) > _LONGEST or not token.isascii():
        raise Unauthenticated
    ring = ring or KeyRing.first_of(settings)
    try:
        decoded = jwt.decode(token, lambda each: _key(ring, each), algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError, KeyError):
        raise Unauthenticated from None
    claims = decoded.claims
    if decoded.header.get("typ") != TYPE:
        raise Unauthenticated
    if claims.get("iss") != settings.issuer or claims.get("aud") != audience(settings):
        raise Unauthenticated
    return _claims(claims, now, decoded.header.get("kid"))


def audience(settings: Settings) -> str:
    """The resource our tokens are for."""
    return f"{settings.issuer.rstrip('/')}/graphql"


def _key(ring: KeyRing, signed: GuestProtocol) -> OKPKey:
    key = ring.find(signed.headers().get("kid"))
    if key is None:
        raise ValueError("no such key")
    return key


def _claims(claims: dict[str, object], now: datetime, key_id: str | None) -> Claims:
    subject, client, token_id = (str(claims.get(name, "")) for name in ("sub", "client_id", "jti"))
    issued, expires = claims.get("iat"), claims.get("exp")
    scope, grant = claims.get("scope"), claims.get(_GRANT)
    if not isinstance(issued, int) or not isinstance(expires, int) or not token_id:
        raise Unauthenticated
    if not (issued - LEEWAY.total_seconds() <= now.timestamp() < expires):
        raise Unauthenticated
    try:
        person_id = UUID(hex=subject.removeprefix("per_"))
        grant_id = None if grant is None else UUID(hex=str(grant))
    except ValueError:
        raise Unauthenticated from None
    return Claims(
        person_id,
        client,
        token_id,
        datetime.fromtimestamp(expires, tz=UTC),
        scope=None if scope is None else str(scope),
        grant_id=grant_id,
        key_id=key_id,
        issued_at=datetime.fromtimestamp(issued, tz=UTC),
    )
