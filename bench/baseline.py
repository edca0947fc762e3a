"""The other server of the dashboard's comparison: plain Strawberry with dataloaders.

    python -m bench.baseline     # serves with the settings of the environment, like `itr serve`

It is the product's own application, with the same middleware, token check, limits, document cache
and JSON library; only its schema is different: types with resolvers, dataloaders over an asyncpg
pool, graphql-core completing every value. Rows are filtered by the same conditions as the
product's, and remaining time is worked out in Python from the same calendars.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

import asyncpg
import strawberry
from strawberry.dataloader import DataLoader
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from api.app import create_app
from api.asgi import make_server
from api.planner.scalars import SCALARS
from api.resolvers.permissions import may
from api.schema.requests import types as _described  # noqa: F401 - names the enums of the schema
from api.transport.context import Context
from api.transport.schema import GuardedSchema
from itr.actors.roles import Permission
from itr.catalogue.terms import Priority
from itr.requests.terms import RequestStatus
from itr.settings import Settings
from itr.sight.people import visible_organisations, visible_persons
from itr.sight.requests import visible_parts, visible_requests
from itr.sight.row_filter import RowFilter
from itr.sla.operations import calendars_of_versions
from itr.sla.terms import ClockState, Thread
from itr.sla.working_time import WorkingCalendar

Info = strawberry.Info[Context, None]


@strawberry.type
class Organisation:
    """A customer."""

    id: strawberry.ID
    name: str

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """Make one of a row."""
        return cls(id=strawberry.ID(f"org_{row['id'].hex}"), name=row["name"])


@strawberry.type
class Person:
    """An assignee."""

    id: strawberry.ID
    name: str

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """Make one of a row."""
        return cls(id=strawberry.ID(f"per_{row['id'].hex}"), name=row["name"])


@strawberry.type
class Clock:
    """A time thread of a request."""

    thread: Thread
    state: ClockState
    deadline: datetime | None
    remaining: timedelta | None


@strawberry.type
class ServiceRequest:
    """A request."""

    id: strawberry.ID
    number: str
    title: str
    status: RequestStatus
    priority: Priority
    key: strawberry.Private[UUID]
    customer_id: strawberry.Private[UUID]
    assignee_id: strawberry.Private[UUID | None]

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        """Make one of a row."""
        return cls(
            id=strawberry.ID(f"req_{row['id'].hex}"),
            number=row["number"],
            title=row["title"],
            status=RequestStatus(row["status"]),
            priority=Priority(row["priority"]),
            key=row["id"],
            customer_id=row["customer_id"],
            assignee_id=row["assignee_id"],
        )

    @strawberry.field
    async def customer(self, info: Info) -> Organisation | None:
        """Whose it is."""
        return await loaders_of(info.context).organisations.load(self.customer_id)

    @strawberry.field
    async def assignee(self, info: Info) -> Person | None:
        """Who works on it."""
        if self.assignee_id is None:
            return None
        return await loaders_of(info.context).persons.load(self.assignee_id)

    @strawberry.field
    async def clocks(self, info: Info) -> list[Clock]:
        """Its time threads, in their order."""
        return await loaders_of(info.context).clocks.load(self.key)


@strawberry.type
class RequestConnection:
    """A page of requests."""

    nodes: list[ServiceRequest]


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field(permission_classes=[may(Permission.READ_REQUESTS)])  # type: ignore[untyped-decorator]
    async def requests(self, info: Info, first: int = 50) -> RequestConnection:
        """Requests, newest first."""
        context = info.context
        condition, values = _where(visible_requests(context.actor), "r", 1)
        rows = await context.pool.fetch(
            "select r.id, r.number, r.title, r.status, r.priority, r.customer_id, r.assignee_id"
            f" from request r where {condition}"
            " order by r.registered_at desc, r.id desc limit $1",
            min(first, 100),
            *values,
        )
        return RequestConnection(nodes=[ServiceRequest.of(row) for row in rows])


@dataclass(frozen=True)
class Loaders:
    """The dataloaders of one operation."""

    organisations: DataLoader[UUID, Organisation | None]
    persons: DataLoader[UUID, Person | None]
    clocks: DataLoader[UUID, list[Clock]]


def loaders_of(context: Context) -> Loaders:
    """Return the operation's loaders, made when first asked for."""
    loaders = context.memo.get(Loaders)
    if loaders is None:
        loaders = context.memo[Loaders] = _loaders(context)
    assert isinstance(loaders, Loaders)
    return loaders


