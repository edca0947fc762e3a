"""OpenID Connect on top: who signed in, told to the client in an ID token."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from authlib.oidc.core import OpenIDCode
from joserfc.jwk import OKPKey, RSAKey

from api.oauth.keys import ALGORITHM, RS256, KeyRing
from api.oauth.server.clients import Client, User
from itr.access.scopes import EMAIL, PROFILE
from itr.settings import Settings

ID_TOKEN_LIFETIME = timedelta(minutes=15)


class IdToken(OpenIDCode):  # type: ignore[misc]
    """Signs ID tokens with the key that signs access tokens, or its RSA counterpart."""

    def __init__(self, settings: Settings, ring: KeyRing, now: datetime) -> None:
        super().__init__()
        self._settings = settings
        self._ring = ring
        self._now = now

    def exists_nonce(self, nonce: str, request: object) -> bool:
        """Whether a nonce was seen is the client's to check: it is bound to its one code."""
        del nonce, request
        return False

    def resolve_client_private_key(self, client: Client) -> OKPKey | RSAKey:
        """The key that signs now, of the kind the client knows."""
        return self._signing(client)[1]

    def get_client_algorithm(self, client: Client) -> str:
        """Ed25519, as for access tokens, or RS256 for a client that knows no other."""
        return RS256 if client.needs_rs256 else ALGORITHM

    def get_encode_header(self, client: Client) -> dict[str, str]:
        """The algorithm, and which key of the JWKS."""
        return {"alg": self.get_client_algorithm(client), "kid": self._signing(client)[0]}

    def _signing(self, client: Client) -> tuple[str, OKPKey | RSAKey]:
        ring = self._ring
        return ring.signing_rs256(self._now) if client.needs_rs256 else ring.signing(self._now)

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        """From us, for this client, for a short while."""
        return {
            "iss": self._settings.issuer,
            "aud": [client.get_client_id()],
            "iat": int(self._now.timestamp()),
            "exp": int((self._now + ID_TOKEN_LIFETIME).timestamp()),
        }

    def generate_user_info(self, user: User, scope: str) -> dict[str, Any]:
        """Who they are, as far as the scope goes."""
        return user_info(user, scope)


def user_info(user: User, scope: str) -> dict[str, Any]:
    """Who a person is, as far as the scope goes; `sub` always."""
    told: dict[str, Any] = {"sub": user.get_user_id()}
    words = scope.split()
    if PROFILE in words:
        told["name"] = user.actor.name
        told["roles"] = sorted(role.value for role in user.actor.roles)
        if user.actor.organisation_id is not None:
            told["organisation"] = f"org_{user.actor.organisation_id.hex}"
    if EMAIL in words and user.email:
        told["email"] = user.email
    return told
