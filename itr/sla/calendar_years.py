"""The working spans of one year, laid out on the line of microseconds since 2000 (R-CAL-02)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from itr.sla.calendars import FIRST_YEAR, LAST_YEAR, DayPlans

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = EPOCH.toordinal()
MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US


def microseconds(at: datetime) -> int:
    """Microseconds since 2000-01-01T00:00Z."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


YEAR_STARTS = [
    microseconds(datetime(year, 1, 1, tzinfo=UTC)) for year in range(FIRST_YEAR, LAST_YEAR + 2)
]


@dataclass(slots=True)
class YearSpans:
    """The spans of the dates of one local year, ordered, without overlap.

    `before` is the working time of the year before each span, `day` the working date it belongs
    to, `day_before` the working time before each date and, last, of the whole year. `us_before`
    and `days_before` are where the year begins, counted from the epoch by who lays it out.
    """

    year: int
    starts: list[int]
    ends: list[int]
    before: list[int]
    day: list[int]
    day_before: list[int]
    us_before: int = 0
    days_before: int = 0

    @classmethod
    def empty(cls, year: int) -> "YearSpans":
        """A year nothing is laid out of yet."""
        return cls(year, [], [], [], [], [])

    @property
    def total_us(self) -> int:
        """Working time of the year."""
        return self.day_before[-1]

    @property
    def total_days(self) -> int:
        """Working dates of the year."""
        return len(self.day_before) - 1


@dataclass(frozen=True, slots=True)
class OffsetStretch:
    """A stretch of time in which a zone keeps one offset from UTC."""

    start: int
    end: int
    offset: int


@lru_cache(maxsize=8192)
def offset_stretches(zone: ZoneInfo, year: int) -> tuple[OffsetStretch, ...]:
    """The zone's offsets from two days before a year to three days after it."""
    day = datetime(year, 1, 1, tzinfo=UTC) - timedelta(days=2)
    last = datetime(year + 1, 1, 1, tzinfo=UTC) + timedelta(days=3)
    stretches = []
    start, offset = microseconds(day), _offset(zone, day)
    while day < last:
        following = day + timedelta(days=1)
        if (changed := _offset(zone, following)) != offset:
            change = _change_between(zone, day, following)
            stretches.append(OffsetStretch(start, change, offset))
            start, offset = change, changed
        day = following
    stretches.append(OffsetStretch(start, microseconds(last), offset))
    return tuple(stretches)


def _offset(zone: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset() or timedelta()
    return (offset.days * 86_400 + offset.seconds) * 1_000_000


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> int:
    """The second at which the offset of `before` stops."""
    offset, low, high = _offset(zone, before), 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, before + timedelta(seconds=middle)) == offset:
            low = middle
        else:
            high = middle
    return microseconds(before + timedelta(seconds=high))


def year_spans(plans: DayPlans, zone: ZoneInfo, year: int) -> YearSpans:
    """Lay out a year: what the wall clock shows decides, so an hour that comes twice counts twice.

    Where a time change or a make-up day makes spans overlap, the earlier keeps the time.
    """
    first = date(year, 1, 1).toordinal()
    pieces = sorted(_pieces(plans, offset_stretches(zone, year), year))
    spans = YearSpans.empty(year)
    passed, until, current = 0, YEAR_STARTS[0] - DAY_US, 0
    for opens, closes, ordinal in pieces:
        start = max(opens, until)
        if start >= closes:
            continue
        until = closes
        if ordinal < first:
            continue
        if ordinal <= current and spans.ends[-1] == start:
            spans.ends[-1] = closes
        else:
            if ordinal > current:
                spans.day_before.append(passed)
                current = ordinal
            spans.starts.append(start)
            spans.ends.append(closes)
            spans.before.append(passed)
            spans.day.append(len(spans.day_before) - 1)
        passed += closes - start
    spans.day_before.append(passed)
    return spans


def _pieces(
    plans: DayPlans, stretches: tuple[OffsetStretch, ...], year: int
) -> Iterator[tuple[int, int, int]]:
    """Start, end and date of each unbroken piece of each span, from the last 31 December on."""
    stretch, *later = stretches
    for ordinal in range(date(year, 1, 1).toordinal() - 1, date(year, 12, 31).toordinal() + 1):
        midnight = (ordinal - EPOCH_ORDINAL) * DAY_US
        while later and midnight - DAY_US - stretch.offset >= stretch.end:
            stretch, *later = later
        for opens, closes in plans.spans_of(ordinal):
            start = midnight + opens * MINUTE_US
            end = midnight + closes * MINUTE_US
            if end - stretch.offset + DAY_US <= stretch.end:
                yield start - stretch.offset, end - stretch.offset, ordinal
                continue
            for each in (stretch, *later):
                piece = max(start - each.offset, each.start), min(end - each.offset, each.end)
                if piece[0] < piece[1]:
                    yield *piece, ordinal
