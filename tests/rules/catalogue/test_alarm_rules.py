"""Whom alarms tell: the defaults, a level's own rules, and what cannot be saved."""

from datetime import timedelta
from typing import Any

import pytest

from itr.catalogue.alarm_rules import DEFAULT_RULES, alarm_rules_of, problems_of_alarm_rules

PERCENTS = (50, 75, 90, 100)


def told(rules: Any, percent: int, priority: str = "P3") -> list[tuple[str, tuple[str, ...]]]:
    """Recipients and channels of a level."""
    return [(each.recipient, each.channels) for each in rules.to_notify(percent, priority)]


@pytest.mark.parametrize(
    ("percent", "priority", "expected"),
    [
        (50, "P1", [("OWNER", ("LIST",))]),
        (75, "P1", [("OWNER", ("LIST", "SMS"))]),
        (90, "P3", [("OWNER", ("SMS",)), ("LINE_LEAD", ("SMS",))]),
        (100, "P2", [("PROCESS_MANAGER", ("SMS",))]),
        (100, "P1", [("PROCESS_MANAGER", ("SMS",)), ("OPERATIONS_DIRECTOR", ("SMS",))]),
    ],
)
def test_each_level_tells_whom_the_process_says(
    percent: int, priority: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    """R-ALM-01."""
    assert told(DEFAULT_RULES, percent, priority) == expected


@pytest.mark.parametrize(("percent", "like"), [(10, 50), (60, 50), (80, 75), (95, 90), (99, 90)])
def test_another_percentage_does_as_the_next_lower_one(percent: int, like: int) -> None:
    """R-ALM-01: percentages are settings."""
    assert told(DEFAULT_RULES, percent) == told(DEFAULT_RULES, like)


def test_a_level_may_tell_others_by_other_channels_and_nobody_of_one_percentage() -> None:
    """R-ALM-01, R-ESC-02: settings per service level."""
    rules = alarm_rules_of(
        {
            "levels": {
                "50": [],
                "90": [
                    {"recipient": "PROJECT_MANAGER", "channels": ["EMAIL", "LIST"]},
                    {"recipient": "OWNER", "channels": ["SMS"], "priorities": ["P1", "P2"]},
                ],
            },
            "escalation": {"minutes": 45},
        }
    )

    assert told(rules, 50) == []
    assert told(rules, 75) == told(DEFAULT_RULES, 75)
    assert told(rules, 90, "P3") == [("PROJECT_MANAGER", ("EMAIL", "LIST"))]
    assert told(rules, 90, "P2")[1] == ("OWNER", ("SMS",))
    assert (rules.timeout, rules.timeout_p1) == (timedelta(minutes=45), timedelta(minutes=10))


def rule(**more: Any) -> dict[str, Any]:
    """Rules with one recipient at 90 %."""
    given = {"recipient": "OWNER", "channels": ["LIST"], **more}
    return {"levels": {"90": [given]}}


GOOD = (
    None,
    {},
    {"levels": {}},
    {"levels": {"50": []}, "escalation": {}},
    {"escalation": {"minutes": 1, "minutesP1": 10_080}},
    rule(),
    rule(priorities=["P1", "P4"]),
    {"levels": {"100": [{"recipient": "OPERATIONS_DIRECTOR", "channels": ["SMS", "EMAIL"]}]}},
)


@pytest.mark.parametrize("given", GOOD)
def test_rules_that_say_what_they_mean_are_kept(given: dict[str, Any] | None) -> None:
    """R-ALM-01."""
    assert problems_of_alarm_rules(given, PERCENTS) == []
    alarm_rules_of(given)


BAD: list[tuple[Any, str, tuple[str | int, ...]]] = [
    ([], "BAD_ALARM_RULE", ()),
    ({"level": {}}, "UNKNOWN_ALARM_RULE", ("level",)),
    ({"levels": []}, "BAD_ALARM_RULE", ("levels",)),
    ({"levels": {"80": []}}, "RULE_FOR_NO_LEVEL", ("levels", "80")),
    ({"levels": {90: []}}, "RULE_FOR_NO_LEVEL", ("levels", "90")),
    ({"levels": {"90": {}}}, "BAD_ALARM_RULE", ("levels", "90")),
    ({"levels": {"90": ["OWNER"]}}, "BAD_ALARM_RULE", ("levels", "90", 0)),
    (rule(recipient=None), "BAD_ALARM_RULE", ("levels", "90", 0)),
    (rule(recipient="CUSTOMER"), "UNKNOWN_RECIPIENT", ("levels", "90", 0, "recipient")),
    (rule(recipient="CONTACT"), "UNKNOWN_RECIPIENT", ("levels", "90", 0, "recipient")),
    (rule(channels=[]), "BAD_ALARM_RULE", ("levels", "90", 0, "channels")),
    (rule(channels="SMS"), "BAD_ALARM_RULE", ("levels", "90", 0, "channels")),
    (rule(channels=["SMS", "SMS"]), "BAD_ALARM_RULE", ("levels", "90", 0, "channels")),
    (rule(channels=["LIST", "FAX"]), "UNKNOWN_CHANNEL", ("levels", "90", 0, "channels", 1)),
    (rule(channels=[{}]), "UNKNOWN_CHANNEL", ("levels", "90", 0, "channels", 0)),
    (rule(priorities=[]), "BAD_ALARM_RULE", ("levels", "90", 0, "priorities")),
    (rule(priorities=["P5"]), "BAD_ALARM_RULE", ("levels", "90", 0, "priorities")),
    (rule(colour="red"), "UNKNOWN_ALARM_RULE", ("levels", "90", 0, "colour")),
    ({"escalation": 30}, "BAD_TIMEOUT", ("escalation",)),
    ({"escalation": {"hours": 1}}, "UNKNOWN_ALARM_RULE", ("escalation", "hours")),
    ({"escalation": {"minutes": 0}}, "BAD_TIMEOUT", ("escalation", "minutes")),
    ({"escalation": {"minutes": True}}, "BAD_TIMEOUT", ("escalation", "minutes")),
    ({"escalation": {"minutesP1": 10_081}}, "BAD_TIMEOUT", ("escalation", "minutesP1")),
    ({"escalation": {"minutes": "30"}}, "BAD_TIMEOUT", ("escalation", "minutes")),
]


@pytest.mark.parametrize(("given", "code", "path"), BAD)
def test_what_nobody_could_follow_is_refused_with_its_place(
    given: Any, code: str, path: tuple[str | int, ...]
) -> None:
    """R-ALM-01, R-ESC-02, S17."""
    problems = problems_of_alarm_rules(given, PERCENTS)

    assert [(each.code, each.path) for each in problems] == [(code, ("alarm_rules", *path))]
    assert problems[0].message("zh") != problems[0].message("en")


def test_everything_that_is_wrong_is_named_at_once() -> None:
    """R-ALM-01."""
    given = {"levels": {"90": [{"recipient": "NOBODY", "channels": []}]}, "escalation": 1}

    assert [each.code for each in problems_of_alarm_rules(given, PERCENTS)] == [
        "UNKNOWN_RECIPIENT",
        "BAD_ALARM_RULE",
        "BAD_TIMEOUT",
    ]
