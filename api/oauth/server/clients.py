"""Our rows as Authlib looks at them: clients, codes, tokens, persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE, DeviceCredentialMixin

from api.oauth.tokens import Claims
from itr.access.models import AuthorizationCode, DeviceCode, Grant, OAuthClient, RefreshToken
from itr.access.rules import CONFIDENTIAL, same_but_for_the_port
from itr.access.scopes import IDENTITY, in_order
from itr.access.secrets import digest, is_secret
from itr.access.terms import ClientKind, IdTokenAlgorithm
from itr.actors.actor import Actor

GRANT_TYPES: dict[ClientKind, tuple[str, ...]] = {
    ClientKind.DASHBOARD: ("authorization_code", "refresh_token"),
    ClientKind.WEB: ("authorization_code", "refresh_token"),
    ClientKind.MACHINE: ("client_credentials",),
    ClientKind.WALLBOARD: (DEVICE_CODE_GRANT_TYPE, "refresh_token"),
}
SECRET_METHODS = ("client_secret_basic", "client_secret_post")
ALL_METHODS = (*SECRET_METHODS, "none")
_NO_SECRET = digest("")


class Client(ClientMixin):  # type: ignore[misc]
    """A client; what it may do follows from its kind."""

    def __init__(self, row: OAuthClient, issuer: str) -> None:
        self.row = row
        self._issuer = issuer.rstrip("/")

    def get_client_id(self) -> str:
        """Its public id."""
        return str(self.row.client_id)

    def get_default_redirect_uri(self) -> str | None:
        """None: the address is always named, so that it is always compared."""
        return None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What it asked for, if it may have all of it; all of the API's where it asked nothing."""
        own = self.row.scope.split()
        if not scope or not scope.strip():
            return in_order(word for word in own if word not in IDENTITY)
        wanted = scope.split()
        return in_order(wanted) if set(wanted) <= set(own) else None

    @property
    def needs_rs256(self) -> bool:
        """Whether it knows no other signature of ID tokens."""
        return self.row.id_token_algorithm is IdTokenAlgorithm.RS256

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether the address is one of its own, letter by letter; on this machine at any port."""
        return redirect_uri in self.redirect_uris or any(
            same_but_for_the_port(redirect_uri, each) for each in self.redirect_uris
        )

    def check_sign_out_uri(self, uri: str) -> bool:
        """Whether people may be sent on to this address after signing out."""
        return uri in (self.row.sign_out_uris or ()) or self.check_redirect_uri(uri)

    @property
    def redirect_uris(self) -> list[str]:
        """Its addresses; those that begin with a slash are on this server."""
        own = self.row.redirect_uris
        return [self._issuer + uri if uri.startswith("/") else uri for uri in own]

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is the secret, in the same time for every answer."""
        same = is_secret(client_secret, self.row.secret_hash or _NO_SECRET)
        return same and self.row.secret_hash is not None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Clients that can keep a secret show it everywhere; others have none to show."""
        del endpoint
        return method in SECRET_METHODS if self.row.kind in CONFIDENTIAL else method == "none"

    def check_response_type(self, response_type: str) -> bool:
        """Codes only, and only where people sign in with a browser."""
        return response_type == "code" and self.check_grant_type("authorization_code")

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether its kind gets tokens this way."""
        return grant_type in GRANT_TYPES[self.row.kind]


class Nobody(ClientMixin):  # type: ignore[misc]
    """Stands in for an unknown client: as slow as a real one, and told the same."""

    def get_client_id(self) -> str:
        """No id."""
        return ""

    def check_client_secret(self, client_secret: str) -> bool:
        """Never; after the same comparison."""
        is_secret(client_secret, _NO_SECRET)
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """No way leads in."""
        del method, endpoint
        return False


@dataclass(frozen=True)
class User:
    """The person a token is for."""

    actor: Actor
    email: str | None

    def get_user_id(self) -> str:
        """Their public id, which is the token's subject."""
        return f"per_{self.actor.id.hex}"


