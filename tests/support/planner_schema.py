"""The schema over the small service desk of the planner's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.schema.config import StrawberryConfig

from api.execution import CompiledSchema
from api.planner import SCALARS, Node, page_field, payload_field, read
from itr.sight.row_filter import RowFilter
from tests.support.planner_rows import HUMANS
from tests.support.planner_tables import (
    Firm,
    FirmConnection,
    Human,
    HumanConnection,
    Opening,
    OtherEntry,
    Ticket,
    TicketConnection,
)


@strawberry.type
class Query:
    """Reads of the tests."""

    tickets: TicketConnection = page_field(description="Tickets.")
    firms: FirmConnection = page_field(description="Firms.")
    my_tickets: TicketConnection = page_field(
        where=lambda context: RowFilter("{t}.owner_id = :me", {"me": context.actor.id}),
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
            where=RowFilter(
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
            where=RowFilter("{t}.number = :number", {"number": number}),
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
class Meeting:
    """What another mutation answers."""

    key: strawberry.Private[UUID]
    human: Human | None = payload_field("key")


@strawberry.type
class Mutation:
    """Writes of the tests."""

    @strawberry.mutation
    def meet(self) -> Meeting:
        """Answer a person."""
        return Meeting(key=HUMANS[0])

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


SCHEMA = CompiledSchema(
    Query,
    Mutation,
    Subscription,
    types=[Opening, OtherEntry],
    config=StrawberryConfig(scalar_map=SCALARS),
)
