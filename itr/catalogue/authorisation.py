"""Authorising a request: which contract line entitles it, and its unit of quota (R-ENT)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import orjson

from itr.catalogue.entitlement import (
    Candidate,
    Entitlement,
    PriorityUnder,
    contract_year,
    date_in,
    tightest_first,
    valid_at,
)
from itr.catalogue.in_force import house_terms, terms_of
from itr.catalogue.rules import ServiceTerms
from itr.catalogue.terms import ChargeKind, EntitlementOutcome, Phase, QuotaUnit
from itr.errors import NotFound
from itr.events.work import Work
from itr.references import References
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.working_time import WorkingCalendar

CHARGED_AS = {
    Phase.DELIVERY: ChargeKind.IMPLEMENTATION,
    Phase.AFTER_ACCEPTANCE: ChargeKind.SUPPORT,
}
"""The kind of catalogue item whose price a chargeable request has."""

_ENTITLES = """
select entitlement_of($1::uuid, $2::uuid, $3::uuid, $4::text, $5::timestamptz, $6::text, $7::uuid,
    $8::boolean)::text as found
"""
_TAKE = """
insert into quota_taking (id, contract_line_id, contract_year, request_id, taken_at)
values ($1::uuid, $2::uuid, $3::int, $4::uuid, $5::timestamptz)
on conflict (contract_line_id, request_id) do update
set contract_year = excluded.contract_year, taken_at = excluded.taken_at, returned_at = null
where quota_taking.returned_at is not null
    or quota_taking.contract_year <> excluded.contract_year