def _loaders(context: Context) -> Loaders:
    pool, actor = context.pool, context.actor

    async def organisations(keys: list[UUID]) -> list[Organisation | None]:
        rows = await _rows(
            pool, "organisation", "id, name", "id", keys, visible_organisations(actor)
        )
        found = {row["id"]: Organisation.of(row) for row in rows}
        return [found.get(key) for key in keys]

    async def persons(keys: list[UUID]) -> list[Person | None]:
        rows = await _rows(pool, "person", "id, name", "id", keys, visible_persons(actor))
        found = {row["id"]: Person.of(row) for row in rows}
        return [found.get(key) for key in keys]

    async def clocks(keys: list[UUID]) -> list[list[Clock]]:
        columns = "request_id, thread, state, deadline, base_us, deadline_us, remaining_us"
        columns += ", calendar_version_id"
        seen = visible_parts(actor)
        rows = await _rows(pool, "clock", columns, "request_id", keys, seen)
        calendars = await calendars_of_versions(row["calendar_version_id"] for row in rows)
        now = _Now(context.now, calendars)
        found: defaultdict[UUID, list[Clock]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: _ORDER[row["thread"]]):
            found[row["request_id"]].append(now.clock(row))
        return [found[key] for key in keys]

    return Loaders(DataLoader(organisations), DataLoader(persons), DataLoader(clocks))


_ORDER = {thread.value: place for place, thread in enumerate(Thread)}


class _Now:
    """The clocks as of one instant; where a calendar stands then is worked out once."""

    def __init__(self, now: datetime, calendars: Mapping[UUID, WorkingCalendar]) -> None:
        self.now = now
        self.positions = {key: it.position_us(now) for key, it in calendars.items()}

    def clock(self, row: asyncpg.Record) -> Clock:
        """Make one of a row."""
        state, deadline = ClockState(row["state"]), row["deadline"]
        if state is ClockState.RUNNING and deadline is not None and deadline < self.now:
            state = ClockState.BREACHED
        remaining = row["remaining_us"]
        if row["base_us"] is not None:
            remaining = row["deadline_us"]
            if remaining is not None:
                remaining -= self.positions[row["calendar_version_id"]]
        return Clock(
            thread=Thread(row["thread"]),
            state=state,
            deadline=deadline,
            remaining=None if remaining is None else timedelta(microseconds=remaining),
        )


async def _rows(
    pool: asyncpg.Pool, table: str, columns: str, key: str, keys: Sequence[UUID], seen: RowFilter
) -> list[asyncpg.Record]:
    condition, values = _where(seen, "t", 1)
    rows: list[asyncpg.Record] = await pool.fetch(
        f"select {columns} from {table} t where t.{key} = any($1) and {condition}", keys, *values
    )
    return rows


def _where(seen: RowFilter, alias: str, before: int) -> tuple[str, list[object]]:
    """Write a condition with numbered parameters after so many others."""
    condition, values = seen.at(alias), []
    for name, value in seen.arguments.items():
        values.append(value)
        condition = condition.replace(f":{name}", f"${before + len(values)}")
    return condition, values


class PlainSchema(GuardedSchema):
    """The schema behind the product's gate, run by Strawberry's own execution."""

    def __init__(self, query: type) -> None:
        super().__init__(query, config=StrawberryConfig(scalar_map=SCALARS))
        self.execution_context_class = StrawberryGraphQLCoreExecutionContext


def main() -> None:
    """Serve until a signal."""
    settings = Settings.read()
    make_server(settings, app=create_app(settings, schema=PlainSchema(Query))).run()


if __name__ == "__main__":
    main()
