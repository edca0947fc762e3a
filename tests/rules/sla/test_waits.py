"""What a clock waited for, for any history (R-OLA-03, R-SLA-06, R-REQ-03)."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from itr.sla.clock import ClockEvent
from itr.sla.clock_history import History
from itr.sla.terms import ClockEventKind as Kind
from itr.sla.waits import Waits, waits_of
from itr.sla.working_time import calendar_of
from tests.rules.sla.sla_words import (
    CN,
    HOUR,
    at,
    cancelled,
    cn,
    completed,
    paused,
    reopened,
    resumed,
    retargeted,
    started,
)
from tests.rules.sla.test_clocks_properties import CALENDARS, MONDAY, laws, quarters
from tests.support.waiting import waited

END = MONDAY + timedelta(days=15)


def waits(*events: ClockEvent) -> Waits:
    return waits_of(History(events, lambda _: calendar_of(CN), until=None))


def test_the_time_of_a_pause_is_its_working_time() -> None:
    """R-OLA-03, R-SLA-06: the night between adds nothing."""
    found = waits(
        started(at("2026-03-02 09:00")),
        paused(at("2026-03-02 17:00")),
        resumed(at("2026-03-03 10:00")),
        paused(at("2026-03-03 19:00"), "SPARE_PART"),
        resumed(at("2026-03-03 20:00")),
    )

    assert found == Waits({"CUSTOMER": 2 * HOUR})


def test_another_reason_while_waiting_has_the_time_from_then_on() -> None:
    """R-REQ-03: one pause, each part of it for its own reason; what goes on stands beside."""
    found = waits(
        started(at("2026-03-02 09:00")),
        paused(at("2026-03-02 10:00")),
        paused(at("2026-03-02 11:00"), "THIRD_PARTY"),
        paused(at("2026-03-02 14:00"), "CUSTOMER"),
    )

    now = cn.position_us(at("2026-03-02 14:00"))
    assert found == Waits({"CUSTOMER": HOUR, "THIRD_PARTY": 1.5 * HOUR}, "CUSTOMER", now)


def test_what_ends_gives_the_time_back_to_what_is_still_waited_for() -> None:
    """R-REQ-03, R-OLA-03: one pause, no moment counted twice, until the last reason ends."""
    found = waits(
        started(at("2026-03-02 09:00")),
        paused(at("2026-03-02 09:30")),
        paused(at("2026-03-02 10:00"), "SPARE_PART"),
        replace(resumed(at("2026-03-02 10:30")), reason="SPARE_PART"),
        replace(resumed(at("2026-03-02 11:00")), reason="CUSTOMER"),
        completed(at("2026-03-02 12:00")),
    )

    assert found == Waits({"CUSTOMER": HOUR, "SPARE_PART": HOUR // 2})


def test_a_wait_ends_with_the_clock() -> None:
    """R-SLA-07, R-SLA-08: by its completion, its cancellation, or when its promise is dropped."""
    begins = [started(at("2026-03-02 09:00")), paused(at("2026-03-02 10:00"))]
    later = at("2026-03-02 11:00")

    for end in (completed(later), cancelled(later), retargeted(later, None)):
        assert waits(*begins, end, resumed(at("2026-03-02 12:00"))) == Waits({"CUSTOMER": HOUR})


def test_time_spent_solved_is_no_waiting() -> None:
    """R-SLA-09."""
    found = waits(
        started(at("2026-03-02 09:00")),
        completed(at("2026-03-02 10:00")),
        paused(at("2026-03-02 10:30")),
        reopened(at("2026-03-02 11:00")),
    )

    assert found == Waits({})


def told(kind: Kind) -> st.SearchStrategy[ClockEvent]:
    reasons = st.sampled_from(["CUSTOMER", "THIRD_PARTY", "SPARE_PART", "CHANGE_WINDOW"])
    return st.builds(ClockEvent, quarters, st.just(kind), reason=reasons)


@laws
@given(
    st.lists(st.sampled_from([Kind.PAUSED, *Kind]).flatmap(told), max_size=12),
    st.sampled_from(sorted(CALENDARS)),
)
def test_waits_are_those_found_event_by_event(happened: list[ClockEvent], name: str) -> None:
    """R-OLA-03: whatever happened in whatever order, under any calendar."""
    events = [started(MONDAY, 40, calendar=name)]
    for number, each in enumerate(happened, 1):
        if each.kind is Kind.STARTED:
            events.append(started(each.at, 40, calendar=name, sequence=number))
        elif each.kind is not Kind.RETARGETED:
            events.append(replace(each, sequence=number))
    calendar = CALENDARS[name]

    found = waits_of(History(events, lambda key: CALENDARS[str(key)], until=None))

    total = dict(found.ended_us)
    if found.reason is not None and found.since_us is not None:
        goes_on = calendar.position_us(END) - found.since_us
        total[found.reason] = total.get(found.reason, 0) + goes_on
    assert {key: us for key, us in total.items() if us} == waited(events, calendar, END)
