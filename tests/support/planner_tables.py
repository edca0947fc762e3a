"""A small service desk of its own for the planner's tests: tables, types, rows, actors, schema."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import orjson
import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from api.execution import CompiledExecution
from api.planner import (
    SCALARS,
    Duration,
    Identity,
    Long,
    Node,
    Shared,
    column,
    computed,
    connection,
    connection_of,
    embedded,
    filter_for,
    many,
    one,
    one_of,
    order_for,
    page_field,
    payload_field,
    public_id,
    read,
    same_row,
    sql,
    stored,
)
from itr.visibility import Visible

NOW = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)

TABLES = """
create table firm (id uuid primary key, name text not null, secret text, rank int not null);
create table human (
  id uuid primary key, name text not null, firm_id uuid not null, joined date not null);
create table ticket (
  id uuid primary key, number text not null, title text, opened_at timestamptz not null,
  closed_at timestamptz, priority int not null, state text not null, target_us bigint,
  cost numeric, cost_currency text, weight bigint not null, ratio float8, due date,
  urgent boolean not null, tags text[] not null, marks timestamptz[], note text, pace_id int,
  firm_id uuid not null, owner_id uuid, subject_kind text, subject_id uuid);
create table step (
  id uuid primary key, ticket_id uuid not null, place int, name text not null,
  spent_us bigint not null);
create table entry (
  id bigint generated always as identity, ticket_id uuid not null, version int not null,
  text text not null, at timestamptz not null, unique (ticket_id, version));
create table pace (id int primary key, us bigint not null);
create index on ticket (opened_at, id);
create index on step (ticket_id);
"""
NAMES = ("firm", "human", "ticket", "step", "entry", "pace")


@dataclass(frozen=True)
class Scope:
    """Which rows an actor of the tests sees."""

    all: bool
    firms: frozenset[UUID]


@dataclass(frozen=True)
class Someone:
    """An actor of the tests."""

    id: UUID
    permissions: frozenset[str]
    scope: Scope


def visible_firms(actor: Someone) -> Visible:
    """Staff see all firms, others their own."""
    if actor.scope.all:
        return Visible.everything()
    return Visible("{alias}.id = any(:firms)", {"firms": actor.scope.firms})


def visible_humans(actor: Someone) -> Visible:
    """Staff see everybody, others the people of their firms."""
    if actor.scope.all:
        return Visible.everything()
    return Visible("{alias}.firm_id = any(:firms)", {"firms": actor.scope.firms})


def visible_tickets(actor: Someone) -> Visible:
    """Staff see all tickets, others those of their firms and their own."""
    if actor.scope.all:
        return Visible.everything()
    return Visible(
        "{alias}.firm_id = any(:firms) or {alias}.owner_id = :me",
        {"firms": actor.scope.firms, "me": actor.id},
    )


def visible_with_ticket(actor: Someone) -> Visible:
    """Whoever sees the ticket sees what belongs to it."""
    if actor.scope.all:
        return Visible.everything()
    inner = visible_tickets(actor)
    return Visible(
        f"exists (select from ticket seen where seen.id = {{alias}}.ticket_id"
        f" and ({inner.at('seen')}))",
        inner.arguments,
    )


PACE = Shared("pace_now", "select id, us + extract(second from :now)::int as us from pace")


@strawberry.enum(description="Where a ticket stands.")
class State(StrEnum):
    """Where a ticket stands."""

    OPEN = "OPEN"
    WAITING = "WAITING"
    DONE = "DONE"


@strawberry.enum(description="What may be done.")
class Deed(StrEnum):
    """What may be done."""

    CLOSE = "CLOSE"
    REOPEN = "REOPEN"


@strawberry.type(description="A part of a ticket's life.")
class Span:
    """A part of a ticket's life."""

    begins: datetime
    lasted: Duration | None
    parts: list[str]
    deed: Deed | None = None


@embedded
@strawberry.type(description="An amount of money.")
class Money:
    """An amount of money."""

    amount: Decimal = column()
    currency: str = column()


@embedded
@strawberry.type(description="How long it may take.")
class Plan:
    """How long it may take."""

    target: Duration | None = column("target_us")
    due: date | None = column()
    owner: Human | None = one("owner_id")
    money: Money | None = same_row(
        {"amount": "cost", "currency": "cost_currency"}, present="{t}.cost is not null"
    )


