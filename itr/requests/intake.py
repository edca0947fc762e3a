"""Taking a request in: what is missing is asked for, not guessed (R-REQ-08)."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import orjson
from tortoise.exceptions import IntegrityError

from itr.actors.actor import Actor, Reach
from itr.actors.roles import OrganisationKind
from itr.catalogue.in_force import house_terms
from itr.catalogue.terms import Phase, Priority
from itr.errors import Faults, NotFound, Required
from itr.events.work import Work
from itr.references import References
from itr.requests import rules
from itr.requests.assignment import knows_projects
from itr.requests.models import Request
from itr.requests.terms import Channel, RequestKind, RequestStatus
from itr.requests.ticket_work import ProjectPeople, TicketWork
from itr.rows import new_row
from itr.sight.requests import visible_requests
from itr.sla.calendars_in_force import calendars_in_force
from itr.texts import ensure_text

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Letters and digits nobody mixes up when reading a number aloud."""
_TRIES = 9
_NUMBERED = ("request", "ticket")
T = TypeVar("T")
Row = Mapping[str, Any]


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
    found = await _read(work, actor, wanted)
    around = faults.of(_who_asks, actor, wanted, found)
    if around is not None:
        faults.of(_ensure_product, wanted, around)
        faults.of(_ensure_project, actor, wanted, around)
    if wanted.follows_id not in (None, found["follows"]):
        faults.add(NotFound(path=["followsId"]))
    faults.refuse()
    customer_id, references = around.customer_id, around.references
    terms = await house_terms(references)
    calendars = await calendars_in_force([terms.calendar_id], customer_id, references)
    zone = calendars[terms.calendar_id].working.definition.time_zone
    request = new_row(
        Request,
        id=uuid4(),
        number=new_number(now.astimezone(ZoneInfo(zone))),
        kind=wanted.kind,
        status=RequestStatus.REGISTERED,
        title=title,
        description=description,
        channel=wanted.channel or _channel_of(actor),
        phase=wanted.phase,
        customer_id=customer_id,
        contact_id=around.contact_id,
        requester_id=actor.id,
        project_id=wanted.project_id,
        product_id=wanted.product_id,
        branch_id=around.branch_id,
        priority=Priority.P3,
        service_level_version_id=terms.version_id,
        service_down=wanted.kind is RequestKind.TECHNICAL,
        follows_id=wanted.follows_id,
        registered_at=now,
        updated_at=now,
    )
    return TicketWork(
        actor=actor,
        now=now,
        request=request,
        terms=terms,
        calendars=calendars,
        project=around.project,
        references=references,
    )


def number_of(day: datetime, letters: str) -> str:
    """The number people see: day of registration and four letters that tell no volume."""
    return f"SR-{day:%y%m%d}-{letters}"


def new_number(day: datetime) -> str:
    """A number for a request of this day; that nobody has it shows when it is written."""
    return number_of(day, "".join(secrets.choice(ALPHABET) for _ in range(4)))


async def with_free_numbers(act: Callable[[], Awaitable[T]]) -> T:
    """Do what gives new numbers, once more with others where one turns out to be taken."""
    for _ in range(_TRIES):
        try:
            return await act()
        except IntegrityError as error:
            if not _is_of_a_number(error.__cause__):
                raise
    return await act()


def _is_of_a_number(error: BaseException | None) -> bool:
    """Whether a number was taken; what is in the way PostgreSQL tells nobody, for row security."""
    if not isinstance(error, asyncpg.UniqueViolationError):
        return False
    return error.table_name in _NUMBERED and "number" in (error.constraint_name or "")


@dataclass(frozen=True)
class _Around:
    """What the database knows of what an intake names."""

    customer_id: UUID
    contact_id: UUID | None
    branch_id: UUID | None
    has_product: bool
    has_project: bool
    project: ProjectPeople
    references: References


