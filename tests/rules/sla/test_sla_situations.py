"""Situations in which other systems' clocks went wrong, each named by its number.

Here stand those that rules alone decide; the others need the workflow, the worker or the database.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from itr.sla.alarms import due_levels, next_alarm
from itr.sla.calendars import CalendarDefinition
from itr.sla.clock import ClockEvent, Target, as_of, fold, overturns
from itr.sla.explain import explain
from itr.sla.public_holidays import first_unpublished_year
from itr.sla.working_time import BeyondCalendar, InvalidCalendar, calendar_of
from tests.rules.sla.sla_words import (
    ALWAYS,
    CN,
    HOUR,
    at,
    cancelled,
    clock_of,
    cn,
    completed,
    exception,
    hours,
    paused,
    reopened,
    resumed,
    retargeted,
    started,
    utc,
    weekly,
)

MOMENT = timedelta(microseconds=1)
NEW_YORK = "America/New_York"


def kinds(clock_events: list[ClockEvent], until: datetime) -> list[str]:
    return [interval.reason for interval in explain(clock_events, lambda _: cn, until)]


def test_situation_1_a_make_up_saturday_is_worked():
    """R-CAL-03."""
    assert cn.add(at("2026-02-13 17:00"), hours(4)) == at("2026-02-14 12:00")


def test_situation_2_spring_festival_is_skipped():
    """R-CAL-03."""
    assert cn.add(at("2026-02-14 17:30"), hours(1)) == at("2026-02-24 09:30")


def test_situation_3_a_lunch_break_is_skipped():
    """R-CAL-01."""
    assert cn.add(at("2026-03-05 11:30"), hours(1)) == at("2026-03-05 14:00")
    assert cn.add(at("2026-03-05 12:10"), hours(0.5)) == at("2026-03-05 14:00")


def test_situation_4_a_pause_over_the_weekend_takes_its_working_hours_only():
    """R-SLA-06."""
    begin, end = at("2026-03-06 16:00"), at("2026-03-09 10:00")

    clock = clock_of(started(at("2026-03-06 09:00"), 8), paused(begin), resumed(end))

    assert cn.elapsed(begin, end) == hours(3)
    assert clock.deadline == at("2026-03-09 14:00")


def test_situation_5_real_hours_are_counted_on_the_days_clocks_change():
    """R-CAL-02."""
    calendar = calendar_of(CalendarDefinition(NEW_YORK, always_open=True))
    for day, expected in (("2026-03-08", 8), ("2026-11-01", 10)):
        start, end = at(f"{day} 00:00", NEW_YORK), at(f"{day} 09:00", NEW_YORK)

        assert calendar.elapsed(start, end) == hours(expected)
        assert calendar.add(start, hours(expected)) == end


def test_situation_6_a_warning_one_working_hour_before_is_in_working_hours():
    """R-ALM-01."""
    ten_hours = CalendarDefinition("Asia/Shanghai", weekly(("08:00", "18:00")))
    calendar = calendar_of(ten_hours)
    clock = clock_of(started(at("2026-03-02 17:00"), 4), calendar=ten_hours)

    assert clock.deadline == at("2026-03-03 11:00")
    assert calendar.add(clock.deadline, -HOUR) == at("2026-03-03 10:00")
    assert next_alarm(clock, calendar, 0, (75,)).at == at("2026-03-03 10:00")


def test_situation_7_not_a_minute_is_lost_over_midnight_of_an_always_open_calendar():
    """R-CAL-01."""
    whole_days = CalendarDefinition("Asia/Shanghai", weekly(("00:00", "24:00"), days=range(7)))
    for definition in (ALWAYS, whole_days):
        calendar = calendar_of(definition)
        start = at("2026-03-02 23:59")

        assert calendar.elapsed(start, start + timedelta(minutes=2)) == 2 * HOUR // 60
        assert calendar.add(start, hours(48)) == start + timedelta(hours=48)


def test_situation_8_a_night_shift_before_a_holiday_is_one_span():
    """R-CAL-01: the day it starts decides."""
    nights = calendar_of(
        CalendarDefinition(
            "Asia/Shanghai",
            weekly(("22:00", "06:00"), days=range(7)),
            (exception("2026-03-05"),),
        )
    )

    spans = list(nights.spans(at("2026-03-04 12:00"), at("2026-03-06 12:00")))

    assert [(span.starts_at, span.ends_at) for span in spans] == [
        (at("2026-03-04 22:00"), at("2026-03-05 06:00"))
    ]


def test_situation_9_a_calendar_without_working_time_is_refused_and_arithmetic_is_bounded():
    """R-CAL-02."""
    with pytest.raises(InvalidCalendar):
        calendar_of(CalendarDefinition("Asia/Shanghai"))
    one_day = CalendarDefinition("UTC", exceptions=(exception("2026-03-05", ("09:00", "10:00")),))
    with pytest.raises(BeyondCalendar):
        calendar_of(one_day).add(utc("2026-03-06 00:00"), 1)


def test_situation_10_a_pause_wholly_outside_hours_adds_nothing():
    """R-SLA-06."""
    start = started(at("2026-03-02 09:00"), 12)
    night = [paused(at("2026-03-02 20:00")), resumed(at("2026-03-03 07:00"))]

    assert clock_of(start, *night).deadline == clock_of(start).deadline


def test_situation_11_waiting_for_the_customer_then_the_vendor_is_one_pause():
    """R-REQ-03: counted once, both reasons kept."""
    events = [
        started(at("2026-03-02 09:00"), 8),
        paused(at("2026-03-02 10:00"), "CUSTOMER"),
        paused(at("2026-03-02 11:00"), "THIRD_PARTY"),
    ]
    back = resumed(at("2026-03-02 15:00"))

    assert clock_of(*events).pause_reasons == ("CUSTOMER", "THIRD_PARTY")
    assert clock_of(*events, back).elapsed_us == HOUR
    assert clock_of(*events, back).deadline == at("2026-03-03 14:30")
    assert kinds([*events, back], at("2026-03-02 16:00")) == [
        "WORKING",
        "PAUSED:CUSTOMER",
        "PAUSED:THIRD_PARTY",
        "WORKING",
    ]


def test_situation_12_paused_and_delivered_in_one_step():
    """R-SLA-07: the pause is subtracted first."""
    done = at("2026-03-03 10:00")

    clock = clock_of(
        started(at("2026-03-02 09:00"), 2),
        paused(at("2026-03-02 10:00")),
        resumed(done),
        completed(done),
    )

    assert (clock.state, clock.elapsed_us) == ("MET", HOUR)


def test_situation_13_a_pause_that_begins_after_the_breach_changes_nothing():
    """R-SLA-05."""
    clock = clock_of(
        started(at("2026-03-02 09:00"), 1),
        paused(at("2026-03-02 11:00")),
        resumed(at("2026-03-04 11:00")),
        completed(at("2026-03-04 11:00")),
    )

    assert (clock.state, clock.breached_at) == ("BREACHED", at("2026-03-02 10:00"))


def test_situation_14_a_deadline_that_passes_while_paused():
    """R-SLA-06, R-ALM-02: no breach, no alarm."""
    clock = clock_of(started(at("2026-03-02 09:00"), 2), paused(at("2026-03-02 10:30")))
    later = at("2026-03-09 09:00")

    assert as_of(clock, later).state == "PAUSED"
    assert due_levels(clock, cn, 50, later) == []


def test_situation_15_completed_exactly_at_the_deadline_and_a_microsecond_later():
    """R-SLA-04."""
    start, due = started(at("2026-03-02 09:00"), 2), at("2026-03-02 11:00")

    assert clock_of(start, completed(due)).state == "MET"
    assert clock_of(start, completed(due + MOMENT)).state == "BREACHED"


def test_situation_17_a_raised_priority_keeps_elapsed_and_paused_time():
    """R-SLA-08: it may breach at once, with one notification."""
    p3 = [
        started(at("2026-03-02 09:00"), 24),
        paused(at("2026-03-02 10:00")),
        resumed(at("2026-03-02 11:00")),
    ]
    raised_at = at("2026-03-02 14:30")

    kept = clock_of(*p3, retargeted(raised_at, 4))
    late = clock_of(*p3, retargeted(raised_at, 2))

    assert (kept.elapsed_us, kept.deadline) == (hours(3), at("2026-03-02 15:30"))
    assert (late.state, late.breached_at) == ("BREACHED", raised_at)
    due = due_levels(late, cn, 0, raised_at)
    assert [alarm.percent for alarm in due] == [50, 75, 90, 100]
    assert {alarm.due_at for alarm in due} == {raised_at}
    assert due_levels(late, cn, due[-1].percent, at("2026-03-09 09:00")) == []


def test_situation_18_a_lowered_priority_does_not_undo_a_breach():
    """R-SLA-05."""
    clock = clock_of(started(at("2026-03-02 09:00"), 1), retargeted(at("2026-03-02 11:00"), 24))

    assert (clock.state, clock.breached_at) == ("BREACHED", at("2026-03-02 10:00"))
    assert clock.target == Target(us=hours(24))
    assert (
        clock_of(
            started(at("2026-03-02 09:00"), 1),
            retargeted(at("2026-03-02 11:00"), 24),
            completed(at("2026-03-02 12:00")),
        ).state
        == "BREACHED"
    )


def test_situation_21_a_level_without_a_target_for_the_thread_cancels_its_clock():
    """R-SLA-08."""
    clock = clock_of(started(at("2026-03-02 09:00"), 8), retargeted(at("2026-03-02 11:00"), None))

    assert (clock.state, clock.deadline) == ("CANCELLED", None)
    assert next_alarm(clock, cn, 0) is None


def test_situations_22_and_24_a_cancelled_clock_raises_no_alarm():
    """R-REQ-13, R-ALM-02: its service level switched off, or the request a duplicate."""
    clock = clock_of(started(at("2026-03-02 09:00"), 8), cancelled(at("2026-03-02 11:00")))

    assert clock.state == "CANCELLED"
    assert due_levels(clock, cn, 0, at("2027-01-04 09:00")) == []


def test_situation_25_an_alarm_nobody_fired_keeps_its_original_due_time():
    """R-ALM-02: the worker was down across the threshold."""
    clock = clock_of(started(at("2026-03-02 09:00"), 4))

    due = due_levels(clock, cn, 50, at("2026-03-02 13:45"))

    assert [(alarm.percent, alarm.due_at) for alarm in due] == [(75, at("2026-03-02 12:00"))]
    assert due_levels(clock, cn, 75, at("2026-03-02 13:45")) == []


def test_situation_26_events_out_of_order_or_backdated_make_the_same_clock():
    """R-SLA-02."""
    events = [
        started(at("2026-03-02 09:00"), 8),
        paused(at("2026-03-02 10:00")),
        resumed(at("2026-03-02 11:00")),
        retargeted(at("2026-03-02 14:00"), 6),
        completed(at("2026-03-02 17:00")),
        reopened(at("2026-03-04 09:00")),
    ]
    ordered = fold(events, lambda _: cn)

    for seed in range(50):
        shuffled = Random(seed).sample(events, len(events))
        assert fold(shuffled, lambda _: cn) == ordered


def test_situation_29_the_days_a_request_was_solved_are_excluded_and_never_waiting():
    """R-SLA-09, R-SLA-11."""
    events = [
        started(at("2026-03-02 09:00"), 16),
        completed(at("2026-03-02 17:00")),
        reopened(at("2026-03-07 17:00")),
    ]

    clock = clock_of(*events, now=at("2026-03-09 10:00"))

    assert (clock.state, clock.elapsed_us) == ("RUNNING", hours(7.5))
    reasons = kinds(events, at("2026-03-09 10:00"))
    assert reasons.count("SOLVED") == 1
    assert not any(reason.startswith("PAUSED") for reason in reasons)


def test_situation_30_a_year_without_published_holidays_is_provisional_and_no_crash():
    """R-CAL-03: and published or corrected, it is computed anew."""
    year = first_unpublished_year("CN")
    events = [started(at(f"{year}-09-28 09:00"), 40)]
    national_week = tuple(exception(f"{year}-10-0{day}") for day in range(1, 9))

    clock = clock_of(*events)
    published = clock_of(*events, calendar=replace(CN, exceptions=national_week))

    assert clock.provisional
    assert clock.deadline < published.deadline


def test_a_corrected_calendar_overturns_only_what_it_undoes():
    """R-SLA-05: the same events under the calendar as it should have been."""
    events = [started(at("2026-03-02 09:00"), 4), completed(at("2026-03-02 16:00"))]
    now = at("2026-03-03 09:00")
    closed_in_the_morning = replace(CN, exceptions=(exception("2026-03-02", ("13:30", "18:00")),))

    old, new = clock_of(*events), clock_of(*events, calendar=closed_in_the_morning)

    assert (old.state, new.state) == ("BREACHED", "MET")
    assert overturns(old, new, now)
