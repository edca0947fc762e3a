"""Duplicates: one request stays, the other ends in it (R-REQ-13)."""

from typing import Protocol
from uuid import UUID

from itr.events.log import Audience
from itr.requests.terms import RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.requests.timers import expect_bulletin
from itr.requests.verbs import charges
from itr.requests.waiting import end_all
from itr.sla.terms import Thread


class Survivor(Protocol):
    """The request that stays, as far as the other needs to know it."""

    @property
    def id(self) -> UUID:
        """Its key."""

    @property
    def number(self) -> str:
        """What people call it."""


def end_in(duplicate: TicketWork, survivor: Survivor) -> None:
    """End the duplicate: its clocks are cancelled, nothing alarms any more."""
    request = duplicate.request
    for thread in duplicate.book.unfinished():
        duplicate.book.cancel(thread, duplicate.now)
    expect_bulletin(duplicate, None)
    charges.drop(duplicate)
    moved = duplicate.move_to(RequestStatus.CANCELLED)
    request.merged_into_id = survivor.id
    end_all(request)
    duplicate.end_stint(None)
    duplicate.record("RequestMerged", Audience.PUBLIC, {**moved, "survivor": survivor.number})


def take_over(survivor: TicketWork, duplicate: TicketWork) -> None:
    """Keep the earliest registration time, and the earliest answer the customer was given.

    The clocks are recounted as if they had started then; a breach this proves is a breach.
    """
    stays, ends = survivor.request, duplicate.request
    if ends.registered_at < stays.registered_at:
        stays.registered_at = ends.registered_at
        for thread in (Thread.RESPONSE, Thread.RESTORATION, Thread.RESOLUTION):
            survivor.book.recount_from(thread, ends.registered_at)
    answered = ends.first_response_at
    if answered and (stays.first_response_at is None or answered < stays.first_response_at):
        stays.first_response_at = answered
        survivor.book.complete_earlier(Thread.RESPONSE, answered)
    survivor.record(
        "DuplicateMerged",
        Audience.PUBLIC,
        {"duplicate": ends.number, "registeredAt": stays.registered_at.isoformat()},
    )
