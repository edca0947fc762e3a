"""How tokens are got: Authlib's grants, each reading and writing our rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant
from authlib.oidc.core.errors import (
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

from api.oauth.server.clients import (
    ALL_METHODS,
    SECRET_METHODS,
    Client,
    Code,
    Device,
    Refresh,
    User,
)
from itr.access.operations import devices, grants
from itr.access.secrets import new_secret
from itr.access.terms import DeviceStatus

LONGEST_NONCE = 500
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_NOT_SERVED = {
    "request": RequestNotSupportedError,
    "request_uri": RequestURINotSupportedError,
    "registration": RegistrationNotSupportedError,
}

if TYPE_CHECKING:
    from api.oauth.server.authorization_server import DeskServer


class ByCode(AuthorizationCodeGrant):  # type: ignore[misc]
    """A person signed in at a browser; the client redeems the code it was sent."""

    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS
    server: DeskServer

    def generate_authorization_code(self) -> str:
        """A code of 256 random bits."""
        return new_secret("itr_ac_")

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        """Open the grant and keep the code under it."""
        server, data = self.server, request.payload.data
        assert server.session is not None
        wish = grants.CodeWish(
            redirect_uri=request.payload.redirect_uri,
            code_challenge=data["code_challenge"],
            nonce=data.get("nonce"),
            how=server.session.how,
        )
        person = request.user.actor
        opened = server.wait(
            grants.open_grant,
            server.work,
            person,
            request.client.row,
            person.id,
            scope=request.scope,
            now=server.now,
            vouched_until=server.session.vouched_until,
        )
        server.wait(grants.keep_code, opened, code, wish, now=server.now)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        """Spend the code."""
        server = self.server
        found = server.wait(grants.take_code, server.work, code, client.row, now=server.now)
        if found is None:
            return None
        server.grant = found.grant
        return Code(found)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Nothing: it was spent when it was presented, and stays to catch a replay."""

    def authenticate_user(self, authorization_code: Code) -> User | None:
        """The person, if they may still act."""
        return self.server.user(authorization_code.row.grant.person_id)


class S256Only(CodeChallenge):  # type: ignore[misc]
    """PKCE for every client, by S256 and nothing weaker."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: ByCode, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or with one that is no hash."""
        data = grant.request.payload.data
        if not data.get("code_challenge"):
            raise InvalidRequestError("Missing 'code_challenge'")
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The 'code_challenge_method' must be S256")
        super().validate_code_challenge(grant, redirect_uri)


class WhatIsServed:
    """Refuses what a request asks for and nobody would do, instead of leaving it out in silence.

    By the codes that OpenID Connect (Core 3.1.2.6) and OAuth have for it.
    """

    def __call__(self, grant: ByCode) -> None:
        """Look at what an authorization request asks."""
        grant.register_hook("after_validate_authorization_request_payload", self.ensure)

    def ensure(self, grant: ByCode, redirect_uri: str) -> None:
        """Refuse request objects, other ways to answer, and values that mean nothing."""
        del redirect_uri
        asked = grant.request.payload.data
        for name, refusal in _NOT_SERVED.items():
            if name in asked:
                raise refusal()
        if asked.get("response_mode", "query") != "query":
            raise InvalidRequestError("The 'response_mode' must be query.")
        if not set(asked.get("prompt", "").split()) <= PROMPTS:
            raise InvalidRequestError("There is no such 'prompt'.")
        if not asked.get("max_age", "0").isdecimal():
            raise InvalidRequestError("The 'max_age' must be a number of seconds.")
        if len(asked.get("nonce", "")) > LONGEST_NONCE:
            raise InvalidRequestError("The 'nonce' is too long.")


class ByRefreshToken(RefreshTokenGrant):  # type: ignore[misc]
    """A client goes on without asking the person again; every token is used once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: DeskServer

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh | None:
        """The unused token; a used one ends the whole family."""
        server = self.server
        found = server.wait(grants.take_refresh_token, server.work, refresh_token, now=server.now)
        if found is None or found.grant.client_id != self.request.client.row.id:
            return None
        server.grant = found.grant
        return Refresh(found, self.request.client.get_client_id(), server.now)

    def authenticate_user(self, refresh_token: Refresh) -> User:
        """The person, if they may still act."""
        user = self.server.user(refresh_token.grant.person_id)
        if user is None:
            raise InvalidGrantError()
        return user

    def revoke_old_credential(self, refresh_token: Refresh) -> None:
        """Mark it used."""
        self.server.wait(grants.spend_refresh_token, refresh_token.row, now=self.server.now)


class ByClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]
    """A firm's machine acts as the person it was made for."""

    TOKEN_ENDPOINT_AUTH_METHODS = SECRET_METHODS
    server: DeskServer

    def validate_token_request(self) -> None:
        """Refuse a machine whose person may no longer act."""
        super().validate_token_request()
        if self.server.user(self.request.client.row.actor_id) is None:
            raise InvalidGrantError()


class ByDeviceCode(DeviceCodeGrant):  # type: ignore[misc]
    """A device without a keyboard, let in by somebody at another screen."""

    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS
    server: DeskServer

    def query_device_credential(self, device_code: str) -> Device:
        """The device that asks; raises InvalidGrantError for none, or one that has its tokens."""
        server = self.server
        found = server.wait(devices.device_asking, device_code)
        if found is None or found.status is DeviceStatus.USED:
            raise InvalidGrantError()
        client_id = server.wait(server.client_id_of, found.client_id)
        self._device = Device(found, client_id, server.now)
        return self._device

    def query_user_grant(self, user_code: str) -> tuple[User | None, bool] | None:
        """What was decided, if anything was."""
        del user_code
        row = self._device.row
        if row.status is DeviceStatus.PENDING:
            return None
        if row.status is DeviceStatus.DENIED or row.grant is None:
            return None, False
        user = self.server.user(row.grant.person_id)
        if user is None or row.grant.ended_at is not None:
            raise InvalidGrantError()
        self.server.grant = row.grant
        return user, True

    def should_slow_down(self, credential: Device) -> bool:
        """Whether it asks more often than it was told to."""
        server = self.server
        return server.wait(devices.asks_too_often, credential.row, now=server.now)

    def create_token_response(self) -> Any:
        """Give the tokens, once."""
        answered = super().create_token_response()
        self.server.wait(devices.use_device, self._device.row)
        return answered