"""
_RETURN = """
update quota_taking set returned_at = greatest($2::timestamptz, taken_at)
where request_id = $1::uuid and returned_at is null and contract_line_id is distinct from $3::uuid
"""


@dataclass(frozen=True)
class _Record:
    """What the record says of a request's product, its customer's lines and their quotas."""

    house: ServiceTerms
    served: bool
    candidates: Sequence[Candidate]
    calendars: Mapping[UUID, WorkingCalendar]
    taken: Mapping[tuple[UUID, int], int]
    price: tuple[Decimal | None, str | None, UUID | None]

    def year_of(self, candidate: Candidate, registered_at: datetime) -> int:
        """The year of the contract a registration falls in, where its calendar is."""
        assert candidate.terms is not None
        zone = self.calendars[candidate.terms.calendar_id].definition.time_zone
        return contract_year(candidate.starts_on, date_in(zone, registered_at))

    def has_left(self, candidate: Candidate, registered_at: datetime) -> bool:
        """Whether a line needs no unit of quota, or has one left for the year of a registration."""
        if not candidate.takes_quota:
            return True
        assert candidate.line_id is not None
        year = self.year_of(candidate, registered_at)
        return self.taken.get((candidate.line_id, year), 0) < (candidate.quota or 0)


async def authorise(
    work: Work,
    *,
    request_id: UUID,
    customer_id: UUID,
    project_id: UUID | None,
    product_id: UUID | None,
    phase: Phase,
    priority_under: PriorityUnder,
    registered_at: datetime,
    now: datetime,
    references: References | None = None,
) -> Entitlement:
    """Find what entitles a request registered then, and take its unit of quota (R-ENT-01, 03).

    The tightest line with quota left wins; a contract whose record is incomplete serves without
    a promise; else it is chargeable at the catalogue price. Takes a unit once per request, gives
    back one an earlier authorisation took elsewhere. `priority_under` names the request's priority
    under a service level. Raises NotFound for an unknown product.
    """
    record = await _read(
        work, customer_id, project_id, product_id, phase, registered_at, references, request_id
    )
    if not record.served:
        return_quota(work, request_id, now)
        return Entitlement(EntitlementOutcome.NOT_SERVED, None, record.house)
    ordered = tightest_first(
        record.candidates,
        priority_under=priority_under,
        registered_at=registered_at,
        calendars=record.calendars,
    )
    chosen = next((each for each in ordered if record.has_left(each, registered_at)), None)
    kept = chosen.line_id if chosen is not None and chosen.takes_quota else None
    return_quota(work, request_id, now, keeping=kept)
    if chosen is None or chosen.terms is None:
        return _without_line(record)
    if kept is not None:
        year = record.year_of(chosen, registered_at)
        work.writing.also(_TAKE, uuid4(), kept, year, request_id, now)
    return Entitlement(EntitlementOutcome.ENTITLED, chosen.line_id, chosen.terms)


async def foresee(
    work: Work,
    *,
    customer_id: UUID,
    project_id: UUID | None,
    product_id: UUID | None,
    phase: Phase,
    registered_at: datetime,
    references: References | None = None,
) -> Entitlement:
    """What authorising a request would find, as far as charging goes; nothing is taken (R-ENT-06).

    Of several lines that entitle it names any: which is the tightest is for authorisation.
    """
    record = await _read(
        work, customer_id, project_id, product_id, phase, registered_at, references
    )
    if not record.served:
        return Entitlement(EntitlementOutcome.NOT_SERVED, None, record.house)
    for each in record.candidates:
        if each.terms is not None and record.has_left(each, registered_at):
            return Entitlement(EntitlementOutcome.ENTITLED, each.line_id, each.terms)
    return _without_line(record)


def return_quota(
    work: Work, request_id: UUID, now: datetime, *, keeping: UUID | None = None
) -> None:
    """Give back the units a request took, but for the line `keeping` (R-ENT-03)."""
    work.writing.also(_RETURN, request_id, now, keeping)


async def _read(
    work: Work,
    customer_id: UUID,
    project_id: UUID | None,
    product_id: UUID | None,
    phase: Phase,
    registered_at: datetime,
    references: References | None,
    request_id: UUID | None = None,
) -> _Record:
    """Read it by one statement; for a `request_id`, other takers of the lines' quotas wait.

    They are locked in the order of their ids, so that two never wait for each other, and what is
    taken of them is counted after that. Raises NotFound for an unknown product.
    """
    rows = await work.connection.execute_query_dict(
        _ENTITLES,
        [
            customer_id,
            project_id,
            product_id,
            phase.value,
            registered_at,
            CHARGED_AS[phase].value,
            request_id,
            request_id is not None,
        ],
    )
    found = orjson.loads(rows[0]["found"])
    if found["served"] is None:
        raise NotFound(path=["product"])
    house = await house_terms(references)
    candidates = [await _candidate(row) for row in found["lines"]]
    wanted = {house.calendar_id} | {each.terms.calendar_id for each in candidates if each.terms}
    in_force = await calendars_in_force(wanted, customer_id, references)
    zones = {key: each.working.definition.time_zone for key, each in in_force.items()}
    return _Record(
        house=house,
        served=found["served"],
        candidates=valid_at(candidates, registered_at, zones, house.calendar_id),
        calendars={key: each.working for key, each in in_force.items()},
        taken={
            (UUID(row["contract_line_id"]), row["contract_year"]): row["taken"]
            for row in found["taken"]
        },
        price=_price(found["price"]),
    )


async def _candidate(row: Mapping[str, Any]) -> Candidate:
    return Candidate(
        contract_id=UUID(row["contract_id"]),
        contract_number=row["contract_number"],
        starts_on=date.fromisoformat(row["starts_on"]),
        ends_on=date.fromisoformat(row["ends_on"]),
        line_id=UUID(row["line_id"]) if row["line_id"] else None,
        number=row["number"],
        terms=await terms_of(UUID(row["version_id"])) if row["version_id"] else None,
        quota_unit=QuotaUnit(row["quota_unit"]) if row["quota_unit"] else None,
        quota=row["quota"],
    )


def _without_line(record: _Record) -> Entitlement:
    """An incomplete record serves without a promise; nothing at all is charged (R-ENT-01)."""
    incomplete = {each.contract_id for each in record.candidates if each.terms is None}
    if incomplete:
        return Entitlement(
            EntitlementOutcome.NO_DATA,
            None,
            record.house,
            incomplete_contract_ids=tuple(sorted(incomplete)),
        )
    return Entitlement(EntitlementOutcome.CHARGEABLE, None, record.house, *record.price)


def _price(row: Mapping[str, Any] | None) -> tuple[Decimal | None, str | None, UUID | None]:
    """The catalogue price: the product's own item before a general one, the lowest of several."""
    if row is None:
        return None, None, None
    price = None if row["price"] is None else Decimal(row["price"])
    return price, row["currency"], UUID(row["id"])
