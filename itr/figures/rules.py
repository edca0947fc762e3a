"""What a question for figures must satisfy, and the arithmetic of its answer (R-KPI-01)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from itr.errors import DomainError, InvalidInput
from itr.figures.terms import (
    BUCKETS,
    DIMENSIONS_OF,
    PARTS_OF_RATE,
    UNITS,
    FigureDimension,
    FigureInstant,
    FigureName,
)
from itr.sla.attribution import divide
from itr.sla.calendar_errors import UnknownTimeZone
from itr.time_zones import is_time_zone

MOST_DIMENSIONS = 3
MOST_ROWS = 5000
MOST_VALUES = 200
SHARE_STEP = Decimal("0.000001")
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class WrongDimension(DomainError):
    """A figure that nothing has by this dimension: a request has no one control point."""

    code = "WRONG_DIMENSION"
    zh = "指标 {figure} 不能按 {dimension} 分。"
    en = "{figure} cannot be split by {dimension}."


@dataclass(frozen=True)
class Period:
    """A stretch of time, its start included, its end not."""

    start: datetime
    end: datetime


FigureFilter = Mapping[FigureDimension, Sequence[str | int | UUID]]
"""Only requests whose value of each dimension is one of these; none of them lets none through."""


@dataclass(frozen=True)
class Among:
    """A select of the ids of some requests, with the values of its numbered parameters."""

    sql: str
    values: Sequence[Any]


@dataclass(frozen=True)
class Question:
    """What figures are asked for: of which requests, by what, as of when.

    `instant` of a request must lie in the period, and decides its bucket in `time_zone`; only
    requests `among` these count, if there are any such.
    """

    period: Period
    now: datetime
    by: Sequence[FigureDimension] = ()
    where: FigureFilter = field(default_factory=dict)
    instant: FigureInstant = FigureInstant.REGISTERED
    time_zone: str = "Asia/Shanghai"
    among: Among | None = None


@dataclass(frozen=True)
class Key:
    """Which value of a dimension a row is about; None where requests have none.

    A bucket's value is the number of its place among the period's, from 1.
    """

    dimension: FigureDimension
    value: str | None
    name: str | None


@dataclass(frozen=True)
class Row:
    """The figures of the requests that share the keys' values."""

    keys: tuple[Key, ...]
    values: Mapping[FigureName, int | Decimal | None]


@dataclass(frozen=True)
class Bucket:
    """A day, week or month of the period, in the question's time zone."""

    first: date
    start: datetime
    end: datetime


def ensure_period(period: Period) -> None:
    """Refuse a period that ends before it starts."""
    if period.end <= period.start:
        raise InvalidInput(
            path=["period", "to"],
            zh_reason="时段的结束必须晚于开始。",
            en_reason="The period must end after it starts.",
        )


def ensure_answerable(asked: Question, wanted: Collection[FigureName]) -> None:
    """Refuse what has no answer: InvalidInput, UnknownTimeZone, WrongDimension."""
    ensure_period(asked.period)
    if len(asked.by) > MOST_DIMENSIONS or len(set(asked.by)) != len(asked.by):
        raise InvalidInput(
            path=["by"],
            zh_reason=f"最多 {MOST_DIMENSIONS} 个维度，且不能重复。",
            en_reason=f"At most {MOST_DIMENSIONS} dimensions, each once.",
        )
    for place, dimension in enumerate(asked.by):
        for figure in sorted(wanted):
            if dimension not in DIMENSIONS_OF[UNITS[figure]]:
                raise WrongDimension(
                    path=["by", place], figure=figure.value, dimension=dimension.value
                )
    for dimension, values in asked.where.items():
        if len(values) > MOST_VALUES:
            raise InvalidInput(
                path=["filter"],
                zh_reason=f"{dimension.value} 最多 {MOST_VALUES} 个值。",
                en_reason=f"At most {MOST_VALUES} values of {dimension.value}.",
            )
    _ensure_buckets(asked)


