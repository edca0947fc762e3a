"""What is news to anybody, and for whom."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from itr.actors.actor import SYSTEM
from itr.catalogue.alarm_rules import DEFAULT_RULES
from itr.events.log import Fact
from itr.notifications.rules import is_news, news_of

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def fact(type: str, *, historic: bool = False, **payload: Any) -> Fact:
    return Fact(
        type=type,
        subject_type="clock",
        subject=uuid4(),
        subject_version=4,
        stream=uuid4(),
        by=SYSTEM,
        occurred_at=NOW,
        historic=historic,
        payload=payload,
    )


def alarm(**more: Any) -> Fact:
    given = {"thread": "RESPONSE", "percent": 90, "version": 2, "late": False, "notifies": True}
    return fact("ClockAlarmRaised", **{**given, "deadline": NOW.isoformat(), **more})


@pytest.mark.parametrize(
    ("told", "news"),
    [
        (alarm(), True),
        (alarm(notifies=False), False),
        (fact("ClockAlarmRaised", historic=True, notifies=True), False),
        (fact("BulletinOverdue", notifies=False), False),
        (fact("RequestAccepted", entitlement="NO_DATA"), True),
        (fact("RequestAccepted", entitlement="ENTITLED"), False),
        (fact("RequestReplied"), False),
    ],
)
def test_only_what_concerns_somebody_now_is_told(told: Fact, news: bool) -> None:
    """R-ALM-02, R-ENT-01, R-IMP-01: the highest level; missing data; never another's past."""
    assert is_news(told) is news


def test_an_alarm_has_one_cause_per_clock_version_and_level() -> None:
    """R-ALM-02: whatever fires it again, it comes once."""
    one = alarm()
    again = one.saying(late=True)

    def cause(of: Fact) -> str:
        return news_of(of, DEFAULT_RULES, "P3").cause

    assert cause(one) == cause(again)
    assert cause(one) != cause(one.saying(version=3))
    assert cause(one) != cause(one.saying(percent=100))


def test_a_fact_that_says_more_is_the_same_fact() -> None:
    """R-NOT-01: who was told is added to what happened."""
    one = alarm()
    more = one.saying(told={"a": "b"})

    assert more.payload == {**one.payload, "told": {"a": "b"}}
    assert "told" not in one.payload
    assert more == one.saying(told={"a": "b"})
    assert (more.subject, more.stream, more.by) == (one.subject, one.stream, one.by)
