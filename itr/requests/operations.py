"""What can be done to requests: each operation is one transaction and one event (R-REQ-01)."""

from datetime import datetime
from uuid import UUID

from itr.actor import SYSTEM, Actor
from itr.catalogue.authorisation import authorise, return_quota
from itr.catalogue.terms import EntitlementOutcome
from itr.errors import Forbidden, InvalidInput
from itr.events.log import Audience
from itr.events.work import Work, transaction
from itr.people.roles import Permission
from itr.requests import rules
from itr.requests.emergencies import bulletin_due
from itr.requests.families import cancel_children, open_children, take_with_parent
from itr.requests.handling import Handling
from itr.requests.intake import Intake, new_request
from itr.requests.places import customer_of, place_of
from itr.requests.priority import Classification, classification_of, priority_of
from itr.requests.store import calendars_in_force, handling, save, take, work_has_begun
from itr.requests.terms import RequestStatus, Verb
from itr.requests.timers import BULLETIN, CONFIRMATION, CONFIRMATION_REMINDER
from itr.requests.verbs import closing, intake, talking
from itr.requests.verbs import handling as moves
from itr.sla.terms import WaitingReason


async def submit_request(actor: Actor, wanted: Intake, *, now: datetime) -> UUID:
    """Register a request; its clocks run at the house level from now (R-REQ-08, R-ENT-05)."""
    if not actor.may(Permission.SUBMIT_REQUEST):
        raise Forbidden()
    async with transaction() as work:
        in_hand = await new_request(work, actor, wanted, now)
        intake.register(in_hand)
        await save(work, in_hand)
    return in_hand.request.id


