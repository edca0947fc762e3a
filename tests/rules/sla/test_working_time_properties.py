"""Working time as laws: what holds for any calendar, zone and instant (R-CAL-01, 02, 04)."""

from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itr.sla.calendars import CalendarDefinition, DayPlans, Shift
from itr.sla.working_time import WorkingCalendar, calendar_of
from tests.rules.sla.sla_words import ALWAYS, CN, HOUR, MINUTE, exception

ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Chatham",
)
CHANGES = {
    "Europe/Berlin": ("2026-03-29 01:00", "2026-10-25 01:00"),
    "America/New_York": ("2026-03-08 07:00", "2026-11-01 06:00"),
    "America/St_Johns": ("2026-03-08 05:30", "2026-11-01 04:30"),
    "America/Santiago": ("2026-04-05 03:00", "2026-09-06 04:00"),
    "Australia/Lord_Howe": ("2026-04-04 15:00", "2026-10-03 15:30"),
    "Africa/Casablanca": ("2026-02-15 02:00", "2026-03-22 02:00"),
    "Pacific/Chatham": ("2026-04-04 14:00", "2026-09-26 14:00"),
}
ORDINARY = ("2026-02-13 12:00", "2026-12-31 23:00")
MINUTE_OF = timedelta(minutes=1)
slow = [HealthCheck.too_slow]
laws = settings(max_examples=25, deadline=None, suppress_health_check=slow)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


@st.composite
def definitions(draw: st.DrawFn, zone: str | None = None) -> CalendarDefinition:
    """Any valid calendar: up to two shifts a day, nights, an exception."""
    shifts = []
    for weekday in range(7):
        cuts = sorted(draw(st.lists(st.integers(0, 96), max_size=4, unique=True)))
        shifts += [
            Shift(weekday, _time(opens * 15), _time(closes * 15))
            for opens, closes in zip(cuts[::2], cuts[1::2], strict=False)
        ]
    exceptions = (exception("2026-03-08", ("01:15", "04:45")), exception("2026-11-02"))
    definition = CalendarDefinition(
        zone or draw(st.sampled_from(ZONES)),
        tuple(shifts) or (Shift(3, "23:00", "01:30"),),
        country_holidays=draw(st.sampled_from([None, "CN"])),
    )
    night = Shift(draw(st.integers(0, 6)), "23:00", "01:30")
    for richer in (
        replace(definition, shifts=(*definition.shifts, night)),
        replace(definition, exceptions=exceptions),
    ):
        if draw(st.booleans()) and not richer.problems():
            definition = richer
    return definition


