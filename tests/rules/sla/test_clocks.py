"""Clocks as folds of their events (R-SLA-02 … 11), their alarms and simulations."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from itr.sla.alarms import due_levels, next_alarm
from itr.sla.calendars import Shift
from itr.sla.clock import (
    ClockNotStarted,
    Target,
    as_of,
    deadline_if_resumed,
    elapsed_at,
    fold,
    overturns,
    remaining_at,
)
from itr.sla.explain import explain
from itr.sla.simulation import SimulatedAlarm, simulate
from itr.sla.working_time import BeyondCalendar, calendar_of
from itr.time_budget import TimeBudget, TooLongAStory
from tests.rules.sla.sla_words import (
    ALWAYS,
    CN,
    HOUR,
    NINE_TO_FIVE,
    at,
    cancelled,
    clock_of,
    cn,
    completed,
    event,
    exception,
    hours,
    paused,
    reopened,
    resumed,
    retargeted,
    started,
    utc,
)

MOMENT = timedelta(microseconds=1)
MONDAY_9 = at("2026-03-02 09:00")
CALENDARS = {"cn": cn, "always": calendar_of(ALWAYS), "utc": calendar_of(NINE_TO_FIVE)}


def test_a_started_clock_runs_to_its_deadline():
    """R-SLA-02, R-SLA-03."""
    clock = clock_of(started(MONDAY_9, 8))

    assert (clock.state, clock.version, clock.counting) == ("RUNNING", 1, True)
    assert clock.deadline == at("2026-03-03 09:30")
    assert clock.breached_at is None


def test_a_clock_needs_a_start():
    """R-SLA-02: also one that lies after the instant asked for."""
    for events, now in (
        ([], None),
        ([paused(MONDAY_9)], None),
        ([started(MONDAY_9)], utc("2026-01-01 00:00")),
    ):
        with pytest.raises(ClockNotStarted):
            clock_of(*events, now=now)


def test_stored_bases_give_elapsed_and_remaining_at_any_instant():
    """R-SLA-03: elapsed = position − base, remaining = deadline's position − position."""
    clock = clock_of(
        started(MONDAY_9, 8), paused(at("2026-03-02 10:00")), resumed(at("2026-03-02 16:00"))
    )
    now = at("2026-03-03 09:15")

    assert elapsed_at(clock, cn, now) == hours(3.25)
    assert remaining_at(clock, cn, now) == hours(4.75)
    assert cn.position_us(now) - clock.base_us == hours(3.25)
    assert clock.deadline_us == cn.position_us(clock.deadline)


def test_completion_exactly_at_the_deadline_is_met_and_a_microsecond_later_breached():
    """R-SLA-04."""
    deadline = clock_of(started(MONDAY_9, 8)).deadline

    met = clock_of(started(MONDAY_9, 8), completed(deadline))
    late = clock_of(started(MONDAY_9, 8), completed(deadline + MOMENT))

    assert (met.state, met.breached_at, met.remaining_us) == ("MET", None, 0)
    assert (late.state, late.breached_at, late.remaining_us) == ("BREACHED", deadline, -1)


def test_a_deadline_at_closing_time_is_passed_when_the_evening_begins():
    """R-SLA-04: the deadline is an instant."""
    due = at("2026-03-02 18:00")

    assert clock_of(started(MONDAY_9, 7.5), completed(due)).state == "MET"
    assert clock_of(started(MONDAY_9, 7.5), completed(due + MOMENT)).state == "BREACHED"


def test_a_running_clock_reads_breached_once_its_deadline_is_past():
    """R-SLA-03, R-SLA-04: before any worker has written it."""
    stored = clock_of(started(MONDAY_9, 1))
    deadline = at("2026-03-02 10:00")

    assert as_of(stored, deadline).state == "RUNNING"
    breached = as_of(stored, deadline + MOMENT)
    assert (breached.state, breached.breached_at) == ("BREACHED", deadline)
    assert breached.counting


def test_a_breached_clock_keeps_counting_its_lateness():
    """R-SLA-03."""
    clock = clock_of(started(MONDAY_9, 1), now=at("2026-03-02 11:00"))

    assert clock.state == "BREACHED"
    assert clock.counting
    assert (clock.elapsed_us, clock.remaining_us) == (hours(2), -hours(1))


