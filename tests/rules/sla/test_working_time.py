"""Working time: shifts, exceptions, holidays, days and hours, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from time import perf_counter

import pytest

from itr.sla.calendars import CalendarDefinition, CalendarProblem, InvalidCalendar, Shift
from itr.sla.public_holidays import first_unpublished_year
from itr.sla.working_time import BeyondCalendar, WorkingCalendar, calendar_of
from tests.rules.sla.sla_words import (
    ALWAYS,
    CN,
    HOUR,
    NINE_TO_FIVE,
    at,
    cn,
    exception,
    hours,
    utc,
    weekly,
)

NIGHTS = CalendarDefinition("Asia/Shanghai", weekly(("22:00", "06:00")))


def codes(definition: CalendarDefinition) -> list[tuple[str, tuple[str | int, ...]]]:
    return [(problem.code, problem.path) for problem in definition.problems()]


def test_a_lunch_break_is_not_counted():
    """R-CAL-01."""
    assert cn.add(at("2026-03-05 11:30"), hours(1)) == at("2026-03-05 14:00")
    assert cn.elapsed(at("2026-03-05 11:00"), at("2026-03-05 14:00")) == hours(1.5)


def test_a_deadline_on_a_shifts_end_is_that_end_and_not_the_next_start():
    """R-CAL-02."""
    assert cn.add(at("2026-03-05 09:00"), hours(3)) == at("2026-03-05 12:00")
    assert cn.add(at("2026-03-06 17:00"), hours(1)) == at("2026-03-06 18:00")


def test_backwards_a_shifts_start_is_that_start_and_not_the_end_before():
    """R-CAL-02."""
    assert cn.add(at("2026-03-05 10:00"), -hours(1)) == at("2026-03-05 09:00")
    assert cn.add(at("2026-03-05 09:00"), -hours(1)) == at("2026-03-04 17:00")


def test_nothing_added_is_the_instant_itself_also_outside_hours():
    """R-CAL-02."""
    night = at("2026-03-05 23:00")

    assert cn.add(night, 0) == night
    assert cn.add_days(night, 0) == night
    assert cn.add(night, 1) == at("2026-03-06 09:00") + timedelta(microseconds=1)


def test_a_night_shift_belongs_to_the_day_it_starts():
    """R-CAL-01: Friday's night runs into Saturday, Sunday's night does not exist."""
    nights = calendar_of(NIGHTS)

    assert nights.add(at("2026-03-06 23:00"), hours(7)) == at("2026-03-07 06:00")
    assert nights.add(at("2026-03-06 23:00"), hours(8)) == at("2026-03-09 23:00")
    assert nights.elapsed_days(at("2026-03-06 22:00"), at("2026-03-07 06:00")) == 1


def test_a_make_up_day_has_mondays_shifts_unless_an_exception_says_otherwise():
    """R-CAL-01, R-CAL-03: 2026-02-14 is a Saturday worked for Spring Festival."""
    half = calendar_of(replace(CN, exceptions=(exception("2026-02-14", ("10:00", "12:00")),)))

    assert cn.elapsed(at("2026-02-14 00:00"), at("2026-02-15 00:00")) == hours(7.5)
    assert half.elapsed(at("2026-02-14 00:00"), at("2026-02-15 00:00")) == hours(2)


def test_a_customer_may_opt_out_of_make_up_days_and_keeps_the_holidays():
    """R-CAL-03."""
    relaxed = calendar_of(replace(CN, make_up_days=False))

    assert relaxed.elapsed(at("2026-02-14 00:00"), at("2026-02-15 00:00")) == 0
    assert relaxed.elapsed(at("2026-02-16 00:00"), at("2026-02-23 00:00")) == 0
    assert relaxed.next_open(at("2026-02-13 18:00")) == at("2026-02-24 09:00")


def test_a_process_manager_corrects_a_holiday_with_an_exception():
    """R-CAL-03: an exception overrules the library, both ways."""
    corrected = calendar_of(
        replace(
            CN, exceptions=(exception("2026-02-16", ("09:00", "12:00")), exception("2026-03-05"))
        )
    )

    assert corrected.elapsed(at("2026-02-16 00:00"), at("2026-02-17 00:00")) == hours(3)
    assert corrected.elapsed(at("2026-03-05 00:00"), at("2026-03-06 00:00")) == 0


def test_a_deadline_in_a_year_without_published_holidays_is_provisional():
    """R-CAL-03: the year as the calendar's own zone has it."""
    unpublished = first_unpublished_year("CN")

    assert not cn.provisional(at(f"{unpublished - 1}-12-31 23:59"))
    assert cn.provisional(at(f"{unpublished}-01-01 00:00"))
    assert not calendar_of(replace(CN, country_holidays=None)).provisional(at("2150-01-01 00:00"))
    assert not calendar_of(replace(CN, always_open=True)).provisional(at("2150-01-01 00:00"))