calendars = st.one_of(definitions(), st.sampled_from([CN, ALWAYS])).map(calendar_of)
instants = st.integers(0, 485 * 24 * HOUR).map(
    lambda microseconds: datetime(2025, 11, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
amounts = st.integers(1, 400 * HOUR)


def _slow_counter(calendar: WorkingCalendar, start: datetime, end: datetime) -> int:
    """Minutes, one by one, that the wall clock shows inside a shift of that day or the last."""
    counted, now = 0, start
    while now < end:
        counted += _shows_working_time(calendar, now)
        now += MINUTE_OF
    return counted


def _shows_working_time(calendar: WorkingCalendar, now: datetime) -> bool:
    local = now.astimezone(calendar.zone)
    minute = local.hour * 60 + local.minute
    today = local.toordinal()
    return any(opens <= minute < closes for opens, closes in _spans(calendar, today)) or any(
        opens <= minute + 1440 < closes for opens, closes in _spans(calendar, today - 1)
    )


@lru_cache(maxsize=4096)
def _spans(calendar: WorkingCalendar, ordinal: int) -> tuple[tuple[int, int], ...]:
    return calendar.plans.spans_of(ordinal)


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=10, deadline=None, suppress_health_check=slow)
@given(data=st.data())
def test_working_time_equals_a_minute_by_minute_count(zone, data):
    """R-CAL-02: in ten zones, across their daylight-saving changes and make-up days."""
    calendar = calendar_of(data.draw(definitions(zone)))
    change = _instant(data.draw(st.sampled_from(CHANGES.get(zone, ()) + ORDINARY)))
    start = change - MINUTE_OF * data.draw(st.integers(0, 1440))
    end = change + MINUTE_OF * data.draw(st.integers(0, 1440))

    counted = _slow_counter(calendar, start, end)

    assert calendar.elapsed(start, end) == counted * MINUTE
    if counted:
        reached = calendar.add(start, counted * MINUTE)
        assert reached <= end
        assert _shows_working_time(calendar, reached - MINUTE_OF)


@laws
@given(calendars, instants, amounts)
def test_elapsed_undoes_add(calendar, start, amount):
    """R-CAL-02: to the microsecond, both ways."""
    forward, backward = calendar.add(start, amount), calendar.add(start, -amount)

    assert calendar.elapsed(start, forward) == amount
    assert calendar.elapsed(backward, start) == amount
    assert calendar.elapsed(start, backward) == -amount


@laws
@given(calendars, instants, amounts)
def test_the_deadline_is_the_earliest_instant_and_backwards_the_latest(calendar, start, amount):
    """R-CAL-02."""
    moment = timedelta(microseconds=1)

    assert calendar.elapsed(start, calendar.add(start, amount) - moment) == amount - 1
    assert calendar.elapsed(calendar.add(start, -amount) + moment, start) == amount - 1


@laws
@given(calendars, instants, instants)
def test_add_undoes_elapsed_where_work_goes_on(calendar, start, end):
    """R-CAL-02."""
    first, last = sorted((start, end))
    passed = calendar.elapsed(first, last)

    reached = calendar.add(first, passed)

    assert reached == (calendar.prev_open(last) if passed else first)


@laws
@given(calendars, st.lists(instants, min_size=3, max_size=3))
def test_elapsed_adds_up_over_splits_and_never_falls(calendar, times):
    """R-CAL-02."""
    first, second, third = sorted(times)

    parts = calendar.elapsed(first, second), calendar.elapsed(second, third)

    assert sum(parts) == calendar.elapsed(first, third)
    assert all(part >= 0 for part in parts)
    assert calendar.elapsed(first, third) <= (third - first) // timedelta(microseconds=1)


@laws
@given(calendars, instants, amounts, amounts)
def test_adding_twice_is_adding_the_sum(calendar, start, one, other):
    """R-CAL-02."""
    assert calendar.add(calendar.add(start, one), other) == calendar.add(start, one + other)
    assert calendar.add(start, one) < calendar.add(start, one + other)


@laws
@given(calendars, instants, instants, amounts)
def test_a_later_start_is_never_due_earlier(calendar, one, other, amount):
    """R-CAL-02."""
    earlier, later = sorted((one, other))

    assert calendar.add(earlier, amount) <= calendar.add(later, amount)


@laws
@given(calendars, instants, st.fractions(Fraction(1, 100), 40, max_denominator=400))
def test_days_added_have_passed_and_a_microsecond_before_had_not(calendar, start, days):
    """R-CAL-04."""
    reached = calendar.add_days(start, days)

    assert calendar.elapsed_days(start, reached) >= days
    assert calendar.elapsed_days(start, reached - timedelta(microseconds=1)) < days


@laws
@given(calendars, instants, instants)
def test_whole_days_are_the_dates_with_a_shift(calendar, one, other):
    """R-CAL-04: counted one by one."""
    first = min(one, other).astimezone(calendar.zone).replace(hour=12, minute=0)
    last = max(one, other).astimezone(calendar.zone).replace(hour=12, minute=0)
    spans = list(calendar.spans(first - timedelta(days=3), last + timedelta(days=3)))
    starts = [span.starts_at for span in spans]
    position = calendar.day_position(last) - calendar.day_position(first)

    dates = {
        span.before_days for span in spans[bisect_right(starts, first) : bisect_right(starts, last)]
    }

    assert abs(position - len(dates)) < 2


@laws
@given(definitions().map(calendar_of), instants)
def test_openings_and_closings_enclose_working_time(calendar, now):
    """R-CAL-02."""
    opens, closes = calendar.next_open(now), calendar.next_close(now)

    assert now <= opens < closes
    assert calendar.is_open(opens)
    assert not calendar.is_open(closes)
    assert calendar.elapsed(now, closes) == (closes - opens) // timedelta(microseconds=1)
    assert calendar.elapsed(calendar.prev_open(now), now) == 0


@laws
@given(definitions(zone="Asia/Shanghai"), st.sampled_from(["2026-02-14", "2026-02-28"]))
def test_a_make_up_day_is_worked_at_least_as_its_own_weekday(
    definition: CalendarDefinition, day: str
) -> None:
    """20, R-CAL-01: and at least as Monday, whatever the week is like."""
    worked = replace(definition, country_holidays="CN", exceptions=())
    plain, made_up = replace(worked, make_up_days=False), worked
    ordinal = datetime.fromisoformat(day).toordinal()

    def length(calendar: CalendarDefinition, ordinal: int) -> int:
        return sum(closes - opens for opens, closes in DayPlans(calendar).spans_of(ordinal))

    monday = datetime(2026, 3, 9, tzinfo=UTC).toordinal()
    assert length(made_up, ordinal) == max(length(plain, ordinal), length(plain, monday))
