"""Emergency recovery: declare it, tell how it stands, notice that nothing was told (R-REQ-11)."""

from datetime import datetime
from uuid import uuid4, uuid5

from itr.actors.actor import SYSTEM
from itr.events.log import Audience, Fact
from itr.requests import emergency_rules
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Bulletin, Request
from itr.requests.priority import Classification, priority_of
from itr.requests.terms import BulletinKind, RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.requests.timers import expect_bulletin
from itr.requests.verbs.handling import answer_the_customer
from itr.texts import ensure_text


def declare(work: TicketWork, reason: str, found: Classification | None) -> None:
    """Call a P1 outage an emergency; bulletins are due from now on.

    What is only registered has no priority of its own yet: `found` confirms the outage.
    """
    request = work.request
    work.ensure_may(RequestVerb.DECLARE_EMERGENCY)
    if request.emergency:
        raise emergency_rules.AlreadyEmergency()
    priority: str = request.priority
    if request.status is RequestStatus.REGISTERED:
        priority = "" if found is None else priority_of(found, work.terms.matrix)
    emergency_rules.ensure_outage(request.kind, priority, service_down=request.service_down)
    text = ensure_text(reason, "reason")
    request.emergency, request.emergency_at = True, work.now
    due_at = work.now + emergency_rules.BULLETIN_EVERY
    expect_bulletin(work, due_at)
    work.record(
        "EmergencyDeclared", Audience.PUBLIC, {"reason": text, "bulletinDueAt": due_at.isoformat()}
    )


def publish(work: TicketWork, kind: BulletinKind, text: str, told: frozenset[str]) -> Bulletin:
    """Tell how an emergency stands; the next bulletin is due 30 minutes on, until recovery."""
    request = work.request
    work.ensure_may(RequestVerb.PUBLISH_BULLETIN)
    if not request.emergency:
        raise emergency_rules.NotAnEmergency()
    down, expected = request.service_down, request.bulletin_due_at is not None
    if not emergency_rules.comes_now(kind, told=told, service_down=down, expected=expected):
        raise emergency_rules.BulletinOutOfTurn(path=["kind"])
    words = ensure_text(text, "text")
    answer_the_customer(work)
    ends = kind in (BulletinKind.RECOVERY, BulletinKind.CAUSE)
    expect_bulletin(work, None if ends else work.now + emergency_rules.BULLETIN_EVERY)
    work.record("BulletinPublished", Audience.PUBLIC, {"kind": kind.value, "text": words})
    return Bulletin(
        id=uuid4(),
        request_id=request.id,
        kind=kind,
        text=words,
        published_at=work.now,
        published_by_id=work.actor.id,
    )


def missed(request: Request, due_at: datetime, now: datetime, *, notifies: bool) -> Fact:
    """That no bulletin came by `due_at`; of several missed at once only the last notifies.

    Like an alarm it has a subject of its own: time passing leaves the request's version alone.
    """
    assert request.emergency_at is not None
    return Fact(
        type="BulletinOverdue",
        subject_type="bulletin",
        subject=uuid5(request.id, "bulletin"),
        subject_version=round((due_at - request.emergency_at).total_seconds()),
        stream=request.id,
        by=SYSTEM,
        occurred_at=now,
        audience=Audience.INTERNAL,
        customer_id=request.customer_id,
        branch_id=request.branch_id,
        payload={"dueAt": due_at.isoformat(), "notifies": notifies},
    )
