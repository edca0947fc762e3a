"""Management escalations as they are kept: opened, moved on, ended; many requests at a time.

A request's escalations change under its lock: operations hold it, and firing shares it, so that
what firing does beside other firing is decided by the one index of standing steps.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

from tortoise.backends.base.client import BaseDBAsyncClient

from itr.actors.actor import SYSTEM, Actor
from itr.errors import DomainError
from itr.events.log import Audience, Fact
from itr.events.work import Work
from itr.notifications.recipients import Recipients, requests_around
from itr.people.terms import Recipient
from itr.sla.operations import current_calendars
from itr.sla.working_time import WorkingCalendar
from itr.tickets.escalation_rules import acknowledge_by, opened_by, step_of, steps_of_alarm
from itr.tickets.terms import EscalationCause, ManagementStep

logger = logging.getLogger("itr.escalations")

Row = Mapping[str, Any]

ESCALATION = "ESCALATION"
"""The kind of the timer that goes off when nobody has taken note in time."""
MANAGEMENT = tuple(Recipient(step.value) for step in ManagementStep)
"""The people at every step of an escalation."""
ENDS = frozenset(
    {
        "RequestDelivered",
        "RequestClosed",
        "RequestCancelled",
        "RequestRejected",
        "RequestMerged",
    }
)
"""What ends the escalations of a request, acknowledged or not."""

_STANDING = """
select id, request_id, step, revision, person_id, reason, thread, percent, due_at, told_again,
    acknowledged_at
from escalation where request_id = any($1) and ended_at is null order by id for update
"""
_OPEN = """
insert into escalation
    (id, request_id, step, person_id, cause, reason, thread, percent, opened_at, due_at)
select o.id, o.request_id, o.step, o.person_id, o.cause, o.reason, o.thread, o.percent,
    $9::timestamptz, o.due_at
from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::uuid[], $5::text[], $6::text[],
    $7::text[], $8::smallint[], $10::timestamptz[])
    as o (id, request_id, step, person_id, cause, reason, thread, percent, due_at)
order by o.request_id, o.step
on conflict do nothing returning id
"""
_END = """
update escalation set ended_at = $2, revision = revision + 1 where id = any($1)
"""
_WAIT = """
insert into timer (id, kind, request_id, due_at)
select gen_random_uuid(), $3, w.request_id, w.due_at
from unnest($1::uuid[], $2::timestamptz[]) as w (request_id, due_at) order by w.request_id
on conflict (request_id, kind) do update set due_at = excluded.due_at
"""
_WAIT_NO_MORE = "delete from timer where request_id = any($1) and kind = $2"


class Escalated(Protocol):
    """What facts of an escalation name of its ticket."""

    id: UUID
    customer_id: UUID
    branch_id: UUID | None


@dataclass(frozen=True, slots=True)
class Opening:
    """A step an escalation comes to, and why."""

    request_id: UUID
    step: int
    cause: EscalationCause
    reason: str | None = None
    thread: str | None = None
    percent: int | None = None


async def follow_alarms(work: Work, facts: Iterable[Fact], now: datetime) -> list[Fact]:
    """Open or move on what these alarms demand (R-ESC-01); returns the facts, to be told."""
    urgent: dict[UUID, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.payload.get("notifies") and steps_of_alarm(fact.payload["percent"], ""):
            urgent[fact.stream].append(fact)
    if not urgent:
        return []
    around = await around_management(work.connection, urgent)
    standing = await standing_of(work.connection, urgent)
    openings = [
        opening
        for request_id, alarms in urgent.items()
        for opening in _demanded(request_id, alarms, around, standing[request_id])
    ]
    return await open_steps(work, openings, standing, around, by=SYSTEM, now=now)


async def around_management(
    connection: BaseDBAsyncClient, request_ids: Iterable[UUID]
) -> Recipients:
    """These requests, and the people at every step of an escalation."""
    around = await requests_around(connection, request_ids)
    await around.meet(connection, MANAGEMENT)
    return around


async def standing_of(
    connection: BaseDBAsyncClient, request_ids: Iterable[UUID]
) -> dict[UUID, list[Row]]:
    """The steps at which escalations stand, locked, by request."""
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in await connection.execute_query_dict(_STANDING, [list(request_ids)]):
        found[row["request_id"]].append(row)
    return found


async def open_steps(
    work: Work,
    openings: Sequence[Opening],
    standing: Mapping[UUID, Sequence[Row]],
    around: Recipients,
    *,
    by: Actor,
    now: datetime,
) -> list[Fact]:
    """Let escalations come to these steps; they leave the lower ones, and their timeouts begin.

    What another worker has opened meanwhile stays as it is. Returns the facts, to be told.
    """
    if not openings:
        return []
    due = await _due_times(openings, around, now)
    made = {uuid4(): opening for opening in openings}
    added = await _insert(work.connection, made, due, around, now)
    lowest: dict[UUID, int] = {}
    for opening in openings:
        lowest[opening.request_id] = min(opening.step, lowest.get(opening.request_id, opening.step))
    left = [
        row["id"]
        for request_id, step in lowest.items()
        for row in standing.get(request_id, ())
        if row["step"] < step
    ]
    await work.connection.execute_query(_END, [left, now])
    await _wait(work.connection, {key: due[key] for key in lowest})
    begun = {request_id for request_id, rows in standing.items() if rows}
    facts = []
    for key, opening in made.items():
        if key not in added:
            continue
        told = told_of(opening, around, due[opening.request_id])
        event = "EscalationRaised" if opening.request_id in begun else "EscalationOpened"
        row = {"id": key, "revision": 1}
        request = around.requests[opening.request_id]
        facts.append(escalation_fact(event, row, request, told, by=by, now=now))
        begun.add(opening.request_id)
    return facts


def _demanded(
    request_id: UUID, alarms: Sequence[Fact], around: Recipients, standing: Sequence[Row]
) -> list[Opening]:
    """The steps that the alarms of one request open, each for the first alarm demanding it."""
    if request_id not in around.requests:
        return []
    priority = around.requests[request_id]["priority"]
    by_step: dict[int, Fact] = {}
    for alarm in sorted(alarms, key=lambda fact: -fact.payload["percent"]):
        for step in steps_of_alarm(alarm.payload["percent"], priority):
            by_step.setdefault(step, alarm)
    highest = max(by_step[step].payload["percent"] for step in by_step)
    demanded = steps_of_alarm(highest, priority)
    return [
        Opening(
            request_id,
            step,
            EscalationCause.ALARM,
            thread=by_step[step].payload["thread"],
            percent=by_step[step].payload["percent"],
        )
        for step in opened_by(demanded, [row["step"] for row in standing])
    ]


async def _due_times(
    openings: Sequence[Opening], around: Recipients, now: datetime
) -> dict[UUID, datetime]:
    """By when each request's new steps are to be acknowledged."""
    requests = {opening.request_id: around.requests[opening.request_id] for opening in openings}
    counted_by = {key: (row["calendar_id"], row["customer_id"]) for key, row in requests.items()}
    calendars = {each: await _working(*each) for each in set(counted_by.values())}
    return {
        key: acknowledge_by(around.rules(key), row["priority"], calendars[counted_by[key]], now)
        for key, row in requests.items()
    }