def test_what_happens_after_a_breach_never_removes_it():
    """R-SLA-05: a longer target, a pause, completion, reopening, cancelling."""
    late = at("2026-03-02 11:00")
    for later in (retargeted(late, 40), paused(late), completed(late), cancelled(late)):
        clock = clock_of(started(MONDAY_9, 1), later, now=at("2026-03-02 17:00"))

        assert clock.state == "BREACHED", later.kind
        assert clock.breached_at == at("2026-03-02 10:00")


def test_an_earlier_event_recorded_late_overturns_a_breach():
    """R-SLA-05: the pause was there before the deadline, it was only told later."""
    now = at("2026-03-02 12:00")
    known = [started(MONDAY_9, 1), completed(at("2026-03-02 11:30"))]
    told_late = [paused(at("2026-03-02 09:30")), resumed(at("2026-03-02 11:15"))]

    old, new = clock_of(*known), clock_of(*known, *told_late)

    assert (old.state, new.state) == ("BREACHED", "MET")
    assert overturns(old, new, now)
    assert not overturns(new, old, now)
    assert not overturns(old, old, now)


def test_a_recomputation_does_not_overturn_a_breach_that_time_alone_has_brought():
    """R-SLA-05: folded anew without a later event, it is still past its deadline."""
    stored = clock_of(started(MONDAY_9, 1))
    now = at("2026-03-02 12:00")

    assert not overturns(as_of(stored, now), stored, now)


def test_a_corrected_calendar_recomputes_and_may_overturn():
    """R-SLA-05, R-SLA-10: the same events under another calendar."""
    events = [started(MONDAY_9, 1), completed(at("2026-03-03 09:30"))]
    closed = replace(CN, exceptions=(exception("2026-03-02"),))

    old, new = clock_of(*events), clock_of(*events, calendar=closed)

    assert (old.state, new.state) == ("BREACHED", "MET")
    assert new.elapsed_us == hours(0.5)
    assert overturns(old, new, at("2026-03-04 09:00"))


def test_a_pause_outside_working_hours_adds_nothing():
    """R-SLA-06."""
    plain = clock_of(started(MONDAY_9, 12))
    night = clock_of(
        started(MONDAY_9, 12), paused(at("2026-03-02 18:00")), resumed(at("2026-03-03 09:00"))
    )

    assert night.deadline == plain.deadline
    assert night.deadline_us == plain.deadline_us


def test_a_deadline_passed_while_paused_is_no_breach():
    """R-SLA-06."""
    events = [started(MONDAY_9, 1), paused(at("2026-03-02 09:59"))]
    later = at("2026-03-09 09:00")

    assert clock_of(*events, now=later).state == "PAUSED"
    assert as_of(clock_of(*events), later).state == "PAUSED"
    assert clock_of(*events, completed(later)).state == "MET"
    assert clock_of(*events, resumed(later)).deadline == at("2026-03-09 09:01")


def test_a_pause_exactly_at_the_deadline_leaves_no_time_and_no_breach():
    """R-SLA-04, R-SLA-06: resumed with nothing left, it is due at once."""
    events = [started(MONDAY_9, 1), paused(at("2026-03-02 10:00"))]
    monday = at("2026-03-09 09:00")

    assert clock_of(*events, resumed(monday), completed(monday)).state == "MET"
    assert clock_of(*events, resumed(monday), completed(monday + MOMENT)).state == "BREACHED"


def test_paused_and_completed_in_one_step_subtracts_the_pause_first():
    """R-SLA-07."""
    end = at("2026-03-02 17:00")

    for events in (
        [paused(at("2026-03-02 09:30")), completed(end)],
        [paused(at("2026-03-02 09:30")), completed(end), resumed(end)],
    ):
        clock = clock_of(started(MONDAY_9, 1), *events)
        assert (clock.state, clock.elapsed_us) == ("MET", hours(0.5))
        assert clock.deadline == end + timedelta(minutes=30)


def test_retargeting_keeps_elapsed_and_paused_time():
    """R-SLA-08."""
    clock = clock_of(
        started(MONDAY_9, 30),
        paused(at("2026-03-02 10:00")),
        resumed(at("2026-03-02 11:00")),
        retargeted(at("2026-03-02 12:00"), 4),
    )

    assert (clock.version, clock.elapsed_us, clock.remaining_us) == (2, hours(2), hours(2))
    assert clock.deadline == at("2026-03-02 15:30")


