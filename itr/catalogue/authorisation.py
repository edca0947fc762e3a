"""Authorising a request: which contract line entitles it, and its unit of quota (R-ENT)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

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
from itr.catalogue.models import Product
from itr.catalogue.rules import ServiceTerms
from itr.catalogue.terms import ChargeKind, EntitlementOutcome, Phase, QuotaUnit
from itr.errors import NotFound
from itr.events.work import Work
from itr.sla.operations import current_calendars

CHARGED_AS = {
    Phase.DELIVERY: ChargeKind.IMPLEMENTATION,
    Phase.AFTER_ACCEPTANCE: ChargeKind.SUPPORT,
}
"""The kind of catalogue item whose price a chargeable request has."""

_CANDIDATES = """
select contract.id as contract_id, contract.number as contract_number, contract.starts_on,
    contract.ends_on, line.id as line_id, coalesce(line.number, 0) as number, line.quota_unit,
    line.quota, (
        select version.id from service_level_version version
        join service_level level on level.id = version.service_level_id and level.active
        where version.service_level_id = line.service_level_id
        order by version.number desc limit 1
    ) as version_id
from contract
left join contract_line line on line.contract_id = contract.id
where contract.customer_id = $1
    and contract.starts_on <= ($5::timestamptz at time zone 'UTC')::date + 1
    and contract.ends_on >= ($5::timestamptz at time zone 'UTC')::date - 1
    and (line.id is null or (
        (line.project_id is null or line.project_id = $2)
        and (line.product_id is null or line.product_id = $3)
        and line.phase = $4
    ))
"""
_LOCK = "select id from contract_line where id = any($1) order by id for no key update"
_TAKEN = """
select count(*) as taken from quota_taking
where contract_line_id = $1 and contract_year = $2 and request_id <> $3 and returned_at is null
"""
_TAKE = """
insert into quota_taking (id, contract_line_id, contract_year, request_id, taken_at)
values ($1, $2, $3, $4, $5)
on conflict (contract_line_id, request_id) do update
set contract_year = excluded.contract_year, taken_at = excluded.taken_at, returned_at = null
where quota_taking.returned_at is not null
    or quota_taking.contract_year <> excluded.contract_year
