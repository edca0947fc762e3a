"""Changing the catalogue and contracts (R-CAT-01, 02); service levels and authorising beside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import OrganisationKind, Permission
from itr.catalogue.authorisation import authorise, return_quota
from itr.catalogue.entitlement import Entitlement
from itr.catalogue.in_force import NoHouseLevel, current_terms, house_terms, terms_of
from itr.catalogue.keeping import M, ensure_exists, keep, record
from itr.catalogue.models import (
    CatalogueItem,
    Contract,
    ContractLine,
    Package,
    Product,
    Project,
    ServiceLevel,
    ServiceProduct,
)
from itr.catalogue.rules import (
    CustomerOfContract,
    ensure_amount,
    ensure_currency,
    ensure_tax,
    problems_of_contract,
)
from itr.catalogue.service_levels import save_service_level, switch_off_service_level
from itr.catalogue.terms import ChargeKind, Phase, QuotaUnit
from itr.errors import Faults, NotFound, refuse
from itr.events.work import transaction
from itr.people.models import Organisation
from itr.people.names import kept_whole
from itr.people.rules import ensure_kind
from itr.texts import ensure_name, ensure_text

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
    "switch_off_service_level",
    "terms_of",
]


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


async def save_product(
    actor: Actor,
    *,
    name: str,
    now: datetime,
    served: bool = True,
    product_id: UUID | None = None,
    new: bool | None = None,
) -> UUID:
    """Keep a product, and whether we serve it (R-ENT-01). Raises Forbidden, NameTaken."""
    ensure_may(actor, Permission.MANAGE_CATALOGUE)
    values = {"name": ensure_name(name, "name"), "served": served}
    return await _save(actor, Product, product_id, new, now, values)


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
    tax_percent: Decimal = Decimal(0),
    product_id: UUID | None = None,
    item_id: UUID | None = None,
    new: bool | None = None,
) -> UUID:
    """Keep a service that can be priced alone, with its one measurable target (R-CAT-01)."""
    ensure_may(actor, Permission.MANAGE_CATALOGUE)
    faults = Faults()
    values = {
        "name": faults.of(ensure_name, name, "name"),
        "charge_kind": charge_kind,
        "price": faults.of(ensure_amount, price, "price"),
        "currency": faults.of(ensure_currency, currency, "currency"),
        "tax_percent": faults.of(ensure_tax, tax_percent, "tax_percent"),
        "target": faults.of(ensure_text, target, "target", limit=400),
        "quality_standard": faults.of(ensure_text, quality_standard, "quality_standard"),
        "product_id": product_id,
    }
    if product_id is not None:
        await faults.awaited(ensure_exists(Product, product_id, "product_id"))
    faults.refuse()
    return await _save(actor, CatalogueItem, item_id, new, now, values)


async def save_service_product(
    actor: Actor,
    *,
    name: str,
    item_ids: Collection[UUID],
    now: datetime,
    service_product_id: UUID | None = None,
    new: bool | None = None,
) -> UUID:
    """Keep catalogue items that are sold together (R-CAT-01)."""
    ensure_may(actor, Permission.MANAGE_CATALOGUE)
    items = [
        await ensure_exists(CatalogueItem, item_id, "item_ids", index)
        for index, item_id in enumerate(dict.fromkeys(item_ids))
    ]
    values = {"name": ensure_name(name, "name")}
    return await _save(actor, ServiceProduct, service_product_id, new, now, values, items=items)


async def save_package(
    actor: Actor,
    *,
    name: str,
    service_product_ids: Collection[UUID],
    now: datetime,
    package_id: UUID | None = None,
    new: bool | None = None,
) -> UUID:
    """Keep service products that are sold together (R-CAT-01)."""
    ensure_may(actor, Permission.MANAGE_CATALOGUE)
    products = [
        await ensure_exists(ServiceProduct, product_id, "service_product_ids", index)
        for index, product_id in enumerate(dict.fromkeys(service_product_ids))
    ]
    values = {"name": ensure_name(name, "name")}
    return await _save(actor, Package, package_id, new, now, values, service_products=products)


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
    new: bool | None = None,
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
            contract = await keep(
                Contract, contract_id, new, number=number, customer_id=customer_id, **values
            )
            if contract.customer_id != customer_id:
                raise CustomerOfContract(path=["customer_id"])
            for index, line in enumerate(lines):
                await _keep_line(contract, line, index)
            told = {"number": number, "lines": sorted(line.number for line in lines)}
            await record(work, actor, "Contract", contract.id, now, told, customer_id)
    return contract.id


async def _keep_line(contract: Contract, line: ContractLineDraft, index: int) -> None:
    path = ("lines", index)
    for model, wanted, field in (
        (ServiceLevel, line.service_level_id, "service_level_id"),
        (Package, line.package_id, "package_id"),
        (Product, line.product_id, "product_id"),
    ):
        if wanted is not None:
            await ensure_exists(model, wanted, *path, field)
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


async def _save(
    actor: Actor,
    model: type[M],
    wanted: UUID | None,
    new: bool | None,
    now: datetime,
    values: Mapping[str, Any],
    **members: Sequence[Any],
) -> UUID:
    """Keep one row, its members of a many-to-many relation, and the fact that it was kept."""
    with kept_whole("name"):
        async with transaction() as work:
            kept: Any = await keep(model, wanted, new, **values)
            for relation, rows in members.items():
                await getattr(kept, relation).clear()
                if rows:
                    await getattr(kept, relation).add(*rows)
            await record(work, actor, model.__name__, kept.id, now, {"name": values["name"]})
    return UUID(str(kept.id))
