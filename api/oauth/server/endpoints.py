"""What clients ask beside tokens: end one, tell of one, let a device in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import (
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    OAuth2Request,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE, DeviceAuthorizationEndpoint

from api.oauth.server.clients import ALL_METHODS, SECRET_METHODS, Access, Client, Refresh
from itr.access.operations import devices, grants, standing
from itr.access.rules import (
    DEVICE_INTERVAL,
    DEVICE_LIFETIME,
    new_user_code,
    read_user_code,
    shown_user_code,
)
from itr.access.secrets import new_secret
from itr.access.terms import EndReason

if TYPE_CHECKING:
    from api.oauth.server.authorization_server import DeskServer


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """Ends tokens (RFC 7009): a refresh token with its whole grant, an access token alone."""

    CLIENT_AUTH_METHODS = ALL_METHODS
    server: DeskServer

    def check_params(self, request: OAuth2Request, client: Client) -> None:
        """A token is all it takes; a hint is only a hint."""
        _ensure_token(request, client)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Any:
        """The token, of either kind."""
        del token_type_hint
        return self.server.any_token(token_string)

    def revoke_token(self, token: Access | Refresh, request: OAuth2Request) -> None:
        """End it, and let every process know."""
        del request
        server = self.server
        if isinstance(token, Refresh):
            ending = (server.work, token.grant, EndReason.REVOKED)
            server.wait(grants.end_grant, *ending, now=server.now)
            return
        server.wait(
            standing.revoke_token,
            server.work,
            token.token_id,
            person_id=token.claims.person_id,
            expires_at=token.claims.expires_at,
            now=server.now,
        )


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """Tells a client how one of its own tokens stands (RFC 7662)."""

    CLIENT_AUTH_METHODS = SECRET_METHODS
    server: DeskServer

    def check_params(self, request: OAuth2Request, client: Client) -> None:
        """A token is all it takes; a hint is only a hint."""
        _ensure_token(request, client)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Any:
        """The token, of either kind."""
        del token_type_hint
        return self.server.any_token(token_string)

    def check_permission(
        self, token: Access | Refresh, client: Client, request: OAuth2Request
    ) -> bool:
        """Of others' tokens nothing is told."""
        del request
        return token.check_client(client)

    def introspect_token(self, token: Access | Refresh) -> dict[str, object]:
        """What is told of a token that stands."""
        return token.told()


class DeviceAuthorization(DeviceAuthorizationEndpoint):  # type: ignore[misc]
    """Gives a device the code for its screen (RFC 8628)."""

    CLIENT_AUTH_METHODS = ALL_METHODS
    EXPIRES_IN = int(DEVICE_LIFETIME.total_seconds())
    INTERVAL = DEVICE_INTERVAL
    server: DeskServer

    def authenticate_client(self, request: OAuth2Request) -> Client:
        """Only clients that are let in by a code."""
        client: Client = super().authenticate_client(request)
        if not client.check_grant_type(DEVICE_CODE_GRANT_TYPE):
            raise UnauthorizedClientError()
        return client

    def generate_user_code(self) -> str:
        """Eight letters in two halves, none to be mistaken for another."""
        return shown_user_code(new_user_code())

    def generate_device_code(self) -> str:
        """A secret of 256 random bits."""
        return new_secret("itr_dc_")

    def get_verification_uri(self) -> str:
        """Where somebody types the code."""
        return self.server.url("/device")

    def save_device_credential(self, client_id: str, scope: str | None, data: Any) -> None:
        """Keep what the device waits with."""
        del client_id
        server = self.server
        client: Client = server.request.client
        allowed = client.get_allowed_scope(scope)
        if allowed is None:
            raise InvalidScopeError()
        try:
            server.wait(
                devices.keep_device,
                client.row,
                data["device_code"],
                read_user_code(data["user_code"]),
                scope=allowed,
                address=server.address,
                now=server.now,
            )
        except devices.TooManyWaiting:
            raise ComeAgain("Too many devices of this address wait to be allowed in.") from None


class ComeAgain(OAuth2Error):  # type: ignore[misc]
    """Not now: refused for a while, with a time to come again."""

    error = "temporarily_unavailable"
    status_code = 429

    def get_headers(self) -> list[tuple[str, str]]:
        """When it is worth while."""
        later = int(DEVICE_LIFETIME.total_seconds())
        return [*super().get_headers(), ("Retry-After", str(later))]


def _ensure_token(request: OAuth2Request, client: Client) -> None:
    del client
    if "token" not in request.form:
        raise InvalidRequestError("Missing 'token' in request.")
