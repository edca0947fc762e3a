"""Acceptance: register, accept, reject, classify anew, agree to a charge."""

from dataclasses import dataclass
from uuid import UUID

from itr.catalogue.rules import ServiceTerms
from itr.catalogue.terms import EntitlementOutcome, Priority
from itr.events.log import Audience
from itr.requests import rules
from itr.requests.child_request_rules import FollowsParent
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import HandOver
from itr.requests.priority import Classification, classification_of, priority_of
from itr.requests.terms import Charge, RejectionCode, RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.requests.timers import expect_bulletin
from itr.requests.verbs import charges
from itr.requests.verbs.handling import hold_clocks
from itr.requests.waiting import end_all
from itr.sla.clocks import REOPENS
from itr.texts import ensure_text


@dataclass(frozen=True)
class Authorised:
    """What authorisation found: outcome, contract line, and the terms that count from now on."""

    outcome: EntitlementOutcome
    contract_line_id: UUID | None
    terms: ServiceTerms
    price: str
    item_id: UUID | None = None


@dataclass(frozen=True)
class Offer:
    """A charge that is put to the customer: the catalogue item, if there is one."""

    item_id: UUID | None


def register(work: TicketWork, offer: Offer | None = None) -> None:
    """Register a request: its clocks run at the house level, P3, from now (R-ENT-05).

    What no contract covers is put to the customer at once, at its price (R-ENT-06).
    """
    request = work.request
    for thread in rules.threads_of(request.kind):
        target = work.terms.target(request.priority, thread)
        work.book.start(thread, work.now, target, work.terms.calendar_id)
    work.begin_stint(1, queue_id=None, partner_id=None)
    _let_the_partner_follow(work)
    if offer is not None:
        charges.put_to_the_customer(work, offer.item_id)
    work.record(
        "RequestRegistered",
        Audience.PUBLIC,
        {
            "to": RequestStatus.REGISTERED.value,
            "title": request.title,
            "channel": request.channel.value,
            "charge": Charge.PENDING.value if offer else None,
            "follows": str(request.follows_id) if request.follows_id else None,
        },
    )


def accept(work: TicketWork, classification: Classification, authorised: Authorised) -> None:
    """Accept a request: classify, pin its entitlement, retarget its clocks (R-ENT-02, R-PRI-01)."""
    request = work.request
    work.ensure_may(RequestVerb.ACCEPT)
    ensure_served(work, classification, authorised)
    request.entitlement_outcome = authorised.outcome
    request.contract_line_id = authorised.contract_line_id
    _settle_charge(work, authorised)
    _classify(work, classification, authorised.terms)
    moved = work.move_to(RequestStatus.AUTHORISED)
    work.record(
        "RequestAccepted",
        Audience.PUBLIC,
        {
            **moved,
            **_payload_of(classification),
            "priority": request.priority.value,
            "entitlement": authorised.outcome.value,
        },
    )


def ensure_served(work: TicketWork, found: Classification, authorised: Authorised) -> None:
    """Refuse what is not served, and what is chargeable while nobody has agreed (R-ENT-01).

    An emergency is served whoever pays, as long as it is the P1 outage it was declared to be.
    """
    request = work.request
    if request.emergency and priority_of(found, authorised.terms.matrix) is Priority.P1:
        return
    if authorised.outcome is EntitlementOutcome.NOT_SERVED:
        raise rules.NotServed()
    agreed = request.charge in (Charge.ACCEPTED, Charge.WAIVED)
    if authorised.outcome is EntitlementOutcome.CHARGEABLE and not agreed:
        raise rules.ChargeNotAccepted(price=authorised.price)


def reclassify(work: TicketWork, classification: Classification) -> None:
    """Classify anew: another priority retargets the clocks (R-PRI-03, R-SLA-08).

    A child is not: it follows its parent (R-REQ-09). Another system may have done so whenever it
    liked (R-IMP-01).
    """
    request = work.request
    if not work.historic:
        work.ensure_may(RequestVerb.RECLASSIFY)
    if request.parent_id is not None:
        raise FollowsParent()
    before = request.priority
    _classify(work, classification, work.terms)
    work.record(
        "RequestReclassified",
        Audience.PUBLIC,
        {
            **_payload_of(classification),
            "priorityBefore": before.value,
            "priority": request.priority.value,
        },
    )


