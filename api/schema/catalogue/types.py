"""The catalogue as the API shows it: products, items, packages, contracts."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, connection, many, one, public_id, same_row, sql
from api.planner.stored import Node, embedded, stored
from api.schema.catalogue.service_levels import ServiceLevel
from api.schema.people.types import Organisation, Project
from itr.actors.roles import Permission
from itr.catalogue.terms import ChargeKind, Phase, QuotaUnit
from itr.sight.catalogue import (
    visible_catalogue_items,
    visible_contract_lines,
    visible_contracts,
    visible_packages,
    visible_products,
    visible_service_products,
)

if TYPE_CHECKING:
    from api.schema.requests.types import RequestConnection


@embedded
@strawberry.type(description="An amount of money. 金额")
class Money:
    """An amount of money: exact, never a float."""

    amount: Decimal = column(description="The amount.")
    currency: str = column(description="ISO 4217 code, e.g. CNY.")


@stored(
    table="product",
    key="prd",
    visible=visible_products,
    found_with=Permission.READ_DIRECTORY,
    order="name",
)
@strawberry.type(description="Something customers have and ask about. 产品")
class Product(Node):
    """Something customers have and ask about."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    served: bool = column(filter=True, description="Whether it is served at all.")
    requests: (
        Annotated["RequestConnection", strawberry.lazy("api.schema.requests.types")] | None
    ) = connection(
        "product_id",
        order="-registered_at",
        description="The requests about it. 相关请求",
    )


@filter_for(Product)
class ProductFilter:
    """Only products for which all of this holds."""


@order_for(Product)
class ProductOrder:
    """What to sort products by, and which way."""


@connection_of(Product)
class ProductConnection:
    """A page of products."""


@stored(
    table="catalogue_item",
    key="itm",
    visible=visible_catalogue_items,
    permission=Permission.READ_CATALOGUE,
    order="name",
)
@strawberry.type(description="A service that can be priced alone (R-CAT-01). 服务目录项")
class CatalogueItem(Node):
    """A service that can be priced alone and has one measurable target."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    charge_kind: ChargeKind = column(filter=True, description="What it charges for.")
    price: Money = same_row({"amount": "price"}, description="Its price, without tax.")
    tax_percent: Decimal = column(description="The tax on the price, in per cent.")
    target: str = column(description="Its measurable target.")
    quality_standard: str = column(description="Its quality standard.")
    product: Product | None = one("product_id", description="The product it is for; null for any.")


@filter_for(CatalogueItem)
class CatalogueItemFilter:
    """Only catalogue items for which all of this holds."""


@order_for(CatalogueItem)
class CatalogueItemOrder:
    """What to sort catalogue items by, and which way."""


@connection_of(CatalogueItem)
class CatalogueItemConnection:
    """A page of catalogue items."""


@stored(
    table="service_product",
    key="spr",
    visible=visible_service_products,
    permission=Permission.READ_CATALOGUE,
    order="name",
)
@strawberry.type(description="Catalogue items sold together (R-CAT-01). 服务产品")
class ServiceProduct(Node):
    """Catalogue items sold together."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    items: list[CatalogueItem] = many(
        on="{t}.id in (select m.catalogueitem_id from service_product_item m"
        " where m.service_product_id = {parent}.id)",
        order="name",
        description="What it is made of, by name.",
    )


@filter_for(ServiceProduct)
class ServiceProductFilter:
    """Only service products for which all of this holds."""


@order_for(ServiceProduct)
class ServiceProductOrder:
    """What to sort service products by, and which way."""


@connection_of(ServiceProduct)
class ServiceProductConnection:
    """A page of service products."""


@stored(
    table="package",
    key="pkg",
    visible=visible_packages,
    permission=Permission.READ_CATALOGUE,
    order="name",
)
@strawberry.type(description="Service products sold together (R-CAT-01). 服务包")
class Package(Node):
    """Service products sold together."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    service_products: list[ServiceProduct] = many(
        on="{t}.id in (select m.serviceproduct_id from package_service_product m"
        " where m.package_id = {parent}.id)",
        order="name",
        description="What it is made of, by name.",
    )


@filter_for(Package)
class PackageFilter:
    """Only packages for which all of this holds."""


@order_for(Package)
class PackageOrder:
    """What to sort packages by, and which way."""


@connection_of(Package)
class PackageConnection:
    """A page of packages."""


@stored(
    table="contract",
    key="con",
    visible=visible_contracts,
    permission=Permission.READ_CONTRACTS,
    order="number",
)
@strawberry.type(description="What a customer has bought between two dates. 合同")
class Contract(Node):
    """What a customer has bought between two dates (R-CAT-02)."""

    id: strawberry.ID = public_id()
    number: str = column(filter=True, order=True, description="Its number.")
    customer: Organisation | None = one("customer_id", filter=True, description="Whose it is.")
    starts_on: date = column(filter=True, order=True, description="Its first day.")
    ends_on: date = column(filter=True, order=True, description="Its last day.")
    fee: Money | None = same_row(
        {"amount": "fee"}, present="{t}.fee is not null", description="What it costs."
    )
    penalty: Money | None = same_row(
        {"amount": "penalty"}, present="{t}.penalty is not null", description="Per breach."
    )
    lines: list[Annotated["ContractLine", strawberry.lazy("api.schema.catalogue.types")]] = many(
        "contract_id", order="number", description="Its lines."
    )
    requests: (
        Annotated["RequestConnection", strawberry.lazy("api.schema.requests.types")] | None
    ) = connection(
        on="{t}.contract_line_id in"
        " (select l.id from contract_line l where l.contract_id = {parent}.id)",
        order="-registered_at",
        description="The requests it entitled. 依此合同的请求",
    )


@filter_for(Contract)
class ContractFilter:
    """Only contracts for which all of this holds."""


@order_for(Contract)
class ContractOrder:
    """What to sort contracts by, and which way."""


@connection_of(Contract)
class ContractConnection:
    """A page of contracts."""


@stored(
    table="contract_line",
    key="cln",
    visible=visible_contract_lines,
    permission=Permission.READ_CONTRACTS,
    order="number",
)
@strawberry.type(description="One package at one service level. 合同行")
class ContractLine(Node):
    """One package at one service level."""

    id: strawberry.ID = public_id()
    number: int = column(description="Its number within the contract.")
    contract: Contract | None = one("contract_id", description="The contract it stands in.")
    service_level: ServiceLevel | None = one(
        "service_level_id", description="At which level; null while the record is incomplete."
    )
    package: Package | None = one("package_id", description="What was bought, if it is recorded.")
    product: Product | None = one("product_id", description="Covered product; null for all.")
    project: Project | None = one("project_id", description="Covered project; null for all.")
    phase: Phase = column(description="Which phase it covers.")
    quota_unit: QuotaUnit | None = column(description="What its quota counts.")
    quota: int | None = column(description="Units per contract year; null for no limit.")
    quota_used: int | None = sql(
        "(select count(*)::int from quota_taking q where q.contract_line_id = {t}.id"
        " and q.returned_at is null and {t}.quota is not null)",
        description="Units taken and not given back, over all contract years.",
    )
