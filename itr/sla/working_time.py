"""Working time as exact arithmetic on a line of microseconds (R-CAL-02).

Years are laid out when first needed and kept; an answer is a search among years and then among
the spans of one year, never a walk from day to day. Where years are laid out or counted it is seen
whether there is time left for that (TooLongAStory).
"""

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from zoneinfo import ZoneInfo

from itr.sla.calendar_years import EPOCH, YEAR_STARTS, YearSpans, microseconds, year_spans
from itr.sla.calendars import (
    FIRST_YEAR,
    LAST_YEAR,
    CalendarDefinition,
    DayPlans,
    InvalidCalendar,
)
from itr.sla.public_holidays import first_unpublished_year
from itr.time_budget import ensure_time_left

FARTHEST_OFFSET = 15 * 60 * 60 * 1_000_000
"""No zone is farther ahead of UTC: only this near to its end may a UTC year be the next one."""


class BeyondCalendar(ArithmeticError):
    """The answer lies outside the years we compute, 1900 to 2199."""


class NoMoreWorkingTime(BeyondCalendar):
    """No span follows before the years we compute end."""


@dataclass(frozen=True, slots=True)
class WorkingSpan:
    """An unbroken stretch of working time of one date, as the `calendar_span` table holds it.

    `before_us` and `before_days`: working time and working dates from the epoch to its start.
    """

    starts_at: datetime
    ends_at: datetime
    before_us: int
    before_days: int


def instant(since_epoch: int) -> datetime:
    """The UTC instant so many microseconds after 2000-01-01T00:00Z. Raises BeyondCalendar."""
    try:
        return EPOCH + timedelta(microseconds=since_epoch)
    except OverflowError:
        raise BeyondCalendar("beyond the years a date can have") from None


