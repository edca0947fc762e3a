"""What a request's work writes into its clocks' histories, and what they fold to."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from itr.sla.clock import Target
from itr.sla.clocks import (
    CalendarInForce,
    ClockBook,
    as_payload,
    from_payload,
    is_promised,
    settle,
)
from itr.sla.models import Clock
from itr.sla.terms import ClockState, Thread
from itr.sla.working_time import calendar_of
from tests.rules.sla.sla_words import ALWAYS, HOUR

CALENDAR = uuid4()
IN_FORCE = {CALENDAR: CalendarInForce(uuid4(), calendar_of(ALWAYS))}
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
EIGHT_HOURS = Target(us=8 * HOUR)
RESOLUTION, CLOSURE = Thread.RESOLUTION, Thread.CLOSURE


def hours(number: float) -> datetime:
    """So many hours after nine."""
    return NINE + timedelta(hours=number)


def row(book: ClockBook, thread: Thread, now: datetime, before: Clock | None = None) -> Clock:
    return settle(
        before,
        book.histories[thread],
        IN_FORCE,
        request_id=uuid4(),
        thread=thread,
        percents=(50, 75, 90, 100),
        now=now,
    )


def started(thread: Thread = RESOLUTION) -> ClockBook:
    book = ClockBook()
    book.start(thread, NINE, EIGHT_HOURS, CALENDAR)
    return book


def test_situation_21_a_level_without_a_target_cancels_the_clock_until_one_has_it_again() -> None:
    """R-SLA-08, R-ALM-02: no alarm meanwhile, and what was counted stays counted."""
    book = started()
    book.retarget(RESOLUTION, hours(1), None, CALENDAR)
    without = row(book, RESOLUTION, hours(3))
    assert (without.state, without.next_alarm_at) == (ClockState.CANCELLED, None)

    book.retarget(RESOLUTION, hours(3), EIGHT_HOURS, CALENDAR)

    again = row(book, RESOLUTION, hours(3))
    assert again.state is ClockState.RUNNING
    assert again.deadline == hours(8)


def test_a_thread_nothing_is_promised_for_has_no_clock() -> None:
    """R-SLA-01, R-CAT-03: it is followed, so that a promise made later counts from the start."""
    book = ClockBook()

    book.start(RESOLUTION, NINE, None, CALENDAR)
    assert not is_promised(book.histories[RESOLUTION])

    book.retarget(RESOLUTION, hours(2), EIGHT_HOURS, CALENDAR)

    clock = row(book, RESOLUTION, hours(3))
    assert is_promised(book.histories[RESOLUTION])
    assert (clock.state, clock.deadline) == (ClockState.RUNNING, hours(8))


def test_the_same_promise_again_is_no_retarget() -> None:
    """R-ALM-02: the version rises on a real one only."""
    book = started()

    book.retarget(RESOLUTION, hours(1), EIGHT_HOURS, CALENDAR)

    assert row(book, RESOLUTION, hours(1)).version == 1


def test_what_was_completed_is_neither_paused_nor_completed_again() -> None:
    """R-SLA-05."""
    book = started()
    book.complete(RESOLUTION, hours(1))
    book.take_added()

    book.pause(RESOLUTION, hours(2), "CUSTOMER")
    book.complete(RESOLUTION, hours(3))
    book.cancel(RESOLUTION, hours(3))

    assert book.take_added() == []


def test_a_completed_thread_that_is_annulled_starts_anew() -> None:
    """R-SLA-09: the closing of a request that is opened again."""
    book = started(CLOSURE)
    book.complete(CLOSURE, hours(1))
    book.annul(CLOSURE, hours(2))
    assert row(book, CLOSURE, hours(2)).state is ClockState.CANCELLED

    book.start(CLOSURE, hours(5), EIGHT_HOURS, CALENDAR)

    anew = row(book, CLOSURE, hours(6))
    assert (anew.state, anew.deadline) == (ClockState.RUNNING, hours(13))


def test_what_is_done_last_at_one_instant_is_folded_last() -> None:
    """R-SLA-02: though a pause comes before a resumption there."""
    book = started()
    book.pause(RESOLUTION, hours(1), "CUSTOMER")
    book.resume(RESOLUTION, hours(1))
    book.pause(RESOLUTION, hours(1), "CUSTOMER")

    assert row(book, RESOLUTION, hours(2)).state is ClockState.PAUSED
    assert max(book.instants()) == hours(1) + timedelta(microseconds=1)


def test_events_are_read_as_they_were_written() -> None:
    """R-SLA-02: out of an event's payload."""
    book = started()
    book.pause(RESOLUTION, hours(1), "CUSTOMER")
    book.resume(RESOLUTION, hours(2))
    book.retarget(RESOLUTION, hours(3), Target(days=2), CALENDAR)

    for event in book.histories[RESOLUTION]:
        thread, read = from_payload(as_payload(RESOLUTION, event), event.sequence)
        assert (thread, read) == (RESOLUTION, event)
