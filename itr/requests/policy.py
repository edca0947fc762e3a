"""Who may do what to a request, and which requests an actor sees (R-ROLE-02 … 04)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor, Reach
from itr.actors.roles import Permission, Role
from itr.errors import Forbidden
from itr.requests.emergency_rules import is_outage
from itr.requests.models import Request
from itr.requests.rules import (
    LINES,
    MOVES,
    HandedBack,
    NotOwner,
    ensure_can_move,
    has_technical_steps,
    may_change_line,
    reopens_in_time,
)
from itr.requests.terms import RequestKind, RequestStatus, Verb
from itr.tickets.escalation_rules import TOP, rank_of

P = Permission

PERMISSION_OF: Mapping[Verb, Permission] = {
    Verb.ACCEPT: P.ACCEPT_REQUEST,
    Verb.REJECT: P.REJECT_REQUEST,
    Verb.ACCEPT_CHARGE: P.ACCEPT_CHARGE,
    Verb.WAIVE_CHARGE: P.WAIVE_CHARGE,
    Verb.WITHDRAW_CHARGE: P.ACCEPT_REQUEST,
    Verb.REAUTHORISE: P.ACCEPT_REQUEST,
    Verb.RECLASSIFY: P.RECLASSIFY_REQUEST,
    Verb.DISPATCH: P.DISPATCH_REQUEST,
    Verb.START: P.START_REQUEST,
    Verb.WAIT: P.WORK_ON_REQUEST,
    Verb.RESUME: P.RESUME_REQUEST,
    Verb.RESTORE: P.WORK_ON_REQUEST,
    Verb.REQUEUE: P.REQUEUE_REQUEST,
    Verb.DELIVER: P.WORK_ON_REQUEST,
    Verb.CONFIRM: P.CONFIRM_REQUEST,
    Verb.REJECT_SOLUTION: P.CONFIRM_REQUEST,
    Verb.CLOSE: P.CLOSE_REQUEST,
    Verb.REOPEN: P.REOPEN_REQUEST,
    Verb.CANCEL: P.CANCEL_REQUEST,
    Verb.ESCALATE: P.ESCALATE_REQUEST,
    Verb.HAND_BACK: P.ESCALATE_REQUEST,
    Verb.RESPOND: P.RESPOND_TO_REQUEST,
    Verb.NOTE: P.NOTE_ON_REQUEST,
    Verb.LOG_CALL: P.LOG_CALL,
    Verb.PLAN: P.PLAN_REQUEST,
    Verb.DECLARE_EMERGENCY: P.DECLARE_EMERGENCY,
    Verb.PUBLISH_BULLETIN: P.PUBLISH_BULLETIN,
    Verb.SPLIT: P.SPLIT_REQUEST,
    Verb.MERGE: P.MERGE_REQUESTS,
    Verb.HAND_TO_PARTNER: P.ENGAGE_PARTNER,
    Verb.TAKE_BACK: P.ENGAGE_PARTNER,
    Verb.LINK_PROBLEM: P.LINK_PROBLEM,
    Verb.EXPLAIN_BREACH: P.EXPLAIN_BREACH,
    Verb.APPROVE_BREACH_REASON: P.APPROVE_BREACH_REASON,
    Verb.REFUSE_BREACH_REASON: P.APPROVE_BREACH_REASON,
    Verb.ESCALATE_TO_MANAGEMENT: P.ESCALATE_TO_MANAGEMENT,
    Verb.ACKNOWLEDGE_ESCALATION: P.ACKNOWLEDGE_ESCALATION,
}

NOT_ONLY_THE_OWNER: Mapping[Verb, frozenset[Role]] = {
    Verb.WAIT: frozenset(),
    Verb.RESTORE: frozenset(),
    Verb.DELIVER: frozenset(),
    Verb.RESUME: frozenset({Role.CUSTOMER}),
    Verb.REQUEUE: frozenset({Role.LINE_LEAD, Role.DISPATCH_MANAGER}),
    Verb.ESCALATE: frozenset({Role.LINE_LEAD}),
    Verb.HAND_BACK: frozenset({Role.LINE_LEAD}),
    Verb.CLOSE: frozenset({Role.LINE1}),
    Verb.PLAN: frozenset({Role.PROJECT_MANAGER, Role.DISPATCH_MANAGER}),
    Verb.SPLIT: frozenset({Role.LINE_LEAD, Role.DISPATCH_MANAGER}),
    Verb.HAND_TO_PARTNER: frozenset({Role.LINE_LEAD, Role.DISPATCH_MANAGER}),
    Verb.TAKE_BACK: frozenset({Role.LINE_LEAD, Role.DISPATCH_MANAGER}),
    Verb.EXPLAIN_BREACH: frozenset({Role.LINE_LEAD}),
}
"""Verbs of the owner, and the roles that may use them beside the owner."""


def ensure_may(actor: Actor, verb: Verb, request: Request) -> None:
    """Refuse a verb the actor's roles do not carry, the lifecycle does not have, or another's.

    In this order: Forbidden, HandedBack, MoveNotAllowed, NotOwner.
    """
    if not actor.may(PERMISSION_OF[verb]):
        raise Forbidden()
    requesters = {request.requester_id, request.contact_id}
    if verb is not Verb.CANCEL and is_partner_without(actor, request.partner_id):
        raise HandedBack()
    ensure_can_move(request.status, verb)
    if not stands_right(actor, verb, owner=request.assignee_id, requesters=requesters):
        raise NotOwner()


def is_partner_without(actor: Actor, partner_id: UUID | None) -> bool:
    """Whether a partner firm acts on what is not with it (any more)."""
    return actor.scope.reaches == {Reach.PARTNER} and partner_id != actor.organisation_id


def stands_right(
    actor: Actor, verb: Verb, *, owner: UUID | None, requesters: Collection[UUID | None]
) -> bool:
    """Whether the verb is the actor's to use here: theirs, or a role that stands beside."""
    if verb is Verb.CANCEL:
        return actor.id in requesters or Role.LINE1 in actor.roles
    beside = NOT_ONLY_THE_OWNER.get(verb)
    return beside is None or owner == actor.id or bool(actor.roles & beside)


