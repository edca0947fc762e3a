"""A small service desk of its own for the planner's tests: tables, types, rows, actors, schema."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from api.planner import (
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
    kind_of_row,
    many,
    one,
    one_of,
    order_for,
    public_id,
    same_row,
    sql,
    stored,
)
from itr.sight.row_filter import RowFilter
from tests.support.planner_rows import Someone


def visible_firms(actor: Someone) -> RowFilter:
    """Staff see all firms, others their own."""
    if actor.scope.all:
        return RowFilter.everything()
    return RowFilter("{alias}.id = any(:firms)", {"firms": actor.scope.firms})


def visible_humans(actor: Someone) -> RowFilter:
    """Staff see everybody, others the people of their firms."""
    if actor.scope.all:
        return RowFilter.everything()
    return RowFilter("{alias}.firm_id = any(:firms)", {"firms": actor.scope.firms})


def visible_tickets(actor: Someone) -> RowFilter:
    """Staff see all tickets, others those of their firms and their own."""
    if actor.scope.all:
        return RowFilter.everything()
    return RowFilter(
        "{alias}.firm_id = any(:firms) or {alias}.owner_id = :me",
        {"firms": actor.scope.firms, "me": actor.id},
    )


def visible_with_ticket(actor: Someone) -> RowFilter:
    """Whoever sees the ticket sees what belongs to it."""
    if actor.scope.all:
        return RowFilter.everything()
    inner = visible_tickets(actor)
    return RowFilter(
        f"exists (select from ticket seen where seen.id = {{alias}}.ticket_id"
        f" and ({inner.at('seen')}))",
        inner.arguments,
    )


class FirstPace:
    """The first pace, by heart."""

    async def columns(self, _: object, now: datetime) -> dict[str, list[int]]:
        """One row of two."""
        return {"id": [0], "us": [now.second]}


PACE = Shared(
    "pace_now",
    "select id, us + extract(second from :now)::int as us from pace",
    memory=FirstPace,
    types={"id": "int", "us": "bigint"},
)


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
    humans: list[Human] | None = many("firm_id", order="name", filter=True)
    staff: HumanConnection | None = connection("firm_id")
    crew: list[Human] | None = many("firm_id", order="-joined, name")


@stored(table="human", key="hum", visible=visible_humans, permission="people", order="name")
@strawberry.type(description="A person.")
class Human(Node):
    """A person."""

    name: str = column(filter=True, order=True)
    phone: str | None = column(filter=True, telephone=True)
    joined: date | None = column(permission="dates", own="{t}.id = :actor", filter=True, order=True)
    years: list[str] | None = computed(
        ["joined"],
        lambda values, _: [values["joined"][:4]],
        permission="dates",
        own="{t}.id = :actor",
    )
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
    title: str | None = column(filter=True, order=True, folded="title_folded")
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
    steps: list[Step] = many("ticket_id", order="place", filter=True)
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
    kinds="text",
)
@strawberry.interface(description="A line of a ticket's log.")
class Entry(Node):
    """A line of a ticket's log, of one type or another by its text."""

    version: int = column(order=True)
    text: str = column(order=True)
    at: datetime = column(order=True)
    ticket: Ticket | None = one("ticket_id")


@kind_of_row(Entry, "opened")
@strawberry.type(description="How a log begins.")
class Opening(Entry):
    """How a log begins."""

    begins: datetime = column("at")
    again: Ticket | None = one("ticket_id")


@kind_of_row(Entry)
@strawberry.type(description="Any other line.")
class OtherEntry(Entry):
    """Any other line."""

    said: str = column("text")


for _target, _stem in ((Human, "Human"), (Firm, "Firm"), (Step, "Step"), (Ticket, "Ticket")):
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
