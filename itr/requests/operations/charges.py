"""Charging customers: offer, accept, waive, withdraw, remind (R-ENT-06)."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import SYSTEM, Actor
from itr.catalogue.authorisation import foresee
from itr.catalogue.models import CatalogueItem
from itr.catalogue.terms import EntitlementOutcome
from itr.errors import Required
from itr.events.work import Work, transaction
from itr.requests.charge_rules import NothingToCharge, Price
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Request
from itr.requests.rules import OPEN
from itr.requests.store import save, working_on
from itr.requests.taking import take
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs import charges


async def offer_charge(
    actor: Actor, request_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Put to the customer what a request costs that no contract covers, before it is accepted.

    Raises NothingToCharge when a contract does, or when the charge was decided on.
    """
    async with transaction(claim_at_once=False) as work:
        in_hand = await take(work, actor, request_id, now, expected_version)
        in_hand.ensure_may(RequestVerb.ACCEPT)
        chargeable, item_id = await what_it_costs(work, in_hand)
        if not chargeable:
            raise NothingToCharge()
        charges.offer(in_hand, item_id)
        await save(work, in_hand)
    return request_id


async def agree_to_charge(
    actor: Actor,
    request_id: UUID,
    verb: RequestVerb,
    *,
    now: datetime,
    seen: Price | None = None,
    expected_version: int | None = None,
) -> UUID:
    """The customer accepts the price they have `seen`, or the process manager waives it.

    Raises Required, ChargeNotPending, NoPrice, ChargeChanged.
    """
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        price = in_hand.price
        if verb is RequestVerb.WAIVE_CHARGE:
            charges.waive(in_hand, price)
        elif seen is None:
            raise Required(path=["price"])
        else:
            charges.accept(in_hand, price, seen)
    return request_id


async def withdraw_charge(
    actor: Actor,
    request_id: UUID,
    *,
    reason: str,
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Take back a charge nobody has decided on."""
    async with working_on(actor, request_id, now, expected_version) as in_hand:
        charges.withdraw(in_hand, reason)
    return request_id


async def charge_undecided(work: Work, request_id: UUID, *, now: datetime) -> None:
    """Three working days have passed: remind, if it still waits (R-ENT-06)."""
    in_hand = await take(work, SYSTEM, request_id, now)
    if in_hand.request.status in OPEN:
        charges.remind(in_hand)
        await save(work, in_hand)


async def what_it_costs(work: Work, in_hand: TicketWork) -> tuple[bool, UUID | None]:
    """Whether no contract covers the request as it stands, and the catalogue item it is then."""
    request = in_hand.request
    found = await foresee(
        work,
        customer_id=request.customer_id,
        project_id=request.project_id,
        product_id=request.product_id,
        phase=request.phase,
        registered_at=request.registered_at,
        references=in_hand.references,
    )
    return found.outcome is EntitlementOutcome.CHARGEABLE, found.item_id


async def price_of(request: Request) -> Price | None:
    """What a request costs by the catalogue as it is now; None without a price."""
    if request.charge_item_id is None:
        return None
    item = await CatalogueItem.get(id=request.charge_item_id)
    return Price(item.price, item.currency, item.tax_percent)
