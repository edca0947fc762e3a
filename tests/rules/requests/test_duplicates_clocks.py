"""A survivor's clocks recounted from the earliest registration are what they would have been."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from itr.sla.calendars import CalendarDefinition
from itr.sla.clock import Clock, Target, fold
from itr.sla.clocks import ClockBook, histories_of
from itr.sla.terms import ClockState, Thread
from itr.sla.working_time import calendar_of

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOUSE, GOLD = Target(us=16 * 3_600_000_000), Target(us=8 * 3_600_000_000)
CALENDAR = uuid4()
ALWAYS = calendar_of(CalendarDefinition("Asia/Shanghai", always_open=True))
T = Thread.RESOLUTION


def survivor(registered: datetime) -> ClockBook:
    """Registered, accepted an hour later, paused for half an hour after two."""
    book = ClockBook()
    book.start(T, registered, HOUSE, CALENDAR)
    book.retarget(T, START + 4 * HOUR, GOLD, CALENDAR)
    book.pause(T, START + 5 * HOUR, "CUSTOMER")
    book.resume(T, START + 5.5 * HOUR)
    return book


def clock(book: ClockBook) -> Clock:
    """The clock its words fold to, as they would be read from the event log."""
    words = book.take_added()
    return fold(histories_of(words)[T], lambda _: ALWAYS)


def test_a_clock_recounted_from_earlier_is_the_clock_that_started_earlier() -> None:
    """R-REQ-13, R-SLA-02."""
    later = survivor(START + 3 * HOUR)
    later.recount_from(T, START)

    recounted, ideal = clock(later), clock(survivor(START))

    assert recounted == ideal
    assert recounted.deadline == START + 8.5 * HOUR


def test_a_recounted_thread_completes_reopens_and_cancels_like_any_other() -> None:
    """R-REQ-13, R-SLA-09."""
    book = survivor(START + 3 * HOUR)
    book.recount_from(T, START)
    assert book.is_unfinished(T)

    book.complete(T, START + 6 * HOUR)
    assert book.is_completed(T)
    assert not book.is_unfinished(T)
    book.reopen(T, START + 7 * HOUR)
    assert book.is_unfinished(T)
    book.cancel(T, START + 7 * HOUR)
    assert book.unfinished() == []


def test_a_completion_before_the_survivors_own_registration_is_the_end_of_the_thread() -> None:
    """R-REQ-13: the customer was answered on the duplicate."""
    book = survivor(START + 3 * HOUR)
    book.recount_from(T, START)
    book.complete_earlier(T, START + HOUR)

    assert book.is_completed(T)
    assert book.unfinished() == []
    book.cancel(T, START + 8 * HOUR)
    found = clock(book)
    assert found.state is ClockState.MET
    assert found.elapsed_us == 3_600_000_000


def test_a_later_duplicate_and_a_thread_that_never_started_are_left_alone() -> None:
    """R-REQ-13."""
    book = survivor(START)
    book.take_added()

    book.recount_from(T, START + HOUR)
    book.recount_from(T, START)
    book.recount_from(Thread.CLOSURE, START)
    book.complete_earlier(Thread.CLOSURE, START)

    assert book.take_added() == []