async def _working(calendar_id: UUID, customer_id: UUID) -> WorkingCalendar | None:
    """The calendar as it stands for a customer, who may have opted out of make-up days.

    None for a broken one, which holds up nobody's escalation.
    """
    try:
        found = await current_calendars([calendar_id], customer_id=customer_id)
        return found[calendar_id].working
    except (DomainError, ValueError, LookupError, TypeError, ArithmeticError):
        logger.exception("calendar %s cannot be read", calendar_id)
        return None


async def _insert(
    connection: BaseDBAsyncClient,
    made: Mapping[UUID, Opening],
    due: Mapping[UUID, datetime],
    around: Recipients,
    now: datetime,
) -> set[UUID]:
    rows = [
        (
            key,
            opening.request_id,
            opening.step,
            person_of(opening, around),
            opening.cause.value,
            opening.reason,
            opening.thread,
            opening.percent,
        )
        for key, opening in made.items()
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    until = [due[opening.request_id] for opening in made.values()]
    added = await connection.execute_query_dict(_OPEN, [*columns, now, until])
    return {row["id"] for row in added}


def person_of(opening: Opening, around: Recipients) -> UUID | None:
    """Who it comes to by name: of the step, else who stands in for them (R-ROLE-07)."""
    recipient = Recipient(step_of(opening.step).value)
    person = around.find(recipient, opening.request_id)
    person = person or around.stand_in(recipient, opening.request_id)
    return person.id if person else None


async def _wait(connection: BaseDBAsyncClient, due: Mapping[UUID, datetime]) -> None:
    await connection.execute_query(_WAIT, [list(due), list(due.values()), ESCALATION])


def told_of(opening: Opening, around: Recipients, due_at: datetime) -> dict[str, Any]:
    """What the fact of an escalation says of the step it has come to."""
    person = person_of(opening, around)
    return {
        "step": step_of(opening.step).value,
        "person": None if person is None else str(person),
        "cause": opening.cause.value,
        "reason": opening.reason,
        "thread": opening.thread,
        "percent": opening.percent,
        "acknowledgeBy": due_at.isoformat(),
    }


def escalation_fact(
    type: str, row: Row, request: Row, told: Mapping[str, Any], *, by: Actor, now: datetime
) -> Fact:
    """What happened to a step of an escalation; inside only, and no version of the request."""
    return Fact(
        type=type,
        subject_type="escalation",
        subject=row["id"],
        subject_version=row["revision"],
        stream=request["id"],
        by=by,
        occurred_at=now,
        audience=Audience.INTERNAL,
        customer_id=request["customer_id"],
        branch_id=request["branch_id"],
        payload={key: value for key, value in told.items() if value is not None},
    )


async def wait_on(connection: BaseDBAsyncClient, request_id: UUID) -> None:
    """Have the timer go off when the next step's time to acknowledge is over, or never."""
    rows = await connection.execute_query_dict(
        "select min(due_at) as due_at from escalation where request_id = $1"
        " and ended_at is null and acknowledged_at is null and not told_again",
        [request_id],
    )
    if rows[0]["due_at"] is None:
        await connection.execute_query(_WAIT_NO_MORE, [[request_id], ESCALATION])
    else:
        await _wait(connection, {request_id: rows[0]["due_at"]})


def payload_of(request: Escalated) -> Row:
    """A request in hand as facts name it."""
    return {
        "id": request.id,
        "customer_id": request.customer_id,
        "branch_id": request.branch_id,
    }
