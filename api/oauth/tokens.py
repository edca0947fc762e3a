"""Access tokens: JWTs as RFC 9068 has them, signed with Ed25519, for this server only."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from api.oauth.keys import Keys
from itr.errors import DomainError
from itr.settings import Settings

ALGORITHM = "Ed25519"
TYPE = "at+jwt"
LIFETIME = timedelta(hours=12)
LEEWAY = timedelta(seconds=5)
_LONGEST = 4_096


class Unauthenticated(DomainError):
    """No token, or one that is not, or no longer, good; which of these is not told."""

    code = "UNAUTHENTICATED"
    zh = "请先登录：缺少访问令牌，或令牌无效、已过期。"
    en = "Sign in first: the access token is missing, not valid or expired."


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says."""

    person_id: UUID
    client_id: str
    token_id: str
    expires_at: datetime


def issue_token(
    settings: Settings,
    person_id: UUID,
    *,
    client_id: str = "itr",
    lifetime: timedelta = LIFETIME,
    now: datetime | None = None,
) -> str:
    """Return a signed access token with which `client_id` acts as the person."""
    issued_at = now or datetime.now(UTC)
    key = _signing_key(settings.secret.get_secret_value())
    claims = {
        "iss": settings.issuer,
        "aud": audience(settings),
        "sub": f"per_{person_id.hex}",
        "client_id": client_id,
        "iat": int(issued_at.timestamp()),
        "exp": int((issued_at + lifetime).timestamp()),
        "jti": uuid4().hex,
    }
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.thumbprint()}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


def verify_token(settings: Settings, token: str, *, now: datetime) -> Claims:
    """Check signature, algorithm, type, issuer, audience and time; raises Unauthenticated."""
    if len(token) > _LONGEST or not token.isascii():
        raise Unauthenticated
    try:
        key = _signing_key(settings.secret.get_secret_value())
        decoded = jwt.decode(token, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError, KeyError):
        raise Unauthenticated from None
    claims = decoded.claims
    if decoded.header.get("typ") != TYPE:
        raise Unauthenticated
    if claims.get("iss") != settings.issuer or claims.get("aud") != audience(settings):
        raise Unauthenticated
    return _claims(claims, now)


def audience(settings: Settings) -> str:
    """The resource our tokens are for."""
    return f"{settings.issuer.rstrip('/')}/graphql"


def _claims(claims: dict[str, object], now: datetime) -> Claims:
    subject, client, token_id = (str(claims.get(name, "")) for name in ("sub", "client_id", "jti"))
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int) or not token_id:
        raise Unauthenticated
    if not (issued - LEEWAY.total_seconds() <= now.timestamp() < expires):
        raise Unauthenticated
    try:
        person_id = UUID(hex=subject.removeprefix("per_"))
    except ValueError:
        raise Unauthenticated from None
    return Claims(person_id, client, token_id, datetime.fromtimestamp(expires, tz=UTC))


@lru_cache(maxsize=8)
def _signing_key(secret: str) -> OKPKey:
    return Keys(secret).signing_key()