class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    """An authorization code that was presented."""

    code_challenge_method = "S256"

    def __init__(self, row: AuthorizationCode) -> None:
        self.row = row
        self.code_challenge = row.code_challenge

    def get_redirect_uri(self) -> str:
        """Where it was sent."""
        return str(self.row.redirect_uri)

    def get_scope(self) -> str:
        """What was granted."""
        return str(self.row.grant.scope)

    def get_nonce(self) -> str | None:
        """What the client wants to find in the ID token."""
        return self.row.nonce

    def get_auth_time(self) -> int | None:
        """When the person showed who they are, if that is known."""
        at = self.row.auth_time
        return int(at.timestamp()) if at is not None else None

    def get_acr(self) -> str | None:
        """How another issuer grades the way they did so; we ourselves do not."""
        return self.row.acr

    def get_amr(self) -> list[str]:
        """By what: a password (RFC 8176), or what another issuer says."""
        return (self.row.amr or "").split()


class Device(DeviceCredentialMixin):  # type: ignore[misc]
    """A device that asks whether somebody has let it in."""

    def __init__(self, row: DeviceCode, client_id: str, now: datetime) -> None:
        self.row = row
        self._client_id = client_id
        self._now = now

    def get_client_id(self) -> str:
        """Whose device it is."""
        return self._client_id

    def get_scope(self) -> str:
        """What it asked for."""
        return str(self.row.scope)

    def get_user_code(self) -> str:
        """What stands on its screen."""
        return str(self.row.user_code)

    def is_expired(self) -> bool:
        """Whether nobody came in time."""
        return self._now >= self.row.expires_at


class Refresh(TokenMixin):  # type: ignore[misc]
    """A refresh token that was presented, with the grant it belongs to."""

    def __init__(self, row: RefreshToken, client_id: str, now: datetime) -> None:
        self.row = row
        self.grant: Grant = row.grant
        self._client_id = client_id
        self._now = now

    def check_client(self, client: Client | Nobody) -> bool:
        """Whether it was given to this client."""
        return client.get_client_id() == self._client_id

    def get_scope(self) -> str:
        """What was granted."""
        return str(self.grant.scope)

    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self._now >= self.row.expires_at

    def is_revoked(self) -> bool:
        """Whether it was used, or its grant has ended."""
        return self.row.used_at is not None or self.grant.ended_at is not None

    def told(self) -> dict[str, object]:
        """What introspection says of it."""
        return {
            "client_id": self._client_id,
            "scope": self.grant.scope,
            "sub": f"per_{self.grant.person_id.hex}",
            "exp": int(self.row.expires_at.timestamp()),
        }


class Access(TokenMixin):  # type: ignore[misc]
    """An access token of ours whose signature and time are good."""

    def __init__(self, claims: Claims, *, stands: bool, issuer: str, audience: str) -> None:
        self.claims = claims
        self._stands = stands
        self._issuer = issuer
        self._audience = audience

    def check_client(self, client: Client | Nobody) -> bool:
        """Whether it was given to this client."""
        return client.get_client_id() == self.claims.client_id

    def is_expired(self) -> bool:
        """No: then it would not have been read."""
        return False

    def is_revoked(self) -> bool:
        """Whether it, its grant or its client has been ended."""
        return not self._stands

    @property
    def token_id(self) -> UUID:
        """Its `jti`."""
        return UUID(hex=self.claims.token_id)

    def told(self) -> dict[str, object]:
        """What introspection says of it."""
        said: dict[str, object] = {
            "client_id": self.claims.client_id,
            "token_type": "Bearer",
            "scope": self.claims.scope or "",
            "sub": f"per_{self.claims.person_id.hex}",
            "iss": self._issuer,
            "aud": self._audience,
            "exp": int(self.claims.expires_at.timestamp()),
            "jti": self.claims.token_id,
        }
        if self.claims.issued_at is not None:
            said["iat"] = int(self.claims.issued_at.timestamp())
        return said