def test_other_countries_holidays_are_closed_too():
    """R-CAL-03."""
    german = CalendarDefinition("Europe/Berlin", NINE_TO_FIVE.shifts, country_holidays="DE")

    assert not calendar_of(german).is_open(at("2026-05-01 10:00", "Europe/Berlin"))
    assert not calendar_of(german).provisional(at("2030-05-01 10:00", "Europe/Berlin"))


def test_five_working_days_are_not_forty_working_hours():
    """R-CAL-04: each date with a shift is one day, however long it is."""
    short_fridays = CalendarDefinition(
        "UTC", (*weekly(("09:00", "17:00"), days=range(4)), Shift(4, "09:00", "13:00"))
    )
    calendar = calendar_of(short_fridays)
    monday = utc("2026-03-02 09:00")

    assert calendar.add_days(monday, 5) == utc("2026-03-06 13:00")
    assert calendar.add(monday, hours(40)) == utc("2026-03-09 13:00")


def test_a_working_day_passes_evenly_over_its_shifts():
    """R-CAL-04: percentages likewise, so half of five days is two and a half."""
    monday = at("2026-03-02 09:00")

    assert cn.add_days(monday, Fraction(5, 2)) == at("2026-03-04 14:15")
    assert cn.elapsed_days(monday, at("2026-03-04 14:15")) == Fraction(5, 2)
    assert cn.elapsed_days(monday, at("2026-03-02 12:45")) == Fraction(3, Fraction(15, 2))
    assert cn.add_days(at("2026-03-04 14:15"), -Fraction(5, 2)) == monday


def test_working_days_count_make_up_days_and_skip_holidays():
    """R-CAL-04."""
    assert cn.add_days(at("2026-02-13 18:00"), 2) == at("2026-02-24 18:00")
    assert cn.elapsed_days(at("2026-01-01 00:00"), at("2027-01-01 00:00")) == 248


def test_a_day_of_an_always_open_calendar_is_a_calendar_day():
    """R-CAL-04: also where it has 23 hours."""
    paris = calendar_of(CalendarDefinition("Europe/Paris", always_open=True))
    start = at("2026-03-28 12:00", "Europe/Paris")

    assert paris.add_days(start, Fraction(1, 2)) == at("2026-03-29 00:00", "Europe/Paris")
    assert paris.add_days(start, 2) == at("2026-03-30 12:00", "Europe/Paris")


def test_real_time_is_counted_across_daylight_saving_changes():
    """R-CAL-02."""
    new_york = CalendarDefinition("America/New_York", weekly(("00:00", "09:00"), days=(6,)))
    calendar = calendar_of(new_york)

    def sunday(day: str) -> int:
        zone = "America/New_York"
        return calendar.elapsed(at(f"{day} 00:00", zone), at(f"{day} 12:00", zone))

    assert sunday("2026-03-08") == hours(8)
    assert sunday("2026-03-15") == hours(9)
    assert sunday("2026-11-01") == hours(10)


def test_a_wall_clock_hour_that_comes_twice_counts_twice_and_one_that_never_comes_not():
    """R-CAL-02: what the wall clock shows decides."""
    nights = CalendarDefinition("America/New_York", weekly(("01:00", "02:30"), days=(6,)))
    calendar = calendar_of(nights)

    autumn = list(calendar.spans(utc("2026-11-01 00:00"), utc("2026-11-02 00:00")))
    spring = list(calendar.spans(utc("2026-03-08 00:00"), utc("2026-03-09 00:00")))

    assert [(span.starts_at, span.ends_at) for span in autumn] == [
        (utc("2026-11-01 05:00"), utc("2026-11-01 07:30"))
    ]
    assert [(span.starts_at, span.ends_at) for span in spring] == [
        (utc("2026-03-08 06:00"), utc("2026-03-08 07:00"))
    ]


def test_the_year_may_turn_inside_a_shift_and_inside_a_zone_far_from_greenwich():
    """R-CAL-02."""
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Shanghai"):
        nights = calendar_of(CalendarDefinition(zone, weekly(("22:00", "06:00"), days=range(7))))
        eve, morning = at("2025-12-31 23:00", zone), at("2026-01-01 05:00", zone)

        assert nights.elapsed(eve, morning) == hours(6)
        assert nights.add(eve, hours(7)) == at("2026-01-01 06:00", zone)
        assert nights.is_open(morning)


