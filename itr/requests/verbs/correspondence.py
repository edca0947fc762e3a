"""Correspondence about a request: replies, notes, calls, the plan (R-REQ-05, R-REQ-07)."""

from datetime import datetime

from itr.actors.roles import Role
from itr.errors import Faults
from itr.events.log import Audience
from itr.requests import rules
from itr.requests.lifecycle import RequestVerb
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs.handling import answer_the_customer
from itr.texts import ensure_text


def respond(work: TicketWork, text: str) -> None:
    """Reply in public; the first one by a person of ours stops RESPONSE (R-SLA-01).

    What a firm's program writes is an automatic message: it answers nobody.
    """
    work.ensure_may(RequestVerb.RESPOND)
    words = ensure_text(text, "text")
    if Role.CUSTOMER not in work.actor.roles and not work.actor.machine:
        answer_the_customer(work)
    work.record("RequestReplied", Audience.PUBLIC, {"text": words})


def note(work: TicketWork, text: str, audience: Audience) -> None:
    """Write a note for colleagues, or one shared with the partner; it answers nobody.

    What a partner writes is shared with it anyway.
    """
    work.ensure_may(RequestVerb.NOTE)
    words = ensure_text(text, "text")
    shared = Audience.PARTNER if Role.PARTNER in work.actor.roles else audience
    work.record("RequestNoted", shared, {"text": words})


def log_call(work: TicketWork, summary: str) -> None:
    """Log a call with the customer; it answers them."""
    work.ensure_may(RequestVerb.LOG_CALL)
    words = ensure_text(summary, "summary")
    answer_the_customer(work)
    work.record("CallLogged", Audience.PUBLIC, {"text": words})


def plan(work: TicketWork, summary: str, expected_at: datetime) -> None:
    """Tell the customer the plan and when to expect the result (R-REQ-05)."""
    work.ensure_may(RequestVerb.PLAN)
    faults = Faults()
    told = faults.of(ensure_text, summary, "summary")
    ahead = faults.of(rules.ensure_ahead, expected_at, work.now, "expectedAt")
    faults.refuse()
    work.request.plan_summary, work.request.expected_at = told, ahead
    work.record(
        "RequestPlanned",
        Audience.PUBLIC,
        {"text": work.request.plan_summary, "expectedAt": expected_at.isoformat()},
    )
