"""Acceptance: register, accept, classify, turn down, withdraw."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor
from itr.actors.roles import Permission
from itr.catalogue.authorisation import authorise, return_quota
from itr.catalogue.terms import EntitlementOutcome
from itr.errors import Forbidden
from itr.events.work import Work, transaction
from itr.requests import rules
from itr.requests.child_request_rules import CHILD_ENDS_WITH_PARENT
from itr.requests.intake import Intake, new_request, with_free_numbers
from itr.requests.lifecycle import RequestVerb
from itr.requests.operations.charges import what_it_costs
from itr.requests.operations.child_requests import cancel_children, lead_children
from itr.requests.priority import Classification, classification_of, priority_of
from itr.requests.store import save
from itr.requests.taking import take
from itr.requests.terms import RejectionCode
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs import intake
from itr.sla.calendars_in_force import calendars_in_force


async def submit_request(actor: Actor, wanted: Intake, *, now: datetime) -> UUID:
    """Register a request; its clocks run at the house level from now (R-REQ-08, R-ENT-05).

    The customer sees at once what it costs when no contract covers it (R-ENT-06).
    """
    if not actor.may(Permission.SUBMIT_REQUEST):
        raise Forbidden()

    async def registering() -> UUID:
        async with transaction(claim_at_once=False) as work:
            in_hand = await new_request(work, actor, wanted, now)
            chargeable, item_id = await what_it_costs(work, in_hand)
            intake.register(in_hand, intake.Offer(item_id) if chargeable else None)
            await save(work, in_hand)
        return in_hand.request.id

    return await with_free_numbers(registering)


async def accept_request(
    actor: Actor,
    request_id: UUID,
    classification: Classification,
    *,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Authorise and classify: pins the entitlement, retargets from registration (R-ENT-01 … 05)."""
    async with transaction(claim_at_once=False) as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        in_hand.ensure_may(RequestVerb.ACCEPT)
        authorised = await _authorised(work, in_hand, classification)
        intake.accept(in_hand, classification, authorised)
        await save(work, in_hand)
    return request_id


async def reauthorise_request(
    actor: Actor, request_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Authorise once more, before closing, when missing data was completed (R-ENT-02)."""
    async with transaction(claim_at_once=False) as work:
        in_hand = await take(work, actor, request_id, now, expected_version, children=rules.OPEN)
        request = in_hand.request
        in_hand.ensure_may(RequestVerb.REAUTHORISE)
        if request.entitlement_outcome is not EntitlementOutcome.NO_DATA or request.reauthorised:
            raise rules.NothingToReauthorise()
        classification = classification_of(request)
        intake.reauthorise(in_hand, await _authorised(work, in_hand, classification))
        await lead_children(work, in_hand)
        await save(work, in_hand)
    return request_id


async def reclassify_request(
    actor: Actor,
    request_id: UUID,
    classification: Classification,
    *,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Classify anew; another priority retargets the clocks, and children follow (R-PRI-03)."""
    async with transaction(claim_at_once=False) as work:
        in_hand = await take(work, actor, request_id, now, expected_version, children=rules.OPEN)
        intake.reclassify(in_hand, classification)
        await lead_children(work, in_hand)
        await save(work, in_hand)
    return request_id


async def reject_request(
    actor: Actor,
    request_id: UUID,
    *,
    code: RejectionCode,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Turn a request down; the requester is told why, by code and sentence."""
    async with transaction(claim_at_once=False) as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        intake.reject(in_hand, code, reason)
        return_quota(work, request_id, now)
        await save(work, in_hand)
    return request_id


async def cancel_request(
    actor: Actor,
    request_id: UUID,
    *,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Withdraw a request; before work began its quota is given back (R-ENT-03)."""
    async with transaction(claim_at_once=False) as work:
        in_hand = await take(
            work, actor, request_id, now, expected_version, children=CHILD_ENDS_WITH_PARENT
        )
        intake.cancel(in_hand, reason)
        if not in_hand.has_begun:
            return_quota(work, request_id, now)
        await cancel_children(work, in_hand, reason)
        await save(work, in_hand)
    return request_id


async def _authorised(
    work: Work, in_hand: TicketWork, classification: Classification
) -> intake.Authorised:
    request = in_hand.request
    found = await authorise(
        work,
        request_id=request.id,
        customer_id=request.customer_id,
        project_id=request.project_id,
        product_id=request.product_id,
        phase=request.phase,
        priority_under=lambda terms: priority_of(classification, terms.matrix),
        registered_at=request.registered_at,
        now=in_hand.now,
        references=in_hand.references,
    )
    in_hand.calendars = {
        **in_hand.calendars,
        **await calendars_in_force(
            [found.terms.calendar_id], request.customer_id, in_hand.references
        ),
    }
    price = "-" if found.price is None else f"{found.price} {found.currency}"
    return intake.Authorised(
        found.outcome, found.contract_line_id, found.terms, price, found.item_id
    )
