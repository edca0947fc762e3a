"""A request's timeline told again under other terms (R-SLA-12)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from itr.catalogue.rules import ServiceTerms
from itr.recalculations.retelling import Told, retold
from itr.sla.clock import Target
from itr.sla.clocks import ClockBook
from itr.sla.terms import Thread, WaitingReason
from tests.rules.sla.sla_words import hours

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TERMS = ServiceTerms(
    version_id=uuid4(),
    service_level_id=uuid4(),
    name="gold",
    calendar_id=uuid4(),
    targets={(f"P{number}", Thread.RESOLUTION): Target(us=hours(number)) for number in range(1, 5)},
    pauses=frozenset(),
    percents=(50, 100),
    matrix=None,
    confirmation_days=3,
)


def test_a_priority_another_level_gave_is_that_of_the_classification_under_these_terms() -> None:
    """R-SLA-12, R-PRI-01: moved to a level whose own matrix made the P1 a P4."""
    book = ClockBook()
    book.start(Thread.RESOLUTION, START, Target(us=hours(9)), TERMS.calendar_id)
    registered = Told(START, words=book.take_added(), to="REGISTERED")
    critical = ("FAULT", "CRITICAL", "ENTERPRISE")
    accepted = Told(START, to="AUTHORISED", priority="P2", classified=critical)
    migrated = Told(START + timedelta(hours=1), priority="P4")

    history = retold([registered, accepted, migrated], TERMS)[Thread.RESOLUTION]

    assert [event.target for event in history] == [Target(us=hours(9)), Target(us=hours(1))]


def test_what_it_waited_for_is_told_again_reason_by_reason() -> None:
    """R-REQ-03, R-SLA-12: entries from before reasons were kept apart tell one in place of all."""
    waiting = [(WaitingReason.CUSTOMER, Thread.RESOLUTION)]
    terms = replace(TERMS, pauses=frozenset(waiting))
    book = ClockBook()
    book.start(Thread.RESOLUTION, START, Target(us=hours(9)), TERMS.calendar_id)
    registered = Told(START, words=book.take_added(), to="REGISTERED")

    def paused(*told: tuple[str | None, list[str] | None]) -> list[tuple[str, int]]:
        entries = [
            Told(START + timedelta(hours=at), to="WAITING", reason=reason, waits=waits)
            for at, (reason, waits) in enumerate(told, 1)
        ]
        history = retold([registered, *entries], terms)[Thread.RESOLUTION]
        kinds = [(each.kind.value, (each.at - START) // timedelta(hours=1)) for each in history]
        return [each for each in kinds if each[0] != "STARTED"]

    both = [("CUSTOMER", ["CUSTOMER"]), ("SPARE_PART", ["CUSTOMER", "SPARE_PART"])]
    assert paused(*both) == [("PAUSED", 1)]
    assert paused(*both, (None, ["SPARE_PART"])) == [("PAUSED", 1), ("RESUMED", 3)]
    before = [("CUSTOMER", None), ("SPARE_PART", None)]
    assert paused(*before) == [("PAUSED", 1), ("RESUMED", 2)]
