"""Management escalation of one ticket in hand: written with whatever else is done to it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from itr.actors.actor import Actor
from itr.events.log import Fact
from itr.events.work import Work
from itr.notifications.recipients import Recipients
from itr.tickets.escalation_rules import step_of
from itr.tickets.escalations import (
    ESCALATION,
    Escalated,
    Opening,
    Row,
    escalation_fact,
    payload_of,
    person_of,
    told_of,
)
from itr.tickets.timers import set_timer
from itr.writing import Table

_ESCALATION = Table(
    "escalation",
    {
        "id": "uuid",
        "request_id": "uuid",
        "step": "smallint",
        "person_id": "uuid",
        "cause": "text",
        "reason": "text",
        "thread": "text",
        "percent": "smallint",
        "opened_at": "timestamptz",
        "due_at": "timestamptz",
        "acknowledged_by_id": "uuid",
        "acknowledged_at": "timestamptz",
        "ended_at": "timestamptz",
        "revision": "int",
    },
    "revision",
)
_ENDED = ("ended_at", "revision")
_NOTED = ("acknowledged_by_id", "acknowledged_at", "revision")


def open_step(
    work: Work,
    opening: Opening,
    standing: Sequence[Row],
    around: Recipients,
    *,
    due_at: datetime,
    by: Actor,
    now: datetime,
) -> Fact:
    """Let the escalation of a request in hand come to a step and leave the lower ones.

    Written with the rest of the transaction. Returns the fact, to be told.
    """
    key, request = uuid4(), around.requests[opening.request_id]
    row = {
        "id": key,
        "request_id": opening.request_id,
        "step": opening.step,
        "person_id": person_of(opening, around),
        "cause": opening.cause.value,
        "reason": opening.reason,
        "thread": opening.thread,
        "percent": opening.percent,
        "opened_at": now,
        "due_at": due_at,
    }
    work.writing.add(_ESCALATION, row)
    for each in standing:
        if each["step"] < opening.step:
            anew = {"ended_at": now, "revision": each["revision"] + 1}
            work.writing.change(_ESCALATION, each["id"], anew, _ENDED, each["revision"])
    set_timer(work.writing, opening.request_id, ESCALATION, due_at)
    event = "EscalationRaised" if standing else "EscalationOpened"
    told = told_of(opening, around, due_at)
    return escalation_fact(event, {"id": key, "revision": 1}, request, told, by=by, now=now)


def acknowledge(
    work: Work,
    request: Escalated,
    standing: Sequence[Row],
    theirs: Collection[UUID],
    by: Actor,
    now: datetime,
) -> None:
    """Note that somebody took note of these steps; the others are waited for (R-ESC-02)."""
    for row in standing:
        if row["id"] not in theirs:
            continue
        anew = {
            "id": row["id"],
            "revision": row["revision"] + 1,
            "acknowledged_by_id": by.id,
            "acknowledged_at": now,
        }
        work.writing.change(_ESCALATION, row["id"], anew, _NOTED, row["revision"])
        told = {"step": step_of(row["step"]).value}
        concerned = payload_of(request)
        fact = escalation_fact("EscalationAcknowledged", anew, concerned, told, by=by, now=now)
        work.record(fact)
    waits = (
        row["due_at"]
        for row in standing
        if row["id"] not in theirs and row["acknowledged_at"] is None and not row["told_again"]
    )
    set_timer(work.writing, request.id, ESCALATION, min(waits, default=None))


def end_escalations(
    work: Work, request: Escalated, standing: Sequence[Row], *, by: Actor, now: datetime
) -> None:
    """End what stands of a request's escalations: it was delivered, or has ended (R-ESC-01)."""
    for row in standing:
        anew = {"id": row["id"], "revision": row["revision"] + 1, "ended_at": now}
        work.writing.change(_ESCALATION, row["id"], anew, _ENDED, row["revision"])
        told = {"step": step_of(row["step"]).value}
        concerned = payload_of(request)
        work.record(escalation_fact("EscalationEnded", anew, concerned, told, by=by, now=now))
    if standing:
        set_timer(work.writing, request.id, ESCALATION, None)
