"""Clocks as laws: what holds for any history of events (R-SLA-02, 05, 11, R-ALM-02)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itr.sla.alarms import alarm_points, alarm_times, due_levels, next_alarm
from itr.sla.clock import (
    ClockEvent,
    Target,
    as_of,
    deadline_if_resumed,
    elapsed_at,
    fold,
    remaining_at,
)
from itr.sla.explain import explain
from itr.sla.simulation import simulate
from itr.sla.terms import ClockEventKind, ClockState
from itr.sla.working_time import calendar_of
from tests.rules.sla.sla_words import ALWAYS, CN, HOUR, NINE_TO_FIVE

CALENDARS = {"cn": calendar_of(CN), "utc": calendar_of(NINE_TO_FIVE), "always": calendar_of(ALWAYS)}
MONDAY = datetime(2026, 2, 9, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
laws = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

quarters = st.integers(0, 14 * 24 * 4).map(lambda number: MONDAY + timedelta(minutes=15 * number))
targets = st.one_of(
    st.integers(0, 60).map(lambda number: Target(us=number * HOUR)),
    st.integers(0, 8).map(lambda number: Target(days=number)),
)
calendars = st.sampled_from(["cn", "utc", "always"])
later_events = st.one_of(
    st.builds(
        ClockEvent,
        quarters,
        st.just(ClockEventKind.RETARGETED),
        target=st.one_of(targets, targets, st.none()),
        calendar=st.one_of(st.none(), calendars),
    ),
    st.builds(
        ClockEvent,
        quarters,
        st.just(ClockEventKind.PAUSED),
        reason=st.sampled_from(["CUSTOMER", "THIRD_PARTY"]),
    ),
    st.builds(
        ClockEvent,
        quarters,
        st.just(ClockEventKind.RESUMED),
        reason=st.sampled_from([None, "CUSTOMER", "THIRD_PARTY"]),
    ),
    st.builds(
        ClockEvent,
        quarters,
        st.sampled_from(
            [
                ClockEventKind.COMPLETED,
                ClockEventKind.REOPENED,
                ClockEventKind.CANCELLED,
            ]
        ),
    ),
    st.builds(
        ClockEvent,
        quarters,
        st.just(ClockEventKind.STARTED),
        target=targets,
        calendar=calendars,
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> list[ClockEvent]:
    """A start and up to nine things that happen later, or before it."""
    start = ClockEvent(
        draw(quarters),
        ClockEventKind.STARTED,
        target=draw(targets),
        calendar=draw(calendars),
    )
    return [start, *draw(st.lists(later_events, max_size=9))]


def _until(history: list[ClockEvent]) -> datetime:
    return max(event.at for event in history)


@laws
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_events_come_never_matters(history, random):
    """R-SLA-02."""
    shuffled = random.sample(history, len(history))

    assert fold(shuffled, CALENDARS.__getitem__) == fold(history, CALENDARS.__getitem__)


@laws
@given(histories(), quarters)
def test_events_after_the_instant_asked_for_make_no_difference(history, now):
    """R-SLA-02: what comes later cannot reach back."""
    known = [event for event in history if event.at <= now]
    if not any(event.kind is ClockEventKind.STARTED for event in known):
        return

    assert fold(history, CALENDARS.__getitem__, at=now) == fold(
        known, CALENDARS.__getitem__, at=now
    )


@laws
@given(histories())
def test_a_breach_is_never_removed_by_what_happens_later(history):
    """R-SLA-05: event by event, in the order they happen."""
    breached_at = None
    times = sorted({event.at for event in history})
    first = min(event.at for event in history if event.kind is ClockEventKind.STARTED)
    for now in times:
        if now < first:
            continue
        clock = fold(history, CALENDARS.__getitem__, at=now)
        if breached_at is not None:
            assert clock.breached_at == breached_at
            assert clock.state is ClockState.BREACHED
        breached_at = clock.breached_at


@laws
@given(histories(), st.integers(0, 20 * 24 * 60))
def test_a_stored_clock_read_later_is_the_clock_folded_later(history, minutes):
    """R-SLA-03: what is stored suffices until the next event."""
    stored = fold(history, CALENDARS.__getitem__)
    now = _until(history) + timedelta(minutes=minutes)
    calendar = CALENDARS[stored.calendar]

    live = fold(history, CALENDARS.__getitem__, at=now)
    read = as_of(stored, now)

    assert (read.state, read.breached_at, read.version) == (
        live.state,
        live.breached_at,
        live.version,
    )
    assert elapsed_at(stored, calendar, now) == live.elapsed_us
    if stored.paused_since is None or stored.target is None or stored.target.us is not None:
        assert remaining_at(stored, calendar, now) == live.remaining_us
    assert deadline_if_resumed(stored, calendar, now) == live.deadline
    assert stored.base_us == live.base_us
    assert stored.deadline_us == live.deadline_us


@laws
@given(histories(), quarters)
def test_the_intervals_of_explain_touch_and_add_up_to_the_clock(history, now):
    """R-SLA-11: to the microsecond."""
    if not any(e.kind is ClockEventKind.STARTED and e.at <= now for e in history):
        return
    clock = fold(history, CALENDARS.__getitem__, at=now)

    found = explain(history, CALENDARS.__getitem__, now)

    counted = sum((i.end - i.start for i in found if i.counted), timedelta())
    assert counted // MOMENT == clock.elapsed_us
    assert all(interval.start < interval.end for interval in found)
    assert all(a.end == b.start for a, b in pairwise(found))
    assert all((a.reason, a.waits_for) != (b.reason, b.waits_for) for a, b in pairwise(found))
    if found:
        assert found[0].start == clock.started_at
        assert found[-1].end == (clock.cancelled_at or clock.completed_at or now)
    assert all(i.counted == (i.reason == "WORKING") for i in found)


def _as_one_pause(history: list[ClockEvent]) -> list[ClockEvent]:
    """What reasons that overlap come to: each pause told once, ended bare by its last reason."""
    ordered = sorted(history, key=lambda it: (it.at, list(ClockEventKind).index(it.kind)))
    told: list[ClockEvent] = []
    reasons: set[str] = set()
    stand: ClockEventKind | None = None
    for event in ordered:
        kind = event.kind
        if kind is ClockEventKind.PAUSED and stand is ClockEventKind.STARTED:
            told += [] if reasons else [event]
            reasons.add(str(event.reason))
            continue
        if kind is ClockEventKind.RESUMED:
            if event.reason is None or reasons <= {event.reason}:
                told.append(replace(event, reason=None))
                reasons = set()
            reasons.discard(str(event.reason))
            continue
        told.append(event)
        begins = kind is ClockEventKind.STARTED and stand in (None, ClockEventKind.CANCELLED)
        again = kind is ClockEventKind.REOPENED and stand is ClockEventKind.COMPLETED
        ends = kind is ClockEventKind.COMPLETED and stand is ClockEventKind.STARTED
        if begins or again or ends or (stand and kind is ClockEventKind.CANCELLED):
            reasons = set()
            stand = ClockEventKind.STARTED if begins or again else kind
    return told


@laws
@given(histories())
def test_reasons_that_overlap_are_one_pause(history):
    """R-REQ-03: it stands while any of them is open; histories of one reason fold as ever."""
    clock = fold(history, CALENDARS.__getitem__)

    as_one = fold(_as_one_pause(history), CALENDARS.__getitem__)

    assert replace(clock, pause_reasons=()) == replace(as_one, pause_reasons=())


@laws
@given(histories())
def test_a_counting_clock_breaches_exactly_after_its_deadline(history):
    """R-SLA-04."""
    clock = fold(history, CALENDARS.__getitem__)
    if not clock.counting or clock.breached_at is not None or clock.deadline is None:
        return
    start = max(clock.deadline, _until(history))

    done = ClockEvent(clock.deadline, ClockEventKind.COMPLETED)
    late = replace(done, at=clock.deadline + MOMENT)

    assert start == clock.deadline
    assert fold([*history, done], CALENDARS.__getitem__).state is ClockState.MET
    assert fold([*history, late], CALENDARS.__getitem__).breached_at == clock.deadline


@laws
@given(histories(), quarters, st.sampled_from([0, 50, 75, 90]))
def test_alarms_are_due_in_order_and_only_once_per_level(history, now, fired):
    """R-ALM-02: what is due now is what was to come, in the order of the levels."""
    clock = fold(history, CALENDARS.__getitem__)
    calendar = CALENDARS[clock.calendar]

    due = due_levels(clock, calendar, fired, now)
    every = alarm_times(clock, calendar)
    following = next_alarm(clock, calendar, fired)

    assert [alarm.due_at for alarm in every] == sorted(alarm.due_at for alarm in every)
    assert all(alarm.due_at >= clock.version_since for alarm in every)
    assert all(alarm.percent > fired and alarm.due_at <= now for alarm in due)
    assert bool(due) == (following is not None and following.due_at <= now)
    if due:
        assert following == due[0]


@laws
@given(histories(), quarters)
def test_an_alarm_fires_in_a_simulation_when_its_share_is_spent(history, now):
    """R-ALM-01: for a clock of one version, fired is elapsed ≥ share, 100 % strictly more."""
    if not any(e.kind is ClockEventKind.STARTED and e.at <= now for e in history):
        return
    calendar = CALENDARS["always"]
    simulated = simulate(history, calendar, at=now)
    clock = simulated.clock
    assert len(simulated.alarms) == 4
    if clock.version > 1 or clock.target is None or clock.target.us is None:
        return

    for alarm in simulated.alarms:
        share = clock.target.us * alarm.percent // 100
        if clock.elapsed_us != share:
            assert alarm.fired == (clock.elapsed_us > share)
        elif alarm.percent == 100:
            assert not alarm.fired
    assert alarm_points(clock, calendar, (100,)) or clock.cancelled_at or clock.deadline is None
