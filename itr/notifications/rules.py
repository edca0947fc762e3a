"""What is worth notifying: the news in a fact, for whom it is and by which channels (R-NOT-01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from itr.catalogue.alarm_rules import AlarmRules, NotifyRule
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
    """What to notify people of: `cause` makes it come once to a person, `payload` fills its text.

    `named` is the person it is for; without one, the recipients of `notify_rules` are looked up.
    """

    kind: NotificationKind
    cause: str
    request_id: UUID
    notify_rules: Sequence[NotifyRule]
    payload: Mapping[str, Any]
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
        notify_rules=rules.to_notify(told["percent"], priority),
        payload={"thread": told["thread"], **{key: told[key] for key in _TIMED}},
    )


def _reminder(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """A step whose owner is reminded (R-CP-02)."""
    told = fact.payload
    return News(
        kind=K.CONTROL_POINT,
        cause=_once(fact),
        request_id=fact.stream,
        notify_rules=[NotifyRule(R.OWNER, _LIST)],
        payload={"point": told["number"], **{key: told[key] for key in _TIMED}},
        named=UUID(told["owner"]) if told["owner"] else None,
    )


def _confirmation(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """Half of the confirmation window has passed (R-REQ-04)."""
    notify_rules = [NotifyRule(R.CONTACT, _BY_LETTER)]
    payload = {"deadline": fact.payload["until"]}
    return News(K.CONFIRMATION, _once(fact), fact.stream, notify_rules, payload)


def _bulletin(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """No bulletin came in time (R-REQ-11)."""
    notify_rules = [NotifyRule(R.OWNER, _URGENT), NotifyRule(R.PROCESS_MANAGER, _LIST)]
    payload = {"deadline": fact.payload["dueAt"]}
    return News(K.BULLETIN, _once(fact), fact.stream, notify_rules, payload)


def _emergency(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """An emergency begins: bulletins are due (R-REQ-11)."""
    notify_rules = [
        NotifyRule(R.OWNER, _URGENT),
        NotifyRule(R.LINE_LEAD, _URGENT),
        NotifyRule(R.OPERATIONS_DIRECTOR, _URGENT),
    ]
    payload = {"reason": fact.payload["reason"], "deadline": fact.payload["bulletinDueAt"]}
    return News(K.BULLETIN, _once(fact), fact.stream, notify_rules, payload)


def _incomplete(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """Served without a promise: somebody has to complete the record (R-ENT-01)."""
    notify_rules = [NotifyRule(R.CATALOGUE_MANAGER, _LIST)]
    return News(K.TASK, f"no-data:{fact.stream.hex}", fact.stream, notify_rules, {})


def _escalation(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """A management escalation has come to somebody (R-ESC-02)."""
    told = fact.payload
    kept = ("step", "cause", "reason", "thread", "percent", "again")
    return News(
        kind=K.ESCALATION,
        cause=_once(fact),
        request_id=fact.stream,
        notify_rules=[NotifyRule(R(told["step"]), _URGENT)],
        payload={
            **{key: told[key] for key in kept if key in told},
            "deadline": told.get("acknowledgeBy"),
        },
        named=UUID(told["person"]) if "person" in told else None,
    )


def _assignment(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """A request has come to somebody because whoever had it is gone (R-ROLE-07)."""
    notify_rules = [NotifyRule(R.OWNER, _LIST)]
    heir = UUID(fact.payload["assignee"])
    return News(K.ASSIGNMENT, _once(fact), fact.stream, notify_rules, {}, named=heir)


def _charge(fact: Fact, rules: AlarmRules, priority: str) -> News:  # noqa: ARG001
    """A charge waits for the customer (R-ENT-06)."""
    notify_rules = [NotifyRule(R.CONTACT, _BY_LETTER)]
    return News(K.CHARGE, _once(fact), fact.stream, notify_rules, {})


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
