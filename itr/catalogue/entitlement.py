"""What authorisation finds: which contract line entitles a request (R-ENT-01, R-ENT-03)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from itr.catalogue.rules import IN_ORDER, ServiceTerms
from itr.catalogue.terms import EntitlementOutcome, QuotaUnit
from itr.sla.clock import Target
from itr.sla.working_time import BeyondCalendar, WorkingCalendar

Calendars = Mapping[UUID, WorkingCalendar]
PriorityUnder = Callable[[ServiceTerms], str]
"""The priority a request has under a service level, which may have a matrix of its own."""


@dataclass(frozen=True)
class Entitlement:
    """What authorisation found (R-ENT-01) and the terms that run the clocks (R-ENT-04).

    `contract_line_id` is named when ENTITLED, `price`, `currency` and the catalogue's `item_id`
    when CHARGEABLE and it has a price; `incomplete_contract_ids` are records the catalogue manager
    completes.
    """

    outcome: EntitlementOutcome
    contract_line_id: UUID | None
    terms: ServiceTerms
    price: Decimal | None = None
    currency: str | None = None
    item_id: UUID | None = None
    incomplete_contract_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A contract line that covers the product, project and phase of a request.

    `terms` is None where the record lacks a service level, `line_id` too where it has no line.
    """

    contract_id: UUID
    contract_number: str
    starts_on: date
    ends_on: date
    line_id: UUID | None = None
    number: int = 0
    terms: ServiceTerms | None = None
    quota_unit: QuotaUnit | None = None
    quota: int | None = None

    @property
    def takes_quota(self) -> bool:
        """Whether authorising a request takes one unit of it (R-ENT-03)."""
        return self.quota_unit is QuotaUnit.REQUEST


def valid_at(
    candidates: Iterable[Candidate],
    registered_at: datetime,
    zone_of: Mapping[UUID, str],
    house: UUID,
) -> list[Candidate]:
    """The lines whose contract runs on the date of registration, as their calendar's zone has it.

    `zone_of` names the time zone per calendar; a line without terms goes by calendar `house`.
    """
    found = []
    for candidate in candidates:
        calendar = candidate.terms.calendar_id if candidate.terms else house
        if candidate.starts_on <= date_in(zone_of[calendar], registered_at) <= candidate.ends_on:
            found.append(candidate)
    return found


def date_in(zone: str, at: datetime) -> date:
    """The date the wall clock of a zone shows at an instant."""
    return at.astimezone(ZoneInfo(zone)).date()


def contract_year(starts_on: date, day: date) -> int:
    """Which year of the contract a date falls in, from 1; it begins on the day of the start.

    A contract that starts on 29 February begins its common years on 1 March.
    """
    years = day.year - starts_on.year
    return years + ((day.month, day.day) >= (starts_on.month, starts_on.day))


def tightest_first(
    candidates: Iterable[Candidate],
    *,
    priority_under: PriorityUnder,
    registered_at: datetime,
    calendars: Calendars,
) -> list[Candidate]:
    """Complete lines by deadline of resolution, restoration, response, then number (R-ENT-01)."""

    def tightness(candidate: Candidate) -> tuple[object, ...]:
        terms = candidate.terms
        assert terms is not None
        calendar = calendars[terms.calendar_id]
        deadlines = deadlines_of(terms, priority_under(terms), registered_at, calendar)
        last = (candidate.number, candidate.contract_number)
        return (*reversed(deadlines), *last)

    complete = [candidate for candidate in candidates if candidate.terms is not None]
    return sorted(complete, key=tightness)


def deadlines_of(
    terms: ServiceTerms, priority: str, registered_at: datetime, calendar: WorkingCalendar
) -> list[datetime]:
    """The deadlines of response, restoration and resolution, counted from registration."""
    targets = (terms.target(priority, thread) for thread in IN_ORDER)
    return [deadline_of(target, registered_at, calendar) for target in targets]


def deadline_of(target: Target | None, start: datetime, calendar: WorkingCalendar) -> datetime:
    """When a target is due; nothing promised, or beyond the calendar, is later than all else."""
    try:
        if target is not None and target.us is not None:
            return calendar.add(start, target.us)
        if target is not None and target.days is not None:
            return calendar.add_days(start, Fraction(target.days))
    except BeyondCalendar:
        pass
    return datetime.max.replace(tzinfo=start.tzinfo)
