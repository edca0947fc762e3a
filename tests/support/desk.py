"""A service desk to test on: people of every role, a catalogue, and time as we set it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from api.app import create_app
from api.oauth.tokens import issue_token
from itr.access.operations.persons import create_person
from itr.actors.actor import Actor
from itr.actors.roles import OrganisationKind, Role
from itr.catalogue.operations import (
    ContractLineDraft,
    save_contract,
    save_product,
    save_service_level,
)
from itr.catalogue.organisations import create_organisation
from itr.database import connected
from itr.people.operations import create_queue, load_actor
from itr.settings import Settings
from itr.sla.calendars import CalendarDefinition, Shift
from itr.sla.clock import Target
from itr.sla.operations import save_calendar
from itr.sla.terms import Thread, WaitingReason
from tests.support.client import Client, in_process

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Shanghai
HOUR = 3_600_000_000

OFFICE = CalendarDefinition(
    time_zone="Asia/Shanghai",
    shifts=tuple(
        Shift(weekday, opens, closes)
        for weekday in range(5)
        for opens, closes in (("09:00", "12:00"), ("13:30", "18:00"))
    ),
    country_holidays="CN",
)
ALWAYS = CalendarDefinition(time_zone="Asia/Shanghai", always_open=True)

FOUNDER = Actor(
    id=uuid4(),
    name="founder",
    organisation_id=None,
    organisation_kind=OrganisationKind.BRANCH,
    roles=frozenset(Role),
)


def hours(amount: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=amount)


def targets(**by_thread: float) -> dict[tuple[str, Thread], Target]:
    """The same hours at every priority."""
    return {
        (priority, Thread(thread)): Target(us=round(amount * HOUR))
        for priority in ("P1", "P2", "P3", "P4")
        for thread, amount in by_thread.items()
    }


ALL_PAUSE = tuple(
    (reason, thread)
    for reason in WaitingReason
    for thread in Thread
    if thread is not Thread.CLOSURE
)


@dataclass
class Time:
    """The desk's clock."""

    now: datetime = START

    def __call__(self) -> datetime:
        """What the server takes for now."""
        return self.now

    def pass_(self, amount: timedelta) -> None:
        """Let time pass."""
        self.now += amount


@dataclass
class Desk:
    """Ids of everything, and a client for everybody."""

    settings: Settings
    client: Client
    time: Time
    ids: dict[str, UUID] = field(default_factory=dict)

    def public(self, prefix: str, name: str) -> str:
        """The public id of something named."""
        return f"{prefix}_{self.ids[name].hex}"

    def as_(self, name: str, *, language: str | None = "en") -> Client:
        """A client that speaks as this person."""
        token = issue_token(
            self.settings, self.ids[name], now=self.time.now, lifetime=timedelta(days=400)
        )
        return self.client.having(token, language=language)

    async def actor(self, name: str) -> Actor:
        """The person as an actor."""
        found = await load_actor(self.ids[name])
        assert found is not None
        return found


async def furnish(now: datetime) -> dict[str, UUID]:
    """Create organisations, people, queues, calendars, levels, products and contracts."""
    ids: dict[str, UUID] = {}

    async def organisation(name: str, kind: OrganisationKind, branch: str | None = None) -> None:
        ids[name] = await create_organisation(
            FOUNDER, kind=kind, name=name, now=now, branch_id=ids[branch] if branch else None
        )

    async def person(name: str, where: str, *roles: Role) -> None:
        ids[name] = await create_person(FOUNDER, ids[where], name, roles, now=now)

    await organisation("Shanghai", OrganisationKind.BRANCH)
    await organisation("Beijing", OrganisationKind.BRANCH)
    await organisation("Acme", OrganisationKind.CUSTOMER, "Shanghai")
    await organisation("Bolt", OrganisationKind.CUSTOMER, "Beijing")
    await organisation("Firm", OrganisationKind.PARTNER)
    await organisation("Rival", OrganisationKind.PARTNER)
    for role in Role:
        where = {Role.CUSTOMER: "Acme", Role.PARTNER: "Firm"}.get(role, "Shanghai")
        await person(role.value, where, role)
    await person("second", "Shanghai", Role.LINE1)
    await person("colleague", "Acme", Role.CUSTOMER)
    await person("bolt", "Bolt", Role.CUSTOMER)
    await person("rival", "Rival", Role.PARTNER)
    await person("beijing", "Beijing", Role.BRANCH_MANAGER)
    for line, members in ((1, ("LINE1", "second")), (2, ("LINE2",)), (3, ("LINE3",))):
        ids[f"queue{line}"] = await create_queue(
            FOUNDER,
            name=f"Line {line}",
            line=line,
            now=now,
            branch_id=ids["Shanghai"],
            lead_id=ids["LINE_LEAD"],
            member_ids=[ids[member] for member in members],
        )
    ids["queueAll"] = await create_queue(
        FOUNDER,
        name="All lines",
        line=2,
        now=now,
        branch_id=ids["Shanghai"],
        member_ids=[ids[member] for member in ("LINE1", "LINE2", "LINE3", "FIELD_ENGINEER")],
    )
    ids["queueFirm"] = await create_queue(
        FOUNDER,
        name="Firm",
        line=2,
        now=now,
        partner_id=ids["Firm"],
        member_ids=[ids["PARTNER"]],
    )
    ids["office"] = await save_calendar(FOUNDER, name="office", definition=OFFICE, now=now)
    ids["always"] = await save_calendar(FOUNDER, name="always", definition=ALWAYS, now=now)
    ids["house"] = await save_service_level(
        FOUNDER,
        name="house",
        house=True,
        calendar_id=ids["office"],
        targets=targets(RESPONSE=4, RESTORATION=16, RESOLUTION=40, CLOSURE=80),
        pauses=ALL_PAUSE,
        now=now,
    )
    await save_service_level(
        FOUNDER,
        name="gold",
        calendar_id=ids["always"],
        targets=targets(RESPONSE=1, RESTORATION=4, RESOLUTION=8, CLOSURE=240),
        pauses=[(WaitingReason.CUSTOMER, thread) for thread in Thread],
        now=now,
    )
    ids["router"] = await save_product(FOUNDER, name="router", now=now)
    ids["toaster"] = await save_product(FOUNDER, name="toaster", now=now, served=False)
    gold = await level_named("gold")
    ids["contract"] = await save_contract(
        FOUNDER,
        number="C-1",
        customer_id=ids["Acme"],
        starts_on=date(now.year, 1, 1),
        ends_on=date(now.year + 1, 12, 31),
        lines=[ContractLineDraft(number=1, service_level_id=gold)],
        now=now,
    )
    return ids


async def level_named(name: str) -> UUID:
    """The service level of this name."""
    from itr.catalogue.models import ServiceLevel

    return (await ServiceLevel.get(name=name)).id


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """A furnished desk behind the real application."""
    async with connected(settings):
        ids = await furnish(START)
        time = Time()
        async with in_process(create_app(settings, clock=time)) as client:
            yield Desk(settings, client, time, ids)
