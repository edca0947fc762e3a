"""Facts other projects' test suites state, and China's working days, hold here (R-CAL-01 … 03)."""

import json
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from itr.sla.calendars import CalendarDefinition, DatedException, Shift, Span
from itr.sla.public_holidays import public_holidays
from itr.sla.working_time import WorkingCalendar, calendar_of
from tests.rules.sla.sla_words import SHARED, cn

CASES = SHARED / "cases" / "working_time.json"
WORKDAYS = SHARED / "data" / "cn_workdays_2019_2026.json"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ONE_DAY = timedelta(days=1)

pytestmark = pytest.mark.skipif(
    not CASES.exists(), reason=f"the shared test vectors are not at {SHARED}"
)


def _cases():
    if not CASES.exists():
        return []
    cases = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    return [
        pytest.param(case, id=case["id"])
        for case in cases
        if case["agrees_with_plain_elapsed_time_model"]
    ]


def _calendar(case: dict) -> WorkingCalendar:
    if case["weekly"] is None:
        return cn
    assert "breaks" not in case
    closed = {day: [] for day in case.get("holidays", ())}
    exceptions = closed | case.get("overrides", {})
    return calendar_of(
        CalendarDefinition(
            time_zone=case["tz"],
            shifts=tuple(
                Shift(DAYS.index(day), *span)
                for day, spans in case["weekly"].items()
                for span in spans
            ),
            exceptions=tuple(
                DatedException(date.fromisoformat(day), tuple(Span(*span) for span in spans))
                for day, spans in exceptions.items()
            ),
        )
    )


def _instant(text: str, zone: ZoneInfo) -> datetime:
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)).astimezone(UTC)


def _end_of(day: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(date.fromisoformat(day) + ONE_DAY, time(), tzinfo=zone)


def _dates(case: dict) -> list[date]:
    first, last = date.fromisoformat(case["from"]), date.fromisoformat(case["to"])
    return [first + ONE_DAY * number for number in range((last - first).days + 1)]


def _add_workdays(calendar: WorkingCalendar, start: str, days: int) -> date:
    """The source moves a closed origin to the next working day first, in the direction it goes."""
    step = ONE_DAY if days >= 0 else -ONE_DAY
    day = date.fromisoformat(start)
    if days == 0:
        return day
    while not calendar.is_working_day(day):
        day += step
    noon = datetime.combine(day, time(12), tzinfo=calendar.zone)
    return calendar.add_days(noon, days).astimezone(calendar.zone).date()


@pytest.mark.parametrize("case", _cases())
def test_a_fact_other_suites_state_holds(case: dict):
    """R-CAL-01, R-CAL-02, R-CAL-03."""
    calendar = _calendar(case)
    zone = calendar.zone
    match case["kind"]:
        case "add":
            found = calendar.add(_instant(case["start"], zone), case["amount_s"] * 1_000_000)
            assert found == _instant(case["expected"], zone)
        case "elapsed":
            start, end = _instant(case["from"], zone), _instant(case["to"], zone)
            assert calendar.elapsed(start, end) == case["expected_s"] * 1_000_000
        case "next_open" | "next_close" | "prev_open" as kind:
            found = getattr(calendar, kind)(_instant(case["start"], zone))
            assert found == _instant(case["expected"], zone)
        case "in_hours":
            assert calendar.is_open(_instant(case["at"], zone)) is case["expected"]
        case "workdays_between":
            days = calendar.elapsed_days(_end_of(case["from"], zone), _end_of(case["to"], zone))
            assert days == case["expected"]
        case "add_workdays":
            found = _add_workdays(calendar, case["start"], case["days"])
            assert found == date.fromisoformat(case["expected"])
        case "cn_off_day":
            working = calendar.is_working_day(date.fromisoformat(case["date"]))
            assert working is not case["expected_off"]
        case "cn_day_counts":
            days = _dates(case)
            working = [day for day in days if calendar.is_working_day(day)]
            off = [day for day in days if day not in working]
            listed = [day for day in off if day.toordinal() in public_holidays("CN", day.year).off]
            assert len(off) == case["off_days"]
            assert len(working) == case["workdays"]
            assert (
                len([day for day in working if day.weekday() < 5]) == case["workdays_not_weekend"]
            )
            assert len(listed) == case["off_days_listed_as_public_holiday"]
        case unknown:
            pytest.fail(f"a kind of case nobody reads: {unknown}")


def test_chinas_working_days_are_those_of_the_state_councils_notices():
    """R-CAL-03: every day of 2019 to 2026, and the number per year."""
    differs = {
        date.fromisoformat(entry["date"]): not entry["off"]
        for entry in json.loads(WORKDAYS.read_text(encoding="utf-8"))
    }
    per_year = dict.fromkeys(range(2019, 2027), 0)
    day = date(2019, 1, 1)
    while day.year < 2027:
        working = cn.is_working_day(day)
        assert working is differs.get(day, day.weekday() < 5), day
        per_year[day.year] += working
        day += ONE_DAY
    assert list(per_year.values()) == [250, 249, 250, 249, 249, 251, 248, 248]
