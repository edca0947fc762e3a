"""Management escalation by hand, its acknowledgement, and what happens without one (R-ESC)."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import SYSTEM, Actor
from itr.events.work import Work, transaction
from itr.notifications.notify import notify
from itr.notifications.recipients import Recipients
from itr.requests.lifecycle import RequestVerb
from itr.requests.recipients import recipients_around
from itr.requests.taking import take
from itr.requests.ticket_work import TicketWork
from itr.texts import ensure_text
from itr.tickets.escalation_rules import (
    TOP,
    EscalatedToOthers,
    NothingToAcknowledge,
    acknowledge_by,
    rank_of,
    step_by_hand,
    step_of,
)
from itr.tickets.escalations import (
    MANAGEMENT,
    Opening,
    Row,
    around_management,
    escalation_fact,
    open_steps,
    standing_of,
    wait_on,
)
from itr.tickets.escalations_in_hand import acknowledge, open_step
from itr.tickets.terms import EscalationCause, ManagementStep

_PASS_ON = "update escalation set ended_at = $2, revision = revision + 1 where id = $1"
_NOTIFY_AGAIN = """
update escalation set told_again = true, revision = revision + 1 where id = $1
"""


async def escalate_to_management(
    actor: Actor,
    request_id: UUID,
    *,
    reason: str,
    to: ManagementStep | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Escalate by hand: to the step above where it, or the actor, stands, or to one higher still.

    Raises Forbidden, NotFound, Stale, MoveNotAllowed, EscalatedToTheTop, NotHigher.
    """
    async with transaction(claim_at_once=False) as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        in_hand.ensure_may(RequestVerb.ESCALATE_TO_MANAGEMENT)
        text = ensure_text(reason, "reason")
        standing = in_hand.escalations
        step = step_by_hand(to, [row["step"] for row in standing], rank_of(actor.roles))
        opening = Opening(request_id, step, EscalationCause.BY_HAND, reason=text)
        await _open(work, in_hand, opening)
        work.subject_id = request_id
    return request_id


async def _open(work: Work, in_hand: TicketWork, opening: Opening) -> None:
    """Let the escalation come to a step, and notify whom it comes to."""
    around = await recipients_around(in_hand)
    await around.meet(work.connection, MANAGEMENT)
    at, working = in_hand.now, in_hand.calendars[in_hand.terms.calendar_id].working
    rules, priority = around.rules(opening.request_id), in_hand.request.priority
    fact = open_step(
        work,
        opening,
        in_hand.escalations,
        around,
        due_at=acknowledge_by(rules, priority, working, at),
        by=in_hand.actor,
        now=at,
    )
    await notify(work, [fact], at, around)


async def acknowledge_escalation(
    actor: Actor, request_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Take note of an escalation: it goes no further by itself (R-ESC-02).

    Whoever it stands with does, or somebody who stands as high; higher ones take note of lower
    steps too. Raises Forbidden, NotFound, Stale, NothingToAcknowledge, EscalatedToOthers.
    """
    async with transaction(claim_at_once=False) as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        in_hand.ensure_may(RequestVerb.ACKNOWLEDGE_ESCALATION)
        standing = in_hand.escalations
        waiting = [row for row in standing if row["acknowledged_at"] is None]
        if not waiting:
            raise NothingToAcknowledge()
        rank = rank_of(actor.roles)
        theirs = [row["id"] for row in waiting if _is_theirs(row, actor, rank)]
        if not theirs:
            raise EscalatedToOthers()
        acknowledge(work, in_hand.request, standing, theirs, by=actor, now=in_hand.now)
        work.subject_id = request_id
    return request_id


async def escalation_due(work: Work, request_id: UUID, *, now: datetime) -> None:
    """Nobody took note in time: one step further, at the top told again once (R-ESC-02).

    In the transaction that takes the timer, with the request locked.
    """
    standing = await standing_of(work.connection, [request_id])
    rows = standing[request_id]
    due = [row for row in rows if _is_due(row, now)]
    if due:
        around = await around_management(work.connection, [request_id])
        openings = []
        for row in sorted(due, key=lambda each: each["step"]):
            if row["step"] == TOP:
                await _notify_again(work, row, around, now)
            elif any(each["step"] > row["step"] for each in rows):
                await work.connection.execute_query(_PASS_ON, [row["id"], now])
            else:
                openings.append(_further(row))
        facts = await open_steps(work, openings, standing, around, by=SYSTEM, now=now)
        await notify(work, facts, now)
    await wait_on(work.connection, request_id)


def _is_theirs(row: Row, actor: Actor, rank: int) -> bool:
    return bool(row["person_id"] == actor.id or row["step"] <= rank)


def _is_due(row: Row, now: datetime) -> bool:
    waits = row["acknowledged_at"] is None and not row["told_again"]
    return bool(waits and row["due_at"] is not None and row["due_at"] <= now)


def _further(row: Row) -> Opening:
    """One step further, for the reason it was escalated at all."""
    return Opening(
        row["request_id"],
        row["step"] + 1,
        EscalationCause.TIMEOUT,
        reason=row["reason"],
        thread=row["thread"],
        percent=row["percent"],
    )


async def _notify_again(work: Work, row: Row, around: Recipients, now: datetime) -> None:
    await work.connection.execute_query(_NOTIFY_AGAIN, [row["id"]])
    told = {
        "step": step_of(row["step"]).value,
        "person": str(row["person_id"]) if row["person_id"] else None,
        "cause": EscalationCause.TIMEOUT.value,
        "reason": row["reason"],
        "thread": row["thread"],
        "percent": row["percent"],
        "again": True,
    }
    anew = {"id": row["id"], "revision": row["revision"] + 1}
    request = around.requests[row["request_id"]]
    fact = escalation_fact("EscalationRepeated", anew, request, told, by=SYSTEM, now=now)
    await notify(work, [fact], now)
