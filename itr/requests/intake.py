"""Taking a request in: what is missing is asked for, not guessed (R-REQ-08)."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from itr.actors.actor import Actor, Reach
from itr.actors.roles import OrganisationKind
from itr.catalogue.in_force import house_terms
from itr.catalogue.models import Product, Project
from itr.catalogue.terms import Phase, Priority
from itr.errors import Faults, NotFound, Required
from itr.events.work import Work
from itr.people.models import Organisation, Person
from itr.requests import rules
from itr.requests.assignment import customer_of, knows_person, knows_projects, sees_customer
from itr.requests.models import Request
from itr.requests.store import calendars_in_force, lock_visible
from itr.requests.terms import Channel, RequestKind, RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.sight.requests import visible_requests
from itr.texts import ensure_text

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Letters and digits nobody mixes up when reading a number aloud."""


@dataclass(frozen=True)
class Intake:
    """What a requester tells; `product_known` false says that the product is not known."""

    kind: RequestKind
    title: str
    description: str
    customer_id: UUID | None = None
    contact_id: UUID | None = None
    product_id: UUID | None = None
    product_known: bool = True
    project_id: UUID | None = None
    channel: Channel | None = None
    phase: Phase = Phase.AFTER_ACCEPTANCE
    follows_id: UUID | None = None


async def new_request(work: Work, actor: Actor, wanted: Intake, now: datetime) -> TicketWork:
    """A request in hand that is not registered yet, with everything it refers to checked."""
    faults = Faults()
    title = faults.of(ensure_text, wanted.title, "title", limit=rules.LONGEST_TITLE)
    description = faults.of(ensure_text, wanted.description, "description")
    if wanted.product_id is None and wanted.product_known:
        faults.add(Required(path=["productId"]))
    who = await faults.awaited(_who_asks(actor, wanted))
    if who is not None:
        await faults.awaited(_ensure_product(wanted))
        await faults.awaited(_ensure_project(actor, wanted, who[0]))
    if wanted.follows_id is not None:
        sight = visible_requests(actor)
        await faults.awaited(lock_visible(work.connection, wanted.follows_id, sight, "followsId"))
    faults.refuse()
    customer, contact = who
    terms = await house_terms()
    calendars = await calendars_in_force([terms.calendar_id], customer.id)
    zone = calendars[terms.calendar_id].working.definition.time_zone
    request = Request(
        id=uuid4(),
        number=await free_number(now.astimezone(ZoneInfo(zone))),
        kind=wanted.kind,
        status=RequestStatus.REGISTERED,
        title=title,
        description=description,
        channel=wanted.channel or _channel_of(actor),
        phase=wanted.phase,
        customer_id=customer.id,
        contact_id=contact,
        requester_id=actor.id,
        project_id=wanted.project_id,
        product_id=wanted.product_id,
        branch_id=customer.branch_id,
        priority=Priority.P3,
        service_level_version_id=terms.version_id,
        service_down=wanted.kind is RequestKind.TECHNICAL,
        follows_id=wanted.follows_id,
        registered_at=now,
        updated_at=now,
    )
    return TicketWork(actor=actor, now=now, request=request, terms=terms, calendars=calendars)


def number_of(day: datetime, letters: str) -> str:
    """The number people see: day of registration and four letters that tell no volume."""
    return f"SR-{day:%y%m%d}-{letters}"


async def free_number(day: datetime) -> str:
    """A number no request has yet."""
    while True:
        number = number_of(day, "".join(secrets.choice(ALPHABET) for _ in range(4)))
        if not await Request.exists(number=number):
            return number


async def _who_asks(actor: Actor, wanted: Intake) -> tuple[Organisation, UUID | None]:
    """The customer and contact: own firm for customers, named or found by contact for others."""
    if actor.scope.reaches == {Reach.CUSTOMER}:
        if wanted.customer_id not in (None, actor.organisation_id):
            raise NotFound(path=["customerId"])
        own = await Organisation.get(id=actor.organisation_id)
        contact = wanted.contact_id or actor.id
        await customer_of(own.id, contact, "contactId")
        return own, contact
    if wanted.contact_id is not None:
        person = await Person.get_or_none(id=wanted.contact_id, active=True)
        if person is None or wanted.customer_id not in (None, person.organisation_id):
            raise NotFound(path=["contactId"])
        customer_id = person.organisation_id
    elif wanted.customer_id is not None:
        customer_id = wanted.customer_id
    else:
        raise Required(path=["customerId"])
    customer = await Organisation.get_or_none(id=customer_id, kind=OrganisationKind.CUSTOMER)
    known = wanted.contact_id is None or await knows_person(actor, wanted.contact_id)
    if customer is None or not (known and await sees_customer(actor, customer.id)):
        raise NotFound(path=["customerId" if wanted.contact_id is None else "contactId"])
    return customer, wanted.contact_id


async def _ensure_product(wanted: Intake) -> None:
    if wanted.product_id is not None and not await Product.exists(id=wanted.product_id):
        raise NotFound(path=["productId"])


async def _ensure_project(actor: Actor, wanted: Intake, customer: Organisation) -> None:
    project_id = wanted.project_id
    if project_id is not None:
        theirs = knows_projects(actor) and await Project.exists(id=project_id, customer=customer)
        if not theirs:
            raise NotFound(path=["projectId"])


def _channel_of(actor: Actor) -> Channel:
    if actor.organisation_kind is OrganisationKind.PARTNER:
        return Channel.PARTNER
    return Channel.WEB if actor.organisation_kind is OrganisationKind.CUSTOMER else Channel.PHONE
