"""Parents and children (R-REQ-09): splitting, and what they do together."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from itr.actors.actor import Actor
from itr.catalogue.in_force import terms_of
from itr.catalogue.models import Product
from itr.errors import DomainError, NotFound, refuse
from itr.events.work import Work, transaction
from itr.requests import child_request_rules
from itr.requests.intake import new_number, with_free_numbers
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Request
from itr.requests.rules import OPEN
from itr.requests.store import save
from itr.requests.taking import ensure_current, take, take_with_parent
from itr.requests.terms import RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs import child_requests, intake
from itr.requests.verbs.child_requests import Part

__all__ = [
    "Part",
    "cancel_children",
    "follow_lead",
    "lead_children",
    "open_children",
    "split_request",
    "take_under_lead",
]


async def split_request(
    actor: Actor,
    request_id: UUID,
    *,
    parts: Sequence[Part],
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Open one child per product under the same lead owner; the parent's clocks rule."""

    async def splitting() -> None:
        async with transaction(claim_at_once=False) as work:
            parent = await take(work, actor, request_id, now, expected_version)
            await _split(work, parent, parts)

    await with_free_numbers(splitting)
    return request_id


async def _split(work: Work, parent: TicketWork, parts: Sequence[Part]) -> None:
    parent.ensure_may(RequestVerb.SPLIT)
    brothers = await Request.filter(parent_id=parent.request.id).exclude(
        status=RequestStatus.CANCELLED
    )
    products = [part.product_id for part in parts]
    taken = [each.product_id for each in brothers]
    child_request_rules.ensure_splits(parent.request, products, taken)
    await _ensure_products(products)
    children = [child_requests.open_child(parent, part, _number(parent)) for part in parts]
    child_requests.split(parent, children)
    for child in children:
        await save(work, child)
    await save(work, parent)


async def open_children(request_id: UUID) -> int:
    """How many children of a request in hand have not ended; they cannot begin meanwhile."""
    return await Request.filter(parent_id=request_id, status__in=list(OPEN)).count()


async def cancel_children(work: Work, parent: TicketWork, reason: str) -> None:
    """Withdraw what is not delivered of a request that is withdrawn, its children in hand.

    Who may withdraw the whole may withdraw its parts, also those out of sight.
    """
    for child in parent.children:
        intake.cancel(child, reason)
        await save(work, child)


async def lead_children(work: Work, parent: TicketWork) -> None:
    """Have the children of a request, in hand with it, follow it."""
    for child in parent.children:
        child_requests.follow(child, parent.request, parent.terms)
        await save(work, child)


async def take_under_lead(
    work: Work,
    actor: Actor,
    request_id: UUID,
    now: datetime,
    expected_version: int | None = None,
) -> TicketWork:
    """Take a request that is to go on after its end; a child's parent stays open meanwhile.

    The parent is locked before the child, as everywhere. Raises NotFound, Stale, ParentEnded.
    """
    in_hand, parent = await take_with_parent(work, actor, request_id, now)
    ensure_current(in_hand, expected_version)
    if parent is not None:
        if parent.request.status not in OPEN:
            raise child_request_rules.ParentEnded()
        in_hand.lead = parent.request
    return in_hand


async def follow_lead(child: TicketWork) -> None:
    """A child that goes on has its parent's priority of now (R-REQ-09)."""
    if child.lead is not None:
        terms = await terms_of(child.lead.service_level_version_id)
        child_requests.follow(child, child.lead, terms)


async def _ensure_products(products: Sequence[UUID]) -> None:
    known = set(await Product.filter(id__in=list(products)).values_list("id", flat=True))
    missing: list[DomainError] = [
        NotFound(path=["children", place, "productId"])
        for place, product in enumerate(products)
        if product not in known
    ]
    refuse(missing)


def _number(parent: TicketWork) -> str:
    calendar = parent.calendars[parent.terms.calendar_id].working
    return new_number(parent.now.astimezone(ZoneInfo(calendar.definition.time_zone)))
