"""Whom an alarm tells, and how: the settings of a service level and their defaults (R-ALM-01)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from itr.catalogue.terms import Priority
from itr.errors import DomainError, PathItem
from itr.people.terms import Channel, Recipient

WHOM = frozenset(
    {
        Recipient.OWNER,
        Recipient.LINE_LEAD,
        Recipient.DISPATCH_MANAGER,
        Recipient.PROJECT_MANAGER,
        Recipient.PROCESS_MANAGER,
        Recipient.OPERATIONS_DIRECTOR,
    }
)
"""Whom alarms may tell."""
LONGEST_TIMEOUT = 7 * 24 * 60
"""Minutes an escalation may wait for its acknowledgement at most."""


class UnknownAlarmRule(DomainError):
    """Alarm rules have the parts `levels` and `escalation`, and nothing else."""

    code = "UNKNOWN_ALARM_RULE"
    zh = "告警规则中没有 {word} 这一项。"
    en = "Alarm rules have no part called {word}."


class RuleForNoLevel(DomainError):
    """A rule is for one of the level's own percentages."""

    code = "RULE_FOR_NO_LEVEL"
    zh = "告警级别中没有 {percent} %。"
    en = "There is no alarm level of {percent} %."


class BadNotifyRule(DomainError):
    """A rule names a recipient and at least one channel, and no word twice."""

    code = "BAD_ALARM_RULE"
    zh = "每条规则须写明一个接收人和至少一种渠道，渠道与优先级不可重复。"
    en = "A rule names one recipient and at least one channel; no channel or priority twice."


class UnknownRecipient(DomainError):
    """Alarms tell people of the process."""

    code = "UNKNOWN_RECIPIENT"
    zh = "告警不能发给 {word}。"
    en = "An alarm cannot tell {word}."


class UnknownChannel(DomainError):
    """People are told by list, SMS or e-mail (R-NOT-01)."""

    code = "UNKNOWN_CHANNEL"
    zh = "没有 {word} 这种渠道。"
    en = "There is no channel {word}."


class BadTimeout(DomainError):
    """An escalation waits some minutes for its acknowledgement (R-ESC-02)."""

    code = "BAD_TIMEOUT"
    zh = "确认时限须为 1 到 10080 分钟。"
    en = "The time to acknowledge is 1 to 10,080 minutes."


@dataclass(frozen=True, slots=True)
class NotifyRule:
    """One recipient of a level and the channels that reach them; at all priorities or some."""

    recipient: Recipient
    channels: tuple[Channel, ...]
    priorities: frozenset[Priority] = frozenset(Priority)


_T = NotifyRule
_C = Channel

DEFAULT_LEVELS: Mapping[int, tuple[NotifyRule, ...]] = {
    50: (_T(Recipient.OWNER, (_C.LIST,)),),
    75: (_T(Recipient.OWNER, (_C.LIST, _C.SMS)),),
    90: (_T(Recipient.OWNER, (_C.SMS,)), _T(Recipient.LINE_LEAD, (_C.SMS,))),
    100: (
        _T(Recipient.PROCESS_MANAGER, (_C.SMS,)),
        _T(Recipient.OPERATIONS_DIRECTOR, (_C.SMS,), frozenset({Priority.P1})),
    ),
}
"""What R-ALM-01 says; other percentages do as the next lower of these, the lowest as 50 %."""


@dataclass(frozen=True)
class AlarmRules:
    """Whom each level tells, and how long an escalation waits to be acknowledged (R-ESC-02).

    `timeout` is working time of the request's calendar, `timeout_p1` real time.
    """

    levels: Mapping[int, tuple[NotifyRule, ...]] = field(default_factory=dict)
    timeout: timedelta = timedelta(minutes=30)
    timeout_p1: timedelta = timedelta(minutes=10)

    def to_notify(self, percent: int, priority: str) -> list[NotifyRule]:
        """Who is told of a level at a priority; a level without a rule does as R-ALM-01 says."""
        rules = self.levels.get(percent)
        if rules is None:
            rules = DEFAULT_LEVELS[max((at for at in DEFAULT_LEVELS if at <= percent), default=50)]
        return [rule for rule in rules if priority in rule.priorities]


DEFAULT_RULES = AlarmRules()


def alarm_rules_of(kept: Mapping[str, Any] | None) -> AlarmRules:
    """The rules out of what a service level keeps; None is the default. It was checked before."""
    if not kept:
        return DEFAULT_RULES
    waits = kept.get("escalation") or {}
    return AlarmRules(
        levels={int(key): tuple(map(_notify_rule, rules)) for key, rules in _levels(kept).items()},
        timeout=_minutes(waits.get("minutes"), DEFAULT_RULES.timeout),
        timeout_p1=_minutes(waits.get("minutesP1"), DEFAULT_RULES.timeout_p1),
    )


