"""Demonstration data: two branches, three customers, two partners, one person per role and more.

Ids are derived from names, so that documents can quote them; seeding again adds nothing.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from tortoise.models import Model

from itr.access.operations.persons import create_person
from itr.actors.actor import SYSTEM, Actor
from itr.actors.roles import OrganisationKind, Role
from itr.catalogue.models import (
    CatalogueItem,
    Contract,
    Package,
    Product,
    Project,
    ServiceLevelVersion,
    ServiceProduct,
)
from itr.catalogue.operations import (
    ContractLineDraft,
    save_catalogue_item,
    save_contract,
    save_package,
    save_product,
    save_service_level,
    save_service_product,
)
from itr.catalogue.organisations import create_organisation
from itr.catalogue.projects import create_project
from itr.catalogue.terms import Phase, QuotaUnit
from itr.database import connected
from itr.demo.data import (
    BRANCHES,
    CALENDARS,
    CUSTOMERS,
    DESKTOP,
    GOLD,
    GOLD_PACKAGE,
    HOUSE,
    ITEMS,
    LAKE,
    LAKE_CONTRACT,
    LEVELS,
    MACHINES,
    PACKAGES,
    PARTNERS,
    PEOPLE,
    PRODUCTS,
    PROJECTS,
    QUEUES,
    RIDGE,
    RIDGE_CONTRACT,
    SERVICE_PRODUCTS,
    SILVER,
    SILVER_PACKAGE,
    VIDEO,
    demo_id,
)
from itr.demo.history import seed_history
from itr.demo.requests import seed_requests
from itr.people.models import Organisation, Person, Queue
from itr.people.operations import create_queue
from itr.settings import Settings
from itr.sla.models import Calendar
from itr.sla.operations import save_calendar

Progress = Callable[[float, str], object]
_SETTING_UP, _OPEN_ONES = 0.1, 0.1
"""The shares of the work there is, as progress tells them."""

SETUP = Actor(
    id=SYSTEM.id,
    name=SYSTEM.name,
    organisation_id=None,
    organisation_kind=None,
    roles=frozenset({Role.ADMIN, Role.PROCESS_MANAGER, Role.CATALOGUE_MANAGER}),
)
"""Who sets the demonstration up: the system, with the roles such a setting up needs."""


async def seed(
    settings: Settings, progress: Progress, now: datetime | None = None, *, history: int = 0
) -> None:
    """Write the demonstration data that is missing; `progress` is told a share and what it is.

    `history`: so many requests of the year before stand beside those that are open.
    """
    now = now or datetime.now(UTC)
    steps: tuple[tuple[str, Callable[[datetime], Awaitable[None]]], ...] = (
        ("组织 / organisations", _organisations),
        ("人员 / people", _people),
        ("日历 / calendars", _calendars),
        ("服务级别 / service levels", _levels),
        ("服务目录 / catalogue", _catalogue),
        ("合同与项目 / contracts and projects", _contracts),
    )
    async with connected(settings):
        for number, (title, step) in enumerate(steps):
            progress(_SETTING_UP * number / len(steps), title)
            await step(now)
        await _requests(progress, now, history)
    progress(1.0, "")


async def _requests(progress: Progress, now: datetime, history: int) -> None:
    """What is open, then what the year before brought."""
    open_ones = 1 - _SETTING_UP if not history else _OPEN_ONES

    def of_the_open(share: float, what: str) -> None:
        progress(_SETTING_UP + open_ones * share, what)

    def of_the_past(share: float, what: str) -> None:
        begun = _SETTING_UP + open_ones
        progress(begun + (1 - begun) * share, what)

    await seed_requests(now, of_the_open)
    if history:
        await seed_history(history, now, of_the_past)


async def _is_new(model: type[Model], key: UUID) -> bool:
    return not await model.exists(id=key)


def _organisation(name: str) -> UUID:
    return demo_id("organisation", name)


async def _organisations(now: datetime) -> None:
    wanted: list[tuple[str, OrganisationKind, str | None]] = [
        *((name, OrganisationKind.BRANCH, None) for name in BRANCHES),
        *((name, OrganisationKind.CUSTOMER, branch) for name, branch in CUSTOMERS.items()),
        *((name, OrganisationKind.PARTNER, None) for name in PARTNERS),
    ]
    for name, kind, branch in wanted:
        if await _is_new(Organisation, _organisation(name)):
            await create_organisation(
                SETUP,
                kind=kind,
                name=name,
                branch_id=_organisation(branch) if branch else None,
                organisation_id=_organisation(name),
                now=now,
            )


async def _people(now: datetime) -> None:
    for number, (name, organisation, roles) in enumerate(PEOPLE, 1):
        key = demo_id("person", name)
        if await _is_new(Person, key):
            await create_person(
                SETUP,
                _organisation(organisation),
                name,
                roles,
                email=f"p{number:02d}@itr-desk.example",
                phone=f"+86 21 5550 {number:04d}",
                machine=name in MACHINES,
                person_id=key,
                now=now,
            )
    for name, line, owner, lead, members in QUEUES:
        key = demo_id("queue", name)
        if await _is_new(Queue, key):
            await create_queue(
                SETUP,
                name=name,
                line=line,
                branch_id=_organisation(owner) if owner in BRANCHES else None,
                partner_id=_organisation(owner) if owner in PARTNERS else None,
                lead_id=demo_id("person", lead) if lead else None,
                member_ids=[demo_id("person", member) for member in members],
                queue_id=key,
                now=now,
            )


async def _calendars(now: datetime) -> None:
    for name, definition in CALENDARS.items():
        key = demo_id("calendar", name)
        if await _is_new(Calendar, key):
            await save_calendar(SETUP, name=name, definition=definition, calendar_id=key, now=now)


async def _levels(now: datetime) -> None:
    for name, calendar, targets, pauses in LEVELS:
        key = demo_id("service level version", name)
        if await _is_new(ServiceLevelVersion, key):
            await save_service_level(
                SETUP,
                name=name,
                calendar_id=demo_id("calendar", calendar),
                targets=targets,
                pauses=pauses,
                house=name == HOUSE,
                service_level_id=demo_id("service level", name),
                version_id=key,
                now=now,
            )


async def _catalogue(now: datetime) -> None:
    for name, served in PRODUCTS.items():
        key = demo_id("product", name)
        if await _is_new(Product, key):
            await save_product(SETUP, name=name, served=served, product_id=key, now=now)
    for name, kind, price, product, target, standard in ITEMS:
        key = demo_id("item", name)
        if await _is_new(CatalogueItem, key):
            await save_catalogue_item(
                SETUP,
                name=name,
                charge_kind=kind,
                price=Decimal(price),
                target=target,
                quality_standard=standard,
                product_id=demo_id("product", product) if product else None,
                item_id=key,
                now=now,
            )
    for name, items in SERVICE_PRODUCTS.items():
        key = demo_id("service product", name)
        if await _is_new(ServiceProduct, key):
            ids = [demo_id("item", item) for item in items]
            await save_service_product(
                SETUP, name=name, item_ids=ids, service_product_id=key, now=now
            )
    for name, products in PACKAGES.items():
        key = demo_id("package", name)
        if await _is_new(Package, key):
            ids = [demo_id("service product", product) for product in products]
            await save_package(SETUP, name=name, service_product_ids=ids, package_id=key, now=now)


async def _contracts(now: datetime) -> None:
    for number, customer, lines in (
        (LAKE_CONTRACT, LAKE, _lines_of_lake()),
        (RIDGE_CONTRACT, RIDGE, _lines_of_ridge()),
    ):
        key = demo_id("contract", number)
        if await _is_new(Contract, key):
            await save_contract(
                SETUP,
                number=number,
                customer_id=_organisation(customer),
                starts_on=date(2025, 1, 1),
                ends_on=date(now.year + 2, 12, 31),
                fee=Decimal("360000.00"),
                penalty=Decimal("2000.00"),
                lines=lines,
                contract_id=key,
                now=now,
            )
    for name, customer, contract, team in PROJECTS:
        key = demo_id("project", name)
        if await _is_new(Project, key):
            await create_project(
                SETUP,
                name=name,
                customer_id=_organisation(customer),
                manager_id=demo_id("person", "孙杰"),
                contract_id=demo_id("contract", contract),
                member_ids=[demo_id("person", member) for member in team],
                project_id=key,
                now=now,
            )


def _lines_of_lake() -> list[ContractLineDraft]:
    """Gold for everything accepted, Silver while it is being delivered."""
    return [
        ContractLineDraft(
            number=1,
            service_level_id=demo_id("service level", GOLD),
            package_id=demo_id("package", GOLD_PACKAGE),
            line_id=demo_id("contract line", f"{LAKE_CONTRACT}/1"),
        ),
        ContractLineDraft(
            number=2,
            service_level_id=demo_id("service level", SILVER),
            phase=Phase.DELIVERY,
            line_id=demo_id("contract line", f"{LAKE_CONTRACT}/2"),
        ),
    ]


def _lines_of_ridge() -> list[ContractLineDraft]:
    """Silver for desktops, twelve requests a year; the line for video lacks its service level."""
    return [
        ContractLineDraft(
            number=1,
            service_level_id=demo_id("service level", SILVER),
            package_id=demo_id("package", SILVER_PACKAGE),
            product_id=demo_id("product", DESKTOP),
            quota_unit=QuotaUnit.REQUEST,
            quota=12,
            line_id=demo_id("contract line", f"{RIDGE_CONTRACT}/1"),
        ),
        ContractLineDraft(
            number=2,
            product_id=demo_id("product", VIDEO),
            line_id=demo_id("contract line", f"{RIDGE_CONTRACT}/2"),
        ),
    ]
