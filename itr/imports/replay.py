"""Replaying what lines tell through the verbs of a request, with their own times (R-IMP-01).

The lifecycle stays in force: where the other system went another way, the verbs that lead to the
same place are used, at the same instant.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from itr.actors.actor import Actor
from itr.catalogue.terms import EntitlementOutcome
from itr.errors import DomainError
from itr.events.log import Audience
from itr.imports.lines import Told
from itr.imports.terms import ASIDE, Kind, Step
from itr.requests.lifecycle import RequestVerb
from itr.requests.priority import classification_of
from itr.requests.rules import BEFORE_DELIVERED, OPEN, REOPEN_WITHIN, PlaceOfWork
from itr.requests.terms import Charge, RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs import closing, corrections, correspondence, duplicates, intake
from itr.requests.verbs import handling as moves
from itr.sla.clocks import CalendarInForce
from itr.sla.terms import WaitingReason

S = RequestStatus
IN_HAND = frozenset({S.IN_PROGRESS, S.WAITING, S.RESTORED})
AFTER_CANCELLING = "（取消后继续，视为重新打开 / goes on after it was cancelled: a reopening）"

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
    Kind.MERGED: Step.MERGE,
    Kind.ANSWER: Step.ANSWER,
    Kind.CUSTOMER_REPLY: Step.HEAR,
    Kind.CALL: Step.CALL,
    Kind.RECLASSIFIED: Step.RECLASSIFY,
    Kind.REMARK: Step.NOTE,
    Kind.NOTE: Step.NOTE,
}
BY_AN_OWNER = frozenset(
    {
        Step.ASSIGN,
        Step.WORK,
        Step.WAIT,
        Step.RESTORE,
        Step.DELIVER,
        Step.DELIVER_AND_CLOSE,
        Step.REPLY,
    }
)
"""Steps of somebody who works in the team: they become the owner."""
_LEAVE_IT_DELIVERED = frozenset({Step.NOTE, Step.REPLY, Step.CANCEL, Step.MERGE})


@dataclass(frozen=True)
class Parties:
    """Who and what lines name, as it is known here."""

    place_of: Callable[[Told], PlaceOfWork]
    owner_of: Callable[[Told], Actor]
    actor_of: Callable[[Told], Actor]
    customer_of: Callable[[Told], UUID]
    product_of: Callable[[Told], UUID | None]
    survivor_of: Callable[[Told], duplicates.Survivor | None]
    calendars_for: Callable[[UUID], Mapping[UUID, CalendarInForce]]


def steps_of(history: Sequence[Told], *, delivered: bool = False) -> list[Step]:
    """What each line comes to; `delivered`: the request stands delivered before them.

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
        elif kind not in ASIDE:
            later.clear()
    for index, step in enumerate(steps):
        if step is Step.CLOSE and not delivered:
            steps[index] = Step.DELIVER_AND_CLOSE
        if step in (Step.DELIVER, Step.CLOSE):
            delivered = True
        elif history[index].kind not in ASIDE and step not in _LEAVE_IT_DELIVERED:
            delivered = False
    return steps


class Refused(Exception):
    """A line that no sequence of verbs leads to."""

    def __init__(self, told: Told, error: DomainError) -> None:
        super().__init__(str(error))
        self.told, self.error = told, error