def _ensure_buckets(asked: Question) -> None:
    if not is_time_zone(asked.time_zone):
        raise UnknownTimeZone(path=["timeZone"])
    if not set(asked.by) & set(BUCKETS):
        return
    period = asked.period
    if (
        period.start < EARLIEST
        or period.end > LATEST
        or _shortest(asked) * MOST_ROWS < (period.end - period.start)
    ):
        raise InvalidInput(
            path=["period"],
            zh_reason=f"时段划分后超过 {MOST_ROWS} 段，请缩短。",
            en_reason=f"The period has more than {MOST_ROWS} buckets; ask for less.",
        )


def _shortest(asked: Question) -> timedelta:
    days = {
        FigureDimension.DAY: 1,
        FigureDimension.WEEK: 7,
        FigureDimension.MONTH: 28,
    }
    return timedelta(days=min(days[each] for each in asked.by if each in days))


def buckets_of(asked: Question, dimension: FigureDimension) -> Sequence[Bucket]:
    """The days, weeks (from Monday) or months that the period touches, cut at its ends."""
    return _buckets(asked.period, asked.time_zone, dimension)


@lru_cache(32)
def _buckets(period: Period, time_zone: str, dimension: FigureDimension) -> tuple[Bucket, ...]:
    """The same, worked out once for all the rows of an answer."""
    zone = ZoneInfo(time_zone)
    day = _first_of(period.start.astimezone(zone).date(), dimension)
    found = []
    while (start := _midnight(day, zone)) < period.end:
        after = _after(day, dimension)
        end = min(_midnight(after, zone), period.end)
        if end > period.start:
            found.append(Bucket(day, max(start, period.start), end))
        day = after
    return tuple(found)


def _first_of(day: date, dimension: FigureDimension) -> date:
    if dimension is FigureDimension.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if dimension is FigureDimension.MONTH else day


def _after(day: date, dimension: FigureDimension) -> date:
    if dimension is FigureDimension.MONTH:
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if dimension is FigureDimension.WEEK else 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def needed_for(wanted: Collection[FigureName]) -> Iterator[FigureName]:
    """What has to be counted for what is wanted: rates and shares follow from counts."""
    for figure in wanted:
        if figure is FigureName.SHARE:
            yield FigureName.REQUESTS
        elif figure in PARTS_OF_RATE:
            upper, lower = PARTS_OF_RATE[figure]
            yield from (*upper, *lower)
        else:
            yield figure


def rates_of(
    values: Mapping[FigureName, int | None], wanted: Collection[FigureName]
) -> dict[FigureName, Decimal | None]:
    """The wanted rates, out of their counts; none where there is nothing to divide by."""

    def total(figures: Sequence[FigureName]) -> int:
        return sum(values[each] or 0 for each in figures)

    return {
        rate: ratio(total(upper), total(lower))
        for rate, (upper, lower) in PARTS_OF_RATE.items()
        if rate in wanted
    }


def ratio(part: int, whole: int) -> Decimal | None:
    """What part of the whole, in decimal arithmetic to six places; None of nothing."""
    return None if whole == 0 else (Decimal(part) / whole).quantize(SHARE_STEP, ROUND_HALF_UP)


def shares_of(counts: Sequence[int | None]) -> list[Decimal | None]:
    """What part each count is of their sum; None has no part, the others' make 1 (R-KPI-05)."""
    parts = iter(parts_of([count for count in counts if count is not None], SHARE_STEP))
    return [None if count is None else next(parts) for count in counts]


def parts_of(counts: Sequence[int], step: Decimal) -> list[Decimal | None]:
    """What part each count is of their sum, in whole steps that make exactly 1 (R-KPI-05).

    The largest remainders are rounded up, the first of equal ones first; None: of nothing.
    """
    if not any(counts):
        return [None] * len(counts)
    return [steps * step for steps in divide(int(1 / step), counts)]
