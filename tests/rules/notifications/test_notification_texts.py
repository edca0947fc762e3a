"""What people read when they are told, in both languages."""

import re
from typing import Any

import pytest

from itr.access.terms import ApprovalKind
from itr.notifications.terms import NotificationKind
from itr.notifications.texts import LONGEST_REASON, text_of

ABOUT = {"number": "SR-260302-7KQ4", "priority": "P1", "zone": "Asia/Shanghai"}
DUE = {"deadline": "2026-03-02T06:30:00+00:00"}
ALARM = {**ABOUT, **DUE, "thread": "RESTORATION", "percent": 75, "late": False}

EVERY: list[tuple[str, dict[str, Any]]] = [
    ("ALARM", ALARM),
    ("ALARM", {**ALARM, "percent": 100, "late": True}),
    ("ALARM", {**ALARM, "standsIn": True}),
    ("CONTROL_POINT", {**ABOUT, **DUE, "point": 8, "percent": 80, "late": False}),
    ("CONTROL_POINT", {**ABOUT, **DUE, "point": 8, "percent": 100, "late": False}),
    ("CONFIRMATION", {**ABOUT, **DUE}),
    ("BULLETIN", {**ABOUT, **DUE}),
    ("BULLETIN", {**ABOUT, **DUE, "reason": "核心网中断"}),
    ("TASK", ABOUT),
    ("ASSIGNMENT", ABOUT),
    ("CHARGE", ABOUT),
    ("ESCALATION", {**ABOUT, **DUE, "reason": "客户投诉"}),
    ("ESCALATION", {**ABOUT, **DUE, "thread": "RESPONSE", "percent": 90}),
    ("ESCALATION", {**ABOUT, "reason": "客户投诉", "again": True}),
]


@pytest.mark.parametrize(("kind", "words"), EVERY)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_of_news_has_its_sentence(
    kind: str, words: dict[str, Any], language: str
) -> None:
    """R-NOT-01: number, deadline in the calendar's own time, nothing left unfilled."""
    text = text_of(kind, words, language)

    assert "SR-260302-7KQ4" in text
    assert ("2026-03-02 14:30" in text) == ("deadline" in words)
    assert not re.search(r"[{}]|None|RESTORATION|RESPONSE", text)
    assert bool(
        re.search("[一-龥]{4}", text.replace("核心网中断", "").replace("客户投诉", ""))
    ) == (language == "zh")


def test_no_kind_is_left_without_words() -> None:
    """R-NOT-01."""
    assert {kind for kind, _ in EVERY} == set(NotificationKind) - {NotificationKind.ACCESS}


@pytest.mark.parametrize("state", ["PENDING", "APPROVED", "REFUSED", "WITHDRAWN"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_becomes_of_access_is_told_whatever_it_is(state: str, language: str) -> None:
    """S18, R-NOT-01: no request stands behind it."""
    for what in ApprovalKind:
        words = {"state": state, "what": what.value, "by": "A", "whom": "B", "role": "LINE1"}

        text = text_of("ACCESS", words, language)

        assert "A" in text
        assert "B" in text
        assert not re.search(r"[{}]|None", text)
        assert bool(re.search("[一-龥]", text)) == (language == "zh")


def test_a_language_we_do_not_speak_is_told_in_chinese() -> None:
    """R-NOT-01."""
    assert text_of("ALARM", ALARM, "fr") == text_of("ALARM", ALARM, "zh")


def test_the_sentences_say_what_they_should() -> None:
    """R-ALM-01, R-ALM-02: late ones say so."""
    assert text_of("ALARM", ALARM, "zh") == (
        "SR-260302-7KQ4（P1）恢复时限已用 75 %，截止 2026-03-02 14:30。"
    )
    late = {**ALARM, "percent": 100, "late": True, "standsIn": True}
    assert text_of("ALARM", late, "en") == (
        "SR-260302-7KQ4 (P1): the restoration time is over, it was due 2026-03-02 14:30. (late)"
        " Nobody is in charge of it; it is yours."
    )


def test_a_long_reason_is_cut() -> None:
    """R-NOT-01: a message is short."""
    text = text_of("ESCALATION", {**ABOUT, **DUE, "reason": "长" * 5000}, "zh")

    assert text.count("长") == LONGEST_REASON
