"""How fast clocks fold and deadlines are found, and how the cost grows with their number.

    python -m bench.clocks [largest number, default 1000000]

Runs in one process on one core. Promise: 1 000 000 folds and 100 000 deadlines per minute.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from time import perf_counter

from bench.figures import Table
from itr.sla.calendars import CalendarDefinition, DatedException, Shift
from itr.sla.clock import ClockEvent, Target, fold
from itr.sla.explain import explain
from itr.sla.terms import ClockEventKind as Kind
from itr.sla.working_time import WorkingCalendar, calendar_of

HOUR = 3_600_000_000
FIRST = datetime(2025, 1, 6, 1, tzinfo=UTC)
OFFICE = tuple(
    Shift(day, *span) for day in range(5) for span in (("09:00", "12:00"), ("13:30", "18:00"))
)
CN = CalendarDefinition("Asia/Shanghai", OFFICE, country_holidays="CN")
FOLDS_PROMISED = 1_000_000
DEADLINES_PROMISED = 100_000
SIZES = (1_000, 10_000, 100_000, 1_000_000)
DIFFERENT = 2_000
"""Histories are made once and used in turn, so that making them is not measured."""


@dataclass(frozen=True)
class Row:
    """One measurement: so many of something took so many seconds."""

    what: str
    number: int
    seconds: float

    @property
    def each_us(self) -> float:
        """Microseconds for one."""
        return self.seconds / self.number * 1e6

    @property
    def per_minute(self) -> float:
        """How many a minute holds."""
        return self.number / self.seconds * 60


def histories(calendar: WorkingCalendar) -> list[list[ClockEvent]]:
    """Typical clocks: started, retargeted by classification, paused, resumed, completed."""
    random = Random(7)
    made = []
    for _ in range(DIFFERENT):
        at = [FIRST + timedelta(minutes=random.randrange(600_000))]
        for hours in (1, 8, 48, 24):
            at.append(at[-1] + timedelta(seconds=random.randrange(1, hours * 3600)))
        target, tighter = Target(us=random.randrange(4, 40) * HOUR), Target(us=8 * HOUR)
        made.append(
            [
                ClockEvent(at[0], Kind.STARTED, target=target, calendar=calendar),
                ClockEvent(at[1], Kind.RETARGETED, target=tighter),
                ClockEvent(at[2], Kind.PAUSED, reason="CUSTOMER"),
                ClockEvent(at[3], Kind.RESUMED),
                ClockEvent(at[4], Kind.COMPLETED),
            ]
        )
    return made


def measured(what: str, number: int, run: Callable[[int], object]) -> Row:
    """Time one run."""
    begun = perf_counter()
    run(number)
    return Row(what, number, perf_counter() - begun)


def measure(largest: int = SIZES[-1]) -> Iterator[Row]:
    """Every measurement, in turn."""
    calendar = calendar_of(CN)
    clocks = histories(calendar)
    starts = [events[0].at for events in clocks]

    def folds(number: int) -> None:
        for index in range(number):
            fold(clocks[index % DIFFERENT], lambda _: calendar)

    def deadlines(hours: int) -> Callable[[int], None]:
        def run(number: int) -> None:
            for index in range(number):
                calendar.add(starts[index % DIFFERENT], hours * HOUR + index)

        return run

    def explanations(number: int) -> None:
        for index in range(number):
            events = clocks[index % DIFFERENT]
            explain(events, lambda _: calendar, events[-1].at)

    def calendars(number: int) -> None:
        for index in range(number):
            day = DatedException(datetime(2026, 3, 2, tzinfo=UTC).date() + timedelta(days=index))
            edited = CalendarDefinition(CN.time_zone, OFFICE, (day,), "CN")
            WorkingCalendar(edited).add(FIRST + timedelta(days=400), 8 * HOUR)

    folds(DIFFERENT)
    for size in SIZES:
        if size <= largest:
            yield measured("folds of 5 events", size, folds)
    for size in SIZES:
        if size <= largest:
            yield measured("deadlines 8 hours ahead", size, deadlines(8))
    number = min(largest, 100_000)
    far = deadlines(8 * 250 * 10)
    far(1)
    yield measured("deadlines 1 hour ahead", number, deadlines(1))
    yield measured("deadlines 10 years ahead", number, far)
    yield measured("explanations of 5 events", min(largest, 20_000), explanations)
    yield measured("calendars laid out", 20, calendars)


def tables(*, quick: bool) -> list[Table]:
    """Measure for the document; a quick run folds a thousand clocks."""
    rows = [
        (row.what, f"{row.number:,}", f"{row.each_us:.1f}", f"{row.per_minute:,.0f}")
        for row in measure(SIZES[0] if quick else SIZES[-1])
    ]
    note = (
        f"承诺 promises: {FOLDS_PROMISED:,} 次折算 folds, {DEADLINES_PROMISED:,} 个期限 deadlines"
        " 每分钟 per minute, 单核 on one core."
    )
    columns = ("项目 what", "数量 number", "µs 每个 each", "每分钟 per minute")
    return [Table("时钟运算 Clock arithmetic", columns, rows, (note,))]


def main() -> None:
    """Print the table, and whether the promises are kept."""
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else SIZES[-1]
    print(f"{'what':<26}{'number':>10}{'seconds':>10}{'µs each':>10}{'per minute':>14}")
    rows = []
    for row in measure(largest):
        rows.append(row)
        print(
            f"{row.what:<26}{row.number:>10,}{row.seconds:>10.2f}{row.each_us:>10.1f}"
            f"{row.per_minute:>14,.0f}",
            flush=True,
        )
    for what, promised in (
        ("folds of 5 events", FOLDS_PROMISED),
        ("deadlines 8 hours ahead", DEADLINES_PROMISED),
    ):
        best = [row for row in rows if row.what == what]
        kept = all(row.per_minute >= promised for row in best)
        growth = best[-1].each_us / best[0].each_us
        print(
            f"{what}: promised {promised:,} per minute: {'kept' if kept else 'NOT KEPT'};"
            f" each costs {growth:.2f} times as much at {best[-1].number:,} as at"
            f" {best[0].number:,}"
        )


if __name__ == "__main__":
    main()