"""
_RETURN = """
update quota_taking set returned_at = greatest($2::timestamptz, taken_at)
where request_id = $1 and returned_at is null and contract_line_id is distinct from $3
"""
_PRICE = """
select id, price, currency from catalogue_item
where charge_kind = $2 and (product_id is null or product_id = $1)
order by product_id is null, price, id limit 1
"""


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
) -> Entitlement:
    """Find what entitles a request registered then, and take its unit of quota (R-ENT-01, 03).

    The tightest line with quota left wins; a contract whose record is incomplete serves without
    a promise; else it is chargeable at the catalogue price. Takes a unit once per request, gives
    back one an earlier authorisation took elsewhere. `priority_under` names the request's priority
    under a service level. Raises NotFound for an unknown product.
    """
    house = await house_terms()
    if not await _is_served(product_id):
        await return_quota(work, request_id, now)
        return Entitlement(EntitlementOutcome.NOT_SERVED, None, house)
    found = await _candidates(work, customer_id, project_id, product_id, phase, registered_at)
    in_force = await current_calendars(
        {house.calendar_id} | {each.terms.calendar_id for each in found if each.terms},
        customer_id=customer_id,
    )
    zones = {key: each.working.definition.time_zone for key, each in in_force.items()}
    found = valid_at(found, registered_at, zones, house.calendar_id)
    ordered = tightest_first(
        found,
        priority_under=priority_under,
        registered_at=registered_at,
        calendars={key: each.working for key, each in in_force.items()},
    )
    chosen = await _first_with_quota(work, ordered, request_id, registered_at, zones, now)
    if chosen is not None and chosen.terms is not None:
        return Entitlement(EntitlementOutcome.ENTITLED, chosen.line_id, chosen.terms)
    return await _without_line(work, found, house, product_id, phase)


async def foresee(
    work: Work,
    *,
    customer_id: UUID,
    project_id: UUID | None,
    product_id: UUID | None,
    phase: Phase,
    registered_at: datetime,
) -> Entitlement:
    """What authorising a request would find, as far as charging goes; nothing is taken (R-ENT-06).

    Of several lines that entitle it names any: which is the tightest is for authorisation.
    """
    house = await house_terms()
    if not await _is_served(product_id):
        return Entitlement(EntitlementOutcome.NOT_SERVED, None, house)
    found = await _candidates(work, customer_id, project_id, product_id, phase, registered_at)
    in_force = await current_calendars(
        {house.calendar_id} | {each.terms.calendar_id for each in found if each.terms},
        customer_id=customer_id,
    )
    zones = {key: each.working.definition.time_zone for key, each in in_force.items()}
    found = valid_at(found, registered_at, zones, house.calendar_id)
    for each in found:
        if each.terms is not None and await _has_left(work, each, registered_at, zones):
            return Entitlement(EntitlementOutcome.ENTITLED, each.line_id, each.terms)
    return await _without_line(work, found, house, product_id, phase)


async def _has_left(
    work: Work, candidate: Candidate, registered_at: datetime, zones: Mapping[UUID, str]
) -> bool:
    """Whether a line needs no unit of quota, or has one left for the year of a registration."""
    if not candidate.takes_quota:
        return True
    assert candidate.terms is not None
    day = date_in(zones[candidate.terms.calendar_id], registered_at)
    year = contract_year(candidate.starts_on, day)
    values = [candidate.line_id, year, UUID(int=0)]
    rows = await work.connection.execute_query_dict(_TAKEN, values)
    return bool(rows[0]["taken"] < (candidate.quota or 0))


async def return_quota(
    work: Work, request_id: UUID, now: datetime, *, keeping: UUID | None = None
) -> None:
    """Give back the units a request took, but for the line `keeping` (R-ENT-03)."""
    await work.connection.execute_query(_RETURN, [request_id, now, keeping])


async def _is_served(product_id: UUID | None) -> bool:
    if product_id is None:
        return True
    product = await Product.get_or_none(id=product_id)
    if product is None:
        raise NotFound(path=["product"])
    return product.served


async def _candidates(
    work: Work,
    customer_id: UUID,
    project_id: UUID | None,
    product_id: UUID | None,
    phase: Phase,
    registered_at: datetime,
) -> list[Candidate]:
    rows = await work.connection.execute_query_dict(
        _CANDIDATES, [customer_id, project_id, product_id, phase.value, registered_at]
    )
    return [await _candidate(row) for row in rows]


async def _candidate(row: dict[str, Any]) -> Candidate:
    return Candidate(
        contract_id=row["contract_id"],
        contract_number=row["contract_number"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        line_id=row["line_id"],
        number=row["number"],
        terms=await terms_of(row["version_id"]) if row["version_id"] else None,
        quota_unit=QuotaUnit(row["quota_unit"]) if row["quota_unit"] else None,
        quota=row["quota"],
    )


async def _first_with_quota(
    work: Work,
    ordered: list[Candidate],
    request_id: UUID,
    registered_at: datetime,
    zones: Mapping[UUID, str],
    now: datetime,
) -> Candidate | None:
    """The first line that needs no unit or has one left, which is taken."""
    locked = False
    for candidate in ordered:
        if candidate.takes_quota:
            if not locked:
                await _lock_quotas(work, ordered)
                locked = True
            if not await _take(work, candidate, request_id, registered_at, zones, now):
                continue
        kept = candidate.line_id if candidate.takes_quota else None
        await return_quota(work, request_id, now, keeping=kept)
        return candidate
    await return_quota(work, request_id, now)
    return None


async def _lock_quotas(work: Work, ordered: list[Candidate]) -> None:
    """Make other takers wait; in the order of ids, so that two never wait for each other."""
    ids = [candidate.line_id for candidate in ordered if candidate.takes_quota]
    await work.connection.execute_query(_LOCK, [ids])


async def _take(
    work: Work,
    candidate: Candidate,
    request_id: UUID,
    registered_at: datetime,
    zones: Mapping[UUID, str],
    now: datetime,
) -> bool:
    assert candidate.terms is not None
    day = date_in(zones[candidate.terms.calendar_id], registered_at)
    year = contract_year(candidate.starts_on, day)
    rows = await work.connection.execute_query_dict(_TAKEN, [candidate.line_id, year, request_id])
    if rows[0]["taken"] >= (candidate.quota or 0):
        return False
    values = [uuid4(), candidate.line_id, year, request_id, now]
    await work.connection.execute_query(_TAKE, values)
    return True


async def _without_line(
    work: Work,
    found: list[Candidate],
    house: ServiceTerms,
    product_id: UUID | None,
    phase: Phase,
) -> Entitlement:
    """An incomplete record serves without a promise; nothing at all is charged (R-ENT-01)."""
    incomplete = {candidate.contract_id for candidate in found if candidate.terms is None}
    if incomplete:
        return Entitlement(
            EntitlementOutcome.NO_DATA,
            None,
            house,
            incomplete_contract_ids=tuple(sorted(incomplete)),
        )
    item = await _price(work, product_id, phase)
    return Entitlement(EntitlementOutcome.CHARGEABLE, None, house, *item)


async def _price(
    work: Work, product_id: UUID | None, phase: Phase
) -> tuple[Decimal | None, str | None, UUID | None]:
    """The catalogue price: the product's own item before a general one, the lowest of several."""
    rows = await work.connection.execute_query_dict(_PRICE, [product_id, CHARGED_AS[phase].value])
    return (rows[0]["price"], rows[0]["currency"], rows[0]["id"]) if rows else (None, None, None)
