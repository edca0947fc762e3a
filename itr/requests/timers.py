"""The timers of a request: what happens by itself, and when (R-REQ-04, R-REQ-11, R-ESC-02)."""

from datetime import datetime
from fractions import Fraction

from itr.requests.charge_rules import REMINDED_AFTER
from itr.requests.ticket_work import TicketWork

CONFIRMATION = "CONFIRMATION"
CONFIRMATION_REMINDER = "CONFIRMATION_REMINDER"
BULLETIN = "BULLETIN"
CHARGE_REMINDER = "CHARGE_REMINDER"


def set_confirmation_timers(work: TicketWork) -> None:
    """Silence will confirm after the window, with a reminder at half of it (R-REQ-04)."""
    work.set_timer(CONFIRMATION_REMINDER, _after(work, Fraction(work.terms.confirmation_days, 2)))
    work.set_timer(CONFIRMATION, _after(work, Fraction(work.terms.confirmation_days)))


def stop_confirmation_timers(work: TicketWork) -> None:
    """The customer has answered; nothing is confirmed by silence."""
    work.set_timer(CONFIRMATION_REMINDER, None)
    work.set_timer(CONFIRMATION, None)


def remind_of_charge(work: TicketWork, *, expected: bool) -> None:
    """The customer is reminded when nobody has decided on a charge in time (R-ENT-06)."""
    due = _after(work, Fraction(REMINDED_AFTER)) if expected else None
    work.set_timer(CHARGE_REMINDER, due)


def _after(work: TicketWork, days: Fraction) -> datetime:
    return work.calendars[work.terms.calendar_id].working.add_days(work.now, days)


def expect_bulletin(work: TicketWork, due_at: datetime | None) -> None:
    """The next status bulletin of an emergency is due then; None: none any more (R-REQ-11)."""
    if due_at != work.request.bulletin_due_at:
        work.request.bulletin_due_at = due_at
        work.set_timer(BULLETIN, due_at)
