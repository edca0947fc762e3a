"""A small schema for tests of the transport: things that fail, wait, count and change."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Hashable,
    Iterable,
)
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, Any
from uuid import UUID, uuid4

import asyncpg
import strawberry
from starlette.applications import Starlette
from strawberry.types import Info

from api.app import create_app
from api.oauth import issue_token
from api.transport.context import Context
from api.transport.limits import Limits
from api.transport.live import Kind, Snapshot, Update, snapshot_of
from api.transport.schema import GuardedSchema
from itr.actors.actor import Actor
from itr.actors.roles import OrganisationKind, Permission, Role
from itr.errors import NotFound
from itr.events.cursor import Position
from itr.events.feed import Event, Feed
from itr.settings import Settings

SECRET = "planted-3141592653"
Ctx = Info[Context, None]


@strawberry.enum
class Colour(Enum):
    """A colour."""

    RED = "red"


@strawberry.type
class Item:
    """Something in a list."""

    name: str

    @strawberry.field
    def children(self, first: int | None = None) -> ItemConnection:
        return ItemConnection(nodes=[])


@strawberry.type
class ItemConnection:
    """A page."""

    nodes: list[Item]


@strawberry.type
class Query:
    """Things to ask."""

    @strawberry.field
    def hello(self) -> str:
        return "hello"

    @strawberry.field
    def me(self, info: Ctx) -> str:
        return info.context.actor.name

    @strawberry.field
    def language(self, info: Ctx) -> str:
        return info.context.language

    @strawberry.field
    def items(self, first: int | None = None) -> ItemConnection:
        Counted.calls += 1
        return ItemConnection(nodes=[Item(name=str(number)) for number in range(first or 1)])

    @strawberry.field
    def fails(self) -> str | None:
        raise RuntimeError(f"{SECRET} in an exception")

    @strawberry.field
    def fails_hard(self) -> str:
        raise ValueError(SECRET)

    @strawberry.field
    def missing(self) -> str | None:
        raise NotFound(path=["id"])

    @strawberry.field
    def colour(self) -> Colour:
        return SECRET  # type: ignore[return-value]

    @strawberry.field
    def later(self, at: datetime) -> datetime:
        return at + timedelta(hours=1)

    @strawberry.field
    async def echo(self, info: Ctx, text: str) -> str | None:
        answer: str = await info.context.pool.fetchval("select $1::text", text)
        return answer

    @strawberry.field
    async def number(self, info: Ctx, text: str) -> int | None:
        answer: int = await info.context.pool.fetchval("select $1::text::int", text)
        return answer

    @strawberry.field
    async def slow(self, info: Ctx, seconds: float, tag: str = "slow") -> str | None:
        await info.context.pool.execute(f"select pg_sleep({float(seconds)}) /* {tag} */")
        return "done"


class Counted:
    """How often the expensive field ran, and how often the database was looked at."""

    calls = 0
    snapshots = 0
    resolved = 0


@strawberry.type
class Mutation:
    """Things to do."""

    @strawberry.mutation
    def add(self, text: str) -> str | None:
        Counted.calls += 1
        return text


@strawberry.type(name="Snapshot")
class AllThings:
    """All things."""

    cursor: str
    things: list[Thing]


@strawberry.type
class Changed:
    """One thing."""

    cursor: str
    subject: UUID
    version: int

    @strawberry.field
    async def thing(self, info: Ctx) -> Thing | None:
        Counted.resolved += 1
        row = await info.context.pool.fetchrow(
            "select id, version, title from thing where id = $1", self.subject
        )
        return Thing(**row) if row else None


@strawberry.type
class Removed:
    """One thing less."""

    cursor: str
    subject: UUID


@strawberry.type
class Resync:
    """Start over."""

    cursor: str


@strawberry.type
class Thing:
    """A row of the table `thing`."""

    id: UUID
    version: int
    title: str


Message = Annotated[AllThings | Changed | Removed | Resync, strawberry.union("ThingMessage")]


@dataclass(frozen=True)
class Things:
    """The things an actor sees: all for the inside, a customer's own."""

    name: str = "things"
    key: Hashable = ""
    permission: Permission | None = Permission.READ_REQUESTS

    def subject_of(self, event: Event) -> UUID | None:
        return event.subject if event.subject_type == "thing" else None

    async def snapshot(self, context: Context, keys: Collection[UUID] | None) -> Snapshot:
        Counted.snapshots += 1
        scope = context.actor.scope
        return await snapshot_of(
            context.pool,
            """select id, version from thing
               where ($1 or owner = $2) and ($3::uuid[] is null or id = any($3))""",
            scope.sees_all,
            scope.organisation_id,
            list(keys) if keys is not None else None,
        )

    async def seen_before(
        self, context: Context, keys: Collection[UUID], position: Position
    ) -> Collection[UUID]:
        rows = await context.live.log.fetch(
            """select distinct e.subject from event e where e.subject = any($1)
               and ($4 or e.customer_id = $5)
               and ((e.tx, e.id) > ($2::text::xid8, $3) or not exists (
                   select from event later where later.subject = e.subject
                   and (later.tx, later.id) > (e.tx, e.id)
                   and (later.tx, later.id) <= ($2::text::xid8, $3)))""",
            list(keys),
            str(position.tx),
            position.id,
            context.actor.scope.sees_all,
            context.actor.scope.organisation_id,
        )
        return [row["subject"] for row in rows]