def problems_of_alarm_rules(
    given: Mapping[str, Any] | None, percents: Sequence[int]
) -> list[DomainError]:
    """Everything that keeps alarm rules from being saved, each with its path (R-ALM-01, R-ESC-02).

    They read `{"levels": {"90": [{"recipient": "OWNER", "channels": ["SMS"], "priorities":
    ["P1"]}]}, "escalation": {"minutes": 30, "minutesP1": 10}}`. Every part may be left out; an
    empty list tells nobody.
    """
    if given is None:
        return []
    path: tuple[PathItem, ...] = ("alarm_rules",)
    if not isinstance(given, Mapping):
        return [BadNotifyRule(path=path)]
    problems = list(_unknown(given, {"levels", "escalation"}, path))
    levels, waits = given.get("levels"), given.get("escalation")
    if levels is not None:
        problems.extend(_problems_of_levels(levels, percents, (*path, "levels")))
    if waits is not None:
        problems.extend(_problems_of_timeouts(waits, (*path, "escalation")))
    return problems


def _levels(kept: Mapping[str, Any]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    return kept.get("levels") or {}


def _notify_rule(kept: Mapping[str, Any]) -> NotifyRule:
    priorities = kept.get("priorities")
    return NotifyRule(
        Recipient(kept["recipient"]),
        tuple(Channel(each) for each in kept["channels"]),
        frozenset(Priority) if priorities is None else frozenset(map(Priority, priorities)),
    )


def _minutes(kept: int | None, otherwise: timedelta) -> timedelta:
    return otherwise if kept is None else timedelta(minutes=kept)


def _unknown(
    given: Mapping[str, Any], known: set[str], path: Sequence[PathItem]
) -> Iterator[DomainError]:
    for word in given:
        if word not in known:
            yield UnknownAlarmRule(path=[*path, str(word)], word=word)


def _problems_of_levels(
    levels: Any, percents: Sequence[int], path: Sequence[PathItem]
) -> Iterator[DomainError]:
    if not isinstance(levels, Mapping):
        yield BadNotifyRule(path=path)
        return
    known = {str(percent) for percent in percents}
    for key, rules in levels.items():
        here = [*path, str(key)]
        if key not in known:
            yield RuleForNoLevel(path=here, percent=key)
        elif not isinstance(rules, list | tuple):
            yield BadNotifyRule(path=here)
        else:
            yield from _problems_of_level(rules, here)


def _problems_of_level(rules: Sequence[Any], path: Sequence[PathItem]) -> Iterator[DomainError]:
    for place, rule in enumerate(rules):
        here = [*path, place]
        if not isinstance(rule, Mapping) or not isinstance(rule.get("recipient"), str):
            yield BadNotifyRule(path=here)
            continue
        yield from _unknown(rule, {"recipient", "channels", "priorities"}, here)
        if rule["recipient"] not in WHOM:
            yield UnknownRecipient(path=[*here, "recipient"], word=rule["recipient"])
        yield from _problems_of_channels(rule.get("channels"), [*here, "channels"])
        yield from _problems_of_priorities(rule.get("priorities"), [*here, "priorities"])


def _problems_of_channels(given: Any, path: Sequence[PathItem]) -> Iterator[DomainError]:
    if not isinstance(given, list | tuple) or not given or _repeats(given):
        yield BadNotifyRule(path=path)
        return
    for place, word in enumerate(given):
        if word not in list(Channel):
            yield UnknownChannel(path=[*path, place], word=word)


def _problems_of_priorities(given: Any, path: Sequence[PathItem]) -> Iterator[DomainError]:
    if given is None:
        return
    whole = isinstance(given, list | tuple) and given and not _repeats(given)
    if not whole or any(word not in list(Priority) for word in given):
        yield BadNotifyRule(path=path)


def _repeats(given: Sequence[Any]) -> bool:
    return len({repr(each) for each in given}) != len(given)


def _problems_of_timeouts(given: Any, path: Sequence[PathItem]) -> Iterator[DomainError]:
    if not isinstance(given, Mapping):
        yield BadTimeout(path=path)
        return
    yield from _unknown(given, {"minutes", "minutesP1"}, path)
    for name in ("minutes", "minutesP1"):
        minutes = given.get(name)
        if minutes is None:
            continue
        if type(minutes) is not int or not 1 <= minutes <= LONGEST_TIMEOUT:
            yield BadTimeout(path=[*path, name])