@stored(table="firm", key="frm", visible=visible_firms, order="name")
@strawberry.type(description="A firm.")
class Firm(Node):
    """A firm."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True)
    rank: int = column(filter=True, order=True)
    secret: str | None = column(permission="secrets", filter=True, order=True)
    tickets: TicketConnection = connection("firm_id", order="-opened_at")
    humans: list[Human] | None = many("firm_id", order="name")
    staff: HumanConnection | None = connection("firm_id")
    crew: list[Human] = many("firm_id", order="-joined, name")


@stored(table="human", key="hum", visible=visible_humans, permission="people", order="name")
@strawberry.type(description="A person.")
class Human(Node):
    """A person."""

    name: str = column(filter=True, order=True)
    joined: date = column(filter=True, order=True)
    firm: Firm | None = one("firm_id", filter=True)
    tickets: TicketConnection = connection("owner_id")


def fill_deeds(values: dict[str, Any], context: Any) -> list[Deed]:
    """Closing is for what is not done, by those who may."""
    if "close" not in context.actor.permissions:
        return []
    return [Deed.REOPEN] if values["state"] == "DONE" else [Deed.CLOSE]


def fill_history(values: dict[str, Any], context: Any) -> list[Span]:
    """One span for each step."""
    opened = datetime.fromisoformat(values["opened_at"])
    return [
        Span(
            begins=opened,
            lasted=timedelta(microseconds=step["us"]) if step["us"] % 2 else None,
            parts=[step["name"], values["number"]],
            deed=Deed.CLOSE if step["us"] % 3 == 0 else None,
        )
        for step in values["steps"] or []
    ]


@stored(table="ticket", key="tic", visible=visible_tickets, order=("-opened_at",))
@strawberry.type(description="A ticket.")
class Ticket(Node):
    """A ticket."""

    number: str = column(filter=True, order=True)
    title: str | None = column(filter=True, order=True)
    opened_at: datetime = column(filter=True, order=True)
    ended: datetime | None = column("closed_at", filter=True, order=True)
    priority: int = column(filter=True, order=True)
    state: State = column(filter=True, order=True)
    target: Duration | None = column("target_us", filter=True, order=True)
    cost: Money | None = same_row(
        {"amount": "cost", "currency": "cost_currency"}, present="{t}.cost is not null"
    )
    price: Decimal | None = column("cost", filter=True, order=True)
    weight: Long = column(filter=True, order=True)
    ratio: float | None = column(filter=True)
    due: date | None = column(filter=True, order=True)
    urgent: bool = column(filter=True, order=True)
    tags: list[str] = column()
    marks: list[datetime] | None = column()
    note: str | None = column(permission="notes", filter=True, order=True)
    age: Duration = sql("(extract(epoch from :now - {t}.opened_at) * 1000000)::bigint", order=True)
    late: bool = sql("coalesce({t}.due < (:now at time zone 'UTC')::date, false)", filter=True)
    pace: Duration | None = sql("{us}", uses={"us": PACE.value("us", id="pace_id")}, order=True)
    mine: bool = sql("{t}.owner_id is not distinct from :actor")
    plan: Plan = same_row()
    firm: Firm | None = one("firm_id", filter=True)
    owner: Human | None = one("owner_id", filter=True)
    steps: list[Step] = many("ticket_id", order="place")
    unordered: list[Step] = many("ticket_id")
    pages: StepConnection = connection("ticket_id", order="place")
    siblings: TicketConnection = connection(
        on="{t}.firm_id = {parent}.firm_id and {t}.id <> {parent}.id", order="number"
    )
    log: EntryConnection | None = connection("ticket_id", permission="log")
    subject: Annotated[Firm | Human, strawberry.union("Subject")] | None = one_of(
        "subject_id", kind="subject_kind", types={"firm": "Firm", "human": "Human"}
    )
    deeds: list[Deed] = computed(["state"], fill_deeds)
    history: list[Span] | None = computed(
        {
            "opened_at": "{t}.opened_at",
            "number": "{t}.number",
            "steps": "select json_agg(json_build_object('us', s.spent_us, 'name', s.name)"
            " order by s.spent_us, s.id) from step s where s.ticket_id = {t}.id",
        },
        fill_history,
        permission="history",
    )


@stored(table="step", key="stp", visible=visible_with_ticket)
@strawberry.type(description="A step of a ticket.")
class Step(Node):
    """A step of a ticket."""

    name: str = column(filter=True, order=True)
    place: int | None = column(filter=True, order=True)
    spent: Duration = column("spent_us", filter=True, order=True)
    ticket: Ticket | None = one("ticket_id", filter=True)


@stored(
    table="entry",
    key="ent",
    visible=visible_with_ticket,
    unique={"ticket_id": "uuid", "version": "int"},
    identity=Identity(
        shown="replace({t}.ticket_id::text, '-', '') || '_' || {t}.version",
        pattern=r"([0-9a-f]{32})_([1-9][0-9]{0,8})",
        found="{t}.ticket_id = :id1::uuid and {t}.version = :id2::int",
    ),
)
@strawberry.type(description="A line of a ticket's log.")
class Entry(Node):
    """A line of a ticket's log."""

    version: int = column(order=True)
    text: str = column(order=True)
    at: datetime = column(order=True)
    ticket: Ticket | None = one("ticket_id")