def reauthorise(work: TicketWork, authorised: Authorised) -> None:
    """Authorise once more after missing data was completed (R-ENT-02).

    What turns out not to be served stays as it was accepted: Raises NotServed (R-ENT-01).
    A level with a matrix of its own may give another priority (R-PRI-01).
    """
    request = work.request
    if authorised.outcome is EntitlementOutcome.NO_DATA:
        raise rules.NothingToReauthorise()
    if authorised.outcome is EntitlementOutcome.NOT_SERVED and not request.emergency:
        raise rules.NotServed()
    request.entitlement_outcome = authorised.outcome
    request.contract_line_id = authorised.contract_line_id
    request.reauthorised = True
    _settle_charge(work, authorised)
    before = request.priority
    _classify(work, classification_of(request), authorised.terms)
    changed = request.priority is not before
    work.record(
        "RequestReauthorised",
        Audience.INTERNAL,
        {
            "entitlement": authorised.outcome.value,
            "priorityBefore": before.value if changed else None,
            "priority": request.priority.value if changed else None,
        },
    )


def reject(work: TicketWork, code: RejectionCode, reason: str) -> None:
    """Turn a request down, with a coded reason and a sentence the requester is told."""
    work.ensure_may(RequestVerb.REJECT)
    work.request.rejection_code = code
    _end(work, RequestStatus.REJECTED, "RequestRejected", ensure_text(reason, "reason"))


def cancel(work: TicketWork, reason: str) -> None:
    """Withdraw a request before its solution is delivered; its clocks are cancelled."""
    work.ensure_may(RequestVerb.CANCEL)
    _end(work, RequestStatus.CANCELLED, "RequestCancelled", ensure_text(reason, "reason"))


def _settle_charge(work: TicketWork, authorised: Authorised) -> None:
    """What is covered is not charged; what was served first is put to the customer now."""
    if authorised.outcome is not EntitlementOutcome.CHARGEABLE:
        charges.drop(work)
    elif work.request.charge in (None, Charge.WITHDRAWN):
        charges.put_to_the_customer(work, authorised.item_id)


def _end(work: TicketWork, status: RequestStatus, event: str, reason: str) -> None:
    for thread in work.book.unfinished():
        work.book.cancel(thread, work.now)
    charges.drop(work)
    moved = work.move_to(status)
    work.request.ended_reason = reason
    expect_bulletin(work, None)
    end_all(work.request)
    work.end_stint(reason)
    code = work.request.rejection_code
    told = {**moved, "reason": reason, "code": code.value if code else None}
    work.record(event, Audience.PUBLIC, told)


def _classify(work: TicketWork, classification: Classification, terms: ServiceTerms) -> None:
    request = work.request
    request.problem_type = classification.problem_type
    request.fault_level = classification.fault_level
    request.impact = classification.impact
    request.priority = Priority(priority_of(classification, terms.matrix))
    retarget(work, terms)


def retarget(work: TicketWork, terms: ServiceTerms) -> None:
    """Put a request under other terms; what was counted and paused stays (R-SLA-08).

    A thread that came to its end has the new promise should it be reopened (R-SLA-09); one whose
    alarm levels are others now warns by them, whatever its target (R-ALM-01). Other terms may pause
    other threads for what the request waits for.
    """
    if terms.percents != work.terms.percents:
        work.book.touched.update(work.book.unfinished())
    work.terms = terms
    work.request.service_level_version_id = terms.version_id
    for thread in work.book.unfinished():
        target = terms.target(work.request.priority, thread)
        work.book.retarget(thread, work.now, target, terms.calendar_id)
    for thread in REOPENS:
        target = terms.target(work.request.priority, thread)
        work.book.retarget_if_reopened(thread, work.now, target, terms.calendar_id)
    hold_clocks(work)


def _payload_of(classification: Classification) -> dict[str, str]:
    return {
        "problemType": classification.problem_type.value,
        "faultLevel": classification.fault_level.value,
        "impact": classification.impact.value,
    }


def _let_the_partner_follow(work: TicketWork) -> None:
    """A partner that registers a customer's request keeps read-only sight of it (R-ROLE-03)."""
    kind, organisation = work.actor.organisation_kind, work.actor.organisation_id
    if kind != "PARTNER" or organisation is None:
        return
    work.hand_overs.append(
        HandOver(
            request_id=work.request.id,
            partner_id=organisation,
            handed_at=work.now,
            returned_at=work.now,
            follows=True,
        )
    )