@dataclass
class Replay:
    """One request being replayed; `parties` know queues, people, customers and products."""

    work: TicketWork
    parties: Parties
    service_down_when_reopened: bool = False
    late_reopenings: int = 0
    reopened_after_cancelling: int = 0
    kept_as_notes: list[Told] = field(default_factory=list)

    @property
    def status(self) -> RequestStatus:
        """Where the request stands."""
        return self.work.request.status

    def take_in(self, first: Told, outcome: EntitlementOutcome) -> None:
        """Register the request, and accept it, when it was registered in the other system."""
        work = self.work
        intake.register(work)
        if outcome is EntitlementOutcome.CHARGEABLE:
            work.request.charge = Charge.ACCEPTED
        work.actor = self.parties.actor_of(first)
        intake.accept(work, first.classification, intake.Authorised(outcome, None, work.terms, "-"))

    def follow_all(self, history: Sequence[Told], steps: Sequence[Step]) -> None:
        """Do what the lines tell, one after the other. Raises Refused."""
        for told, step in zip(history, steps, strict=True):
            try:
                self.follow(told, step)
            except DomainError as error:
                raise Refused(told, error) from error

    def follow(self, told: Told, step: Step) -> None:
        """Do what a line tells. Raises DomainError for what no verbs lead to."""
        self.work.actor = self.parties.actor_of(told)
        self.work.now = max(told.at, self.work.now)
        changed = self._correct(told)
        if told.met is not None:
            self.work.request.source_met = told.met
        if step is not Step.RECLASSIFY:
            FOLLOW[step](self, told)
        elif not changed:
            self._note(told)

    def _correct(self, told: Told) -> bool:
        """What the request is about has changed: replayed at its time (R-SLA-08)."""
        work, request = self.work, self.work.request
        changed = False
        customer, product = self.parties.customer_of(told), self.parties.product_of(told)
        if customer != request.customer_id or (product and product != request.product_id):
            corrections.correct(work, customer_id=customer, product_id=product)
            work.calendars = {**work.calendars, **self.parties.calendars_for(customer)}
            changed = True
        if told.classification != classification_of(request):
            intake.reclassify(work, told.classification)
            changed = True
        return changed

    def queue(self, told: Told) -> None:
        """Nobody's, in the team's queue."""
        place = self.parties.place_of(told)
        moved = self._bring_to(place, None, told)
        if self.status in IN_HAND:
            moves.requeue(self.work, place, told.words)
        elif not self._stands(place, None):
            moves.dispatch(self.work, place, None)
        elif not moved:
            self._note(told)

    def assign(self, told: Told) -> None:
        """Somebody's, not yet begun; where service is up already, it stays so."""
        place, person = self.parties.place_of(told), self.parties.owner_of(told).id
        moved = self._bring_to(place, person, told)
        if self.status in IN_HAND:
            moves.requeue(self.work, place, told.words)
        if self.status is S.RESTORED:
            self._start(told, place)
        elif not self._stands(place, person):
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
        reason = told.reason or WaitingReason.CUSTOMER
        with self._pauses_going_on():
            changed = self._take_up(told)
        if self.status is not S.WAITING or self.work.request.waiting_reason is not reason:
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

    def answer(self, told: Told) -> None:
        """The customer was told something; afterwards it is a note."""
        if self.status in OPEN:
            correspondence.respond(self.work, told.words)
        else:
            self._note(told)

    def call(self, told: Told) -> None:
        """The customer was spoken with."""
        if self.status in OPEN:
            correspondence.log_call(self.work, told.words)
        else:
            self._note(told)

    def reply(self, told: Told) -> None:
        """A delivery that was repeated: the customer was answered, not yet helped."""
        self._take_up(told)
        if self.status is S.WAITING:
            moves.resume(self.work, None)
        correspondence.respond(self.work, told.words)

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

    def merge(self, told: Told) -> None:
        """A duplicate: it ends in the other request, or is withdrawn if that is not here."""
        survivor = self.parties.survivor_of(told)
        if survivor is None:
            self.cancel(told)
            self.kept_as_notes.append(told)
        elif self.status in BEFORE_DELIVERED:
            duplicates.end_in(self.work, survivor)
        else:
            self.cancel(told)

    def note(self, told: Told) -> None:
        """No step of ours: kept as it is; a status the lifecycle does not know is reported."""
        self._note(told)
        if told.kind is Kind.NOTE:
            self.kept_as_notes.append(told)

    def _note(self, told: Told) -> None:
        correspondence.note(self.work, told.words, Audience.INTERNAL)

    def _take_up(self, told: Told) -> bool:
        """Have the request in the line's team and hands; returns whether that changed anything."""
        place, person = self.parties.place_of(told), self.parties.owner_of(told).id
        moved = self._bring_to(place, person, told)
        in_hand = self.status in IN_HAND
        if in_hand and self._stands(place, person):
            return moved
        if not self._stands(place, None):
            if in_hand:
                moves.requeue(self.work, place, told.words)
            elif not self._stands(place, person):
                moves.dispatch(self.work, place, None)
        self._start(told, place)
        return True

    def _start(self, told: Told, place: PlaceOfWork) -> None:
        """The owner takes it, whoever else acted."""
        acting, self.work.actor = self.work.actor, self.parties.owner_of(told)
        moves.start(self.work, place)
        self.work.actor = acting

    @contextmanager
    def _pauses_going_on(self) -> Iterator[None]:
        """Somebody takes over while it waits: the clocks stand still all the while."""
        book = self.work.book
        book.pauses_go_on = self.status is S.WAITING
        yield
        book.pauses_go_on = False

    def _bring_to(self, place: PlaceOfWork, person: UUID | None, told: Told) -> bool:
        """Open it again if need be, and have it on the place's line (R-LIN-01)."""
        opened = self._open_again(told)
        request = self.work.request
        if self.status is S.AUTHORISED:
            moves.dispatch(self.work, place, None)
            return True
        if place.line == request.line:
            return opened
        verb = RequestVerb.ESCALATE if place.line > request.line else RequestVerb.HAND_BACK
        moves.change_line(self.work, verb, place, person, told.words)
        return True

    def _open_again(self, told: Told) -> bool:
        """A delivered, closed or withdrawn request that goes on: the same, however late."""
        work, down = self.work, self.service_down_when_reopened
        if self.status is S.DELIVERED:
            closing.reject_solution(work, told.words, service_down=down)
        elif self.status in (S.CONFIRMED, S.CLOSED):
            closing.reopen(work, self._reason_to_reopen(told), service_down=down)
        elif self.status is S.CANCELLED:
            self.reopened_after_cancelling += 1
            closing.go_on(work, f"{told.words}{AFTER_CANCELLING}")
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
    Step.MERGE: Replay.merge,
    Step.ANSWER: Replay.answer,
    Step.HEAR: Replay.answer,
    Step.CALL: Replay.call,
    Step.NOTE: Replay.note,
}