def test_retargeting_may_breach_at_once_at_the_instant_it_happens():
    """R-SLA-08: also while paused, if the time is already spent."""
    moment = at("2026-03-02 12:00")

    running = clock_of(started(MONDAY_9, 30), retargeted(moment, 2))
    waiting = clock_of(started(MONDAY_9, 30), paused(at("2026-03-02 11:30")), retargeted(moment, 2))
    exact = clock_of(started(MONDAY_9, 30), retargeted(moment, 3))

    assert (running.state, running.breached_at) == ("BREACHED", moment)
    assert (running.deadline, running.remaining_us) == (at("2026-03-02 11:00"), -hours(1))
    assert (waiting.state, waiting.breached_at) == ("BREACHED", moment)
    assert exact.state == "RUNNING"


def test_retargeting_to_the_same_promise_is_no_new_version():
    """R-SLA-08, R-ALM-02: nothing would warn anew."""
    moment = at("2026-03-02 10:00")

    assert clock_of(started(MONDAY_9, 8), retargeted(moment, 8)).version == 1
    assert clock_of(started(MONDAY_9, 8), retargeted(moment, 9)).version == 2


def test_retargeting_may_change_the_calendar_and_counts_from_the_start_on_the_new_one():
    """R-SLA-08, R-ENT-05: pauses respected."""
    events = [
        started(MONDAY_9, 8, calendar="cn"),
        paused(at("2026-03-02 11:00")),
        resumed(at("2026-03-02 15:00")),
        retargeted(at("2026-03-03 09:00"), 24, calendar="always"),
    ]

    clock = fold(events, CALENDARS.__getitem__)

    assert clock.calendar == "always"
    assert clock.elapsed_us == hours(20)
    assert clock.deadline == at("2026-03-03 13:00")


def test_without_a_target_a_clock_is_cancelled_and_a_new_target_counts_from_its_start():
    """R-SLA-08: what was spent meanwhile is kept."""
    none = retargeted(at("2026-03-02 10:00"), None)

    without = clock_of(started(MONDAY_9, 8), none, now=at("2026-03-02 17:00"))
    again = clock_of(started(MONDAY_9, 8), none, retargeted(at("2026-03-02 11:00"), 6))

    assert (without.state, without.deadline, without.elapsed_us) == ("CANCELLED", None, hours(1))
    assert without.cancelled_at == at("2026-03-02 10:00")
    assert not without.counting
    assert (again.state, again.version, again.elapsed_us) == ("RUNNING", 3, hours(2))
    assert again.deadline == at("2026-03-02 16:30")


def test_reopening_resumes_where_the_clock_stood():
    """R-SLA-09: the time solved is excluded."""
    clock = clock_of(
        started(MONDAY_9, 8),
        completed(at("2026-03-02 11:00")),
        reopened(at("2026-03-09 09:00")),
        now=at("2026-03-09 10:00"),
    )

    assert (clock.state, clock.version, clock.elapsed_us) == ("RUNNING", 2, hours(3))
    assert clock.completed_at is None
    assert clock.deadline == at("2026-03-09 16:30")


def test_a_reopened_clock_takes_the_target_set_while_it_was_solved():
    """R-SLA-08, R-SLA-09: the result of the first solution is not judged by it."""
    events = [started(MONDAY_9, 8), completed(at("2026-03-02 11:00"))]
    tighter = retargeted(at("2026-03-02 15:00"), 1)

    assert clock_of(*events, tighter).state == "MET"
    clock = clock_of(*events, tighter, reopened(at("2026-03-03 09:00")))
    assert (clock.state, clock.breached_at) == ("BREACHED", at("2026-03-03 09:00"))


def test_a_cancelled_clock_starts_anew_and_keeps_an_old_breach():
    """R-SLA-09, R-SLA-05: CLOSURE is new at the next delivery."""
    anew = [cancelled(at("2026-03-02 11:00")), started(at("2026-03-03 09:00"), 8)]

    fresh = clock_of(started(MONDAY_9, 8), *anew, now=at("2026-03-03 10:00"))
    late = clock_of(started(MONDAY_9, 1), *anew, now=at("2026-03-03 10:00"))

    assert (fresh.state, fresh.version, fresh.elapsed_us) == ("RUNNING", 2, hours(1))
    assert fresh.started_at == at("2026-03-03 09:00")
    assert late.state == "BREACHED"