for _target, _stem in ((Firm, "Firm"), (Human, "Human"), (Ticket, "Ticket"), (Step, "Step")):
    globals()[f"{_stem}Filter"] = filter_for(_target)(
        type(f"{_stem}Filter", (), {"__module__": __name__, "__doc__": "Which."})
    )
for _target, _stem in (
    (Firm, "Firm"),
    (Human, "Human"),
    (Ticket, "Ticket"),
    (Step, "Step"),
    (Entry, "Entry"),
):
    globals()[f"{_stem}Order"] = order_for(_target)(
        type(f"{_stem}Order", (), {"__module__": __name__, "__doc__": "Which way."})
    )


@connection_of(Firm)
class FirmConnection:
    """A page of firms."""


@connection_of(Human)
class HumanConnection:
    """A page of people."""


@connection_of(Ticket)
class TicketConnection:
    """A page of tickets."""


@connection_of(Step)
class StepConnection:
    """A page of steps."""


@connection_of(Entry)
class EntryConnection:
    """A page of log lines."""


@strawberry.type
class Query:
    """Reads of the tests."""

    tickets: TicketConnection = page_field(description="Tickets.")
    firms: FirmConnection = page_field(description="Firms.")
    my_tickets: TicketConnection = page_field(
        where=lambda context: Visible("{t}.owner_id = :me", {"me": context.actor.id}),
        order=("number",),
        description="Tickets of the asker.",
    )
    humans: HumanConnection = page_field(description="People, for those who may.")

    @strawberry.field
    async def node(self, info: strawberry.Info, id: strawberry.ID) -> Node | None:
        """Anything."""
        return await read.node(info, id)

    @strawberry.field
    async def nodes(self, info: strawberry.Info, ids: list[strawberry.ID]) -> list[Node | None]:
        """Many things."""
        return await read.nodes(info, ids)

    @strawberry.field
    async def ticket(self, info: strawberry.Info, id: strawberry.ID) -> Ticket | None:
        """One ticket."""
        return await read.one_by_id(info, Ticket, id)

    @strawberry.field
    async def human(self, info: strawberry.Info, id: strawberry.ID) -> Human | None:
        """One person."""
        return await read.one_by_id(info, Human, id)

    @strawberry.field
    async def open_tickets(self, info: strawberry.Info, priority: int) -> list[Ticket]:
        """The tickets that are not done, of one priority."""
        return await read.many(
            info,
            Ticket,
            where=Visible(
                "{t}.state <> 'DONE' and {t}.priority = :priority", {"priority": priority}
            ),
            order="number",
        )

    @strawberry.field
    async def numbered(self, info: strawberry.Info, number: str) -> Ticket | None:
        """The ticket of a number; what the statement saw is left in the context."""
        compiled = await read.one(
            info,
            Ticket,
            where=Visible("{t}.number = :number", {"number": number}),
            cursor="pg_snapshot_xmin(pg_current_snapshot())",
        )
        info.context.cursor = compiled.cursor
        return compiled

    @strawberry.field
    def plain(self) -> int:
        """A field that is not stored."""
        return 7


@strawberry.type
class Payload:
    """What a mutation answers."""

    key: strawberry.Private[UUID | None]
    ticket: Ticket | None = payload_field("key")
    more: list[Payload] | None = None


@strawberry.type
class Mutation:
    """Writes of the tests."""

    @strawberry.mutation
    def touch(self, id: str) -> Payload:
        """Answer the ticket of this hexadecimal key, three times."""
        key = UUID(id)
        return Payload(key=key, more=[Payload(key=key), Payload(key=None)])


@strawberry.type
class TicketChanged:
    """A ticket changed."""

    key: strawberry.Private[UUID]
    ticket: Ticket | None = payload_field("key")


@strawberry.type
class FirmChanged:
    """A firm changed."""

    key: strawberry.Private[UUID]
    firm: Firm | None = payload_field("key")


