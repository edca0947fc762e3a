"""Management escalation: how far it goes, why, and who takes note of it (R-ESC-01, R-ESC-02)."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from itr.actors.roles import Role
from itr.catalogue.alarm_rules import AlarmRules
from itr.catalogue.terms import Priority
from itr.errors import DomainError
from itr.sla.alarms import BREACH
from itr.sla.working_time import WorkingCalendar
from itr.tickets.terms import ManagementStep

STEPS = tuple(ManagementStep)
"""Lowest first; a step's number is its place here, from 1."""
TOP = len(STEPS)
OPENS_AT = 90
"""The alarm level that opens an escalation; 100 % moves it on."""
_MICROSECOND = timedelta(microseconds=1)


class EscalatedToTheTop(DomainError):
    """There is nobody above the operations director (R-ESC-02)."""

    code = "ESCALATED_TO_THE_TOP"
    zh = "已升级到最高层，不能再升级。"
    en = "The escalation is at the top; it goes no further."


class NotHigher(DomainError):
    """An escalation only goes up (R-ESC-01)."""

    code = "ESCALATION_NOT_HIGHER"
    zh = "升级只能向上：当前已在或您本人已在“{step}”这一级。"
    en = "An escalation only goes up; it, or you, already stand at {step}."


class NothingToAcknowledge(DomainError):
    """No escalation waits for an acknowledgement."""

    code = "NOTHING_TO_ACKNOWLEDGE"
    zh = "没有待确认的升级。"
    en = "No escalation waits to be acknowledged."


class EscalatedToOthers(DomainError):
    """Whoever it stands with, or somebody above, takes note (R-ESC-02)."""

    code = "ESCALATED_TO_OTHERS"
    zh = "该升级不在您这一级，只有接收人或更上级可以确认。"
    en = "The escalation stands with somebody above you; they acknowledge it."


def step_of(number: int) -> ManagementStep:
    """The step with this number."""
    return STEPS[number - 1]


def number_of(step: ManagementStep) -> int:
    """The number of a step, from 1."""
    return STEPS.index(step) + 1


def rank_of(roles: Collection[Role]) -> int:
    """The highest step somebody with these roles stands at; 0 for none."""
    ranks = [number for number, step in enumerate(STEPS, start=1) if Role(step) in roles]
    return max(ranks, default=0)


def steps_of_alarm(percent: int, priority: str) -> tuple[int, ...]:
    """The steps an alarm demands: none below 90 %, at a P1 breach two of them (R-ESC-01)."""
    if percent < OPENS_AT:
        return ()
    if percent < BREACH:
        return (1,)
    return (2, 3) if priority == Priority.P1 else (2,)


def opened_by(demanded: Iterable[int], standing: Collection[int]) -> list[int]:
    """Which of the demanded steps are new: those above all that stand."""
    highest = max(standing, default=0)
    return [step for step in demanded if step > highest]


def step_by_hand(wanted: ManagementStep | None, standing: Collection[int], rank: int) -> int:
    """The step somebody of a rank escalates to: the next one up, or the one they want.

    Raises EscalatedToTheTop, NotHigher.
    """
    reached = max(rank, *standing, 0)
    if reached >= TOP:
        raise EscalatedToTheTop()
    number = reached + 1 if wanted is None else number_of(wanted)
    if number <= reached:
        raise NotHigher(step=step_of(reached).value, path=["to"])
    return number


def acknowledge_by(
    rules: AlarmRules, priority: str, working: WorkingCalendar | None, now: datetime
) -> datetime:
    """By when a step is to be acknowledged: working time, at P1 real time (R-ESC-02).

    Without a calendar that can tell it is real time, too: somebody is waiting nevertheless.
    """
    if priority == Priority.P1:
        return now + rules.timeout_p1
    if working is None:
        return now + rules.timeout
    try:
        return working.add(now, rules.timeout // _MICROSECOND)
    except ArithmeticError:
        return now + rules.timeout