def test_a_night_that_begins_before_new_year_there_and_after_it_in_greenwich():
    """R-CAL-02: nothing is counted before it begins."""
    calendar = calendar_of(
        CalendarDefinition("America/New_York", weekly(("23:00", "01:30"), days=(3,)))
    )

    assert calendar.elapsed(utc("2026-12-31 23:00"), utc("2027-01-01 00:00")) == 0
    assert calendar.next_open(utc("2027-01-01 00:00")) == utc("2027-01-01 04:00")
    assert calendar.elapsed(utc("2027-01-01 00:00"), utc("2027-01-01 05:00")) == hours(1)


def test_positions_count_from_2000_and_are_negative_before():
    """R-CAL-02."""
    epoch = utc("2000-01-01 00:00")
    for definition in (CN, NINE_TO_FIVE, ALWAYS, NIGHTS):
        calendar = calendar_of(definition)

        assert calendar.position_us(epoch) == 0
        assert calendar.position_us(utc("1999-12-20 00:00")) < 0
        assert calendar.position_us(utc("2000-01-20 00:00")) > 0


def test_materialised_spans_give_the_same_position_as_the_calendar():
    """R-CAL-02: what SQL computes from the table is what Python computes."""
    spans = list(cn.spans(utc("2025-12-01 00:00"), utc("2026-03-01 00:00")))
    for hour in range(0, 60 * 24, 5):
        now = utc("2026-01-01 00:00") + timedelta(hours=hour)
        last = [span for span in spans if span.starts_at <= now][-1]

        position = last.before_us + (min(now, last.ends_at) - last.starts_at) // timedelta(
            microseconds=1
        )

        assert position == cn.position_us(now)
        assert last.before_days == -(-cn.day_position(last.ends_at) // 1) - 1


def test_arithmetic_beyond_the_years_computed_is_an_error_and_ends():
    """R-CAL-02."""
    once = CalendarDefinition("UTC", exceptions=(exception("2026-03-02", ("09:00", "17:00")),))
    far = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)

    for calendar, start, amount in (
        (cn, utc("2026-03-02 09:00"), 10**18),
        (cn, utc("2026-03-02 09:00"), -(10**18)),
        (calendar_of(once), utc("2026-01-01 00:00"), hours(9)),
        (cn, far, HOUR),
        (calendar_of(ALWAYS), far, HOUR),
    ):
        with pytest.raises(BeyondCalendar):
            calendar.add(start, amount)
    with pytest.raises(BeyondCalendar):
        cn.add_days(utc("2026-03-02 09:00"), 10**9)
    with pytest.raises(BeyondCalendar):
        calendar_of(once).next_open(utc("2026-04-01 00:00"))
    with pytest.raises(BeyondCalendar):
        calendar_of(ALWAYS).next_close(utc("2026-04-01 00:00"))


def test_ten_years_ahead_cost_about_what_one_day_costs():
    """R-CAL-02: a search, not a walk (the years laid out once)."""
    start = utc("2026-03-02 01:00")

    def cost(amount: int) -> float:
        cn.add(start, amount)
        best = 1.0
        for _ in range(5):
            begun = perf_counter()
            for _ in range(200):
                cn.add(start, amount)
            best = min(best, perf_counter() - begun)
        return best

    assert cost(hours(7.5 * 250 * 10)) < 5 * cost(hours(7.5))


def test_a_calendar_without_working_time_is_refused():
    """R-CAL-02."""
    empty = CalendarDefinition("UTC")

    assert codes(empty) == [("NO_WORKING_TIME", ("shifts",))]
    with pytest.raises(InvalidCalendar):
        calendar_of(empty)


def test_an_unknown_zone_and_an_unknown_country_are_refused():
    """R-CAL-02."""
    for zone in ("Asia/Beijing2", "", "../etc/passwd", "Asia", "x" * 5000, "a\0b", "\ud800"):
        assert codes(replace(NINE_TO_FIVE, time_zone=zone)) == [
            ("UNKNOWN_TIME_ZONE", ("time_zone",))
        ]
    for country in ("XX", "", "China", "cn"):
        assert codes(replace(NINE_TO_FIVE, country_holidays=country)) == [
            ("UNKNOWN_COUNTRY", ("country_holidays",))
        ]


