"""Authlib's authorization server on our tables, made anew for each request.

Authlib is synchronous: it runs in a worker thread, inside a transaction opened outside, and what
it asks of the database is awaited back on the event loop, on that transaction's connection. The
transaction is committed also when the answer is an error: a replayed code must end its grant.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from anyio import from_thread, to_thread
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Error
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc9207 import IssuerParameter

from api.oauth.keys import KeyRing
from api.oauth.server import endpoints, grants
from api.oauth.server.clients import Access, Client, Nobody, Refresh, User
from api.oauth.server.openid import IdToken, user_info
from api.oauth.server.requests import FormRequest, Reply
from api.oauth.tokens import Unauthenticated, audience, issue_token, verify_token
from itr.access.models import Grant, OAuthClient
from itr.access.operations import grants as kept
from itr.access.operations.signing_in import SignedIn
from itr.access.operations.standing import Credential, stands
from itr.access.rules import ACCESS_LIFETIME
from itr.access.scopes import SCOPES
from itr.actors.actor import SYSTEM
from itr.events.work import Call, Work, called_by, transaction
from itr.people.models import Person
from itr.people.operations import load_actor
from itr.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a request to the authorization server happens in."""

    settings: Settings
    ring: KeyRing
    now: datetime
    address: str


class DeskServer(AuthorizationServer):  # type: ignore[misc]
    """The server for one request; `work` is its transaction."""

    def __init__(
        self,
        around: Surroundings,
        work: Work,
        request: FormRequest,
        *,
        session: SignedIn | None = None,
        hides_clients: bool = True,
    ) -> None:
        super().__init__(scopes_supported=SCOPES)
        self.settings, self.ring, self.now = around.settings, around.ring, around.now
        self.address = around.address
        self.work, self.request, self.session = work, request, session
        self.grant: Grant | None = None
        self._hides_clients = hides_clients
        self._users: dict[UUID, User | None] = {}
        self._register()

    def _register(self) -> None:
        id_token = IdToken(self.settings, self.ring, self.now)
        asked = [grants.S256Only(), grants.WhatIsServed()]
        self.register_grant(grants.ByCode, [*asked, id_token])
        self.register_grant(grants.ByRefreshToken)
        self.register_grant(grants.ByClientCredentials)
        self.register_grant(grants.ByDeviceCode)
        self.register_endpoint(endpoints.Revocation)
        self.register_endpoint(endpoints.Introspection)
        self.register_endpoint(endpoints.DeviceAuthorization)
        self.register_extension(_NamesIssuer(self.settings.issuer))
        generator = BearerTokenGenerator(
            self._access_token, self._refresh_token, int(ACCESS_LIFETIME.total_seconds())
        )
        self.register_token_generator("default", generator)

    def wait(self, work: Callable[..., Coroutine[Any, Any, T]], *given: Any, **named: Any) -> T:
        """Have the event loop do this, and wait for it."""
        return from_thread.run(partial(work, *given, **named))

    def url(self, path: str) -> str:
        """A public address of this server."""
        return self.settings.issuer.rstrip("/") + path

    def user(self, person_id: UUID | None) -> User | None:
        """The person, if they may act; nobody for a client that acts for nobody of its own."""
        if person_id is None:
            return None
        if person_id not in self._users:
            self._users[person_id] = self.wait(_user, person_id)
        return self._users[person_id]

    async def client_id_of(self, row_id: UUID) -> str:
        """The public id of a client."""
        return str((await OAuthClient.get(id=row_id)).client_id)

    def any_token(self, token: str) -> Access | Refresh | None:
        """An access token that is good, or a refresh token whatever has become of it."""
        try:
            claims = verify_token(self.settings, token, now=self.now, ring=self.ring)
        except Unauthenticated:
            row = self.wait(kept.refresh_token_of, token)
            if row is None:
                return None
            client_id = self.wait(self.client_id_of, row.grant.client_id)
            return Refresh(row, client_id, self.now)
        credential = Credential(claims.token_id, claims.grant_id, claims.client_id)
        return Access(
            claims,
            stands=self.wait(stands, credential),
            issuer=self.settings.issuer,
            audience=audience(self.settings),
        )

    def query_client(self, client_id: str) -> Client | Nobody | None:
        """The active client; where secrets are shown, an unknown one is refused like any other."""
        decent = len(client_id) <= 64 and "\0" not in client_id
        row = self.wait(kept.client_named, client_id) if decent else None
        if row is None:
            return Nobody() if self._hides_clients else None
        return Client(row, self.settings.issuer)

    def save_token(self, token: dict[str, Any], request: FormRequest) -> None:
        """Nothing: what is kept of a token is kept where it is made."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens: what happens is recorded as events."""

    def create_oauth2_request(self, request: FormRequest | None) -> FormRequest:
        """The request is one already."""
        return request or self.request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Reply:
        """Hand over what is to be answered."""
        return Reply(status, body, dict(headers))

    def sent_back(self, error: OAuth2Error) -> Reply:
        """Tell the client of an error by its own, checked address."""
        reply: Reply = self.handle_error_response(self.request, error)
        _NamesIssuer(self.settings.issuer).add_issuer_parameter(self, reply)
        return reply

    def _access_token(self, client: Client, grant_type: str, user: User | None, scope: str) -> str:
        del grant_type
        user = user or self.user(client.row.actor_id)
        assert user is not None
        return issue_token(
            self.settings,
            user.actor.id,
            client_id=client.get_client_id(),
            lifetime=ACCESS_LIFETIME,
            scope=scope,
            grant_id=self.grant.id if self.grant is not None else None,
            now=self.now,
            ring=self.ring,
            more=user_info(user, scope),
        )

    def _refresh_token(self, client: Client, **_: Any) -> str:
        return self.wait(kept.issue_refresh_token, self.grant, client.row, now=self.now)


class _NamesIssuer(IssuerParameter):  # type: ignore[misc]
    """Adds `iss` to what browsers are sent back with (RFC 9207)."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        """This server."""
        return self._issuer


async def serve(
    around: Surroundings,
    request: FormRequest,
    answer: Callable[[DeskServer], T],
    *,
    session: SignedIn | None = None,
    hides_clients: bool = True,
) -> T:
    """Have Authlib answer a request in one transaction, committed whatever the answer is."""
    call = Call(
        actor_id=session.actor.id if session else SYSTEM.id,
        client_id=request.payload.client_id or "itr",
        address=around.address,
        now=around.now,
    )
    with called_by(call):
        async with transaction() as work:
            server = DeskServer(around, work, request, session=session, hides_clients=hides_clients)
            return await to_thread.run_sync(answer, server)


async def _user(person_id: UUID) -> User | None:
    actor = await load_actor(person_id)
    if actor is None:
        return None
    person = await Person.get(id=person_id)
    return User(actor, person.email)
