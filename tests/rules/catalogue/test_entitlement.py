"""Which contract line entitles, without a database (R-ENT-01, R-ENT-03)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from itr.catalogue.entitlement import (
    Candidate,
    contract_year,
    deadlines_of,
    tightest_first,
    valid_at,
)
from itr.catalogue.rules import ServiceTerms, Targets
from itr.catalogue.terms import Priority
from itr.sla.calendars import CalendarDefinition, Shift
from itr.sla.clock import Target
from itr.sla.terms import Thread, WaitingReason
from itr.sla.working_time import WorkingCalendar, calendar_of

HOUR = 3_600_000_000
FRIDAY_EVENING = datetime(2026, 3, 6, 10, 0, tzinfo=UTC)  # 18:00 in Shanghai
ALWAYS, OFFICE = uuid4(), uuid4()
CALENDARS: Mapping[UUID, WorkingCalendar] = {
    ALWAYS: calendar_of(CalendarDefinition("Asia/Shanghai", always_open=True)),
    OFFICE: calendar_of(
        CalendarDefinition(
            "Asia/Shanghai", shifts=tuple(Shift(day, "09:00", "18:00") for day in range(5))
        )
    ),
}


def hours(*amounts: float) -> Targets:
    return {
        (priority.value, thread): Target(us=round(amount * HOUR))
        for thread, amount in zip(Thread, (*amounts, 80), strict=True)
        for priority in Priority
    }


def terms(targets: Targets, calendar_id: UUID = ALWAYS) -> ServiceTerms:
    return ServiceTerms(
        version_id=uuid4(),
        service_level_id=uuid4(),
        name="level",
        calendar_id=calendar_id,
        targets=targets,
        pauses=frozenset({(WaitingReason.CUSTOMER, Thread.RESOLUTION)}),
        percents=(50, 75, 90, 100),
        matrix=None,
        confirmation_days=3,
    )


def line(number: int, promised: ServiceTerms | None, contract_number: str = "C") -> Candidate:
    return Candidate(
        contract_id=uuid4(),
        contract_number=contract_number,
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        line_id=uuid4(),
        number=number,
        terms=promised,
    )


def numbers_in_order(*candidates: Candidate, at: datetime = FRIDAY_EVENING) -> list[int]:
    ordered = tightest_first(
        candidates, priority_under=lambda _: "P1", registered_at=at, calendars=CALENDARS
    )
    return [candidate.number for candidate in ordered]


def test_the_earliest_resolution_deadline_wins_not_the_smallest_number_of_hours() -> None:
    """R-ENT-01: over a weekend 40 hours around the clock end before 8 office hours."""
    office = line(1, terms(hours(1, 4, 8), OFFICE))
    around_the_clock = line(2, terms(hours(1, 4, 40)))

    assert numbers_in_order(office, around_the_clock) == [2, 1]


def test_equal_resolution_is_decided_by_restoration_then_response_then_line_number() -> None:
    """R-ENT-01."""
    slow_restoration = line(1, terms(hours(1, 6, 8)))
    slow_response = line(2, terms(hours(2, 4, 8)))
    later_line = line(4, terms(hours(1, 4, 8)))
    earlier_line = line(3, terms(hours(1, 4, 8)))

    order = numbers_in_order(slow_restoration, slow_response, later_line, earlier_line)

    assert order == [3, 4, 2, 1]


def test_each_level_is_judged_at_the_priority_its_own_matrix_gives() -> None:
    """R-ENT-01, R-CAT-03."""
    fast = terms({**hours(1, 4, 8), ("P4", Thread.RESOLUTION): Target(us=1 * HOUR)})
    slow = terms(hours(1, 4, 7))

    ordered = tightest_first(
        [line(1, fast), line(2, slow)],
        priority_under=lambda promised: "P4" if promised is fast else "P1",
        registered_at=FRIDAY_EVENING,
        calendars=CALENDARS,
    )

    assert [candidate.number for candidate in ordered] == [1, 2]


def test_targets_in_working_days_are_compared_by_their_deadlines() -> None:
    """R-ENT-01, R-CAL-04."""
    one_day = {key: Target(days=1) for key in hours(1, 4, 8)}
    promised = terms(one_day, OFFICE)

    due = deadlines_of(promised, "P2", FRIDAY_EVENING, CALENDARS[OFFICE])

    assert due == [datetime(2026, 3, 9, 10, 0, tzinfo=UTC)] * 3


def test_a_thread_without_a_promise_is_later_than_any_deadline() -> None:
    """R-ENT-01."""
    silent = terms({("P1", Thread.RESPONSE): Target(us=HOUR)})

    assert numbers_in_order(line(1, silent), line(2, terms(hours(1, 500, 5000)))) == [2, 1]


def test_a_line_without_a_service_level_never_entitles() -> None:
    """R-ENT-01."""
    assert numbers_in_order(line(1, None)) == []


@pytest.mark.parametrize(
    ("registered_at", "is_valid"),
    [
        (datetime(2025, 12, 31, 15, 59, 59, 999999, tzinfo=UTC), False),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), True),
        (datetime(2026, 12, 31, 15, 59, 59, 999999, tzinfo=UTC), True),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), False),
    ],
)
def test_a_contract_runs_from_midnight_to_midnight_of_its_calendars_zone(
    registered_at: datetime, is_valid: bool
) -> None:
    """R-ENT-01: its first and last day are whole days in Shanghai, not in UTC."""
    candidate = line(1, terms(hours(1, 4, 8)))

    found = valid_at([candidate], registered_at, {ALWAYS: "Asia/Shanghai"}, OFFICE)

    assert (found == [candidate]) is is_valid


def test_a_line_without_a_service_level_goes_by_the_house_calendars_zone() -> None:
    """R-ENT-01."""
    late = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)
    zones = {OFFICE: "America/New_York"}

    assert valid_at([line(1, None)], late, zones, OFFICE) != []
    assert valid_at([line(1, None)], late, {OFFICE: "Asia/Shanghai"}, OFFICE) == []


@pytest.mark.parametrize(
    ("starts_on", "day", "year"),
    [
        (date(2025, 4, 1), date(2025, 4, 1), 1),
        (date(2025, 4, 1), date(2026, 3, 31), 1),
        (date(2025, 4, 1), date(2026, 4, 1), 2),
        (date(2024, 2, 29), date(2025, 2, 28), 1),
        (date(2024, 2, 29), date(2025, 3, 1), 2),
        (date(2024, 2, 29), date(2028, 2, 29), 5),
    ],
)
def test_a_contract_year_begins_on_the_day_the_contract_began(
    starts_on: date, day: date, year: int
) -> None:
    """R-ENT-03: quotas are per contract year, not per calendar year."""
    assert contract_year(starts_on, day) == year


def test_a_contract_year_follows_another_without_a_gap() -> None:
    """R-ENT-03."""
    starts_on = date(2024, 2, 29)
    years = [contract_year(starts_on, starts_on + timedelta(days=each)) for each in range(3000)]

    assert all(after - before in (0, 1) for before, after in pairwise(years))


def test_terms_answer_for_a_priority_and_a_thread_and_for_what_pauses_it() -> None:
    """R-CAT-03."""
    promised = terms(hours(1, 4, 8))

    assert promised.target(Priority.P1, Thread.RESTORATION) == Target(us=4 * HOUR)
    assert promised.target("P9", Thread.RESPONSE) is None
    assert promised.pauses_thread(WaitingReason.CUSTOMER, Thread.RESOLUTION)
    assert not promised.pauses_thread(WaitingReason.CUSTOMER, Thread.RESPONSE)