def test_times_that_are_none_are_refused_where_they_stand():
    """R-CAL-02."""
    shifts = (Shift(0, "9:00", "12:00"), Shift(1, "24:00", "24:01"), Shift(7, "09:00", "25:00"))
    wrong = CalendarDefinition("UTC", shifts, (exception("2026-03-02", ("09:00", "٠٩:٠٠")),))

    assert codes(wrong) == [
        ("BAD_TIME", ("shifts", 0, "opens")),
        ("BAD_TIME", ("shifts", 1, "opens")),
        ("BAD_TIME", ("shifts", 1, "closes")),
        ("BAD_WEEKDAY", ("shifts", 2, "weekday")),
        ("BAD_TIME", ("shifts", 2, "closes")),
        ("BAD_TIME", ("exceptions", 0, "shifts", 0, "closes")),
    ]


@pytest.mark.parametrize(
    ("shifts", "path"),
    [
        ((Shift(0, "09:00", "12:00"), Shift(0, "11:59", "18:00")), ("shifts", 1)),
        ((Shift(0, "09:00", "12:00"), Shift(0, "09:00", "12:00")), ("shifts", 1)),
        ((Shift(0, "22:00", "06:00"), Shift(1, "05:00", "12:00")), ("shifts", 1)),
        ((Shift(0, "05:00", "12:00"), Shift(6, "22:00", "06:00")), ("shifts", 0)),
        ((Shift(2, "09:00", "09:00"), Shift(3, "08:59", "10:00")), ("shifts", 1)),
    ],
    ids=["one day", "twice", "over midnight", "Sunday's night, Monday's morning", "24 hours"],
)
def test_overlapping_shifts_are_refused(shifts, path):
    """R-CAL-02."""
    assert codes(CalendarDefinition("UTC", shifts)) == [("OVERLAPPING_SHIFTS", path)]


def test_an_exception_that_overlaps_the_days_beside_it_is_refused():
    """R-CAL-02: the night before runs into it, or it runs into the next morning."""
    path = ("exceptions", 0, "shifts")
    late = replace(NIGHTS, exceptions=(exception("2026-03-05", ("05:00", "12:00")),))
    long = replace(NINE_TO_FIVE, exceptions=(exception("2026-03-05", ("22:00", "10:00")),))
    fine = replace(NIGHTS, exceptions=(exception("2026-03-05", ("06:00", "12:00")),))

    assert codes(late) == codes(long) == [("OVERLAPPING_SHIFTS", path)]
    assert codes(fine) == []


def test_a_date_may_be_excepted_once_and_within_the_years_computed():
    """R-CAL-02."""
    twice = replace(NINE_TO_FIVE, exceptions=(exception("2026-03-05"), exception("2026-03-05")))
    never = replace(NINE_TO_FIVE, exceptions=(exception("2300-03-05"),))

    assert codes(twice) == [("DUPLICATE_DATE", ("exceptions", 1, "date"))]
    assert codes(never) == [("DATE_OUT_OF_RANGE", ("exceptions", 0, "date"))]


def test_shifts_that_touch_and_a_whole_day_are_fine():
    """R-CAL-01: 24:00 is the end of the day, so is closing at 00:00."""
    for closes in ("24:00", "00:00"):
        whole = CalendarDefinition("UTC", weekly(("00:00", closes), days=range(7)))

        assert codes(whole) == []
        assert calendar_of(whole).elapsed(utc("2026-03-01 00:00"), utc("2026-03-08 00:00")) == (
            hours(7 * 24)
        )


def test_a_calendar_comes_back_from_json_as_it_was():
    """R-CAL-01."""
    full = replace(
        CN,
        exceptions=(exception("2026-03-05"), exception("2026-03-07", ("22:00", "06:00"))),
        make_up_days=False,
    )

    for definition in (full, CN, ALWAYS, NIGHTS):
        assert CalendarDefinition.from_json(definition.to_json()) == definition
    assert CalendarDefinition.from_json({"time_zone": "UTC"}) == CalendarDefinition("UTC")
    assert calendar_of(full) is calendar_of(CalendarDefinition.from_json(full.to_json()))


def test_a_definition_with_problems_is_never_computed_with():
    """R-CAL-02."""
    with pytest.raises(InvalidCalendar) as refused:
        WorkingCalendar(replace(CN, time_zone="Mars/Base"))

    assert refused.value.problems == (CalendarProblem("UNKNOWN_TIME_ZONE", ("time_zone",)),)