@strawberry.type
class Subscription:
    """Live reads of the tests."""

    @strawberry.subscription
    async def changes(
        self, ids: list[str]
    ) -> AsyncIterator[Annotated[TicketChanged | FirmChanged, strawberry.union("Change")]]:
        """Answer one message for each hexadecimal key: a ticket's, then a firm's."""
        for number, each in enumerate(ids):
            yield (FirmChanged if number % 2 else TicketChanged)(key=UUID(each))


SCHEMA = strawberry.Schema(
    Query,
    Mutation,
    Subscription,
    types=[Entry],
    execution_context_class=CompiledExecution,
    config=StrawberryConfig(scalar_map=SCALARS),
)


def _uuid(*what: object) -> UUID:
    return UUID(bytes=hashlib.md5(repr(what).encode()).digest(), version=4)


FIRMS = [_uuid("firm", n) for n in range(4)]
HUMANS = [_uuid("human", n) for n in range(7)]

ALL_PERMISSIONS = frozenset({"people", "secrets", "notes", "log", "history", "close"})
ACTORS = {
    "director": Someone(HUMANS[0], ALL_PERMISSIONS, Scope(all=True, firms=frozenset())),
    "clerk": Someone(HUMANS[1], frozenset({"people"}), Scope(all=True, firms=frozenset())),
    "customer": Someone(
        HUMANS[2], frozenset({"log"}), Scope(all=False, firms=frozenset(FIRMS[:1]))
    ),
    "partner": Someone(
        HUMANS[3],
        frozenset({"people", "history", "close"}),
        Scope(all=False, firms=frozenset(FIRMS[1:3])),
    ),
    "guest": Someone(HUMANS[4], frozenset(), Scope(all=False, firms=frozenset())),
}

_WORDS = ("printer", "50% off", "a_b", "back\\slash", "'quote'", "服务器 down", "😀", "", "Printer")


def make_rows(seed: int = 7, *, tickets: int = 30) -> dict[str, list[dict[str, Any]]]:
    """Make rows with all the awkward values: nulls, ties, negatives, Chinese, quotes."""
    dice = random.Random(seed)
    start = datetime(2026, 2, 1, tzinfo=UTC)

    def perhaps(value: Any) -> Any:
        return value if dice.random() < 0.7 else None

    firms = [
        {"id": key, "name": f"Firm {n % 3}", "secret": perhaps(f"s{n}"), "rank": n % 2}
        for n, key in enumerate(FIRMS)
    ]
    humans = [
        {
            "id": key,
            "name": f"P{n % 4}",
            "firm_id": FIRMS[n % 4],
            "joined": date(2020, 1, 1 + n % 3),
        }
        for n, key in enumerate(HUMANS)
    ]
    rows: dict[str, list[dict[str, Any]]] = {"firm": firms, "human": humans, "ticket": []}
    for n in range(tickets):
        cost = perhaps(Decimal(dice.randrange(-(10**6), 10**6)).scaleb(-dice.randrange(4)))
        kind = dice.choice(["firm", "human", "other", None])
        marks = [start + timedelta(microseconds=dice.randrange(10**12)) for _ in range(n % 3)]
        micro = dice.choice([0, 0, 1, 500_000, 123_456])
        rows["ticket"].append(
            {
                "id": _uuid("ticket", n),
                "number": f"T-{n:04}",
                "title": perhaps(dice.choice(_WORDS)),
                "opened_at": start + timedelta(days=dice.randrange(5), microseconds=micro),
                "closed_at": perhaps(start + timedelta(hours=dice.randrange(4))),
                "priority": dice.randrange(1, 5),
                "state": dice.choice(list(State)).value,
                "target_us": perhaps(
                    dice.choice([0, 1, -1, 90_061_000_001, -3_600_000_000, 2**62])
                ),
                "cost": cost,
                "cost_currency": "CNY" if cost is not None else None,
                "weight": dice.choice([2**63 - 1, -(2**63), 0, 5]),
                "ratio": perhaps(dice.choice([0.1, -2.5, 1e30])),
                "due": perhaps(date(2026, 3, 1 + dice.randrange(3))),
                "urgent": dice.random() < 0.5,
                "tags": dice.sample(["a", "b,c", '"d"'], dice.randrange(3)),
                "marks": perhaps(marks),
                "note": perhaps("internal"),
                "pace_id": perhaps(dice.randrange(3)),
                "firm_id": dice.choice(FIRMS),
                "owner_id": perhaps(dice.choice(HUMANS)),
                "subject_kind": kind,
                "subject_id": dice.choice(FIRMS if kind == "firm" else HUMANS),
            }
        )
    rows["step"] = [
        {
            "id": _uuid("step", n),
            "ticket_id": dice.choice(rows["ticket"])["id"],
            "place": perhaps(dice.randrange(3)),
            "name": dice.choice(["call", "visit", "fix"]),
            "spent_us": dice.randrange(10**10),
        }
        for n in range(tickets * 3)
    ]
    rows["entry"] = [
        {
            "ticket_id": ticket["id"],
            "version": version,
            "text": dice.choice(["opened", "moved"]),
            "at": ticket["opened_at"] + timedelta(hours=version),
        }
        for ticket in rows["ticket"]
        for version in range(1, dice.randrange(1, 5))
    ]
    rows["pace"] = [{"id": n, "us": n * 1_000_001} for n in range(2)]
    return rows


