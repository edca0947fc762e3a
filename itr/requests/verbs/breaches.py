"""Explaining breaches: a coded reason, approved or refused by somebody else (R-SLA-05)."""

from itr.events.log import Audience
from itr.requests.breach_rules import NotBreached, ensure_decides, ensure_explains, is_breached
from itr.requests.lifecycle import RequestVerb
from itr.requests.ticket_work import TicketWork
from itr.sla.models import Clock
from itr.sla.terms import BreachReason, BreachReasonState, Thread
from itr.texts import ensure_text


def explain(work: TicketWork, thread: Thread, reason: BreachReason, note: str | None) -> None:
    """Give a breach its reason; one that was refused is given anew."""
    work.ensure_may(RequestVerb.EXPLAIN_BREACH)
    clock = _breached(work, thread)
    words = ensure_text(note, "note") if note else None
    ensure_explains(clock, reason, words)
    clock.breach_reason = reason
    clock.breach_note = words
    clock.breach_reason_state = BreachReasonState.GIVEN
    clock.breach_reason_by, clock.breach_reason_at = work.actor.id, work.now
    clock.breach_decided_by = clock.breach_decided_at = None
    _record(work, "BreachExplained", thread, clock, words)


def approve(work: TicketWork, thread: Thread) -> None:
    """Accept the reason somebody else gave."""
    work.ensure_may(RequestVerb.APPROVE_BREACH_REASON)
    _decide(work, thread, BreachReasonState.APPROVED, "BreachReasonApproved", None)


def refuse(work: TicketWork, thread: Thread, why: str) -> None:
    """Send the reason back to whom it came from."""
    work.ensure_may(RequestVerb.REFUSE_BREACH_REASON)
    words = ensure_text(why, "reason")
    _decide(work, thread, BreachReasonState.REFUSED, "BreachReasonRefused", words)


def _decide(
    work: TicketWork, thread: Thread, state: BreachReasonState, event: str, words: str | None
) -> None:
    clock = _breached(work, thread)
    ensure_decides(clock, work.actor.id)
    clock.breach_reason_state = state
    clock.breach_decided_by, clock.breach_decided_at = work.actor.id, work.now
    _record(work, event, thread, clock, words)


def _breached(work: TicketWork, thread: Thread) -> Clock:
    clock = work.clocks.get(thread)
    if clock is None or not is_breached(clock, work.now):
        raise NotBreached(path=["thread"])
    return clock


def _record(work: TicketWork, event: str, thread: Thread, clock: Clock, words: str | None) -> None:
    work.explained.add(thread)
    told = {"thread": thread.value, "reason": clock.breach_reason, "text": words}
    work.record(event, Audience.INTERNAL, told)
