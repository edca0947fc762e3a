"""The catalogue as the API shows it: products, items, service levels, contracts, calendars."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, computed, many, one, public_id, same_row, sql
from api.planner.stored import Node, embedded, stored
from api.schema.attribution import name_of
from api.schema.people import Organisation, Project
from api.schema.vocabulary import described
from itr.catalogue.policy import (
    visible_calendars,
    visible_catalogue_items,
    visible_contract_lines,
    visible_contracts,
    visible_products,
    visible_service_level_versions,
    visible_service_levels,
    visible_service_targets,
)
from itr.catalogue.terms import ChargeKind, EntitlementOutcome, Phase, QuotaUnit
from itr.people.roles import Permission
from itr.requests.terms import Priority
from itr.sla.control_points import STEPS
from itr.sla.terms import Thread, WaitingReason

described(
    EntitlementOutcome,
    "What authorisation found (R-ENT-01). 鉴权结果",
    {
        EntitlementOutcome.ENTITLED: "A contract line covers it. 有权",
        EntitlementOutcome.NO_DATA: "Served without a promise; the record is incomplete. 资料缺失",
        EntitlementOutcome.CHARGEABLE: "Served at the catalogue price. 收费",
        EntitlementOutcome.NOT_SERVED: "Only emergency recovery. 不在服务范围",
    },
)
described(
    ChargeKind,
    "What kind of work an item charges for. 收费类别",
    {
        ChargeKind.CONSULTING: "Consulting. 咨询",
        ChargeKind.IMPLEMENTATION: "Implementation. 实施",
        ChargeKind.SUPPORT: "Support. 支持",
        ChargeKind.MAINTENANCE: "Maintenance. 维保",
        ChargeKind.TRAINING: "Training. 培训",
    },
)
described(
    QuotaUnit,
    "What a contract line's quota counts. 配额单位",
    {
        QuotaUnit.REQUEST: "Requests, taken at authorisation. 请求",
        QuotaUnit.VISIT: "Visits, taken when a visit is dispatched. 上门",
    },
)
described(
    Phase,
    "Where in the contract's life a request falls. 阶段",
    {
        Phase.DELIVERY: "During delivery under contract. 交付期",
        Phase.AFTER_ACCEPTANCE: "After acceptance. 验收后",
    },
)
described(
    Thread,
    "The four time threads of a request (R-SLA-01). 时间控制线索",
    {
        Thread.RESPONSE: "Registration to the first answer by a person. 响应",
        Thread.RESTORATION: "Registration to service restored. 恢复",
        Thread.RESOLUTION: "Registration to solution delivered. 解决",
        Thread.CLOSURE: "Delivery to closing. 关闭",
    },
)
described(
    WaitingReason,
    "Why a request waits (R-REQ-03). 等待原因",
    {
        WaitingReason.CUSTOMER: "For the customer's answer. 等待客户",
        WaitingReason.THIRD_PARTY: "For a third party. 等待第三方",
        WaitingReason.SPARE_PART: "For a spare part. 等待备件",
        WaitingReason.CHANGE_WINDOW: "For a change window. 等待变更窗口",
    },
)
described(
    Priority,
    "Derived from problem type, fault level and impact (R-PRI-01). 优先级",
    {
        Priority.P1: "Most urgent. 紧急",
        Priority.P2: "High. 高",
        Priority.P3: "Medium. 中",
        Priority.P4: "Low. 低",
    },
)


@embedded
@strawberry.type(description="An amount of money. 金额")
class Money:
    """An amount of money: exact, never a float."""

    amount: Decimal = column(description="The amount.")
    currency: str = column(description="ISO 4217 code, e.g. CNY.")


@stored(table="product", key="prd", visible=visible_products, order="name")
@strawberry.type(description="Something customers have and ask about. 产品")
class Product(Node):
    """Something customers have and ask about."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    served: bool = column(filter=True, description="Whether it is served at all.")


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
    price: Money = same_row({"amount": "price"}, description="Its price.")
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
    table="(select distinct on (calendar_id) v.id, v.calendar_id, v.number, v.time_zone,"
    " v.always_open, v.definition, v.created_at, c.name"
    " from calendar_version v join calendar c on c.id = v.calendar_id"
    " order by calendar_id, number desc)",
    key="cal",
    visible=visible_calendars,
    permission=Permission.READ_CATALOGUE,
    order="name",
)
@strawberry.type(description="A working calendar as its newest version says. 工作日历")
class Calendar(Node):
    """A working calendar as its newest version says (R-CAL-01)."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    number: int = column(description="Which version this is, from 1.")
    time_zone: str = column(description="IANA name of its time zone.")
    always_open: bool = column(description="Whether it counts every hour.")


@filter_for(Calendar)
class CalendarFilter:
    """Only calendars for which all of this holds."""


@order_for(Calendar)
class CalendarOrder:
    """What to sort calendars by, and which way."""


@connection_of(Calendar)
class CalendarConnection:
    """A page of calendars."""


@stored(
    table="service_target",
    key="tgt",
    visible=visible_service_targets,
    permission=Permission.READ_CATALOGUE,
)
@strawberry.type(description="How long one thread may take at one priority. 目标")
class ServiceTarget(Node):
    """How long one thread may take at one priority (R-CAT-03)."""

    id: strawberry.ID = public_id()
    priority: Priority = column(description="At this priority.")
    thread: Thread = column(description="For this thread.")
    target: timedelta | None = column("target_us", description="In working hours.")
    target_working_days: Decimal | None = column("target_days", description="In working days.")


@strawberry.type(description="A control point's share of its thread's target. OLA 占比")
class ControlPointShare:
    """A control point's share of its thread's target (R-OLA-01)."""

    number: int = strawberry.field(description="Which control point.")
    name: str = strawberry.field(description="Its name in your language.")
    thread: Thread = strawberry.field(description="The thread it has a share of.")
    percent: Decimal = strawberry.field(description="Its share of what the thread leaves it.")


def _shares(values: Mapping[str, Any], context: Any) -> list[ControlPointShare]:
    saved = values["ola_shares"] or {}
    return [
        ControlPointShare(
            number=number,
            name=name_of(number, context.language),
            thread=step.thread,
            percent=Decimal(saved.get(str(number), step.share)),
        )
        for number, step in STEPS.items()
    ]


@stored(
    table="service_level_version",
    key="slv",
    visible=visible_service_level_versions,
    permission=Permission.READ_CATALOGUE,
    order="number",
)
@strawberry.type(description="What a service level promised from some edit on. 服务级别版本")
class ServiceLevelVersion(Node):
    """What a service level promised from some edit on; never changed (R-CAT-03)."""

    id: strawberry.ID = public_id()
    number: int = column(description="Which version, from 1.")
    service_level: Annotated["ServiceLevel", strawberry.lazy("api.schema.catalogue")] | None = one(
        "service_level_id", description="Of which level."
    )
    alarm_percents: list[int] = computed(
        ["alarm_percents"],
        lambda values, _context: values["alarm_percents"],
        description="Levels at which an alarm fires, in percent of the target (R-ALM-01).",
    )
    confirmation_working_days: int = column(
        "confirmation_days", description="Silence confirms after so many working days."
    )
    control_point_shares: list[ControlPointShare] | None = computed(
        ["ola_shares"],
        _shares,
        permission=Permission.READ_INTERNAL,
        description="The shares its control points have: the SLA carries its OLAs (R-OLA-01).",
    )
    targets: list[ServiceTarget] = many(
        "version_id", order="priority, thread", description="Its targets."
    )
    created_at: datetime = column(description="Since when.")


@stored(
    table="service_level",
    key="svl",
    visible=visible_service_levels,
    permission=Permission.READ_CATALOGUE,
    order="name",
)
@strawberry.type(description="A named promise, e.g. Gold. 服务级别")
class ServiceLevel(Node):
    """A named promise; its highest version is what new requests get."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    house: bool = column(
        description="Whether it runs the clocks where no contract does (R-ENT-04)."
    )
    current: ServiceLevelVersion | None = one(
        on="{t}.service_level_id = {parent}.id and {t}.number = (select max(number)"
        " from service_level_version v where v.service_level_id = {parent}.id)",
        description="What new requests get.",
    )
    versions: list[ServiceLevelVersion] = many(
        "service_level_id", order="number", description="All versions, oldest first."
    )


@filter_for(ServiceLevel)
class ServiceLevelFilter:
    """Only service levels for which all of this holds."""


@order_for(ServiceLevel)
class ServiceLevelOrder:
    """What to sort service levels by, and which way."""


@connection_of(ServiceLevel)
class ServiceLevelConnection:
    """A page of service levels."""


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
    lines: list[Annotated["ContractLine", strawberry.lazy("api.schema.catalogue")]] = many(
        "contract_id", order="number", description="Its lines."
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
