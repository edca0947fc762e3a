"""How far a management escalation goes, and until when it waits."""

from datetime import UTC, datetime, timedelta

import pytest

from itr.actors.roles import Role
from itr.catalogue.alarm_rules import DEFAULT_RULES, AlarmRules
from itr.errors import DomainError
from itr.sla.working_time import calendar_of
from itr.tickets.escalation_rules import (
    acknowledge_by,
    number_of,
    opened_by,
    rank_of,
    step_by_hand,
    step_of,
    steps_of_alarm,
)
from itr.tickets.terms import ManagementStep
from tests.support.desk import OFFICE

FRIDAY_1750 = datetime(2026, 3, 6, 9, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("percent", "priority", "steps"),
    [
        (75, "P1", ()),
        (89, "P1", ()),
        (90, "P1", (1,)),
        (95, "P4", (1,)),
        (100, "P2", (2,)),
        (100, "P1", (2, 3)),
    ],
)
def test_90_percent_opens_it_and_a_breach_moves_it_on(
    percent: int, priority: str, steps: tuple[int, ...]
) -> None:
    """R-ESC-01."""
    assert steps_of_alarm(percent, priority) == steps


@pytest.mark.parametrize(
    ("demanded", "standing", "new"),
    [
        ((1,), (), [1]),
        ((1,), (1,), []),
        ((1,), (2,), []),
        ((2,), (1,), [2]),
        ((2, 3), (1,), [2, 3]),
        ((2, 3), (2,), [3]),
        ((2, 3), (3,), []),
        ((2, 3), (2, 3), []),
    ],
)
def test_it_only_goes_up(
    demanded: tuple[int, ...], standing: tuple[int, ...], new: list[int]
) -> None:
    """R-ESC-01: a second alarm opens nothing that stands already, nor below it."""
    assert opened_by(demanded, standing) == new


def test_steps_and_their_numbers_belong_together() -> None:
    """R-ESC-01: line lead, process manager, operations director."""
    assert [step_of(number) for number in (1, 2, 3)] == list(ManagementStep)
    assert [number_of(step) for step in ManagementStep] == [1, 2, 3]
    assert rank_of({Role.LINE1}) == 0
    assert rank_of({Role.LINE1, Role.LINE_LEAD}) == 1
    assert rank_of({Role.LINE_LEAD, Role.OPERATIONS_DIRECTOR}) == 3


S = ManagementStep


@pytest.mark.parametrize(
    ("wanted", "standing", "rank", "step"),
    [
        (None, (), 0, 1),
        (None, (), 1, 2),
        (None, (1,), 0, 2),
        (None, (2,), 1, 3),
        (S.OPERATIONS_DIRECTOR, (), 0, 3),
        (S.PROCESS_MANAGER, (1,), 0, 2),
        (S.LINE_LEAD, (), 1, "ESCALATION_NOT_HIGHER"),
        (S.PROCESS_MANAGER, (2,), 0, "ESCALATION_NOT_HIGHER"),
        (None, (3,), 0, "ESCALATED_TO_THE_TOP"),
        (S.OPERATIONS_DIRECTOR, (2, 3), 0, "ESCALATED_TO_THE_TOP"),
        (None, (), 3, "ESCALATED_TO_THE_TOP"),
    ],
)
def test_by_hand_it_goes_to_the_next_step_or_a_higher_one(
    wanted: S | None, standing: tuple[int, ...], rank: int, step: int | str
) -> None:
    """R-ESC-01: nobody escalates to themselves."""
    try:
        found: int | str = step_by_hand(wanted, standing, rank)
    except DomainError as refused:
        found = refused.code
        assert refused.message("zh") != refused.message("en")
    assert found == step


def test_it_waits_in_working_minutes_and_at_p1_in_real_ones() -> None:
    """R-ESC-02: 30 working minutes of the calendar, 10 of real time at P1."""
    office = calendar_of(OFFICE)

    assert acknowledge_by(DEFAULT_RULES, "P3", office, FRIDAY_1750) == datetime(
        2026, 3, 9, 1, 20, tzinfo=UTC
    )
    assert acknowledge_by(DEFAULT_RULES, "P1", office, FRIDAY_1750) == FRIDAY_1750 + timedelta(
        minutes=10
    )


def test_a_level_may_wait_longer_and_a_calendar_that_cannot_tell_does_not_stop_it() -> None:
    """R-ESC-02: a setting of the level."""
    rules = AlarmRules(timeout=timedelta(minutes=9), timeout_p1=timedelta(minutes=3))

    assert acknowledge_by(rules, "P2", calendar_of(OFFICE), FRIDAY_1750).minute == 59
    assert acknowledge_by(rules, "P2", None, FRIDAY_1750) == FRIDAY_1750 + rules.timeout
    assert acknowledge_by(rules, "P1", None, FRIDAY_1750) == FRIDAY_1750 + rules.timeout_p1
