"""Charges: offered, accepted at the price seen, waived, withdrawn, reminded of (R-ENT-06)."""

from uuid import UUID

from itr.events.log import Audience
from itr.requests.charge_rules import ChargeNotPending, NothingToCharge, Price, ensure_seen
from itr.requests.lifecycle import RequestVerb
from itr.requests.terms import Charge
from itr.requests.ticket_work import TicketWork
from itr.requests.timers import remind_of_charge
from itr.texts import ensure_text

UNDECIDED = (None, Charge.PENDING, Charge.WITHDRAWN)


def put_to_the_customer(work: TicketWork, item_id: UUID | None) -> None:
    """Let the charge wait for the customer, at what the catalogue item costs; not an event yet."""
    work.request.charge, work.request.charge_item_id = Charge.PENDING, item_id
    remind_of_charge(work, expected=True)


def offer(work: TicketWork, item_id: UUID | None) -> None:
    """Put a charge to the customer, or anew at another item, before the request is accepted."""
    work.ensure_may(RequestVerb.ACCEPT)
    if work.request.charge not in UNDECIDED:
        raise NothingToCharge()
    put_to_the_customer(work, item_id)
    work.record("ChargeOffered", Audience.PUBLIC)


def accept(work: TicketWork, price: Price | None, seen: Price) -> None:
    """The customer accepts what they saw; from now on it is pinned."""
    work.ensure_may(RequestVerb.ACCEPT_CHARGE)
    _ensure_pending(work)
    _decide(work, Charge.ACCEPTED, ensure_seen(price, seen))
    work.record("ChargeAccepted", Audience.PUBLIC)


def waive(work: TicketWork, price: Price | None) -> None:
    """The process manager does without; what it would have been stays known."""
    work.ensure_may(RequestVerb.WAIVE_CHARGE)
    _ensure_pending(work)
    _decide(work, Charge.WAIVED, price)
    work.record("ChargeWaived", Audience.PUBLIC)


def withdraw(work: TicketWork, reason: str) -> None:
    """Take back a charge nobody has decided on."""
    work.ensure_may(RequestVerb.WITHDRAW_CHARGE)
    _ensure_pending(work)
    text = ensure_text(reason, "reason")
    drop(work)
    work.record("ChargeWithdrawn", Audience.PUBLIC, {"reason": text})


def drop(work: TicketWork) -> None:
    """A charge nobody has decided on ends with what it was for; what is decided stays."""
    if work.request.charge is Charge.PENDING:
        work.request.charge = Charge.WITHDRAWN
        remind_of_charge(work, expected=False)


def remind(work: TicketWork) -> None:
    """Nobody has decided for days: the customer is reminded, once."""
    if work.request.charge is Charge.PENDING:
        work.record("ChargeReminded", Audience.PUBLIC)


def _ensure_pending(work: TicketWork) -> None:
    if work.request.charge is not Charge.PENDING:
        raise ChargeNotPending()


def _decide(work: TicketWork, charge: Charge, price: Price | None) -> None:
    request = work.request
    request.charge = charge
    if price is not None:
        request.charge_price, request.charge_currency = price.amount, price.currency
        request.charge_tax_percent = price.tax_percent
    remind_of_charge(work, expected=False)
