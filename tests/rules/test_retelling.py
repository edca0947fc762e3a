"""A request's timeline told again under other terms (R-SLA-12)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from itr.catalogue.rules import ServiceTerms
from itr.recalculations.retelling import Told, retold
from itr.sla.clock import Target
from itr.sla.clocks import ClockBook
from itr.sla.terms import Thread
from tests.rules.sla_words import hours

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