async def accept_request(
    actor: Actor,
    request_id: UUID,
    classification: Classification,
    *,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Authorise and classify: pins the entitlement, retargets from registration (R-ENT-01 … 05)."""
    async with transaction() as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        in_hand.ensure_may(Verb.ACCEPT)
        rules.ensure_can_move(in_hand.request.status, Verb.ACCEPT)
        authorised = await _authorised(work, in_hand, classification)
        intake.accept(in_hand, classification, authorised)
        await save(work, in_hand)
    return request_id


async def reauthorise_request(
    actor: Actor, request_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Authorise once more, before closing, when missing data was completed (R-ENT-02)."""
    async with transaction() as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        request = in_hand.request
        in_hand.ensure_may(Verb.REAUTHORISE)
        rules.ensure_can_move(request.status, Verb.REAUTHORISE)
        if request.entitlement_outcome is not EntitlementOutcome.NO_DATA or request.reauthorised:
            raise rules.NothingToReauthorise()
        classification = classification_of(request)
        intake.reauthorise(in_hand, await _authorised(work, in_hand, classification))
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
    """Classify anew; another priority retargets the clocks (R-PRI-03)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        intake.reclassify(in_hand, classification)
    return request_id


async def agree_to_charge(
    actor: Actor,
    request_id: UUID,
    verb: Verb,
    *,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """The customer accepts the price, or the process manager waives it (R-ENT-01)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        intake.agree_to_charge(in_hand, verb)
    return request_id


async def reject_request(
    actor: Actor,
    request_id: UUID,
    *,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Turn a request down; the requester is told why."""
    async with transaction() as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        intake.reject(in_hand, reason)
        await return_quota(work, request_id, now)
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
    async with transaction() as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        intake.cancel(in_hand, reason)
        if not await work_has_begun(work.connection, request_id):
            await return_quota(work, request_id, now)
        await cancel_children(work, in_hand, reason)
        await save(work, in_hand)
    return request_id


async def dispatch_request(
    actor: Actor,
    request_id: UUID,
    *,
    queue_id: UUID,
    assignee_id: UUID | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Send a request to a queue, or to a person of it."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        moves.dispatch(in_hand, await place_of(actor, queue_id), assignee_id)
    return request_id


async def start_request(
    actor: Actor, request_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Take a request and become its owner (R-ROLE-07)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        queue_id = in_hand.request.queue_id
        moves.start(in_hand, await place_of(actor, queue_id) if queue_id else None)
    return request_id


async def wait_request(
    actor: Actor,
    request_id: UUID,
    *,
    reason: WaitingReason,
    note: str | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Wait for somebody else (R-REQ-03)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        moves.wait(in_hand, reason, note)
    return request_id


async def resume_request(
    actor: Actor,
    request_id: UUID,
    *,
    answer: str | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Go on; a customer resumes what waits for them by answering."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        moves.resume(in_hand, answer)
    return request_id


async def restore_request(
    actor: Actor,
    request_id: UUID,
    *,
    workaround: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Service is up again: stops RESTORATION (R-SLA-01)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        moves.restore(in_hand, workaround)
    return request_id


async def deliver_request(
    actor: Actor,
    request_id: UUID,
    *,
    solution: str,
    restores_service: bool,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Hand the solution to the customer: stops RESOLUTION, starts CLOSURE (R-SLA-01)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        moves.deliver(in_hand, solution, restores_service=restores_service)
    return request_id


async def requeue_request(
    actor: Actor,
    request_id: UUID,
    *,
    queue_id: UUID | None,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Put a request back into its queue, or another: nobody's again."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        in_hand.ensure_may(Verb.REQUEUE)
        place = await place_of(actor, queue_id or _queue_of(in_hand))
        moves.requeue(in_hand, place, reason)
    return request_id


async def change_line(
    actor: Actor,
    request_id: UUID,
    verb: Verb,
    *,
    queue_id: UUID,
    assignee_id: UUID | None,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Escalate to a higher line or hand back to a lower one (R-LIN-01)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        place = await place_of(actor, queue_id)
        moves.change_line(in_hand, verb, place, assignee_id, reason)
    return request_id


async def confirm_request(
    actor: Actor,
    request_id: UUID,
    *,
    verified_by: UUID | None,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Accept the solution; a named person of the customer has checked the result."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        verifier = verified_by or actor.id
        if verifier != actor.id:
            await customer_of(in_hand.request.customer_id, verifier, "verifiedById")
        closing.confirm(in_hand, verifier)
    return request_id


async def reject_solution(
    actor: Actor,
    request_id: UUID,
    *,
    reason: str,
    service_down: bool,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Send the solution back: counts as a reopen (R-SLA-09)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        closing.reject_solution(in_hand, reason, service_down=service_down)
    return request_id


async def reopen_request(
    actor: Actor,
    request_id: UUID,
    *,
    reason: str,
    service_down: bool,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Open a confirmed or closed request again, within seven days of closing."""
    async with transaction() as work:
        in_hand = await take_with_parent(work, actor, request_id, now, expected_version)
        closing.reopen(in_hand, reason, service_down=service_down)
        await save(work, in_hand)
    return request_id


async def close_request(
    actor: Actor, request_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Close a confirmed request: stops CLOSURE."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        closing.close(in_hand, open_children=await open_children(request_id))
    return request_id


async def respond_to_request(
    actor: Actor,
    request_id: UUID,
    *,
    text: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Reply in public; the first reply of a person of ours stops RESPONSE (R-SLA-01)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        talking.respond(in_hand, text)
    return request_id


async def note_on_request(
    actor: Actor,
    request_id: UUID,
    *,
    text: str,
    audience: Audience,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Write an internal note, or one shared with the partner (R-REQ-07)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        talking.note(in_hand, text, audience)
    return request_id


async def log_call(
    actor: Actor,
    request_id: UUID,
    *,
    summary: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Log a call with the customer; it answers them (R-SLA-01)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        talking.log_call(in_hand, summary)
    return request_id


async def plan_request(
    actor: Actor,
    request_id: UUID,
    *,
    summary: str,
    expected_at: datetime,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Tell the customer the plan and the date to expect (R-REQ-05)."""
    async with handling(actor, request_id, now, expected_version) as in_hand:
        talking.plan(in_hand, summary, expected_at)
    return request_id


async def window_ended(work: Work, request_id: UUID, kind: str, *, now: datetime) -> None:
    """Silence confirms, half of it reminds (R-REQ-04), a bulletin was due (R-REQ-11).

    In the transaction that takes the timer.
    """
    if kind == BULLETIN:
        await bulletin_due(work, request_id, now=now)
        return
    in_hand = await take(work, SYSTEM, request_id, now)
    if in_hand.request.status is not RequestStatus.DELIVERED:
        return
    act = {
        CONFIRMATION: closing.confirm_by_silence,
        CONFIRMATION_REMINDER: closing.remind_of_confirmation,
    }
    act[kind](in_hand)
    await save(work, in_hand)


async def _authorised(
    work: Work, in_hand: Handling, classification: Classification
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
    )
    in_hand.calendars = {
        **in_hand.calendars,
        **await calendars_in_force([found.terms.calendar_id]),
    }
    price = "-" if found.price is None else f"{found.price} {found.currency}"
    return intake.Authorised(found.outcome, found.contract_line_id, found.terms, price)


def _queue_of(in_hand: Handling) -> UUID:
    queue_id = in_hand.request.queue_id
    if queue_id is None:
        raise InvalidInput(
            path=["queueId"],
            zh_reason="请求不在任何队列中，请指定队列。",
            en_reason="The request is in no queue; name one.",
        )
    return queue_id
