"""Factories for organisations, people, queues, calendars, service levels, contracts, requests.

Each makes one thing through the product's own operations and takes only what a test cares about.
"""

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from tortoise.connection import get_connection

from itr.access.operations.persons import create_person
from itr.actors.actor import SYSTEM, Actor
from itr.actors.roles import OrganisationKind, Role
from itr.catalogue.operations import (
    ContractLineDraft,
    Entitlement,
    authorise,
    save_catalogue_item,
    save_contract,
    save_product,
    save_service_level,
)
from itr.catalogue.organisations import create_organisation
from itr.catalogue.projects import create_project
from itr.catalogue.rules import ServiceTerms, Targets
from itr.catalogue.terms import ChargeKind, Phase, Priority
from itr.events.work import transaction
from itr.people.operations import create_queue, load_actor
from itr.requests.models import HandOver, Request
from itr.requests.terms import Channel, RequestKind, RequestStatus
from itr.sight.row_filter import RowFilter
from itr.sla.calendars import CalendarDefinition, Shift
from itr.sla.clock import Target
from itr.sla.operations import save_calendar
from itr.sla.terms import Thread

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Shanghai
HOUR = 3_600_000_000
ALWAYS = CalendarDefinition("Asia/Shanghai", always_open=True)
OFFICE = CalendarDefinition(
    "Asia/Shanghai",
    shifts=tuple(
        Shift(weekday, opens, closes)
        for weekday in range(5)
        for opens, closes in (("09:00", "12:00"), ("13:30", "18:00"))
    ),
    country_holidays="CN",
)
SETUP = Actor(
    id=SYSTEM.id,
    name="setup",
    organisation_id=None,
    organisation_kind=None,
    roles=frozenset({Role.ADMIN, Role.PROCESS_MANAGER, Role.CATALOGUE_MANAGER}),
)

_numbers = count(1)


def named(kind: str) -> str:
    """A name nothing else in this process has."""
    return f"{kind} {next(_numbers)}"


def hours(response: float, restoration: float, resolution: float, closure: float = 240) -> Targets:
    """The same targets at every priority, in working hours."""
    amounts = zip(Thread, (response, restoration, resolution, closure), strict=True)
    return {
        (priority.value, thread): Target(us=round(amount * HOUR))
        for thread, amount in amounts
        for priority in Priority
    }


def days(response: int, restoration: int, resolution: int, closure: int = 10) -> Targets:
    """The same targets at every priority, in working days."""
    amounts = zip(Thread, (response, restoration, resolution, closure), strict=True)
    return {
        (priority.value, thread): Target(days=amount)
        for thread, amount in amounts
        for priority in Priority
    }


async def organisation(
    kind: OrganisationKind = OrganisationKind.CUSTOMER, *, branch: UUID | None = None
) -> UUID:
    """A customer, unless said otherwise."""
    return await create_organisation(
        SETUP, kind=kind, name=named(kind.value), branch_id=branch, now=NOW
    )


async def branch() -> UUID:
    """An own branch."""
    return await organisation(OrganisationKind.BRANCH)


async def partner() -> UUID:
    """A partner firm."""
    return await organisation(OrganisationKind.PARTNER)


async def person(of: UUID, *roles: Role) -> Actor:
    """A person of an organisation, as the actor they are."""
    key = await create_person(SETUP, of, named("person"), roles, now=NOW)
    found = await load_actor(key)
    assert found is not None
    return found


async def queue(line: int = 1, *, members: Collection[UUID] = (), **of: UUID) -> UUID:
    """A queue of a line; `partner_id` or `branch_id` says whose."""
    return await create_queue(
        SETUP, name=named("queue"), line=line, member_ids=members, now=NOW, **of
    )


async def calendar(definition: CalendarDefinition = ALWAYS) -> UUID:
    """A calendar; open at all times unless said otherwise."""
    return await save_calendar(SETUP, name=named("calendar"), definition=definition, now=NOW)


