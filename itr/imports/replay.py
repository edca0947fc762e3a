"""Replaying what lines tell through the verbs of a request, with their own times (R-IMP-01).

The lifecycle stays in force: where the other system went another way, the verbs that lead to the
same place are used, at the same instant.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from itr.actor import Actor
from itr.catalogue.terms import EntitlementOutcome
from itr.events.log import Audience
from itr.imports.lines import Told
from itr.imports.terms import Kind, Step
from itr.requests.handling import Handling
from itr.requests.rules import BEFORE_DELIVERED, REOPEN_WITHIN, PlaceOfWork
from itr.requests.terms import Charge, RequestStatus, Verb
from itr.requests.verbs import closing, intake, talking
from itr.requests.verbs import handling as moves
from itr.sla.terms import ClockEventKind, WaitingReason

S = RequestStatus
IN_HAND = frozenset({S.IN_PROGRESS, S.WAITING, S.RESTORED})
MOMENT = timedelta(microseconds=1)

_COMPLETIONS = frozenset({Kind.DELIVERED, Kind.CLOSED})
_PLAIN = {
    Kind.QUEUED: Step.QUEUE,
    Kind.ASSIGNED: Step.ASSIGN,
    Kind.WORKING: Step.WORK,
    Kind.WAITING: Step.WAIT,
    Kind.RESTORED: Step.RESTORE,
    Kind.DELIVERED: Step.DELIVER,
    Kind.CLOSED: Step.CLOSE,
    Kind.CANCELLED: Step.CANCEL,
    Kind.NOTE: Step.NOTE,
}
BY_AN_OWNER = frozenset(Step) - {Step.QUEUE, Step.CLOSE, Step.CANCEL, Step.NOTE}
"""Steps of somebody who works in the team: they become the owner."""


def steps_of(history: Sequence[Told]) -> list[Step]:
    """What each line comes to.

    Of completions repeated without anything between, the last counts: its delivery is the one
    that was accepted (R-LIN-02). Deliveries before are replies, closings before are notes. What
    is closed without a delivery is delivered at that instant.
    """
    steps = [_PLAIN[told.kind] for told in history]
    later: set[Kind] = set()
    for index in range(len(steps) - 1, -1, -1):
        kind = history[index].kind
        if kind is Kind.DELIVERED and kind in later:
            steps[index] = Step.REPLY
        elif kind is Kind.CLOSED and later:
            steps[index] = Step.NOTE
        if kind in _COMPLETIONS:
            later.add(kind)
        elif kind is not Kind.NOTE:
            later.clear()
    delivered = False
    for index, step in enumerate(steps):
        if step is Step.CLOSE and not delivered:
            steps[index] = Step.DELIVER_AND_CLOSE
        if step in (Step.DELIVER, Step.CLOSE):
            delivered = True
        elif step not in (Step.NOTE, Step.REPLY, Step.CANCEL):
            delivered = False
    return steps


@dataclass
class Replay:
    """One request being replayed; `place_of` and `actor_of` know queues and people."""

    work: Handling
    place_of: Callable[[Told], PlaceOfWork]
    actor_of: Callable[[Told], Actor]
    outcome: EntitlementOutcome
    service_down_when_reopened: bool = False
    first: Told | None = None
    late_reopenings: int = 0
    kept_as_notes: list[Told] = field(default_factory=list)

    @property
    def status(self) -> RequestStatus:
        """Where the request stands."""
        return self.work.request.status

    def take_in(self, first: Told) -> None:
        """Register and accept the request with its first line."""
        work = self.work
        self.first, work.actor, work.now = first, self.actor_of(first), first.at
        intake.register(work)
        if self.outcome is EntitlementOutcome.CHARGEABLE:
            work.request.charge = Charge.ACCEPTED
        authorised = intake.Authorised(self.outcome, None, work.terms, "-")
        intake.accept(work, first.classification, authorised)

    def follow(self, told: Told, step: Step) -> None:
        """Do what a line tells. Raises DomainError for what no verbs lead to."""
        self.work.actor = self.actor_of(told)
        if told is not self.first:
            self.work.now = max(told.at, self.work.now + MOMENT)
        FOLLOW[step](self, told)

    def queue(self, told: Told) -> None:
        """Nobody's, in the team's queue."""
        place = self.place_of(told)
        moved = self._bring_to(place, None, told)
        if self.status in IN_HAND:
            moves.requeue(self.work, place, told.words)
        elif not self._stands(place, None):
            moves.dispatch(self.work, place, None)
        elif not moved:
            self._note(told)

    def assign(self, told: Told) -> None:
        """Somebody's, not yet begun."""
        place, person = self.place_of(told), self.work.actor.id
        moved = self._bring_to(place, person, told)
        if self.status in IN_HAND:
            moves.requeue(self.work, place, told.words)
        if not self._stands(place, person):
            moves.dispatch(self.work, place, person)
        elif not moved:
            self._note(told)

    def work_on(self, told: Told) -> None:
        """In somebody's hands; told again it is a note."""
        changed = self._take_up(told)
        if self.status is S.WAITING:
            moves.resume(self.work, None)
        elif not changed:
            self._note(told)

    def wait(self, told: Told) -> None:
        """Waiting; another reason goes on with the same pause, in the place of the one before."""
        changed = self._take_up(told)
        reason = told.reason or WaitingReason.CUSTOMER
        if self.status is not S.WAITING or self.work.request.waiting_reason is not reason:
            self._let_a_moment_pass()
            moves.wait(self.work, reason, None, instead=True)
        elif not changed:
            self._note(told)

    def restore(self, told: Told) -> None:
        """Service is up again."""
        self._take_up(told)
        if self.status is S.WAITING:
            moves.resume(self.work, None)
        if self.status is S.IN_PROGRESS:
            moves.restore(self.work, told.words)
        else:
            self._note(told)

    def deliver(self, told: Told) -> None:
        """The solution is with the customer; from waiting it resumes and delivers (R-SLA-07)."""
        self._take_up(told)
        moves.deliver(self.work, told.words, restores_service=told.restores_service)

    def deliver_and_close(self, told: Told) -> None:
        """Closed without a delivery told before: delivered at the same instant."""
        self.deliver(told)
        self.close(told)

    def reply(self, told: Told) -> None:
        """A delivery that was repeated: the customer was answered, not yet helped."""
        self._take_up(told)
        if self.status is S.WAITING:
            moves.resume(self.work, None)
        talking.respond(self.work, told.words)

    def close(self, told: Told) -> None:
        """Closed; nobody recorded the customer's answer: confirmed by silence, marked so."""
        if self.status is S.DELIVERED:
            closing.confirm_by_silence(self.work)
        if self.status is S.CONFIRMED:
            closing.close(self.work)
        else:
            self._note(told)

    def cancel(self, told: Told) -> None:
        """Withdrawn; what was delivered before cannot be, it is closed and the words are kept."""
        if self.status in BEFORE_DELIVERED:
            intake.cancel(self.work, told.words)
            return
        self._note(told)
        if self.status in (S.DELIVERED, S.CONFIRMED):
            self.close(told)

    def note(self, told: Told) -> None:
        """No step of ours: kept as it is; a status the lifecycle does not know is reported."""
        self._note(told)
        if told.kind is Kind.NOTE:
            self.kept_as_notes.append(told)

    def _note(self, told: Told) -> None:
        talking.note(self.work, told.words, Audience.INTERNAL)

    def _take_up(self, told: Told) -> bool:
        """Have the request in the line's team and hands; returns whether that changed anything."""
        place, person = self.place_of(told), self.work.actor.id
        moved = self._bring_to(place, person, told)
        in_hand = self.status in IN_HAND
        if self.status is S.RESTORED or (in_hand and self._stands(place, person)):
            return moved
        if not self._stands(place, None):
            if in_hand:
                moves.requeue(self.work, place, told.words)
            elif not self._stands(place, person):
                moves.dispatch(self.work, place, None)
        moves.start(self.work, place)
        return True

    def _bring_to(self, place: PlaceOfWork, person: UUID | None, told: Told) -> bool:
        """Open it again if need be, and have it on the place's line (R-LIN-01)."""
        opened = self._open_again(told)
        request = self.work.request
        if self.status is S.AUTHORISED:
            moves.dispatch(self.work, place, None)
            return True
        if place.line == request.line:
            return opened
        verb = Verb.ESCALATE if place.line > request.line else Verb.HAND_BACK
        moves.change_line(self.work, verb, place, person, told.words)
        return True

    def _open_again(self, told: Told) -> bool:
        """A delivered or closed request that goes on: the same request, however late."""
        work, down = self.work, self.service_down_when_reopened
        if self.status is S.DELIVERED:
            closing.reject_solution(work, told.words, service_down=down)
        elif self.status in (S.CONFIRMED, S.CLOSED):
            closing.reopen(work, self._reason_to_reopen(told), service_down=down)
        else:
            return False
        return True

    def _reason_to_reopen(self, told: Told) -> str:
        closed_at = self.work.request.closed_at
        if closed_at is None or self.work.now - closed_at <= REOPEN_WITHIN:
            return told.words
        self.late_reopenings += 1
        days = (self.work.now - closed_at).days
        return (
            f"{told.words}（关闭 {days} 天后，超出重新打开期限 / "
            f"{days} days after closing, beyond the window）"
        )

    def _stands(self, place: PlaceOfWork, person: UUID | None) -> bool:
        request = self.work.request
        return request.queue_id == place.queue_id and request.assignee_id == person

    def _let_a_moment_pass(self) -> None:
        """At one instant a clock's pauses come before its resumptions (R-SLA-02)."""
        for history in self.work.book.histories.values():
            last = history[-1]
            if last.kind is ClockEventKind.RESUMED and last.at == self.work.now:
                self.work.now += MOMENT
                return


FOLLOW: dict[Step, Callable[[Replay, Told], None]] = {
    Step.QUEUE: Replay.queue,
    Step.ASSIGN: Replay.assign,
    Step.WORK: Replay.work_on,
    Step.WAIT: Replay.wait,
    Step.RESTORE: Replay.restore,
    Step.DELIVER: Replay.deliver,
    Step.DELIVER_AND_CLOSE: Replay.deliver_and_close,
    Step.REPLY: Replay.reply,
    Step.CLOSE: Replay.close,
    Step.CANCEL: Replay.cancel,
    Step.NOTE: Replay.note,
}
