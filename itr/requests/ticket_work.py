"""Work on one request: row, clocks and stints in memory, changed by verbs, then saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from itr.actors.actor import Actor
from itr.catalogue.rules import ServiceTerms
from itr.events.log import Audience, Fact
from itr.references import References
from itr.requests import routing
from itr.requests.charge_rules import Price
from itr.requests.control_points import ControlPoints
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import HandOver, Request, Stint
from itr.requests.terms import RequestStatus
from itr.rows import Values, new_row
from itr.sla.clocks import CalendarInForce, ClockBook
from itr.sla.models import Clock
from itr.sla.terms import Thread
from itr.tickets.policy import ensure_may
from itr.tickets.verbs import ensure_can_move


@dataclass(frozen=True, slots=True)
class ProjectPeople:
    """People around a request who are not named on it: its project's, and the customer's contact.

    `customer_contact` is whom the customer named for the request, else for the project; active.
    """

    manager_id: UUID | None = None
    contact_id: UUID | None = None
    customer_contact: UUID | None = None


@dataclass
class TicketWork:
    """One actor's piece of work on one request, at one instant.

    Verbs change it and `record` what they did; nothing touches the database until it is saved.
    `as_read` is what its rows were like when they were read: what is unchanged is not written.
    `lead` is the parent of a child, where the verb has to do with it.
    `historic` is a replay of another system's past: timers and alarms are off (R-IMP-01);
    the clocks of `asleep` warn of nothing until somebody works on the request.
    """

    actor: Actor
    now: datetime
    request: Request
    terms: ServiceTerms
    calendars: Mapping[UUID, CalendarInForce]
    book: ClockBook = field(default_factory=ClockBook)
    clocks: dict[Thread, Clock] = field(default_factory=dict)
    control_points: ControlPoints = field(default_factory=ControlPoints)
    stints: list[Stint] = field(default_factory=list)
    hand_overs: list[HandOver] = field(default_factory=list)
    as_read: Mapping[UUID, Values] = field(default_factory=dict)
    escalations: Sequence[Mapping[str, Any]] = ()
    """The steps at which its management escalations stand."""
    timers_set: Mapping[str, datetime] = field(default_factory=dict)
    project: ProjectPeople = field(default_factory=ProjectPeople)
    references: References | None = None
    """How old what is remembered of people, calendars and levels may be; None: not at all."""
    given_back: set[UUID] = field(default_factory=set)
    facts: list[Fact] = field(default_factory=list)
    explained: set[Thread] = field(default_factory=set)
    timers: dict[str, datetime | None] = field(default_factory=dict)
    has_begun: bool = False
    """Whether anybody ever started on it, also if it went back to a queue (R-ENT-03)."""
    price: Price | None = None
    """What its charge is by the catalogue as it is now; None without a price."""
    held: UUID | None = None
    """The firm of the person who was held with it, if they are active."""
    children: list["TicketWork"] = field(default_factory=list)
    """Those of its children that were taken with it."""
    lead: Request | None = None
    historic: bool = False
    asleep: frozenset[Thread] = frozenset()

    def ensure_may(self, verb: RequestVerb) -> None:
        """Refuse what the lifecycle has not or is not the actor's to do (R-REQ-01, R-ROLE-02).

        Who did it in the past of another system is not judged.
        """
        if self.historic:
            ensure_can_move(self.request.status, verb)
        else:
            ensure_may(self.actor, verb, self.request)

    def record(
        self, type: str, audience: Audience, payload: Mapping[str, Any] | None = None
    ) -> None:
        """One event on the timeline, with what it did to the clocks (R-REQ-01)."""
        request = self.request
        request.version += 1
        request.updated_at = self.now
        self.control_points.follow(self, type)
        self._let_go()
        kept = {key: value for key, value in (payload or {}).items() if value is not None}
        routing.follow(request, type, kept, (stint.line for stint in self.stints))
        if audience is Audience.PARTNER:
            kept["partners"] = self._partners()
        if clocks := self.book.take_added():
            kept["clocks"] = clocks
        self.facts.append(
            Fact(
                type=type,
                subject_type="request",
                subject=request.id,
                subject_version=request.version,
                stream=request.id,
                by=self.actor,
                occurred_at=self.now,
                audience=audience,
                customer_id=request.customer_id,
                branch_id=request.branch_id,
                historic=self.historic,
                payload=kept,
            )
        )

    def move_to(self, status: RequestStatus) -> dict[str, str]:
        """Change the state; returns from and to, for the event."""
        before, self.request.status = self.request.status, status
        return {"from": before.value, "to": status.value}

    def begin_stint(self, line: int, *, queue_id: UUID | None, partner_id: UUID | None) -> None:
        """Start a stay on a line; a stay is a measure, not a target (R-LIN-01)."""
        self.stints.append(
            new_row(
                Stint,
                id=uuid4(),
                request_id=self.request.id,
                number=len(self.stints) + 1,
                line=line,
                queue_id=queue_id,
                partner_id=partner_id,
                started_at=self.now,
            )
        )

    def end_stint(self, reason: str | None) -> None:
        """End the running stay, if there is one."""
        if self.stints and self.stints[-1].ended_at is None:
            self.stints[-1].ended_at = self.now
            self.stints[-1].reason = reason

    def place(
        self, *, line: int, queue_id: UUID | None, partner_id: UUID | None, reason: str | None
    ) -> None:
        """Put the request on a line, queue and partner; another place is another stint."""
        request = self.request
        here = self.stints[-1] if self.stints and self.stints[-1].ended_at is None else None
        if here is None or (here.line, here.partner_id) != (line, partner_id):
            self.end_stint(reason)
            self.begin_stint(line, queue_id=queue_id, partner_id=partner_id)
        elif here.queue_id is None:
            here.queue_id = queue_id
        self._hand_over(partner_id)
        request.line, request.queue_id, request.partner_id = line, queue_id, partner_id

    def _let_go(self) -> None:
        """Who gives the request back just now reads it as far as this."""
        for each in self.hand_overs:
            if each.partner_id in self.given_back and each.returned_at == self.now:
                each.returned_version = self.request.version

    def _partners(self) -> list[str]:
        """The firms this concerns: who has the request, and who gives it back just now."""
        having = {each.partner_id for each in self.hand_overs if each.returned_at is None}
        return sorted(str(partner_id) for partner_id in having | self.given_back)

    def _hand_over(self, partner_id: UUID | None) -> None:
        if partner_id == self.request.partner_id:
            return
        for hand_over in self.hand_overs:
            if hand_over.returned_at is None:
                hand_over.returned_at = self.now
                self.given_back.add(hand_over.partner_id)
        if partner_id is not None:
            self.hand_overs.append(
                new_row(
                    HandOver,
                    id=uuid4(),
                    request_id=self.request.id,
                    partner_id=partner_id,
                    handed_at=self.now,
                )
            )

    def set_timer(self, kind: str, due_at: datetime | None) -> None:
        """Have something happen at an instant, or no more (None)."""
        if not self.historic:
            self.timers[kind] = due_at
