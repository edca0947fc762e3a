"""Service time, live: the subscription `slaCountdown`."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from api.planner.stored import stored_type
from api.resolvers.permissions import may
from api.schema.inputs import key_in
from api.schema.requests.types import ServiceRequest
from api.schema.sla.countdown import SlaCountdown
from api.transport.context import Context
from api.transport.executor import Message
from api.transport.live import Kind, Snapshot, Update
from itr.actors.roles import Permission
from itr.errors import NotFound
from itr.events.cursor import Position
from itr.events.feed import Event
from itr.sight.requests import visible_requests
from itr.sla.countdown import Running, countdown_of
from itr.sla.reading import read_running

SOONEST = 0.05
"""Seconds between two messages that only the calendar causes."""


@dataclass
class CountdownWatch:
    """Follows the clocks of one request; remembers them as they were read last."""

    request_id: UUID
    name: str = "slaCountdown"
    permission: Permission = Permission.READ_REQUESTS
    clocks: dict[str, Running] = field(default_factory=dict)
    read_at: datetime | None = None

    @property
    def key(self) -> UUID:
        """One source a request."""
        return self.request_id

    def subject_of(self, event: Event) -> UUID | None:
        """Whatever stands on its timeline."""
        return event.stream if event.stream == self.request_id else None

    async def snapshot(self, context: Context, keys: Collection[UUID] | None) -> Snapshot:  # noqa: ARG002
        """Read the request's clocks in one statement, if the actor sees it."""
        sight = visible_requests(context.actor)
        taken, version, clocks = await read_running(context.pool, self.request_id, sight)
        self.clocks, self.read_at = clocks, context.now
        return Snapshot(taken, {} if version is None else {self.request_id: version})

    async def seen_before(
        self,
        context: Context,  # noqa: ARG002 - who has a cursor of this watch was shown it
        keys: Collection[UUID],
        position: Position,  # noqa: ARG002
    ) -> Collection[UUID]:
        """Who resumes was shown it."""
        return keys

    def messages_of(self, update: Update) -> Iterable[object]:
        """A message for each clock the update touches; NOT_FOUND when it is out of sight."""
        if self.request_id not in update.versions:
            return [] if update.kind is Kind.RESYNC else [NotFound(path=["requestId"])]
        threads = {thread for event in update.events for thread in threads_of(event)}
        everything = update.kind is Kind.SNAPSHOT
        assert self.read_at is not None
        public = strawberry.ID(stored_type(ServiceRequest).write_id(self.request_id))
        return [
            message_of(clock, public, update.cursor, self.read_at)
            for thread, clock in self.clocks.items()
            if everything or thread in threads
        ]


def message_of(
    clock: Running, request_id: strawberry.ID, sequence: str, now: datetime
) -> SlaCountdown:
    """One clock as of `now`."""
    countdown = countdown_of(clock, now)
    return SlaCountdown(
        running=clock,
        request_id=request_id,
        thread=countdown.thread,
        state=countdown.state,
        deadline=countdown.deadline,
        remaining=countdown.remaining,
        counting=countdown.counting,
        counting_changes_at=countdown.counting_changes_at,
        next_alarm_at=countdown.next_alarm_at,
        version=countdown.version,
        sequence=sequence,
        server_time=now,
    )


def threads_of(event: Event) -> set[str]:
    """The threads an event touched: its clock events, or the alarm's own."""
    if event.subject_type == "clock":
        return {event.payload["thread"]}
    return {word["thread"] for word in event.payload.get("clocks", ())}


@strawberry.type
class CountdownSubscription:
    """Service time, live."""

    @strawberry.subscription(
        permission_classes=[may(Permission.READ_REQUESTS)],
        description="The clocks of a request: each as it stands, then each as it changes.",
    )
    async def sla_countdown(
        self, info: strawberry.Info, request_id: strawberry.ID
    ) -> AsyncGenerator[SlaCountdown, None]:
        """The live countdown of a request (R-SLA-13)."""
        watch = CountdownWatch(key_in(ServiceRequest, request_id, "requestId"))
        messages = info.context.live.follow(info.context, watch, None, watch.messages_of)
        async with aclosing(with_the_calendar(messages, info.context)) as told:
            async for message in told:
                yield message


async def with_the_calendar(
    messages: AsyncGenerator[Message, None], context: Context
) -> AsyncGenerator[Any, None]:
    """The feed's messages, and one more whenever a calendar opens or closes for a clock."""
    last: dict[str, SlaCountdown] = {}
    coming: asyncio.Task[Message] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(messages))
            await asyncio.wait({coming}, timeout=_until_next_change(last.values(), context))
            if not coming.done():
                for message in _changed_by_the_calendar(last.values(), context.live.clock()):
                    last[message.thread.value] = message
                    yield message
                continue
            try:
                told = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            if isinstance(told.value, Exception) and not last:
                raise told.value  # as for an id that is none
            if isinstance(told.value, SlaCountdown):
                last[told.value.thread.value] = told.value
            yield told
            if isinstance(told.value, Exception):
                return
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await messages.aclose()


def _until_next_change(last: Iterable[SlaCountdown], context: Context) -> float | None:
    changes = [each.counting_changes_at for each in last if each.counting_changes_at]
    if not changes:
        return None
    return max(SOONEST, (min(changes) - context.live.clock()).total_seconds())


def _changed_by_the_calendar(last: Iterable[SlaCountdown], now: datetime) -> list[SlaCountdown]:
    return [
        message_of(each.running, each.request_id, each.sequence, now)
        for each in last
        if each.counting_changes_at is not None and each.counting_changes_at <= now
    ]