@dataclass(frozen=True)
class Standing:
    """A request as it stands, as far as what can be done to it goes."""

    status: RequestStatus
    kind: RequestKind
    line: int
    owner: UUID | None
    partner: UUID | None
    requesters: Collection[UUID | None]
    in_queue: bool
    """Whether the actor works in the queue the request is in."""
    waits_for_customer: bool
    closed_at: datetime | None
    may_be_reauthorised: bool
    firm_works_higher: bool = False
    """Whether the partner firm that has it has a queue on a higher line."""
    charge_pending: bool = False
    """Whether a charge waits to be decided on (R-ENT-06)."""
    charge_priced: bool = False
    """Whether the catalogue says what it is."""
    priority: str = ""
    service_down: bool = False
    emergency: bool = False
    has_problem: bool = False
    is_child: bool = False
    parent_ended: bool = False
    """Whether it is a child of a request that is open no more."""
    open_children: int = 0
    has_breach_to_explain: bool = False
    has_reason_to_decide: bool = False
    """Whether the reason of a breach waits that the actor did not give."""
    escalated_to: int = 0
    """The highest step its management escalation stands at; 0: it has none."""
    unacknowledged: int = 0
    """The lowest step nobody has taken note of; 0: there is none."""
    escalated_to_actor: bool = False
    """Whether such a step stands with the actor by name."""


def verbs_open_to(actor: Actor, request: Standing, now: datetime) -> list[Verb]:
    """What the actor could do to a request as it stands (`viewerCan`)."""
    fits = _fits(actor, request, now)
    return [
        verb
        for verb, permission in PERMISSION_OF.items()
        if request.status in MOVES[verb]
        and actor.may(permission)
        and not (verb is not Verb.CANCEL and is_partner_without(actor, request.partner))
        and stands_right(actor, verb, owner=request.owner, requesters=request.requesters)
        and fits.get(verb, True)
    ]


def _fits(actor: Actor, request: Standing, now: datetime) -> Mapping[Verb, bool]:
    """Whether the request is one for the verb, whatever the input; verbs not named fit all."""
    owns = request.owner == actor.id
    begun = request.status is not RequestStatus.DISPATCHED
    line = request.line
    rank = rank_of(actor.roles)
    return {
        Verb.START: request.in_queue if request.owner is None else owns and not begun,
        Verb.RESUME: owns or request.waits_for_customer,
        Verb.REAUTHORISE: request.may_be_reauthorised,
        Verb.ACCEPT_CHARGE: request.charge_pending and request.charge_priced,
        Verb.WAIVE_CHARGE: request.charge_pending,
        Verb.WITHDRAW_CHARGE: request.charge_pending,
        Verb.REOPEN: reopens_in_time(request.closed_at, now) and not request.parent_ended,
        Verb.RESTORE: has_technical_steps(request.kind),
        Verb.ESCALATE: request.firm_works_higher
        if actor.scope.reaches == {Reach.PARTNER}
        else any(may_change_line(Verb.ESCALATE, line=line, to=to) for to in LINES),
        Verb.HAND_BACK: request.partner is not None
        or any(may_change_line(Verb.HAND_BACK, line=line, to=to) for to in LINES),
        Verb.ESCALATE_TO_MANAGEMENT: max(request.escalated_to, rank) < TOP,
        Verb.ACKNOWLEDGE_ESCALATION: request.escalated_to_actor
        or 0 < request.unacknowledged <= rank,
        **_special_fits(request),
    }


def _special_fits(request: Standing) -> Mapping[Verb, bool]:
    """The same for emergencies, families, duplicates and partner firms (R-REQ-09 … R-REQ-13)."""
    urgent = request.status is RequestStatus.REGISTERED or request.priority == "P1"
    outage = is_outage(request.kind, service_down=request.service_down)
    alone = not request.is_child and not request.open_children
    return {
        Verb.CLOSE: not request.open_children and (request.has_problem or not request.emergency),
        Verb.DECLARE_EMERGENCY: urgent and outage and not request.emergency,
        Verb.PUBLISH_BULLETIN: request.emergency,
        Verb.RECLASSIFY: not request.is_child,
        Verb.SPLIT: request.owner is not None and not request.is_child,
        Verb.MERGE: alone and not request.emergency,
        Verb.HAND_TO_PARTNER: request.partner is None,
        Verb.TAKE_BACK: request.partner is not None,
        Verb.EXPLAIN_BREACH: request.has_breach_to_explain,
        Verb.APPROVE_BREACH_REASON: request.has_reason_to_decide,
        Verb.REFUSE_BREACH_REASON: request.has_reason_to_decide,
    }
