"""Every interval a clock counted or skipped, and why, page by page (R-SLA-11)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import islice

from itr.sla.clock_facts import CalendarOf, ClockEvent
from itr.sla.clock_history import RUNNING, History
from itr.sla.working_time import WorkingCalendar
from itr.time_budget import ensure_time_left

WORKING = "WORKING"
OUTSIDE_HOURS = "OUTSIDE_HOURS"
HOLIDAY = "HOLIDAY"


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of a clock's life; the counted ones add up to its elapsed time.

    `reason` is WORKING, OUTSIDE_HOURS, HOLIDAY, PAUSED:<reason> or SOLVED. Closed time is HOLIDAY
    from midnight to midnight of a date that an exception or a public holiday closed. A pause goes
    by the reason told last; `waits_for` has all that were open, in the order they were told.
    """

    start: datetime
    end: datetime
    counted: bool
    reason: str
    waits_for: tuple[str, ...] = ()


def explain(
    events: Iterable[ClockEvent],
    calendar_of: CalendarOf,
    until: datetime,
    *,
    after: datetime | None = None,
    first: int | None = None,
) -> list[Interval]:
    """The contiguous intervals from the start to `until`, or to completion or cancellation.

    Of these a page: `first` of them, from `after` on. Raises ClockNotStarted, TooLongAStory.
    """
    history = History(events, calendar_of, until=until)
    return explain_history(history, until, after=after, first=first)


def explain_history(
    history: History, until: datetime, *, after: datetime | None = None, first: int | None = None
) -> list[Interval]:
    """The intervals of a history walked up to `until`; a pause keeps each reason it had.

    What lies before `after` is not walked through. Raises TooLongAStory.
    """
    end = history.untargeted_since or history.cancelled_at or history.completed_at or until
    return list(islice(_merged(_pieces(history, end, after or history.started_at)), first))


def _pieces(history: History, end: datetime, after: datetime) -> Iterator[Interval]:
    begins = [mark.at for mark in history.marks[1:]]
    for (start, reason, waits_for), stop in zip(history.marks, [*begins, end], strict=True):
        start, stop = max(start, after), min(stop, end)  # noqa: PLW2901
        if start >= stop:
            continue
        if reason == RUNNING:
            yield from _running(history.calendar, start, stop)
        else:
            yield Interval(start, stop, counted=False, reason=reason, waits_for=waits_for)


def _merged(pieces: Iterable[Interval]) -> Iterator[Interval]:
    """Neighbours of one reason as one interval; looks whether there is time to go on."""
    last: Interval | None = None
    for piece in pieces:
        ensure_time_left()
        if last and (last.reason, last.waits_for) == (piece.reason, piece.waits_for):
            last = replace(last, end=piece.end)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


def _running(calendar: WorkingCalendar, start: datetime, end: datetime) -> Iterator[Interval]:
    """A stretch cut into working time and what lies between."""
    if calendar.definition.always_open:
        yield Interval(start, end, counted=True, reason=WORKING)
        return
    reached = start
    for span in calendar.spans(start, end):
        opens, closes = max(span.starts_at, start), min(span.ends_at, end)
        yield from _closed(calendar, reached, opens)
        yield Interval(opens, closes, counted=True, reason=WORKING)
        reached = closes
    yield from _closed(calendar, reached, end)


def _closed(calendar: WorkingCalendar, start: datetime, end: datetime) -> Iterator[Interval]:
    """Closed time cut at local midnights, where a holiday may begin or end."""
    while start < end:
        today = start.astimezone(calendar.zone).date()
        tomorrow = _midnight(calendar, today.toordinal() + 1)
        stop = min(end, tomorrow)
        reason = HOLIDAY if calendar.plans.is_holiday(today.toordinal()) else OUTSIDE_HOURS
        yield Interval(start, stop, counted=False, reason=reason)
        start = stop


def _midnight(calendar: WorkingCalendar, ordinal: int) -> datetime:
    """The instant a local date begins, in the time zone of UTC."""
    local = datetime.combine(date.fromordinal(ordinal), time(), tzinfo=calendar.zone)
    return local.astimezone(UTC)
