"""Changing the catalogue, contracts and service levels (R-CAT); reading and authorising beside."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid4

from tortoise.models import Model

from itr.actor import Actor
from itr.catalogue.authorisation import authorise, return_quota
from itr.catalogue.entitlement import Entitlement
from itr.catalogue.in_force import NoHouseLevel, current_terms, house_terms, terms_of
from itr.catalogue.models import (
    CatalogueItem,
    Contract,
    ContractLine,
    Package,
    Product,
    ServiceLevel,
    ServiceLevelVersion,
    ServicePause,
    ServiceProduct,
    ServiceTarget,
)
from itr.catalogue.rules import (
    CustomerOfContract,
    Matrix,
    Targets,
    ensure_amount,
    ensure_currency,
    ensure_text,
    problems_of_contract,
    problems_of_service_level,
    problems_of_window,
)
from itr.catalogue.terms import ChargeKind, Phase, QuotaUnit
from itr.catalogue.underpinning import problems_of_underpinning
from itr.errors import NotFound, PathItem, refuse
from itr.events.log import Fact
from itr.events.work import Work, transaction
from itr.people.history import next_version
from itr.people.models import Organisation, Project
from itr.people.names import kept_whole
from itr.people.permission import ensure_may
from itr.people.roles import OrganisationKind, Permission
from itr.people.rules import ensure_kind, ensure_name
from itr.sla.alarms import PERCENTS
from itr.sla.models import Calendar
from itr.sla.operations import current_calendars
from itr.sla.terms import Thread, WaitingReason

__all__ = [
    "ContractLineDraft",
    "Entitlement",
    "NoHouseLevel",
    "authorise",
    "current_terms",
    "house_terms",
    "return_quota",
    "save_catalogue_item",
    "save_contract",
    "save_package",
    "save_product",
    "save_service_level",
    "save_service_product",
    "terms_of",
]

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class ContractLineDraft:
    """One line of a contract as it shall be; without a service level it is incomplete."""

    number: int
    service_level_id: UUID | None = None
    package_id: UUID | None = None
    product_id: UUID | None = None
    project_id: UUID | None = None
    phase: Phase = Phase.AFTER_ACCEPTANCE
    quota_unit: QuotaUnit | None = None
    quota: int | None = None
    line_id: UUID | None = None


async def save_service_level(
    actor: Actor,
    *,
    name: str,
    calendar_id: UUID,
    targets: Targets,
    now: datetime,
    pauses: Collection[tuple[WaitingReason, Thread]] = (),
    percents: Sequence[int] = PERCENTS,
    matrix: Matrix | None = None,
    confirmation_days: int = 3,
    ola_shares: Mapping[str, str] | None = None,
    alarm_rules: Mapping[str, Any] | None = None,
    house: bool | None = None,
    service_level_id: UUID | None = None,
    version_id: UUID | None = None,
) -> UUID:
    """Make a new version of the service level with this name, or the first; returns its id.

    Open requests keep the version they were accepted under (R-CAT-03). `house` says whether it
    becomes the house level (None: as before), `ola_shares` the shares of control points by number,
    `alarm_rules` whom its alarms tell (None: R-ALM-01's own; see `problems_of_alarm_rules`).
    Raises Forbidden, NotFound for the calendar, and what the `problems_of_…` functions find.
    """
    ensure_may(actor, Permission.MANAGE_SERVICE_LEVELS)
    name = ensure_name(name, "name")
    refuse(
        problems_of_service_level(
            targets,
            percents=percents,
            matrix=matrix,
            confirmation_days=confirmation_days,
            ola_shares=ola_shares,
            alarm_rules=alarm_rules,
        )
    )
    with kept_whole("name"):
        async with transaction() as work:
            await _ensure_exists(Calendar, calendar_id, "calendar_id")
            working = (await current_calendars([calendar_id]))[calendar_id].working
            refuse(problems_of_window(targets, ola_shares, confirmation_days, working, now))
            if house:
                await ServiceLevel.filter(house=True).exclude(name=name).update(house=False)
            level = await _keep(ServiceLevel, service_level_id, name=name)
            refuse(await problems_of_underpinning(level.id, targets, ola_shares))
            if house is not None:
                await ServiceLevel.filter(id=level.id).update(house=house)
            version = await ServiceLevelVersion.create(
                id=version_id or uuid4(),
                service_level=level,
                number=1 + await ServiceLevelVersion.filter(service_level_id=level.id).count(),
                calendar_id=calendar_id,
                matrix=matrix,
                alarm_percents=list(percents),
                confirmation_days=confirmation_days,
                ola_shares=None if ola_shares is None else dict(ola_shares),
                alarm_rules=None if alarm_rules is None else dict(alarm_rules),
                created_by=actor.id,
                created_at=now,
            )
            await _add_promises(version, targets, pauses)
            told = {"name": name, "version": str(version.id), "number": version.number}
            await _record(work, actor, "ServiceLevel", level.id, now, told)
    return version.id


async def save_product(
    actor: Actor, *, name: str, now: datetime, served: bool = True, product_id: UUID | None = None
) -> UUID:
    """Keep a product, and whether we serve it (R-ENT-01). Raises Forbidden, NameTaken."""
    ensure_may(actor, Permission.MANAGE_CATALOGUE)
    values = {"name": ensure_name(name, "name"), "served": served}
    return await _save(actor, Product, product_id, now, values)


async def save_catalogue_item(
    actor: Actor,
    *,
    name: str,
    charge_kind: ChargeKind,
    price: Decimal,
    target: str,
    quality_standard: str,
    now: datetime,
    currency: str = "CNY",
    product_id: UUID | None = None,
    item_id: UUID | None = None,
) -> UUID:
    """Keep a service that can be priced alone, with its one measurable target (R-CAT-01)."""
    ensure_may(actor, Permission.MANAGE_CATALOGUE)
    values = {
        "name": ensure_name(name, "name"),
        "charge_kind": charge_kind,
        "price": ensure_amount(price, "price"),
        "currency": ensure_currency(currency, "currency"),
        "target": ensure_text(target, "target", limit=400),
        "quality_standard": ensure_text(quality_standard, "quality_standard"),
        "product_id": product_id,
    }
    if product_id is not None:
        await _ensure_exists(Product, product_id, "product_id")
    return await _save(actor, CatalogueItem, item_id, now, values)


async def save_service_product(
    actor: Actor,
    *,
    name: str,
    item_ids: Collection[UUID],
    now: datetime,
    service_product_id: UUID | None = None,
) -> UUID:
    """Keep catalogue items that are sold together (R-CAT-01)."""
    ensure_may(actor, Permission.MANAGE_CATALOGUE)
    items = [
        await _ensure_exists(CatalogueItem, item_id, "item_ids", index)
        for index, item_id in enumerate(dict.fromkeys(item_ids))
    ]
    values = {"name": ensure_name(name, "name")}
    return await _save(actor, ServiceProduct, service_product_id, now, values, items=items)


async def save_package(
    actor: Actor,
    *,
    name: str,
    service_product_ids: Collection[UUID],
    now: datetime,
    package_id: UUID | None = None,
) -> UUID:
    """Keep service products that are sold together (R-CAT-01)."""
    ensure_may(actor, Permission.MANAGE_CATALOGUE)
    products = [
        await _ensure_exists(ServiceProduct, product_id, "service_product_ids", index)
        for index, product_id in enumerate(dict.fromkeys(service_product_ids))
    ]
    values = {"name": ensure_name(name, "name")}
    return await _save(actor, Package, package_id, now, values, service_products=products)


async def save_contract(
    actor: Actor,
    *,
    number: str,
    customer_id: UUID,
    starts_on: date,
    ends_on: date,
    now: datetime,
    lines: Sequence[ContractLineDraft] = (),
    fee: Decimal | None = None,
    penalty: Decimal | None = None,
    currency: str = "CNY",
    contract_id: UUID | None = None,
) -> UUID:
    """Keep a contract and these lines of it, by number (R-CAT-02); `ends_on` is its last day.

    Lines not given stay as they are: requests may be pinned to them (R-ENT-02). Raises Forbidden,
    NotFound, WrongOrganisation, and what `problems_of_contract` finds.
    """
    ensure_may(actor, Permission.MANAGE_CONTRACTS)
    number = ensure_name(number, "number", limit=60)
    values = {
        "starts_on": starts_on,
        "ends_on": ends_on,
        "fee": None if fee is None else ensure_amount(fee, "fee"),
        "penalty": None if penalty is None else ensure_amount(penalty, "penalty"),
        "currency": ensure_currency(currency, "currency"),
    }
    refuse(problems_of_contract(starts_on, ends_on, lines))
    with kept_whole("number"):
        async with transaction() as work:
            await _ensure_customer(customer_id)
            contract = await _keep(
                Contract, contract_id, number=number, customer_id=customer_id, **values
            )
            if contract.customer_id != customer_id:
                raise CustomerOfContract(path=["customer_id"])
            for index, line in enumerate(lines):
                await _keep_line(contract, line, index)
            told = {"number": number, "lines": sorted(line.number for line in lines)}
            await _record(work, actor, "Contract", contract.id, now, told, customer_id)
    return contract.id


async def _add_promises(
    version: ServiceLevelVersion,
    targets: Targets,
    pauses: Collection[tuple[WaitingReason, Thread]],
) -> None:
    await ServiceTarget.bulk_create(
        ServiceTarget(
            id=uuid4(),
            version=version,
            priority=str(priority),
            thread=thread,
            target_us=target.us,
            target_days=None if target.days is None else _decimal(target.days),
        )
        for (priority, thread), target in targets.items()
    )
    await ServicePause.bulk_create(
        ServicePause(id=uuid4(), version=version, reason=reason, thread=thread)
        for reason, thread in sorted(set(pauses))
    )


def _decimal(days: Any) -> Decimal:
    return Decimal(int(days * 1000)) / 1000


async def _keep_line(contract: Contract, line: ContractLineDraft, index: int) -> None:
    path = ("lines", index)
    for model, wanted, field in (
        (ServiceLevel, line.service_level_id, "service_level_id"),
        (Package, line.package_id, "package_id"),
        (Product, line.product_id, "product_id"),
    ):
        if wanted is not None:
            await _ensure_exists(model, wanted, *path, field)
    if line.project_id is not None:
        customer_id = contract.customer_id
        if not await Project.exists(id=line.project_id, customer_id=customer_id):
            raise NotFound(path=[*path, "project_id"])
    values: dict[str, Any] = {
        "service_level_id": line.service_level_id,
        "package_id": line.package_id,
        "product_id": line.product_id,
        "project_id": line.project_id,
        "phase": line.phase,
        "quota_unit": line.quota_unit,
        "quota": line.quota,
    }
    kept = ContractLine.filter(contract_id=contract.id, number=line.number)
    if not await kept.update(**values):
        await ContractLine.create(
            id=line.line_id or uuid4(), contract=contract, number=line.number, **values
        )


async def _ensure_customer(customer_id: UUID) -> None:
    customer = await Organisation.get_or_none(id=customer_id)
    if customer is None:
        raise NotFound(path=["customer_id"])
    ensure_kind(customer.kind, OrganisationKind.CUSTOMER, "customer_id")


async def _ensure_exists(model: type[M], wanted: UUID, *path: PathItem) -> M:
    found = await model.get_or_none(id=wanted)
    if found is None:
        raise NotFound(path=path)
    return found


async def _save(
    actor: Actor,
    model: type[M],
    wanted: UUID | None,
    now: datetime,
    values: Mapping[str, Any],
    **members: Sequence[Any],
) -> UUID:
    """Keep one row, its members of a many-to-many relation, and the fact that it was kept."""
    with kept_whole("name"):
        async with transaction() as work:
            kept: Any = await _keep(model, wanted, **values)
            for relation, rows in members.items():
                await getattr(kept, relation).clear()
                if rows:
                    await getattr(kept, relation).add(*rows)
            await _record(work, actor, model.__name__, kept.id, now, {"name": values["name"]})
    return UUID(str(kept.id))


async def _keep(model: type[M], wanted: UUID | None, **values: Any) -> M:
    """Lock and change the row with this id or natural key, or make it; its customer stays."""
    key = "number" if "number" in values else "name"
    which = {"id": wanted} if wanted is not None else {key: values[key]}
    row = await model.filter(**which).select_for_update(no_key=True).first()
    if row is None:
        return await model.create(id=wanted or uuid4(), **values)
    values.pop("customer_id", None)
    await row.update_from_dict(values).save(update_fields=list(values))
    return row


async def _record(
    work: Work,
    actor: Actor,
    kind: str,
    subject: UUID,
    now: datetime,
    told: Mapping[str, Any],
    customer_id: UUID | None = None,
) -> None:
    work.subject_id = subject
    work.record(
        Fact(
            type=f"{kind}Saved",
            subject_type=re.sub("(?<!^)(?=[A-Z])", "_", kind).lower(),
            subject=subject,
            subject_version=await next_version(work, subject),
            stream=subject,
            by=actor,
            occurred_at=now,
            customer_id=customer_id,
            payload=told,
        )
    )
