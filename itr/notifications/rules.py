"""What is worth telling: the news in a fact, for whom it is and by which channels (R-NOT-01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from itr.catalogue.alarm_rules import AlarmRules, Telling
from itr.catalogue.terms import EntitlementOutcome
from itr.events.log import Fact
from itr.notifications.terms import NotificationKind
from itr.people.terms import Channel, Recipient

K = NotificationKind
R = Recipient

_LIST = (Channel.LIST,)
_URGENT = (Channel.LIST, Channel.SMS)
_BY_LETTER = (Channel.LIST, Channel.EMAIL)
_TIMED = ("percent", "deadline", "late")

OWN_PEOPLE_ONLY = frozenset({K.ASSIGNMENT, K.CONTROL_POINT, K.ESCALATION, K.TASK})
"""What customers and partners never learn of (R-ROLE-06); the dispatch manager is told instead."""


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell: `cause` makes it come once to a person, `words` fill its text.

    `named` is the person it is for; without one, the recipients of `tellings` are looked up.
    """

    kind: NotificationKind
    cause: str
    request_id: UUID
    tellings: Sequence[Telling]
    words: Mapping[str, Any]
    named: UUID | None = None


def is_news(fact: Fact) -> bool:
    """Whether a fact is worth telling anybody; the past of another system never is (R-IMP-01)."""
    return not fact.historic and fact.type in _NEWS and _counts(fact)


def news_of(fact: Fact, rules: AlarmRules, priority: str) -> News:
    """The news in a fact that has any, for a request of this priority under these rules."""
    return _NEWS[fact.type](fact, rules, priority)


def _counts(fact: Fact) -> bool:
    if fact.type == "RequestRegistered":
        return "charge" in fact.payload
    if "entitlement" in fact.payload:
        return bool(fact.payload["entitlement"] == EntitlementOutcome.NO_DATA)
    return bool(fact.payload.get("notifies", True))


def _alarm(fact: Fact, rules: AlarmRules, priority: str) -> News:
    """A level of a clock, told as the service level says (R-ALM-01)."""
    told = fact.payload
    return News(
        kind=K.ALARM,
        cause=f"alarm:{fact.subject.hex}:{told['version']}:{told['percent']}",
        request_id=fact.stream,
        tellings=rules.told(told["percent"], priority),
        words={"thread": told["thread"], **{key: told[key] for key in _TIMED}},
    )


def _reminder(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """A step whose owner is reminded (R-CP-02)."""
    told = fact.payload
    return News(
        kind=K.CONTROL_POINT,
        cause=_once(fact),
        request_id=fact.stream,
        tellings=[Telling(R.OWNER, _LIST)],
        words={"point": told["number"], **{key: told[key] for key in _TIMED}},
        named=UUID(told["owner"]) if told["owner"] else None,
    )


def _confirmation(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """Half of the confirmation window has passed (R-REQ-04)."""
    tellings = [Telling(R.CONTACT, _BY_LETTER)]
    words = {"deadline": fact.payload["until"]}
    return News(K.CONFIRMATION, _once(fact), fact.stream, tellings, words)


def _bulletin(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """No bulletin came in time (R-REQ-11)."""
    tellings = [Telling(R.OWNER, _URGENT), Telling(R.PROCESS_MANAGER, _LIST)]
    words = {"deadline": fact.payload["dueAt"]}
    return News(K.BULLETIN, _once(fact), fact.stream, tellings, words)


def _emergency(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """An emergency begins: bulletins are due (R-REQ-11)."""
    tellings = [
        Telling(R.OWNER, _URGENT),
        Telling(R.LINE_LEAD, _URGENT),
        Telling(R.OPERATIONS_DIRECTOR, _URGENT),
    ]
    words = {"reason": fact.payload["reason"], "deadline": fact.payload["bulletinDueAt"]}
    return News(K.BULLETIN, _once(fact), fact.stream, tellings, words)


def _incomplete(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """Served without a promise: somebody has to complete the record (R-ENT-01)."""
    tellings = [Telling(R.CATALOGUE_MANAGER, _LIST)]
    return News(K.TASK, f"no-data:{fact.stream.hex}", fact.stream, tellings, {})


def _escalation(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """A management escalation has come to somebody (R-ESC-02)."""
    told = fact.payload
    kept = ("step", "cause", "reason", "thread", "percent", "again")
    return News(
        kind=K.ESCALATION,
        cause=_once(fact),
        request_id=fact.stream,
        tellings=[Telling(R(told["step"]), _URGENT)],
        words={
            **{key: told[key] for key in kept if key in told},
            "deadline": told.get("acknowledgeBy"),
        },
        named=UUID(told["person"]) if "person" in told else None,
    )


def _assignment(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """A request has come to somebody because whoever had it is gone (R-ROLE-07)."""
    tellings = [Telling(R.OWNER, _LIST)]
    heir = UUID(fact.payload["assignee"])
    return News(K.ASSIGNMENT, _once(fact), fact.stream, tellings, {}, named=heir)


def _charge(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """A charge waits for the customer (R-ENT-06)."""
    tellings = [Telling(R.CONTACT, _BY_LETTER)]
    return News(K.CHARGE, _once(fact), fact.stream, tellings, {})


def _once(fact: Fact) -> str:
    return f"{fact.type}:{fact.subject.hex}:{fact.subject_version}"


_NEWS = {
    "ClockAlarmRaised": _alarm,
    "ControlPointReminded": _reminder,
    "ConfirmationReminded": _confirmation,
    "RequestRegistered": _charge,
    "ChargeOffered": _charge,
    "ChargeReminded": _charge,
    "BulletinOverdue": _bulletin,
    "EmergencyDeclared": _emergency,
    "RequestAccepted": _incomplete,
    "EscalationOpened": _escalation,
    "EscalationRaised": _escalation,
    "EscalationRepeated": _escalation,
    "EscalationPassedOn": _escalation,
    "RequestPassedOn": _assignment,
}