_ASKED = """
with claim as ({claim}), followed as materialized (
    select r.id from request r
    where exists (select 1 from claim) and r.id = $6::uuid and {sight} for update
)
select exists (select 1 from claim) as claimed, (select id from followed) as follows,
    reference_marks()::text as marks,
    c.id as customer_id, c.kind, c.branch_id,
    p.organisation_id as contact_of, j.id as project_id, j.manager_id, j.contact_id,
    exists (select 1 from product where id = $3::uuid) as has_product,
    (select q.id from person q where q.active and q.organisation_id = c.id
        and q.id in (p.id, j.contact_id) order by (q.id = p.id) desc nulls last limit 1)
        as customer_contact,
    exists (select 1 from hand_over h join request r on r.id = h.request_id
        where h.partner_id = $5::uuid and r.contact_id = p.id) as knows_contact,
    exists (select 1 from hand_over h join request r on r.id = h.request_id
        where h.partner_id = $5::uuid and r.customer_id = c.id) as knows_customer
from (select 1) asked
left join person p on p.id = $1::uuid and p.active
left join organisation c on c.id = coalesce($2::uuid, p.organisation_id)
left join project j on j.id = $4::uuid and j.customer_id = c.id
"""


async def _read(work: Work, actor: Actor, wanted: Intake) -> Row:
    """Read all that an intake names, by one statement."""
    own = actor.scope.reaches == {Reach.CUSTOMER}
    contact_id = wanted.contact_id or (actor.id if own else None)
    customer_id = actor.organisation_id if own else wanted.customer_id
    firm = actor.organisation_id if actor.scope.reaches == {Reach.PARTNER} else None
    condition, values = visible_requests(actor).numbered("r", 6)
    values = [
        contact_id,
        customer_id,
        wanted.product_id,
        wanted.project_id,
        firm,
        wanted.follows_id,
        *values,
    ]
    claim, more = work.claiming(len(values))
    rows = await work.connection.execute_query_dict(
        _ASKED.format(claim=claim, sight=condition), [*values, *more]
    )
    found: Row = rows[0]
    await work.ensure_claimed(found["claimed"])
    return {**found, "asked_contact": contact_id}


def _who_asks(actor: Actor, wanted: Intake, found: Row) -> _Around:
    """The customer and contact: own firm for customers, named or found by contact for others."""
    if actor.scope.reaches == {Reach.CUSTOMER}:
        if wanted.customer_id not in (None, actor.organisation_id):
            raise NotFound(path=["customerId"])
        if found["contact_of"] != actor.organisation_id:
            raise NotFound(path=["contactId"])
    else:
        _ensure_customer(actor, wanted, found)
    return _Around(
        customer_id=found["customer_id"],
        contact_id=found["asked_contact"],
        branch_id=found["branch_id"],
        has_product=found["has_product"],
        has_project=found["project_id"] is not None,
        project=ProjectPeople(found["manager_id"], found["contact_id"], found["customer_contact"]),
        references=orjson.loads(found["marks"]),
    )


def _ensure_customer(actor: Actor, wanted: Intake, found: Row) -> None:
    """That the customer somebody names, or whose contact they name, is one they know of."""
    if wanted.contact_id is not None:
        of = found["contact_of"]
        if of is None or wanted.customer_id not in (None, of):
            raise NotFound(path=["contactId"])
    elif wanted.customer_id is None:
        raise Required(path=["customerId"])
    partner = actor.scope.reaches == {Reach.PARTNER}
    known = not partner or (
        found["knows_customer"] and (wanted.contact_id is None or found["knows_contact"])
    )
    if found["kind"] != OrganisationKind.CUSTOMER or not known:
        raise NotFound(path=["customerId" if wanted.contact_id is None else "contactId"])


def _ensure_product(wanted: Intake, around: _Around) -> None:
    if wanted.product_id is not None and not around.has_product:
        raise NotFound(path=["productId"])


def _ensure_project(actor: Actor, wanted: Intake, around: _Around) -> None:
    if wanted.project_id is not None and not (knows_projects(actor) and around.has_project):
        raise NotFound(path=["projectId"])


def _channel_of(actor: Actor) -> Channel:
    if actor.organisation_kind is OrganisationKind.PARTNER:
        return Channel.PARTNER
    return Channel.WEB if actor.organisation_kind is OrganisationKind.CUSTOMER else Channel.PHONE