class CountingPool:
    """Counts and keeps the statements that go to a pool."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.statements: list[str] = []

    async def fetchval(self, query: str, *args: object) -> Any:
        """Run a statement and remember it."""
        self.statements.append(query)
        return await self.pool.fetchval(query, *args)


@dataclass
class Surroundings:
    """The context of the tests' operations."""

    actor: Someone
    pool: Any
    now: datetime = NOW
    language: str = "en"
    secret: bytes = b"a server's secret"
    cursor: str | None = None

    def secret_for(self, purpose: str) -> bytes:
        """Derive a key."""
        return hashlib.sha256(self.secret + purpose.encode()).digest()


@dataclass
class Answer:
    """A result as a client sees it."""

    data: Any
    errors: list[dict[str, Any]]
    statements: list[str] = field(default_factory=list)

    @property
    def codes(self) -> list[tuple[str, str | None]]:
        """Each error's dotted path and code."""
        return sorted(
            (".".join(str(key) for key in each.get("path") or []), each["extensions"].get("code"))
            for each in self.errors
        )


class Desk:
    """Asks the test schema questions."""

    def __init__(self, pool: Any, rows: dict[str, list[dict[str, Any]]]) -> None:
        self.pool = pool
        self.rows = rows

    def surroundings(self, who: str | Someone, **changes: Any) -> Surroundings:
        """Return a context for an actor."""
        actor = ACTORS[who] if isinstance(who, str) else who
        return Surroundings(actor, CountingPool(self.pool), **changes)

    async def ask(
        self, query: str, who: str | Someone = "director", /, variables: Any = None, **changes: Any
    ) -> Answer:
        """Run an operation and return the answer as JSON would give it, statements counted."""
        context = self.surroundings(who, **changes)
        result: Any = await SCHEMA.execute(query, variables, context_value=context)
        return answer_of(result, context)


def answer_of(result: Any, context: Surroundings) -> Answer:
    """Return what a client would see of a result."""
    errors = [
        {"message": str(each.message), "path": each.path, "extensions": _extensions(each)}
        for each in result.errors or []
    ]
    data = orjson.loads(orjson.dumps(result.data))
    return Answer(data, errors, context.pool.statements)


def _extensions(error: Any) -> dict[str, Any]:
    """Return an error's extensions, with the code the transport would give a domain error."""
    code = getattr(error.original_error, "code", None)
    return error.extensions or ({"code": code} if code else {})


async def load(rows: dict[str, list[dict[str, Any]]], pool: Any) -> None:
    """Make the tables and put the rows in."""
    async with pool.acquire() as link:
        await link.execute(TABLES)
        for table in NAMES:
            for row in rows[table]:
                names = ", ".join(row)
                marks = ", ".join(f"${n + 1}" for n in range(len(row)))
                await link.execute(f"insert into {table} ({names}) values ({marks})", *row.values())
        await link.execute("analyze")


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Any]:
    """Open a pool as the product does, in a schema of the tests' own."""
    from itr.database import credentials

    link = await asyncpg.connect(**credentials(database_url))
    await link.execute("create schema if not exists desk")
    await link.close()
    settings = {"jit": "off", "timezone": "UTC", "search_path": "desk"}
    async with asyncpg.create_pool(
        **credentials(database_url),
        min_size=1,
        max_size=3,
        server_settings=settings,
        max_cacheable_statement_size=0,
    ) as pool:
        yield pool


@pytest.fixture(scope="module")
async def small_desk(database_url: str) -> AsyncIterator[Desk]:
    """The test schema over fresh tables."""
    rows = make_rows()
    async with opened(database_url) as pool:
        await load(rows, pool)
        yield Desk(pool, rows)
