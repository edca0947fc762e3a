"""The figures beside a board: `slaFigures`, asked for once or followed live."""

from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import strawberry

from api.planner.stored import stored_type
from api.resolvers.permissions import may
from api.schema.catalogue.types import Product
from api.schema.people.types import Organisation
from api.schema.requests.boards import SlaFigures, SlaFiguresFilter, SlaLineCount, SlaPriorityCount
from api.transport.context import Context
from api.transport.live import Kind, Snapshot, Update
from itr.actors.roles import Permission
from itr.catalogue.terms import Priority
from itr.events.cursor import Position
from itr.events.feed import Event, Taken
from itr.figures.live_figures import Count, LiveFigures, Wanted, ensure_days, live_figures
from itr.requests.rules import LINES
from itr.sight.requests import visible_on_boards

PACE = 1.0
"""Least seconds between two computations, however much happens."""
THE_FIGURES = UUID(int=1)
"""The one thing this watch follows."""


@dataclass
class FiguresWatch:
    """Follows the figures of the requests on the actor's boards; remembers the latest."""

    wanted: Wanted
    name: str = "slaFigures"
    permission: Permission = Permission.READ_BOARD
    latest: tuple[Taken, LiveFigures, datetime] | None = None
    shown: list[LiveFigures] = field(default_factory=list)
    """What subscribers have been shown since all of them were told of a change."""

    @property
    def key(self) -> Wanted:
        """One source for equal questions."""
        return self.wanted

    def subject_of(self, event: Event) -> UUID | None:
        """Whatever happens to any request or clock may change them."""
        return THE_FIGURES if event.subject_type in ("request", "clock") else None

    async def snapshot(self, context: Context, keys: Collection[UUID] | None) -> Snapshot:  # noqa: ARG002
        """Compute the figures, and keep them unless later ones are there."""
        sight = visible_on_boards(context.actor)
        found = await live_figures(context.pool, self.wanted, sight, context.now)
        if self.latest is None or found.taken.beyond >= self.latest[0].beyond:
            self.latest = found.taken, found.figures, context.now
        return Snapshot(found.taken, {THE_FIGURES: 1}, changes_at=found.changes_at)

    async def seen_before(
        self,
        context: Context,  # noqa: ARG002 - there are always figures
        keys: Collection[UUID],  # noqa: ARG002
        position: Position,  # noqa: ARG002
    ) -> Collection[UUID]:
        """They are never out of sight."""
        return []

    def messages_of(self, update: Update) -> Iterable[object]:
        """The figures, unless nothing changed for anybody: others' business is not told (S1)."""
        if update.kind is Kind.RESYNC or self.latest is None:
            return []
        _, figures, now = self.latest
        if update.kind is Kind.SNAPSHOT:
            self.shown.append(figures)
        elif self.shown and all(each == figures for each in self.shown):
            return []
        else:
            self.shown = [figures]
        return [_shown(figures, now - timedelta(days=self.wanted.days), now)]


@strawberry.type
class LiveFiguresQuery:
    """Reading the figures beside a board."""

    @strawberry.field(
        permission_classes=[may(Permission.READ_BOARD)],
        description="Open, at risk and breached requests by line and priority, and the 991 shares"
        " of the last `days` days, as of now. 实时指标",
    )
    async def sla_figures(
        self, info: strawberry.Info, filter: SlaFiguresFilter | None = None, days: int = 30
    ) -> SlaFigures:
        """The figures of the requests on the actor's boards, once."""
        context: Context = info.context
        wanted, sight = _wanted(filter, days), visible_on_boards(context.actor)
        found = await live_figures(context.pool, wanted, sight, context.now)
        return _shown(found.figures, context.now - timedelta(days=wanted.days), context.now)


@strawberry.type
class LiveFiguresSubscription:
    """Following the figures beside a board."""

    @strawberry.subscription(
        permission_classes=[may(Permission.READ_BOARD)],
        description="The same figures whenever they change, at most once a second; each message"
        " is the whole picture.",
    )
    async def sla_figures(
        self, info: strawberry.Info, filter: SlaFiguresFilter | None = None, days: int = 30
    ) -> AsyncGenerator[SlaFigures, None]:
        """The figures of the requests on the actor's boards, live."""
        context: Context = info.context
        watch = FiguresWatch(_wanted(filter, days))
        messages = context.live.follow(context, watch, None, watch.messages_of, pace=PACE)
        async with aclosing(messages) as following:
            async for message in following:
                yield message  # type: ignore[misc]  # the transport takes its value


def _wanted(given: SlaFiguresFilter | None, days: int) -> Wanted:
    customers = products = None
    if given is not None:
        customers = _keys(Organisation, given.customer_ids)
        products = _keys(Product, given.product_ids)
    return Wanted(customers, products, ensure_days(days))


def _keys(target: type, given: list[strawberry.ID] | None) -> tuple[UUID, ...] | None:
    """The row ids; what is no id of this type finds nothing (R-ROLE-04)."""
    if given is None:
        return None
    read = (stored_type(target).read_id(each) for each in given)
    return tuple(sorted({UUID(parts[0]) for parts in read if parts is not None}))


def _shown(figures: LiveFigures, since: datetime, now: datetime) -> SlaFigures:
    return SlaFigures(
        **_count(figures.count()),
        lines=[_line(figures, line) for line in LINES],
        priorities=[
            SlaPriorityCount(**_count(figures.count(priority=each)), priority=each)
            for each in Priority
        ],
        solved=sum(figures.solved.values()),
        solved_since=since,
        server_time=now,
    )


def _line(figures: LiveFigures, line: int) -> SlaLineCount:
    return SlaLineCount(
        **_count(figures.count(line=line)),
        line=line,
        priorities=[
            SlaPriorityCount(**_count(figures.count(line=line, priority=each)), priority=each)
            for each in Priority
        ],
        solved=figures.solved[line],
        share=figures.share(line),
        share_of_rest=figures.share_of_rest(line),
    )


def _count(count: Count) -> dict[str, int]:
    return {"open": count.open, "at_risk": count.at_risk, "breached": count.breached}
