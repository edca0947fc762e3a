"""What each kind of fact on a request's timeline names besides what all have (R-REQ-01).

A type of its own for each, made from the declarations below: `RequestDispatched` in the event log
is a `RequestDispatchedEvent` with the queue and the person it was sent to. What is named is read
as always: a person, a queue or a request out of the reader's sight is null.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import strawberry

import api.schema.requests.emergencies
import api.schema.sla.breaches
import api.schema.sla.types
import api.schema.tickets.escalations  # noqa: F401 - its enums are described there
from api.planner.declare import many, one, sql
from api.planner.stored import kind_of_row
from api.schema.catalogue.service_levels import ServiceLevelVersion
from api.schema.people.types import Person, Queue
from api.schema.problems.types import Problem
from api.schema.requests.timeline import TimelineEvent
from api.schema.requests.timeline_words import FACTS
from itr.actors.roles import Permission
from itr.catalogue.terms import EntitlementOutcome, FaultLevel, Impact
from itr.requests.terms import BulletinKind, Channel, ProblemType, RejectionCode
from itr.sla.terms import BreachReason, ClockState, Thread, WaitingReason
from itr.tickets.terms import EscalationCause, ManagementStep

_Request = Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")]  # type: ignore[name-defined]  # noqa: F821

Declared = tuple[Any, Callable[[], Any]]
"""An annotation, and what makes the field: fields are never shared between types."""


def _said(annotation: Any, key: str, description: str, cast: str = "") -> Declared:
    """A word of the fact."""
    text = f"({{t}}.payload->>'{key}'){cast}"
    return annotation | None, lambda: sql(text, description=description)


def _at(key: str, description: str) -> Declared:
    return _said(datetime, key, description, "::timestamptz")


def _of(annotation: Any, key: str, description: str, permission: Any = None) -> Declared:
    """A row whose id the fact holds."""
    on = f"{{t}}.id = ({{parent}}.payload->>'{key}')::uuid"
    return annotation | None, lambda: one(on=on, permission=permission, description=description)


def _numbered(key: str, description: str) -> Declared:
    """A request whose number the fact holds."""
    on = f"{{t}}.number = {{parent}}.payload->>'{key}'"
    return _Request | None, lambda: one(on=on, description=description)


_THREAD = _said(Thread, "thread", "Which time thread.")
_PERCENT = _said(int, "percent", "The level, in percent of the target.", "::int")
_DEADLINE = _at("deadline", "When it is, or was, due.")
_DUE_AT = _at("dueAt", "When it should have come; `occurredAt` may be later.")
_LATE = _said(bool, "late", "Whether it came noticeably later than it was due.", "::boolean")
_DOWN = _said(bool, "serviceDown", "Whether service is down again.", "::boolean")

_PLACE: Mapping[str, Declared] = {
    "queue": _of(Queue, "queue", "The queue it went to.", Permission.READ_HANDLING),
    "assignee": _of(Person, "assignee", "The person it went to; null: nobody yet."),
}
_CLASSIFIED: Mapping[str, Declared] = {
    "problem_type": _said(ProblemType, "problemType", "What is the matter."),
    "fault_level": _said(FaultLevel, "faultLevel", "How badly it is broken."),
    "impact": _said(Impact, "impact", "Who is affected."),
}
_VERSION: Mapping[str, Declared] = {
    "service_level_version": _of(
        ServiceLevelVersion, "version", "The promise it is under now.", Permission.READ_CATALOGUE
    ),
}
_ESCALATED: Mapping[str, Declared] = {
    "step": _said(ManagementStep, "step", "How far it has come."),
    "cause": _said(EscalationCause, "cause", "Why."),
    "thread": _THREAD,
    "percent": _PERCENT,
    "person": _of(Person, "person", "The named person it came to."),
    "acknowledge_by": _at("acknowledgeBy", "Until when it waits to be acknowledged."),
}
_STEP = {"step": _ESCALATED["step"]}
_REASONED: Mapping[str, Declared] = {
    "thread": _THREAD,
    "breach_reason": _said(BreachReason, "reason", "The coded reason."),
}

NAMED: Mapping[str, Mapping[str, Declared]] = {
    "RequestRegistered": {
        "channel": _said(Channel, "channel", "How it reached us."),
        "follows": _of(_Request, "follows", "The earlier request it follows."),
    },
    "ChildRequestOpened": {"parent": _numbered("parent", "The request it is a part of.")},
    "RequestAccepted": _CLASSIFIED,
    "RequestReclassified": _CLASSIFIED,
    "RequestReauthorised": {
        "entitlement_outcome": (
            EntitlementOutcome | None,
            lambda: sql(
                "{t}.payload->>'entitlement'",
                permission=Permission.READ_CONTRACTS,
                description="What authorisation found.",
            ),
        ),
    },
    "RequestRejected": {"rejection_code": _said(RejectionCode, "code", "Why, coded.")},
    "RequestDispatched": _PLACE,
    "RequestStarted": {"assignee": _of(Person, "assignee", "Who took it.")},
    "RequestPassedOn": {
        "assignee": _of(Person, "assignee", "Who owns it now; null: only steps passed on."),
        "person": _of(Person, "person", "Whose it was."),
    },
    "RequestRequeued": _PLACE,
    "RequestEscalated": _PLACE,
    "RequestHandedBack": _PLACE,
    "RequestHandedToPartner": _PLACE,
    "RequestTakenBack": _PLACE,
    "RequestWaiting": {"waiting_reason": _said(WaitingReason, "reason", "What it waits for.")},
    "WaitingReasonEnded": {
        "waiting_reason": _said(WaitingReason, "reason", "What is waited for no more.")
    },
    "RequestPlanned": {"expected_at": _at("expectedAt", "When to expect the result.")},
    "ConfirmationReminded": {"until": _at("until", "Until when an answer is waited for.")},
    "RequestConfirmed": {
        "by_silence": _said(bool, "bySilence", "Whether nobody answered in time.", "::boolean")
    },
    "SolutionRejected": {"service_down": _DOWN},
    "RequestReopened": {"service_down": _DOWN},
    "RequestSplit": {
        "children": (
            list[_Request] | None,
            lambda: many(
                on="{t}.number in (select jsonb_array_elements_text({parent}.payload->'children'))",
                order="registered_at",
                description="Its parts.",
            ),
        ),
    },
    "RequestMerged": {"survivor": _numbered("survivor", "The request it ended in.")},
    "DuplicateMerged": {"duplicate": _numbered("duplicate", "The request that ended in it.")},
    "EmergencyDeclared": {"bulletin_due_at": _at("bulletinDueAt", "When a bulletin is due.")},
    "BulletinPublished": {"bulletin_kind": _said(BulletinKind, "kind", "Which bulletin.")},
    "BulletinOverdue": {"due_at": _DUE_AT},
    "ProblemLinked": {"problem": _of(Problem, "problem", "The problem.", Permission.READ_INTERNAL)},
    "ServiceLevelMigrated": _VERSION,
    "ServiceLevelSwitchedOff": _VERSION,
    "ClockAlarmRaised": {
        "thread": _THREAD,
        "percent": _PERCENT,
        "due_at": _DUE_AT,
        "deadline": _DEADLINE,
        "late": _LATE,
    },
    "ClockRecomputed": {
        "thread": _THREAD,
        "state": _said(ClockState, "state", "How it stands since."),
        "deadline": _DEADLINE,
        "overturned": _said(bool, "overturned", "Whether a breach proved to be none.", "::boolean"),
    },
    "ControlPointReminded": {
        "number": _said(int, "number", "Which control point, 1 to 30.", "::int"),
        "thread": _THREAD,
        "percent": _PERCENT,
        "owner": _of(Person, "owner", "Who was reminded."),
        "due_at": _DUE_AT,
        "deadline": _DEADLINE,
        "late": _LATE,
    },
    "BreachExplained": _REASONED,
    "BreachReasonApproved": _REASONED,
    "BreachReasonRefused": _REASONED,
    "BreachOverturned": {"thread": _THREAD},
    "EscalationOpened": _ESCALATED,
    "EscalationRaised": _ESCALATED,
    "EscalationRepeated": _ESCALATED,
    "EscalationPassedOn": _ESCALATED,
    "EscalationAcknowledged": _STEP,
    "EscalationEnded": _STEP,
}


def _event(name: str, told: str, named: Mapping[str, Declared], *facts: str) -> type:
    """The type of entries of one kind of fact."""
    body = {"__module__": __name__, "__doc__": told, "__annotations__": {}}
    for each, (annotation, made) in named.items():
        body["__annotations__"][each] = annotation  # type: ignore[index]
        body[each] = made()
    made_type = strawberry.type(type(name, (TimelineEvent,), body), description=told)
    return kind_of_row(TimelineEvent, *facts)(made_type)


TYPES = (
    *(_event(f"{fact}Event", told, NAMED.get(fact, {}), fact) for fact, told in FACTS.items()),
    _event("OtherTimelineEvent", "A fact that has no type of its own yet. 其他事实", {}),
)