class WorkingCalendar:
    """A definition made ready for arithmetic. Get one with `calendar_of`, which keeps them.

    Where working time stands still, a position belongs to the end of the span before it.
    """

    def __init__(self, definition: CalendarDefinition) -> None:
        problems = definition.problems()
        if problems:
            raise InvalidCalendar(problems)
        self.definition = definition
        self.zone = ZoneInfo(definition.time_zone)
        self.plans = DayPlans(definition)
        self._always = definition.always_open
        self._laid_out: dict[int, YearSpans] = {}
        self._first_year = 2000
        self._us_before = [0]
        self._days_before = [0]
        self._epoch_us = 0
        self._recent = 0, 0, YearSpans.empty(FIRST_YEAR)
        self._unpublished_from = self._first_unpublished()
        if not self._always:
            self._epoch_us = self.position_us(EPOCH)
            self._laid_out.clear()
            self._recent = 0, 0, YearSpans.empty(FIRST_YEAR)

    def position_us(self, at: datetime) -> int:
        """Working microseconds from 2000-01-01T00:00Z to `at`; negative before."""
        since = at - EPOCH
        time = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        if self._always:
            return time
        begins, until, spans = self._recent
        if begins <= time < until:
            index = bisect_right(spans.starts, time) - 1
        else:
            spans, index = self._span_at(time)
            if index < 0:
                return spans.us_before
        end = spans.ends[index]
        within = (time if time < end else end) - spans.starts[index]
        return spans.us_before + spans.before[index] + within

    def instant_at(self, position_us: int) -> datetime:
        """Earliest instant by which so much working time has passed since the epoch."""
        if self._always:
            return instant(position_us)
        position = position_us + self._epoch_us
        spans = self._spans(self._year_reaching(position, self._us_before))
        return _instant_reaching(spans, position_us - spans.us_before)

    def add(self, start: datetime, amount_us: int) -> datetime:
        """The instant `amount_us` of working time after `start` (before it when negative).

        Nothing added is `start` itself. Forward it is the earliest such instant (the end of a
        shift, not the start of the next), backward the latest. Raises BeyondCalendar.
        """
        if amount_us == 0:
            return start.astimezone(UTC)
        position = self.position_us(start) + amount_us
        if amount_us > 0 or self._always:
            return self.instant_at(position)
        spans = self._spans(self._year_leaving(position + self._epoch_us, self._us_before))
        return _instant_leaving(spans, position - spans.us_before)

    def elapsed(self, start: datetime, end: datetime) -> int:
        """Working microseconds between two instants; negative when `end` is earlier."""
        return self.position_us(end) - self.position_us(start)

    def day_position(self, at: datetime) -> Fraction:
        """Working days since 2000 began: each date with a shift is one, passing evenly over its
        shifts (R-CAL-04)."""
        time = microseconds(at)
        spans, index = self._span_at(time)
        if index < 0:
            return Fraction(spans.days_before)
        day = spans.day[index]
        passed = spans.before[index] + min(time, spans.ends[index]) - spans.starts[index]
        begin, end = spans.day_before[day], spans.day_before[day + 1]
        return spans.days_before + day + Fraction(passed - begin, end - begin)

    def add_days(self, start: datetime, days: Fraction | int) -> datetime:
        """The instant so many working days after `start`, to the microsecond at or after it.

        Conventions and errors are those of `add`.
        """
        if days == 0:
            return start.astimezone(UTC)
        position = self.day_position(start) + days
        if days > 0:
            return self.instant_at_day(position)
        spans = self._spans(self._year_leaving(position, self._days_before))
        rest = position - spans.days_before
        day = floor(rest)
        begin, end = spans.day_before[day], spans.day_before[day + 1]
        return _instant_leaving(spans, begin + floor((rest - day) * (end - begin)))

    def instant_at_day(self, position: Fraction) -> datetime:
        """Earliest instant by which so many working days have passed since 2000 began."""
        spans = self._spans(self._year_reaching(position, self._days_before))
        rest = position - spans.days_before
        day = ceil(rest) - 1
        begin, end = spans.day_before[day], spans.day_before[day + 1]
        return _instant_reaching(spans, begin + ceil((rest - day) * (end - begin)))

    def elapsed_days(self, start: datetime, end: datetime) -> Fraction:
        """Working days between two instants, exactly; negative when `end` is earlier."""
        return self.day_position(end) - self.day_position(start)

    def is_open(self, at: datetime) -> bool:
        """Whether `at` is working time; the instant a span ends at is not."""
        if self._always:
            return True
        time = microseconds(at)
        spans, index = self._span_at(time)
        return index >= 0 and time < spans.ends[index]

    def next_open(self, at: datetime) -> datetime:
        """`at` when open, else the next start of working time. Raises BeyondCalendar."""
        if self.is_open(at):
            return at.astimezone(UTC)
        spans, index = self._span_after(*self._span_at(microseconds(at)))
        return instant(spans.starts[index])

    def next_close(self, at: datetime) -> datetime:
        """The end of the working time that goes on at `at`, else of the next.

        Raises BeyondCalendar where it never ends.
        """
        if self._always:
            raise BeyondCalendar("an always open calendar never closes")
        spans, index = self._span_at(microseconds(self.next_open(at)))
        while True:
            end = spans.ends[index]
            try:
                spans, index = self._span_after(spans, index)
            except NoMoreWorkingTime:
                return instant(end)
            if spans.starts[index] > end:
                return instant(end)

    def prev_open(self, at: datetime) -> datetime:
        """The last instant, `at` at the latest, that working time led up to."""
        if self._always:
            return at.astimezone(UTC)
        time = microseconds(at)
        spans, index = self._span_at(time - 1)
        if index < 0:
            raise BeyondCalendar("no working time before this instant")
        return instant(min(time, spans.ends[index]))

    def is_working_day(self, day: date) -> bool:
        """Whether a shift starts on the date."""
        return bool(self.plans.spans_of(day.toordinal()))

    def provisional(self, at: datetime) -> bool:
        """Whether `at` falls in a year whose holidays are not yet published (R-CAL-03)."""
        return self._unpublished_from is not None and at >= self._unpublished_from

    def _first_unpublished(self) -> datetime | None:
        country = self.definition.country_holidays
        if country is None or self._always:
            return None
        year = first_unpublished_year(country)
        return None if year is None else datetime(year, 1, 1, tzinfo=self.zone).astimezone(UTC)

    def spans(self, start: datetime, end: datetime) -> Iterator[WorkingSpan]:
        """The spans that touch [start, end), in order. Raises BeyondCalendar."""
        first, last = microseconds(start), microseconds(end)
        spans, index = self._span_at(first)
        try:
            if index < 0 or spans.ends[index] <= first:
                spans, index = self._span_after(spans, index)
            while spans.starts[index] < last:
                yield WorkingSpan(
                    starts_at=instant(spans.starts[index]),
                    ends_at=instant(spans.ends[index]),
                    before_us=spans.us_before + spans.before[index],
                    before_days=spans.days_before + spans.day[index],
                )
                spans, index = self._span_after(spans, index)
        except NoMoreWorkingTime:
            return

    def _span_at(self, time: int) -> tuple[YearSpans, int]:
        """The year and index of the last span that starts at or before `time`; −1: none does."""
        since, until, recent = self._recent
        if since <= time < until:
            return recent, bisect_right(recent.starts, time) - 1
        year = FIRST_YEAR + bisect_right(YEAR_STARTS, time) - 1
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise BeyondCalendar(f"outside {FIRST_YEAR} to {LAST_YEAR}")
        if year < LAST_YEAR and time > YEAR_STARTS[year + 1 - FIRST_YEAR] - FARTHEST_OFFSET:
            following = self._spans(year + 1)
            if following.starts and following.starts[0] <= time:
                return following, bisect_right(following.starts, time) - 1
        spans = self._spans(year)
        index = bisect_right(spans.starts, time) - 1
        if index >= 0:
            until = YEAR_STARTS[year + 1 - FIRST_YEAR] - FARTHEST_OFFSET
            self._recent = spans.starts[0], until, spans
        while index < 0 and spans.year > FIRST_YEAR:
            spans = self._spans(spans.year - 1)
            index = bisect_right(spans.starts, time) - 1
        return spans, index

    def _span_after(self, spans: YearSpans, index: int) -> tuple[YearSpans, int]:
        """The year and index of the span after that one. Raises NoMoreWorkingTime."""
        index += 1
        while index >= len(spans.starts):
            if spans.year == LAST_YEAR:
                raise NoMoreWorkingTime(f"no working time until {LAST_YEAR} ends")
            spans, index = self._spans(spans.year + 1), 0
        return spans, index

    def _year_reaching(self, position: int | Fraction, before: list[int]) -> int:
        """The year in whose course a position is reached: before < position ≤ after."""
        while before[-1] < position:
            self._count_year_after()
        while before[0] >= position:
            self._count_year_before()
        return self._first_year + bisect_left(before, position) - 1

    def _year_leaving(self, position: int | Fraction, before: list[int]) -> int:
        """The year in whose course a position is left: before ≤ position < after."""
        while before[-1] <= position:
            self._count_year_after()
        while before[0] > position:
            self._count_year_before()
        return self._first_year + bisect_right(before, position) - 1

    def _count_year_after(self) -> None:
        ensure_time_left()
        year = self._first_year + len(self._us_before) - 1
        if year > LAST_YEAR:
            raise BeyondCalendar(f"not before {LAST_YEAR} ends")
        spans = year_spans(self.plans, self.zone, year)
        self._us_before.append(self._us_before[-1] + spans.total_us)
        self._days_before.append(self._days_before[-1] + spans.total_days)

    def _count_year_before(self) -> None:
        ensure_time_left()
        year = self._first_year - 1
        if year < FIRST_YEAR:
            raise BeyondCalendar(f"not since {FIRST_YEAR} began")
        spans = year_spans(self.plans, self.zone, year)
        self._us_before.insert(0, self._us_before[0] - spans.total_us)
        self._days_before.insert(0, self._days_before[0] - spans.total_days)
        self._first_year = year

    def _spans(self, year: int) -> YearSpans:
        """The year's spans, laid out once; years only counted in passing are not kept."""
        spans = self._laid_out.get(year)
        if spans is None:
            while year < self._first_year:
                self._count_year_before()
            while year >= self._first_year + len(self._us_before):
                self._count_year_after()
            ensure_time_left()
            spans = year_spans(self.plans, self.zone, year)
            spans.us_before = self._us_before[year - self._first_year] - self._epoch_us
            spans.days_before = self._days_before[year - self._first_year]
            self._laid_out[year] = spans
        return spans


def _instant_reaching(spans: YearSpans, us: int) -> datetime:
    """Earliest instant at which `us` > 0 of the year's working time has passed."""
    index = bisect_left(spans.before, us) - 1
    return instant(spans.starts[index] + us - spans.before[index])


def _instant_leaving(spans: YearSpans, us: int) -> datetime:
    """Latest instant at which no more than `us` of the year's working time has passed."""
    index = bisect_right(spans.before, us) - 1
    return instant(spans.starts[index] + us - spans.before[index])


class _Kept(threading.local):
    """The calendars of one thread: laying out years changes them, so no two threads share one."""

    def __init__(self) -> None:
        self.calendar_of = lru_cache(maxsize=128)(WorkingCalendar)


_KEPT = _Kept()


def calendar_of(definition: CalendarDefinition) -> WorkingCalendar:
    """The compiled calendar of a definition; equal ones share it. Raises InvalidCalendar."""
    return _KEPT.calendar_of(definition)
