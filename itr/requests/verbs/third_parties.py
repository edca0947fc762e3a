"""Third parties: hand a request to a partner firm, take it back (R-REQ-10)."""

from typing import Any
from uuid import UUID

from itr.errors import DomainError
from itr.events.log import Audience
from itr.requests.lifecycle import RequestVerb
from itr.requests.rules import PlaceOfWork
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs.handling import (
    begin_waiting,
    end_waiting_for_the_firm,
    place_payload,
    put,
)
from itr.sla.terms import WaitingReason
from itr.texts import ensure_text
from itr.tickets.verbs import ensure_can_move


class NotPartnersQueue(DomainError):
    """What is handed to a firm goes to a queue of the firm."""

    code = "NOT_PARTNERS_QUEUE"
    zh = "请选择合作伙伴的队列。"
    en = "This queue is no partner firm's."


class NotOurQueue(DomainError):
    """What is taken back comes to a queue of ours."""

    code = "NOT_OUR_QUEUE"
    zh = "请选择我方的队列。"
    en = "This queue is not ours."


class AlreadyWithPartner(DomainError):
    """One firm at a time."""

    code = "ALREADY_WITH_PARTNER"
    zh = "该请求已在合作伙伴处，请先收回。"
    en = "The request is with a partner firm already; take it back first."


class NotWithPartner(DomainError):
    """There is nothing to take back."""

    code = "NOT_WITH_PARTNER"
    zh = "该请求不在合作伙伴处。"
    en = "The request is with no partner firm."


def hand_to_partner(
    work: TicketWork, place: PlaceOfWork, assignee_id: UUID | None, reason: str, *, waiting: bool
) -> None:
    """Hand a request to a firm, under the firm's own clock; the customer's runs on.

    `waiting`: we wait for the firm, which pauses what the service level pauses for third parties.
    """
    request = work.request
    work.ensure_may(RequestVerb.HAND_TO_PARTNER)
    if request.partner_id is not None:
        raise AlreadyWithPartner()
    if place.partner_id is None:
        raise NotPartnersQueue(path=["queueId"])
    text = ensure_text(reason, "reason")
    moved = _wait_for_the_firm(work) if waiting else {}
    put(work, place, assignee_id, reason=text)
    work.record(
        "RequestHandedToPartner",
        Audience.PARTNER,
        {**moved, "reason": text, **place_payload(place, assignee_id)},
    )


def take_back(work: TicketWork, place: PlaceOfWork, assignee_id: UUID | None, reason: str) -> None:
    """Take a request back from a firm: its clock ends, and so does waiting for it."""
    request = work.request
    work.ensure_may(RequestVerb.TAKE_BACK)
    if request.partner_id is None:
        raise NotWithPartner()
    if place.partner_id is not None:
        raise NotOurQueue(path=["queueId"])
    text = ensure_text(reason, "reason")
    moved = end_waiting_for_the_firm(work, place)
    put(work, place, assignee_id, reason=text)
    work.record(
        "RequestTakenBack",
        Audience.PARTNER,
        {**moved, "reason": text, **place_payload(place, assignee_id)},
    )


def _wait_for_the_firm(work: TicketWork) -> dict[str, Any]:
    request = work.request
    ensure_can_move(request.status, RequestVerb.WAIT, "waiting")
    return begin_waiting(work, WaitingReason.THIRD_PARTY)