async def level(
    targets: Targets | None = None, *, calendar_id: UUID | None = None, house: bool = False
) -> UUID:
    """A service level; returns the level's id, not the version's."""
    key = uuid4()
    await save_service_level(
        SETUP,
        name=named("level"),
        calendar_id=calendar_id or await calendar(),
        targets=targets or hours(1, 4, 8),
        house=house or None,
        service_level_id=key,
        now=NOW,
    )
    return key


async def product(*, served: bool = True) -> UUID:
    """A product we serve, unless said otherwise."""
    return await save_product(SETUP, name=named("product"), served=served, now=NOW)


async def price(amount: str, *, product_id: UUID | None = None) -> UUID:
    """A catalogue item for support at this price."""
    return await save_catalogue_item(
        SETUP,
        name=named("item"),
        charge_kind=ChargeKind.SUPPORT,
        price=Decimal(amount),
        target="answered within 4 hours",
        quality_standard="by a certified engineer",
        product_id=product_id,
        now=NOW,
    )


async def contract(
    customer: UUID,
    *lines: ContractLineDraft,
    starts_on: date = date(2026, 1, 1),
    ends_on: date = date(2026, 12, 31),
    number: str | None = None,
) -> UUID:
    """A contract for the year 2026, unless said otherwise."""
    return await save_contract(
        SETUP,
        number=number or named("contract"),
        customer_id=customer,
        starts_on=starts_on,
        ends_on=ends_on,
        lines=lines,
        now=NOW,
    )


async def project(customer: UUID) -> UUID:
    """A project of a customer."""
    return await create_project(SETUP, name=named("project"), customer_id=customer, now=NOW)


async def authorised(
    customer: UUID,
    *,
    request_id: UUID | None = None,
    project_id: UUID | None = None,
    product_id: UUID | None = None,
    phase: Phase = Phase.AFTER_ACCEPTANCE,
    priority_under: Callable[[ServiceTerms], str] = lambda _: "P3",
    at: datetime = NOW,
) -> Entitlement:
    """What authorising a request registered at `at` finds, in a transaction of its own."""
    async with transaction() as work:
        return await authorise(
            work,
            request_id=request_id or uuid4(),
            customer_id=customer,
            project_id=project_id,
            product_id=product_id,
            phase=phase,
            priority_under=priority_under,
            registered_at=at,
            now=at,
        )


async def request(
    customer: UUID, requester: UUID, version_id: UUID, *, handed_to: UUID | None = None, **more: Any
) -> UUID:
    """A bare request row, for tests of who sees what; handed to a partner firm if one is given."""
    row = await Request.create(
        id=uuid4(),
        number=named("SR"),
        kind=RequestKind.TECHNICAL,
        status=RequestStatus.REGISTERED,
        title="title",
        description="description",
        channel=Channel.WEB,
        phase=Phase.AFTER_ACCEPTANCE,
        customer_id=customer,
        requester_id=requester,
        priority=Priority.P3,
        service_level_version_id=version_id,
        registered_at=NOW,
        updated_at=NOW,
        **more,
    )
    if handed_to is not None:
        await HandOver.create(id=uuid4(), request=row, partner_id=handed_to, handed_at=NOW)
    return row.id


async def ids_seen(visible: RowFilter, table: str) -> set[UUID]:
    """The ids of the rows a condition lets through."""
    condition, values = visible.at("row"), list(visible.arguments.items())
    for number, (name, _) in enumerate(values, 1):
        condition = condition.replace(f":{name}", f"${number}")
    rows = await get_connection("default").execute_query_dict(
        f"select row.id from {table} row where {condition}", [value for _, value in values]
    )
    return {found["id"] for found in rows}


async def facts_of(subject: UUID) -> list[dict[str, Any]]:
    """The events of a subject in their order."""
    return await get_connection("default").execute_query_dict(
        "select type, subject_type, subject_version, actor_id, actor_name, occurred_at,"
        " payload::text from event where subject = $1 order by subject_version",
        [subject],
    )
