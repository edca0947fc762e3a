"""OpenID Connect on top: who signed in, told to the client in an ID token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from authlib.oidc.core import OpenIDCode
from joserfc.jwk import OKPKey

from api.oauth.keys import ALGORITHM
from api.oauth.server.clients import Client, User
from itr.access.scopes import EMAIL, PROFILE
from itr.settings import Settings

ID_TOKEN_LIFETIME = timedelta(minutes=15)


class IdToken(OpenIDCode):  # type: ignore[misc]
    """Signs ID tokens with the key that signs access tokens."""

    def __init__(self, settings: Settings, key_id: str, key: OKPKey, issued_at: int) -> None:
        super().__init__()
        self._settings = settings
        self._key_id = key_id
        self._key = key
        self._issued_at = issued_at

    def exists_nonce(self, nonce: str, request: object) -> bool:
        """Whether a nonce was seen is the client's to check: it is bound to its one code."""
        del nonce, request
        return False

    def resolve_client_private_key(self, client: Client) -> OKPKey:
        """The key that signs now."""
        del client
        return self._key

    def get_client_algorithm(self, client: Client) -> str:
        """Ed25519, as for access tokens."""
        del client
        return ALGORITHM

    def get_encode_header(self, client: Client) -> dict[str, str]:
        """The algorithm, and which key of the JWKS."""
        del client
        return {"alg": ALGORITHM, "kid": self._key_id}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        """From us, for this client, for a short while."""
        return {
            "iss": self._settings.issuer,
            "aud": [client.get_client_id()],
            "iat": self._issued_at,
            "exp": self._issued_at + int(ID_TOKEN_LIFETIME.total_seconds()),
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
