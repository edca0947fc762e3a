"""Requests as they might be after any life, put straight into the tables: odd ones too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID, uuid4

from tortoise.connection import get_connection

from itr.catalogue.in_force import terms_of
from itr.catalogue.models import ContractLine, Project
from itr.catalogue.terms import EntitlementOutcome, Impact, Phase, Priority
from itr.requests.models import Request, Stint
from itr.requests.terms import Channel, RequestKind, RequestStatus
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clocks import CalendarInForce
from itr.sla.control_points import STEPS
from itr.sla.models import Clock, ControlPoint
from itr.sla.terms import ClockState, ControlPointState, Thread, WaitingReason
from tests.support.desk import HOUR, Desk

_PLACED = ("RequestDispatched", "RequestRequeued", "RequestEscalated", "RequestHandedBack")
_OTHERS = ("RequestStarted", "RequestWaiting", "SolutionRejected", "RequestReopened")


@dataclass(frozen=True)
class Known:
    """What of a made-up request nobody reads by the API: the queues it was put into, its tries."""

    queues: tuple[UUID, ...]
    efforts: tuple[str, ...]
    solved_by_line: int | None


async def make_up(
    desk: Desk, number: int, dice: Random, *, until: datetime
) -> Mapping[UUID, Known]:
    """Put so many requests of the six weeks before `until` into the tables."""
    terms = await terms_of(desk.ids["house"])
    calendar = (await calendars_in_force([terms.calendar_id], desk.ids["Acme"]))[terms.calendar_id]
    line = await ContractLine.get(contract_id=desk.ids["contract"])
    project = await Project.create(id=uuid4(), name="net", customer_id=desk.ids["Acme"])
    making = _Making(desk, dice, until, terms.version_id, calendar, line.id, project.id)
    for _ in range(number):
        making.request()
    await Request.bulk_create(making.requests)
    for model, rows in (
        (Stint, making.stints),
        (Clock, making.clocks),
        (ControlPoint, making.steps),
    ):
        await model.bulk_create(rows)  # type: ignore[attr-defined]
    await get_connection("default").execute_query(
        "insert into event (type, subject_type, subject, subject_version, stream, audience,"
        " actor_id, actor_name, occurred_at, payload) select x.type, 'request', x.subject,"
        " x.version, x.subject, 'INTERNAL', x.subject, 'nobody', $2, x.payload"
        " from json_to_recordset($1::json) as x(type text, subject uuid, version int,"
        " payload jsonb)",
        [json.dumps(making.events), until],
    )
    return making.known


@dataclass
class _Making:
    desk: Desk
    dice: Random
    until: datetime
    version: UUID
    calendar: CalendarInForce
    line: UUID
    project: UUID

    def __post_init__(self) -> None:
        self.requests: list[Request] = []
        self.stints: list[Stint] = []
        self.clocks: list[Clock] = []
        self.steps: list[ControlPoint] = []
        self.events: list[dict[str, Any]] = []
        self.known: dict[UUID, Known] = {}

    def _named(self, *names: str | None) -> UUID | None:
        name = self.dice.choice(names)
        return None if name is None else self.desk.ids[name]

    def _perhaps(self, value: Any, chance: float = 0.5) -> Any:
        return value if self.dice.random() < chance else None

    def _after(self, since: datetime) -> datetime:
        return since + (self.until - since) * self.dice.random()

    def request(self) -> None:
        """One more request with all that hangs on it."""
        dice = self.dice
        firm = dice.choice(["Acme", "Bolt"])
        registered = self.until - timedelta(days=42) * dice.random()
        delivered = self._perhaps(self._after(registered), 0.7)
        status = dice.choice(list(RequestStatus) + [RequestStatus.CLOSED] * 8)
        others = [each.id for each in self.requests]
        request = Request(
            id=uuid4(),
            number=f"SR-{len(self.requests):06}",
            kind=dice.choice(list(RequestKind)),
            status=status,
            title="t",
            description="d",
            channel=Channel.WEB,
            phase=Phase.AFTER_ACCEPTANCE,
            customer_id=self.desk.ids[firm],
            requester_id=self.desk.ids["CUSTOMER" if firm == "Acme" else "bolt"],
            project_id=self._perhaps(self.project),
            product_id=self._named("router", "toaster", None),
            branch_id=self._named("Shanghai", "Shanghai", "Beijing", None),
            impact=self._perhaps(dice.choice(list(Impact)), 0.8),
            priority=dice.choice(list(Priority)),
            queue_id=self._named("queue1", "queue2", "queueFirm", None),
            assignee_id=self._named("LINE1", "LINE2", "beijing", None),
            partner_id=self._named("Firm", "Rival", None),
            waiting_reason=WaitingReason.CUSTOMER if status == "WAITING" else None,
            entitlement_outcome=self._perhaps(
                dice.choice([EntitlementOutcome.ENTITLED] * 4 + list(EntitlementOutcome)), 0.9
            ),
            contract_line_id=self._perhaps(self.line),
            service_level_version_id=self.version,
            reopen_count=dice.choice([0, 0, 1, 2]),
            parent_id=self._perhaps(dice.choice(others), 0.1) if others else None,
            merged_into_id=self._perhaps(dice.choice(others), 0.1) if others else None,
            registered_at=registered,
            delivered_at=delivered,
            solved_by_line=delivered and self._perhaps(dice.choice([1, 1, 1, 2, 2, 3]), 0.9),
            closed_at=self._after(delivered or registered) if status == "CLOSED" else None,
            updated_at=self.until,
        )
        self.requests.append(request)
        self._stints(request.id, registered)
        self._events(request)
        for thread in Thread:
            if dice.random() < 0.8:
                self.clocks.append(self._clock(request.id, thread))
        for number in dice.sample(sorted(STEPS), dice.choice([0, 2, 4, 8])):
            self.steps.append(self._step(request.id, number))

    def _stints(self, request: UUID, registered: datetime) -> None:
        at = registered
        for number in range(1, self.dice.choice([2, 3, 4])):
            self.stints.append(
                Stint(
                    id=uuid4(),
                    request_id=request,
                    number=number,
                    line=self.dice.choice([1, 1, 1, 2, 3]),
                    queue_id=self._named("queue1", None),
                    started_at=at,
                )
            )
            at = self._after(at)

    def _events(self, request: Request) -> None:
        kinds = [self.dice.choice(_PLACED + _OTHERS) for _ in range(self.dice.choice([0, 1, 3]))]
        if self.dice.random() < 0.4:
            kinds = ["RequestDispatched", "RequestStarted"]
        queues, efforts = [], []
        for number, kind in enumerate(kinds, 1):
            payload = {}
            if kind in _PLACED:
                queues.append(self.desk.ids[self.dice.choice(["queue1", "queue2", "queue3"])])
                payload = {"queue": str(queues[-1])}
            if kind != "RequestDispatched":
                efforts.append(kind)
            self.events.append(
                {"type": kind, "subject": str(request.id), "version": number, "payload": payload}
            )
        stays = [queue for before, queue in pairwise([None, *queues]) if queue != before]
        request.returned = len(stays) > len(set(stays))
        lines = [stint.line for stint in self.stints if stint.request_id == request.id]
        request.first_contact = (
            request.delivered_at is not None and max(lines) == 1 and efforts == ["RequestStarted"]
        )
        self.known[request.id] = Known(tuple(queues), tuple(efforts), request.solved_by_line)

    def _clock(self, request: UUID, thread: Thread) -> Clock:
        dice = self.dice
        state = dice.choice(list(ClockState))
        late_still = state is ClockState.BREACHED and dice.random() < 0.5
        counts = late_still or state is ClockState.RUNNING
        position = self.calendar.working.position_us(self.until)
        elapsed, left = dice.randrange(60 * HOUR), dice.randrange(-20 * HOUR, 20 * HOUR)
        base = position - elapsed if counts else None
        waits_for = None if counts else self._perhaps(dice.choice(list(WaitingReason)), 0.2)
        return Clock(
            id=uuid4(),
            request_id=request,
            thread=thread,
            thread_no=thread.number,
            state=state,
            calendar_version_id=self.calendar.version_id,
            target_us=40 * HOUR,
            started_at=self.until - timedelta(days=9),
            deadline=self.until + timedelta(hours=dice.randrange(-9, 9)) if counts else None,
            base_us=base,
            deadline_us=None if base is None else position + left,
            elapsed_us=elapsed,
            remaining_us=None if state is ClockState.CANCELLED else left,
            waited_us={
                reason.value: dice.randrange(9 * HOUR)
                for reason in dice.sample(list(WaitingReason), dice.choice([0, 0, 1, 2]))
            },
            waiting_for=waits_for,
            waiting_since_us=waits_for and position - dice.randrange(9 * HOUR),
            completed_at=None if counts else self._perhaps(self._after(self.until), 0.8),
            breached_at=self.until if state is ClockState.BREACHED else None,
        )

    def _step(self, request: UUID, number: int) -> ControlPoint:
        dice = self.dice
        counts = dice.random() < 0.3
        passed = not counts and dice.random() < 0.2
        elapsed = 0 if passed else dice.choice([0, dice.randrange(30 * HOUR)])
        position = self.calendar.working.position_us(self.until)
        ended = ControlPointState.PASSED if passed else ControlPointState.COMPLETED
        return ControlPoint(
            id=uuid4(),
            request_id=request,
            number=number,
            thread=STEPS[number].thread,
            owner_id=self._named("LINE1", "LINE2", "second", None),
            owner_role=STEPS[number].owner.value,
            line=dice.choice([1, 2, 3]),
            partner_id=self._named("Firm", "Rival", None, None),
            calendar_version_id=self.calendar.version_id,
            budget_us=self._perhaps(dice.randrange(20 * HOUR), 0.8),
            started_at=self.until - timedelta(days=3),
            base_us=position - elapsed if counts else None,
            elapsed_us=elapsed,
            completed_at=None if counts else self.until,
            on_time=None if counts or passed else dice.choice([True, False, None]),
            ended=None if counts else ended,
        )
