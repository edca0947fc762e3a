"""What every transport of one process shares."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from api.oauth import Identities, Identity, Keys, Unauthenticated
from api.oauth.identities import LoadActor
from api.oauth.issuers import Issuers
from api.transport.budget import Budgets, QueryCost
from api.transport.connections import Connections
from api.transport.context import Context, Stream
from api.transport.limits import Limits
from api.transport.live import Live
from api.transport.schema import GuardedSchema
from api.transport.trusted_documents import TrustedDocuments
from api.transport.watching import Watching
from itr.actors.actor import Actor
from itr.database import Database, connected
from itr.errors import Language
from itr.events.feed import Feed
from itr.events.wakeup import publishing
from itr.events.work import after_commit
from itr.issuers.external import read_issuers
from itr.settings import Settings

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(frozen=True, kw_only=True)
class Services:
    """The open resources of a server and what makes contexts of them."""

    settings: Settings
    schema: GuardedSchema
    limits: Limits
    database: Database
    feed: Feed
    live: Live
    keys: Keys
    issuers: Issuers
    identities: Identities
    connections: Connections
    budgets: Budgets
    trusted: TrustedDocuments
    watching: Watching
    clock: Callable[[], datetime]

    async def identify(self, authorization: str | None) -> Identity:
        """Return who an `Authorization` value stands for; raises Unauthenticated."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated
        return await self.identities.identify(token.strip())

    def context(
        self,
        identity: Identity,
        *,
        language: Language,
        request_id: str,
        client_address: str,
        last_event_id: str | None = None,
        stream: Stream | None = None,
    ) -> Context:
        """Make the context of one operation."""

        async def renew() -> Actor:
            return (await self.identities.renew(identity.claims)).actor

        return Context(
            actor=identity.actor,
            language=language,
            now=self.clock(),
            database=self.database,
            feed=self.feed,
            live=self.live,
            settings=self.settings,
            keys=self.keys.secret_for,
            request_id=request_id,
            client_address=client_address,
            last_event_id=last_event_id,
            stream=stream,
            query_cost=QueryCost(
                self.budgets, f"{identity.claims.client_id}:{identity.actor.id.hex}"
            ),
            renew=renew,
        )


@asynccontextmanager
async def open_services(
    settings: Settings,
    *,
    schema: GuardedSchema,
    load_actor: LoadActor,
    clock: Callable[[], datetime],
) -> AsyncIterator[Services]:
    """Open the database, the feed and the wakeups; at the end send every long connection away."""
    keys = Keys.of(settings)
    async with (
        connected(settings) as database,
        Feed(database_url=settings.database_url, valkey_url=settings.valkey_url).running() as feed,
        publishing(settings.valkey_url),
        schema.usage.counted(),
        Budgets.of(settings).shared(settings.valkey_url) as budgets,
        Issuers(read_issuers(settings.external_issuers)).running() as issuers,
    ):
        services = Services(
            settings=settings,
            schema=schema,
            limits=schema.limits,
            database=database,
            feed=feed,
            live=Live(feed, database.reads, key=keys.secret_for("live cursors"), clock=clock),
            keys=keys,
            issuers=issuers,
            identities=Identities(settings, feed, load_actor, clock, issuers=issuers),
            connections=Connections(per_actor=schema.limits.sockets_per_actor),
            budgets=budgets,
            trusted=TrustedDocuments(),
            watching=Watching(),
            clock=clock,
        )
        services.identities.on_change(services.connections.changed)
        await services.identities.load_keys()
        stop = after_commit(feed.wake)
        try:
            yield services
        finally:
            await services.connections.go_away()
            stop()


def request_id_of(headers: Mapping[str, str]) -> str:
    """Take over a proxy's request id if it is a decent one, else make one."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid4().hex