def wrapped(update: Update) -> Iterable[object]:
    """Make the union's members."""
    if update.kind is Kind.SNAPSHOT:
        things = [Thing(id=key, version=one, title="") for key, one in update.versions.items()]
        yield AllThings(cursor=update.cursor, things=things)
    elif update.kind is Kind.CHANGED and update.subject:
        yield Changed(cursor=update.cursor, subject=update.subject, version=update.version)
    elif update.kind is Kind.REMOVED and update.subject:
        yield Removed(cursor=update.cursor, subject=update.subject)
    else:
        yield Resync(cursor=update.cursor)


@strawberry.type
class Subscription:
    """Things to watch."""

    @strawberry.subscription
    async def count(self, info: Ctx, to: int, pause: float = 0) -> AsyncGenerator[int, None]:
        for number in range(to):
            yield number
            await asyncio.sleep(pause)

    @strawberry.subscription
    async def names(self, info: Ctx) -> AsyncGenerator[str, None]:
        while True:
            yield (await info.context.fresh()).actor.name
            await asyncio.sleep(0.05)

    @strawberry.subscription
    async def breaks(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError(SECRET)

    @strawberry.subscription
    async def flood(self, size: int = 100_000) -> AsyncGenerator[str, None]:
        while True:
            yield "x" * size
            await asyncio.sleep(0)

    @strawberry.subscription
    async def things(self, info: Ctx, after: str | None = None) -> AsyncGenerator[Message, None]:
        following: Any = info.context.live.follow(info.context, Things(), after, wrapped)
        return following  # type: ignore[no-any-return]


@dataclass
class Desk:
    """An application over the small schema, its people, and a hand on its tables."""

    settings: Settings
    limits: Limits = field(default_factory=Limits)
    people: dict[UUID, Actor] = field(default_factory=dict)
    loads: int = 0
    clock: Any = None

    def app(self) -> Starlette:
        """The application."""
        schema = GuardedSchema(Query, Mutation, Subscription, limits=self.limits)
        return create_app(
            self.settings, schema=schema, load_actor=self.load_actor, clock=self.clock
        )

    async def load_actor(self, person_id: UUID) -> Actor | None:
        """Find a person in memory."""
        self.loads += 1
        return self.people.get(person_id)

    def person(self, name: str = "Li", *roles: Role, organisation: UUID | None = None) -> Actor:
        """Take on somebody; with an organisation they are its customer."""
        kind = OrganisationKind.BRANCH if organisation is None else OrganisationKind.CUSTOMER
        actor = Actor(
            id=uuid4(),
            name=name,
            organisation_id=organisation or uuid4(),
            organisation_kind=kind,
            roles=frozenset(roles or {Role.LINE1 if organisation is None else Role.CUSTOMER}),
        )
        self.people[actor.id] = actor
        return actor

    def token(self, actor: Actor | None = None, **options: Any) -> str:
        """A token of somebody."""
        return issue_token(self.settings, (actor or self.person()).id, **options)

    def change(self, actor: Actor, **changes: Any) -> Actor:
        """Change a person in memory; tell the log with `told`."""
        self.people[actor.id] = replace(actor, **changes)
        return self.people[actor.id]


THING = """
create table if not exists thing (
    id uuid primary key, version int not null, owner uuid, title text not null default ''
);
grant select on thing to itr_customer, itr_partner;
grant all on thing to itr_desk;
"""


async def make_things(settings: Settings) -> None:
    """Make the table, as the owner of the others."""
    connection = await asyncpg.connect(settings.owner_database_url)
    try:
        await connection.execute(THING)
    finally:
        await connection.close()


async def record(
    connection: asyncpg.Connection,
    subject: UUID,
    *,
    version: int = 1,
    kind: str = "thing",
    owner: UUID | None = None,
) -> None:
    """Append one event."""
    await connection.execute(
        """insert into event (type, subject_type, subject, subject_version, stream, audience,
               customer_id, actor_id, actor_name, occurred_at)
           values ('Changed', $1, $2, $3, $2, 'PUBLIC', $4, $2, 'test', now())""",
        kind,
        subject,
        version,
        owner,
    )


async def put(
    connection: asyncpg.Connection,
    subject: UUID,
    *,
    owner: UUID | None = None,
    told_to: UUID | None = None,
) -> int:
    """Write a thing and its event in one transaction; returns its version."""
    async with connection.transaction():
        version: int = await connection.fetchval(
            """insert into thing (id, version, owner) values ($1, 1, $2)
               on conflict (id) do update set version = thing.version + 1, owner = $2
               returning version""",
            subject,
            owner,
        )
        await record(connection, subject, version=version, owner=told_to or owner)
    return version


async def caught_up(feed: Feed, connection: asyncpg.Connection) -> None:
    """Wait until a feed has read what is written: no open transaction brings any of it again."""
    newest = await connection.fetchrow(
        "select tx::text::bigint, id from event order by tx desc, id desc limit 1"
    )

    async def has_read() -> bool:
        return feed.position >= tuple(newest or (0, 0))

    await eventually(has_read, True)


async def running(settings: Settings, tag: str) -> int:
    """How many statements with this tag PostgreSQL is running."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        count: int = await connection.fetchval(
            "select count(*) from pg_stat_activity"
            " where state = 'active' and query like '%' || $1 || ' */%'"
            " and pid <> pg_backend_pid()",
            tag,
        )
        return count
    finally:
        await connection.close()


async def eventually(
    ask: Callable[[], Awaitable[object]], wanted: object, *, within: float = 5.0
) -> None:
    """Wait until asking gives what is wanted."""
    async with asyncio.timeout(within):
        while await ask() != wanted:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.05)