def test_the_version_rises_on_start_retarget_and_reopen_only():
    """R-ALM-02."""
    day = "2026-03-02 "
    events = [
        started(MONDAY_9, 8),
        paused(at(day + "09:10")),
        paused(at(day + "09:20"), "SPARE_PART"),
        resumed(at(day + "09:30")),
        started(at(day + "09:40"), 3),
        retargeted(at(day + "10:00"), 6),
        completed(at(day + "11:00")),
        completed(at(day + "11:30")),
        reopened(at(day + "12:00")),
        reopened(at(day + "14:00")),
        cancelled(at(day + "15:00")),
    ]

    versions = [clock_of(*events[: number + 1]).version for number in range(len(events))]

    assert versions == [1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_another_reason_while_paused_is_one_pause_with_both_reasons():
    """R-REQ-03."""
    clock = clock_of(
        started(MONDAY_9, 8),
        paused(at("2026-03-02 10:00"), "CUSTOMER"),
        paused(at("2026-03-02 11:00"), "THIRD_PARTY"),
        paused(at("2026-03-02 11:30"), "CUSTOMER"),
    )

    assert clock.paused_since == at("2026-03-02 10:00")
    assert clock.pause_reasons == ("CUSTOMER", "THIRD_PARTY")
    assert clock.elapsed_us == hours(1)


def test_a_paused_clock_has_no_stored_deadline_but_one_as_if_it_resumed():
    """R-SLA-03."""
    events = [started(MONDAY_9, 8), paused(at("2026-03-02 12:00"))]
    stored = clock_of(*events)
    now = at("2026-03-04 09:00")

    assert (stored.deadline, stored.base_us, stored.deadline_us) == (None, None, None)
    assert stored.remaining_us == hours(5)
    assert deadline_if_resumed(stored, cn, now) == at("2026-03-04 15:30")
    assert clock_of(*events, now=now).deadline == at("2026-03-04 15:30")


def test_events_at_one_instant_count_in_the_fixed_order():
    """R-SLA-02: started, reopened, retargeted, paused, resumed, completed, cancelled."""
    done = [completed(MONDAY_9), started(MONDAY_9, 8), paused(MONDAY_9), retargeted(MONDAY_9, 4)]

    clock = clock_of(*done)

    assert (clock.state, clock.target, clock.elapsed_us) == ("MET", Target(us=4 * HOUR), 0)
    assert clock_of(*done, cancelled(MONDAY_9)).state == "CANCELLED"


def test_of_retargets_at_one_instant_the_sequence_tells_else_the_tightest_wins():
    """R-SLA-02."""
    moment = at("2026-03-02 10:00")

    told = clock_of(
        started(MONDAY_9, 8), retargeted(moment, 4, sequence=1), retargeted(moment, 6, sequence=2)
    )
    untold = clock_of(started(MONDAY_9, 8), retargeted(moment, 4), retargeted(moment, 6))

    assert told.target == Target(us=6 * HOUR)
    assert untold.target == Target(us=4 * HOUR)


def test_events_before_the_start_and_without_a_meaning_change_nothing():
    """R-SLA-02."""
    plain = clock_of(started(MONDAY_9, 8), now=at("2026-03-02 12:00"))
    noise = [
        paused(at("2026-03-01 10:00")),
        retargeted(at("2026-03-01 11:00"), 1),
        resumed(at("2026-03-02 10:00")),
        reopened(at("2026-03-02 10:30")),
    ]

    assert clock_of(started(MONDAY_9, 8), *noise, now=at("2026-03-02 12:00")) == plain


def test_events_given_in_one_zone_are_ordered_by_instant_not_by_wall_clock():
    """R-CAL-02, R-SLA-02: 01:30 comes twice on 2026-11-01 in New York."""
    first, second = (
        at("2026-11-01 01:30", "America/New_York").replace(fold=fold_of) for fold_of in (0, 1)
    )

    clock = clock_of(started(second, 8), completed(first), calendar=ALWAYS)
    right = clock_of(started(first, 8), completed(second), calendar=ALWAYS)

    assert clock.completed_at is None
    assert right.elapsed_us == HOUR


def test_a_target_in_working_days_is_due_that_many_dates_later():
    """R-CAL-04, R-SLA-02: what is left of a day is a share of it."""
    five = started(MONDAY_9, Target(days=5))
    midday = at("2026-03-03 12:45")

    clock = clock_of(five, now=midday)
    waited = clock_of(five, paused(midday), resumed(at("2026-03-04 09:00")))

    assert clock.deadline == at("2026-03-06 18:00")
    assert clock.remaining_days == Fraction(18, 5)
    assert waited.deadline == at("2026-03-09 15:00")
    assert waited.deadline_us - waited.base_us == hours(37.5)
    assert remaining_at(waited, cn, at("2026-03-09 12:00")) == hours(1.5)
    assert clock_of(five, completed(at("2026-03-06 18:00"))).state == "MET"
    assert clock_of(five, completed(at("2026-03-06 18:00") + MOMENT)).state == "BREACHED"


def test_a_target_in_days_that_is_retargeted_to_hours_is_counted_anew_in_hours():
    """R-CAL-04, R-SLA-08."""
    clock = clock_of(started(MONDAY_9, Target(days=5)), retargeted(at("2026-03-03 09:00"), 8))

    assert (clock.elapsed_us, clock.remaining_us) == (hours(7.5), hours(0.5))
    assert clock.deadline == at("2026-03-03 09:30")


def test_a_late_target_in_days_tells_its_lateness_without_the_pauses():
    """R-SLA-03, R-CAL-04."""
    clock = clock_of(
        started(MONDAY_9, Target(days=1)),
        paused(at("2026-03-03 10:00")),
        resumed(at("2026-03-03 15:00")),
        now=at("2026-03-03 16:00"),
    )

    assert clock.state == "BREACHED"
    assert (clock.deadline, clock.remaining_us) == (at("2026-03-02 18:00"), -hours(2))
    assert clock.deadline_us - cn.position_us(at("2026-03-03 16:00")) == -hours(2)


def test_a_target_is_one_of_time_or_days_and_not_negative():
    """R-CAL-04."""
    for wrong in ({}, {"us": 1, "days": 1}, {"us": -1}, {"days": -1}):
        with pytest.raises(ValueError, match="target"):
            Target(**wrong)


def test_a_deadline_nobody_can_compute_is_an_error():
    """R-CAL-02."""
    with pytest.raises(BeyondCalendar):
        clock_of(started(MONDAY_9, 10**9))


def test_a_provisional_deadline_is_marked_until_the_clock_is_completed():
    """R-CAL-03."""
    start = at("2099-12-30 09:00")
    events = [started(start, 40)]

    assert clock_of(*events).provisional
    assert not clock_of(*events, completed(start)).provisional
    assert not clock_of(started(MONDAY_9, 40)).provisional


def test_alarms_are_due_at_their_share_and_the_breach_a_microsecond_after_the_deadline():
    """R-ALM-01, R-ALM-02."""
    clock = clock_of(started(MONDAY_9, 4))

    assert [
        (alarm.percent, alarm.at) for alarm in due_levels(clock, cn, 0, at("2026-03-03 09:00"))
    ] == [
        (50, at("2026-03-02 11:00")),
        (75, at("2026-03-02 12:00")),
        (90, at("2026-03-02 14:06")),
        (100, at("2026-03-02 14:30")),
    ]
    assert next_alarm(clock, cn, 0).due_at == at("2026-03-02 11:00")
    assert next_alarm(clock, cn, 90).due_at == at("2026-03-02 14:30") + MOMENT
    assert next_alarm(clock, cn, 100) is None
    assert [alarm.percent for alarm in due_levels(clock, cn, 50, at("2026-03-02 14:30"))] == [
        75,
        90,
    ]


def test_nothing_is_due_while_paused_completed_or_cancelled():
    """R-ALM-02."""
    moment = at("2026-03-02 10:00")
    for end in (paused(moment), completed(moment), cancelled(moment)):
        clock = clock_of(started(MONDAY_9, 4), end)

        assert next_alarm(clock, cn, 0) is None
        assert due_levels(clock, cn, 0, at("2027-01-04 09:00")) == []


def test_an_alarm_missed_before_a_pause_keeps_its_original_due_time():
    """R-ALM-02: after an outage it fires late, as of then."""
    clock = clock_of(
        started(MONDAY_9, 4), paused(at("2026-03-02 11:30")), resumed(at("2026-03-03 09:00"))
    )

    assert next_alarm(clock, cn, 0).due_at == at("2026-03-02 11:00")
    assert next_alarm(clock, cn, 50).due_at == at("2026-03-03 09:30")


def test_levels_passed_before_a_version_began_are_due_when_it_begins():
    """R-SLA-08, R-ALM-02: one notification, the highest."""
    moment = at("2026-03-02 12:00")
    clock = clock_of(started(MONDAY_9, 30), retargeted(moment, 2))

    due = due_levels(clock, cn, 0, moment)

    assert [alarm.percent for alarm in due] == [50, 75, 90, 100]
    assert {alarm.due_at for alarm in due} == {moment}


def test_levels_passed_by_a_retarget_while_paused_are_due_on_resuming():
    """R-ALM-02: nothing fires while paused."""
    events = [
        started(MONDAY_9, 30),
        paused(at("2026-03-02 11:00")),
        retargeted(at("2026-03-02 12:00"), 3),
    ]
    back = at("2026-03-03 09:00")

    assert next_alarm(clock_of(*events), cn, 0) is None
    assert next_alarm(clock_of(*events, resumed(back)), cn, 0).due_at == back


def test_alarms_of_a_target_in_days_are_shares_of_days():
    """R-CAL-04, R-ALM-01: half of five days is two and a half."""
    clock = clock_of(started(MONDAY_9, Target(days=5)))

    assert next_alarm(clock, cn, 0).at == at("2026-03-04 14:15")
    assert next_alarm(clock, cn, 90).at == at("2026-03-06 18:00")


def test_alarms_follow_from_a_stored_row_alone():
    """R-ALM-02: the worker has the row, not the stretches."""
    for target in (4, Target(days=5)):
        full = clock_of(started(MONDAY_9, target))
        row = replace(full, stretches=())

        for level in (0, 50, 75, 90):
            assert next_alarm(row, cn, level) == next_alarm(full, cn, level)


def test_explain_names_every_interval_and_its_reason():
    """R-SLA-11."""
    events = [
        started(at("2026-02-14 17:00"), 40),
        paused(at("2026-02-24 10:00"), "CUSTOMER"),
        paused(at("2026-02-24 11:00"), "SPARE_PART"),
        resumed(at("2026-02-24 12:00")),
        completed(at("2026-02-24 14:00")),
        reopened(at("2026-02-24 16:00")),
    ]

    found = explain(events, lambda _: cn, at("2026-02-24 17:00"))

    assert [(i.reason, i.start.astimezone(cn.zone).strftime("%m-%d %H:%M")) for i in found] == [
        ("WORKING", "02-14 17:00"),
        ("OUTSIDE_HOURS", "02-14 18:00"),
        ("HOLIDAY", "02-16 00:00"),
        ("OUTSIDE_HOURS", "02-21 00:00"),
        ("HOLIDAY", "02-23 00:00"),
        ("OUTSIDE_HOURS", "02-24 00:00"),
        ("WORKING", "02-24 09:00"),
        ("PAUSED:CUSTOMER", "02-24 10:00"),
        ("PAUSED:SPARE_PART", "02-24 11:00"),
        ("OUTSIDE_HOURS", "02-24 12:00"),
        ("WORKING", "02-24 13:30"),
        ("SOLVED", "02-24 14:00"),
        ("WORKING", "02-24 16:00"),
    ]
    assert [interval.reason for interval in found if interval.counted] == ["WORKING"] * 4
    assert found[-1].end == at("2026-02-24 17:00")


def test_pages_of_explain_are_the_whole_of_it():
    """13, R-SLA-11: each page leads to the next, whatever the story and the size of a page."""
    events = [
        started(MONDAY_9, 8),
        paused(at("2026-03-03 15:00")),
        resumed(at("2026-03-05 10:00")),
    ]
    until = at("2026-04-09 10:00")
    whole = explain(events, lambda _: cn, until)

    for size in (1, 2, 7, 100):
        paged, after = [], None
        while page := explain(events, lambda _: cn, until, after=after, first=size):
            assert len(page) <= size
            paged, after = paged + page, page[-1].end
        assert paged == whole
    assert explain(events, lambda _: cn, until, first=0) == []


def test_a_long_story_is_left_off_when_its_time_is_up():
    """V4."""
    always_closed = replace(CN, shifts=(Shift(0, "09:00", "09:01"),), country_holidays=None)
    events = [started(at("1900-03-05 09:00"), 8)]
    budget = TimeBudget(0)

    with pytest.raises(TooLongAStory):
        budget.spend(lambda: explain(events, lambda _: calendar_of(always_closed), MONDAY_9))

    assert len(explain(events, lambda _: calendar_of(always_closed), MONDAY_9, first=3)) == 3


def test_explain_ends_with_the_clock():
    """R-SLA-11."""
    end = at("2026-03-02 10:00")
    for last in (completed(end), cancelled(end), retargeted(end, None)):
        found = explain([started(MONDAY_9, 8), last], lambda _: cn, at("2026-03-09 10:00"))

        assert found[-1].end == end


def test_explain_of_an_always_open_calendar_is_one_interval():
    """R-SLA-11."""
    found = explain([started(MONDAY_9, 8)], lambda _: CALENDARS["always"], at("2026-03-09 10:00"))

    assert [interval.reason for interval in found] == ["WORKING"]


def test_a_simulation_shows_alarms_as_of_its_instant():
    """R-ALM-01, R-SLA-11: fired, to come, and unknown while paused."""
    events = [started(MONDAY_9, 4), paused(at("2026-03-02 11:30"), "CUSTOMER")]
    point = at("2026-03-02 11:00")

    running = simulate(events, cn, at=point)
    waiting = simulate(events, cn, at=at("2026-03-02 17:00"))

    assert running.alarms[0] == SimulatedAlarm(50, point, fired=True)
    assert running.alarms[3] == SimulatedAlarm(100, at("2026-03-02 14:30"), fired=False)
    assert running.next_alarm_at == at("2026-03-02 12:00")
    assert waiting.alarms[0] == SimulatedAlarm(50, point, fired=True)
    assert {alarm.at for alarm in waiting.alarms[1:]} == {None}
    assert waiting.next_alarm_at is None
    assert waiting.clock.deadline == at("2026-03-03 09:30")
    assert waiting.explain()[-1].reason == "PAUSED:CUSTOMER"


def test_a_simulated_breach_fires_strictly_after_the_deadline():
    """R-SLA-04, R-ALM-02."""
    deadline = at("2026-03-02 14:30")

    before = simulate([started(MONDAY_9, 4)], cn, at=deadline)
    after = simulate([started(MONDAY_9, 4)], cn, at=deadline + MOMENT)

    assert (before.alarms[3].fired, after.alarms[3].fired) == (False, True)
    assert before.next_alarm_at == after.alarms[3].at == deadline
    assert (before.clock.state, after.clock.state) == ("RUNNING", "BREACHED")
    assert after.next_alarm_at is None


def test_a_simulation_ignores_events_after_its_instant_and_keeps_fired_alarms_of_the_cancelled():
    """R-SLA-02, R-ALM-02."""
    events = [started(MONDAY_9, 4), cancelled(at("2026-03-02 11:30"))]

    earlier = simulate(events, cn, at=MONDAY_9)
    later = simulate(events, cn, at=at("2026-03-02 17:00"), percents=(25, 60))

    assert earlier.clock.state == "RUNNING"
    assert later.clock.state == "CANCELLED"
    assert later.alarms == (
        SimulatedAlarm(25, at("2026-03-02 10:00"), fired=True),
        SimulatedAlarm(60, at("2026-03-02 11:24"), fired=True),
    )


def test_an_event_without_a_reason_pauses_all_the_same():
    """R-SLA-11."""
    events = [started(MONDAY_9, 4), event("PAUSED", at("2026-03-02 10:00"))]

    assert (
        simulate(events, cn, at=at("2026-03-02 11:00")).explain()[-1].reason == "PAUSED:UNSPECIFIED"
    )
