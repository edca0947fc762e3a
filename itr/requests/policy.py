"""Who may do what to a request, and which requests an actor sees (R-ROLE-02 … 04)."""

from collections.abc import Collection, Mapping
from uuid import UUID

from itr.actor import Actor, Reach
from itr.errors import Forbidden
from itr.people.roles import Permission, Role
from itr.requests.models import Request
from itr.requests.rules import MOVES, HandedBack, NotOwner
from itr.requests.terms import RequestStatus, Verb
from itr.visibility import Visible

P = Permission

PERMISSION_OF: Mapping[Verb, Permission] = {
    Verb.ACCEPT: P.ACCEPT_REQUEST,
    Verb.REJECT: P.REJECT_REQUEST,
    Verb.ACCEPT_CHARGE: P.ACCEPT_CHARGE,
    Verb.WAIVE_CHARGE: P.WAIVE_CHARGE,
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
}

NOT_ONLY_THE_OWNER: Mapping[Verb, frozenset[Role]] = {
    Verb.WAIT: frozenset(),
    Verb.RESTORE: frozenset(),
    Verb.DELIVER: frozenset(),
    Verb.RESUME: frozenset({Role.CUSTOMER}),
    Verb.REQUEUE: frozenset({Role.LINE_LEAD, Role.DISPATCH_MANAGER}),
    Verb.ESCALATE: frozenset({Role.LINE_LEAD, Role.PROCESS_MANAGER}),
    Verb.HAND_BACK: frozenset({Role.LINE_LEAD, Role.PROCESS_MANAGER}),
    Verb.CLOSE: frozenset({Role.LINE1}),
    Verb.PLAN: frozenset({Role.PROJECT_MANAGER, Role.DISPATCH_MANAGER}),
}
"""Verbs of the owner, and the roles that may use them beside the owner."""


def ensure_may(actor: Actor, verb: Verb, request: Request) -> None:
    """Refuse a verb the actor's roles do not carry (Forbidden) or that is another's (NotOwner)."""
    if not actor.may(PERMISSION_OF[verb]):
        raise Forbidden()
    requesters = {request.requester_id, request.contact_id}
    if verb is not Verb.CANCEL and is_partner_without(actor, request.partner_id):
        raise HandedBack()
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


def visible_requests(actor: Actor) -> Visible:
    """Customers see their firm's, partners what was handed over, branches their own (R-ROLE-03)."""
    scope = actor.scope
    if scope.sees_all:
        return Visible.everything()
    wordings = {
        Reach.CUSTOMER: "{alias}.customer_id = :scope_organisation",
        Reach.BRANCH: "{alias}.branch_id = :scope_organisation",
        Reach.PARTNER: (
            "exists (select 1 from hand_over h where h.request_id = {alias}.id"
            " and h.partner_id = :scope_organisation)"
        ),
    }
    words = [wordings[reach] for reach in sorted(scope.reaches)]
    if not words or scope.organisation_id is None:
        return Visible.nothing()
    return Visible("(" + " or ".join(words) + ")", {"scope_organisation": scope.organisation_id})


def visible_parts(actor: Actor) -> Visible:
    """Rows that hang on a request by `request_id` are seen with it."""
    return _with_the_request(actor, "{alias}.request_id")


def visible_events(actor: Actor) -> Visible:
    """What stands on a timeline, as far as its audience reaches (R-ROLE-06, R-REQ-07)."""
    sight = _with_the_request(actor, "{alias}.stream")
    if actor.may(P.READ_INTERNAL):
        return sight
    audiences = "('PUBLIC', 'PARTNER')" if actor.may(P.READ_HANDLING) else "('PUBLIC')"
    return Visible(f"({sight.sql} and {{alias}}.audience in {audiences})", sight.arguments)


def _with_the_request(actor: Actor, key: str) -> Visible:
    sight = visible_requests(actor)
    if actor.scope.sees_all:
        return sight
    seen = sight.at("seen")
    return Visible(
        f"exists (select 1 from request seen where seen.id = {key} and {seen})", sight.arguments
    )


def verbs_open_to(
    actor: Actor,
    *,
    status: RequestStatus,
    owner: UUID | None,
    partner: UUID | None,
    requesters: Collection[UUID | None],
    in_queue: bool,
) -> list[Verb]:
    """What the actor could do to a request as it stands (`viewerCan`)."""
    return [
        verb
        for verb, permission in PERMISSION_OF.items()
        if status in MOVES[verb]
        and actor.may(permission)
        and not (verb is not Verb.CANCEL and is_partner_without(actor, partner))
        and stands_right(actor, verb, owner=owner, requesters=requesters)
        and (verb is not Verb.START or _may_take(actor, status, owner, in_queue))
    ]


def _may_take(actor: Actor, status: RequestStatus, owner: UUID | None, in_queue: bool) -> bool:
    if owner is None:
        return in_queue
    return owner == actor.id and status is RequestStatus.DISPATCHED
