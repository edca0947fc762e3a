"""A request's clocks as they would have run under another version of a service level (R-SLA-12).

What happened stays: when it was answered, restored, delivered, when and for what it waited. What
was promised, what a wait pauses and which priority a classification has, the other version says.
Until a request was accepted the house level ran its clocks (R-ENT-05), and still does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from itr.catalogue.rules import ServiceTerms
from itr.catalogue.terms import FaultLevel, Impact
from itr.requests.priority import Classification, priority_of
from itr.requests.terms import ProblemType, RequestStatus
from itr.sla.clock import ClockEvent
from itr.sla.clocks import REOPENS, ClockBook, from_payload
from itr.sla.terms import ClockEventKind, Thread, WaitingReason

K = ClockEventKind
_SAID_BY_THE_LEVEL = frozenset({K.PAUSED, K.RESUMED, K.RETARGETED})


@dataclass(frozen=True)
class Told:
    """An entry of a timeline, as far as it bears on clocks."""

    at: datetime
    words: Sequence[Mapping[str, Any]] = ()
    to: str | None = None
    reason: str | None = None
    waits: Sequence[str] | None = None
    """What it waits for after it; entries from before reasons were kept apart tell the last."""
    priority: str | None = None
    classified: tuple[str, str, str] | None = None


@dataclass
class Retelling:
    """One request's timeline told again under `terms`."""

    terms: ServiceTerms
    book: ClockBook
    priority: str | None = None
    waiting: list[WaitingReason] = field(default_factory=list)
    classified: Classification | None = None

    def follow(self, told: Told) -> None:
        """What the entry did to the clocks, had the terms been these."""
        if self.waiting and told.to not in (None, RequestStatus.WAITING):
            self.waiting = []
            self._hold(told.at)
        for sequence, words in enumerate(told.words):
            self._happened(*from_payload(words, sequence))
        if told.priority is not None:
            self.priority = priority = self._priority_of(told, told.priority)
            self._retarget(priority, told.at)
        self._wait(told)

    def _happened(self, thread: Thread, event: ClockEvent) -> None:
        if event.kind in _SAID_BY_THE_LEVEL:
            return
        if event.kind is K.STARTED and self.priority is not None and thread is Thread.CLOSURE:
            target = self.terms.target(self.priority, thread)
            self.book.start(thread, event.at, target, self.terms.calendar_id)
        else:
            self.book.add(thread, event)

    def _retarget(self, priority: str, at: datetime) -> None:
        calendar = self.terms.calendar_id
        for thread in self.book.unfinished():
            self.book.retarget(thread, at, self.terms.target(priority, thread), calendar)
        for thread in REOPENS:
            target = self.terms.target(priority, thread)
            self.book.retarget_if_reopened(thread, at, target, calendar)

    def _priority_of(self, told: Told, given: str) -> str:
        """By the terms' own matrix, of what the request was classified as last."""
        if told.classified is not None:
            problem, level, impact = told.classified
            self.classified = Classification(
                ProblemType(problem), FaultLevel(level), Impact(impact)
            )
        if self.classified is None:
            return given
        return priority_of(self.classified, self.terms.matrix).value

    def _wait(self, told: Told) -> None:
        """Reasons open and end by themselves (R-REQ-03)."""
        if told.waits is not None:
            self._wait_for(told.waits, told.at)
        elif told.to == RequestStatus.WAITING and told.reason is not None:
            self._wait_for([told.reason], told.at)

    def _wait_for(self, reasons: Sequence[str], at: datetime) -> None:
        self.waiting = [WaitingReason(each) for each in reasons]
        self._hold(at)

    def _hold(self, at: datetime) -> None:
        for thread in self.book.unfinished():
            pausing = [each for each in self.waiting if self.terms.pauses_thread(each, thread)]
            self.book.hold(thread, at, [each.value for each in pausing])


def retold(timeline: Iterable[Told], terms: ServiceTerms) -> dict[Thread, list[ClockEvent]]:
    """The histories of a request's threads under other terms."""
    telling = Retelling(terms, ClockBook())
    for told in timeline:
        telling.follow(told)
    return telling.book.histories
