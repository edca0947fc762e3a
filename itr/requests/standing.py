"""A request as it stands for an actor: what `viewerCan` decides on."""

from dataclasses import dataclass
from datetime import datetime

from itr.actors.actor import Reach
from itr.catalogue.terms import Priority
from itr.requests.emergency_rules import is_outage
from itr.requests.rules import LINES, has_technical_steps, may_change_line, reopens_in_time
from itr.requests.terms import RequestKind, RequestStatus
from itr.tickets.escalation_rules import TOP, rank_of
from itr.tickets.policy import Standing


@dataclass(frozen=True, kw_only=True)
class RequestStanding(Standing):
    """A request as it stands, as far as what can be done to it goes."""

    kind: RequestKind
    line: int
    in_queue: bool
    """Whether the actor works in the queue the request is in."""
    waits_for_customer: bool
    closed_at: datetime | None
    may_be_reauthorised: bool
    firm_works_higher: bool = False
    """Whether the partner firm that has it has a queue on a higher line."""
    charge_pending: bool = False
    """Whether a charge waits to be decided on (R-ENT-06)."""
    charge_priced: bool = False
    """Whether the catalogue says what it is."""
    priority: str = ""
    service_down: bool = False
    emergency: bool = False
    has_problem: bool = False
    is_child: bool = False
    parent_ended: bool = False
    """Whether it is a child of a request that is open no more."""
    open_children: int = 0
    has_breach_to_explain: bool = False
    has_reason_to_decide: bool = False
    """Whether the reason of a breach waits that the actor did not give."""
    escalated_to: int = 0
    """The highest step its management escalation stands at; 0: it has none."""
    unacknowledged: int = 0
    """The lowest step nobody has taken note of; 0: there is none."""
    escalated_to_actor: bool = False
    """Whether such a step stands with the actor by name."""


def may_be_started(it: RequestStanding) -> bool:
    """Nobody's is taken out of its queue; what one has is started, once (R-ROLE-07)."""
    if it.owner is None:
        return it.in_queue
    return it.owns and it.status is RequestStatus.DISPATCHED


def goes_higher(it: RequestStanding) -> bool:
    """Whether there is a higher line: for a firm, one of its own."""
    if it.actor.scope.reaches == {Reach.PARTNER}:
        return it.firm_works_higher
    return any(may_change_line(line=it.line, to=to, up=True) for to in LINES)


def goes_back(it: RequestStanding) -> bool:
    """Whether there is a lower line; a firm hands back to us from whatever line it is on."""
    lower = any(may_change_line(line=it.line, to=to, up=False) for to in LINES)
    return it.partner is not None or lower


def may_be_reopened(it: RequestStanding) -> bool:
    """Within seven days of closing, and while what it is a part of is open."""
    return reopens_in_time(it.closed_at, it.now) and not it.parent_ended


def may_be_closed(it: RequestStanding) -> bool:
    """Its children are closed; an emergency has its problem (R-REQ-09, R-REQ-11)."""
    return not it.open_children and (it.has_problem or not it.emergency)


def may_be_an_emergency(it: RequestStanding) -> bool:
    """A P1 outage, or what may turn out to be one (R-REQ-11)."""
    urgent = it.status is RequestStatus.REGISTERED or it.priority == Priority.P1
    return urgent and is_outage(it.kind, service_down=it.service_down) and not it.emergency


def may_end_in_another(it: RequestStanding) -> bool:
    """Neither part nor whole of others, and no emergency (R-REQ-13)."""
    return not (it.is_child or it.open_children or it.emergency)


def may_be_restored(it: RequestStanding) -> bool:
    """Whether there is service to restore (R-CP-04)."""
    return has_technical_steps(it.kind)


def may_go_to_management(it: RequestStanding) -> bool:
    """Whether there is anybody above (R-ESC-02)."""
    return max(it.escalated_to, rank_of(it.actor.roles)) < TOP


def waits_to_be_acknowledged(it: RequestStanding) -> bool:
    """By name, or at a step of the actor's or below (R-ESC-02)."""
    return it.escalated_to_actor or 0 < it.unacknowledged <= rank_of(it.actor.roles)
