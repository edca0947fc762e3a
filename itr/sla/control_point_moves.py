"""What each move of the workflow does to the thirty control points (R-CP-02).

Only acts complete a step: a move completes those it is the act of. What a move passes over without
an act is passed; what lasts is open from the move that makes it due to the move that ends it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from itr.sla.control_points import STEPS
from itr.sla.terms import Thread, WaitingReason


@dataclass(frozen=True, slots=True)
class Situation:
    """How a request stands after a move, as far as its steps go."""

    technical: bool
    """Whether it has a RESTORATION thread."""
    service_down: bool
    answered: bool
    """Whether a person has answered the customer."""
    line: int
    waiting_for: Sequence[WaitingReason]
    """What the request waits for, the last told last."""
    by_owner: bool
    """Whether the owner made the move."""
    dropped: bool
    """Whether the request was cancelled or rejected."""
    with_partner: bool = False
    """Whether a partner firm has it."""
    answers: bool = False
    """Whether this very move was the first answer to the customer."""
    unattended: bool = False
    """Whether nobody made the move: time did."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a move does to the steps.

    `acts` are completed whether they were open or not, `ends` if they are open. `passes` had no act
    of their own: they are passed, without time and unjudged. `drops` are given up.
    """

    acts: frozenset[int] = field(default_factory=frozenset)
    passes: frozenset[int] = field(default_factory=frozenset)
    opens: frozenset[int] = field(default_factory=frozenset)
    ends: frozenset[int] = field(default_factory=frozenset)
    drops: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Move:
    """What one type of event does, whatever the situation; `skips` are passed if they are open."""

    acts: tuple[int, ...] = ()
    passes: tuple[int, ...] = ()
    opens: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    skips: tuple[int, ...] = ()


HAND_OVER = {1: 7, 2: 17, 3: 18}
"""The step of taking over a request on each line."""
_THIRD_PARTY = 19
_STEP_OF = {
    WaitingReason.CUSTOMER: 10,
    WaitingReason.THIRD_PARTY: _THIRD_PARTY,
    WaitingReason.SPARE_PART: 21,
    WaitingReason.CHANGE_WINDOW: 22,
}
_WAITED = tuple(_STEP_OF.values())
_TAKEN = (7, 17, 18)
_FINDING = (9, 12, 13)
_CLOSING = range(26, 31)
_UP_TO_DELIVERY = tuple(range(1, 26))

MOVES: Mapping[str, Move] = {
    "RequestRegistered": Move(acts=(1,), opens=(2,)),
    "ChildRequestOpened": Move(acts=(1,), passes=(2, 3, 5, 6), opens=(7,)),
    "ChargeAccepted": Move(acts=(4,)),
    "ChargeWaived": Move(acts=(4,)),
    "RequestAccepted": Move(acts=(2, 3, 5), opens=(6,)),
    "RequestDispatched": Move(acts=(6,), passes=(2, 3, 5), opens=(7,), skips=(17, 18)),
    "RequestStarted": Move(acts=(7,), ends=(17, 18)),
    "EmergencyDeclared": Move(acts=(14,)),
    "RequestWaiting": Move(ends=_WAITED),
    "RequestResumed": Move(ends=_WAITED),
    "WaitingReasonEnded": Move(ends=_WAITED),
    "RequestRequeued": Move(opens=(7,), ends=_WAITED, skips=(11, 17, 18)),
    "RequestEscalated": Move(skips=(11, *_TAKEN)),
    "RequestHandedBack": Move(skips=(11, *_TAKEN)),
    "RequestHandedToPartner": Move(opens=(19,), skips=(11, *_TAKEN)),
    "RequestTakenBack": Move(ends=_WAITED, skips=(11, *_TAKEN)),
    "RequestRestored": Move(acts=(16,), passes=(*_FINDING, 15), opens=(23,)),
    "RequestDelivered": Move(acts=(25,), passes=(*_FINDING, 23, 24, 26), opens=(27,), ends=_WAITED),
    "SolutionRejected": Move(acts=(27,)),
    "RequestConfirmed": Move(acts=(27,), opens=(30,), skips=_UP_TO_DELIVERY),
    "RequestClosed": Move(acts=(30,), passes=(28, 29), skips=tuple(STEPS)),
}
"""What each move of the workflow does to the steps, before its situation is looked at."""

_ON_THE_WAY = {WaitingReason.SPARE_PART: (20,)}
"""Steps that are done by waiting for something."""
_GO_ON = frozenset({"RequestStarted", "SolutionRejected", "RequestReopened"})
_MOVES_AWAY = frozenset({"RequestEscalated", "RequestHandedBack", "RequestTakenBack"})
_ENDS_A_WAIT = frozenset({"RequestResumed", "WaitingReasonEnded"})
_STAYS_ENGAGED = _ENDS_A_WAIT | {"RequestWaiting", "RequestRequeued"}
"""What may happen to a request at a partner firm, which stays engaged (R-REQ-10)."""


def changes_of(
    event: str, situation: Situation, *, open: Collection[int], done: Collection[int]
) -> Changes:
    """What an event does to the steps of a request that stands so (R-CP-02)."""
    if situation.dropped:
        return Changes(drops=frozenset(open))
    moves = list(_moves(event, situation, open=open, done=done))
    acts, ends = _all(moves, "acts", situation), _all(moves, "ends", situation)
    passes, skips = _all(moves, "passes", situation), _all(moves, "skips", situation)
    ends -= _still_waited_for(event, situation)
    if situation.unattended:  # what nobody did is nobody's act
        acts, ends, passes, skips = frozenset(), frozenset(), acts | passes, ends | skips
    passes -= acts
    opens = _all(moves, "opens", situation) - acts - passes
    ends = (ends & set(open)) - opens - acts - passes
    if event in _STAYS_ENGAGED and situation.with_partner:
        ends -= {_THIRD_PARTY}
    drops = frozenset(_CLOSING) & set(open) if event == "RequestReopened" else frozenset[int]()
    passes |= (skips & set(open)) - opens - acts - ends - drops
    return Changes(acts=acts, passes=passes, opens=opens - set(open), ends=ends, drops=drops)


def _moves(
    event: str, situation: Situation, *, open: Collection[int], done: Collection[int]
) -> Iterator[Move]:
    yield MOVES.get(event, Move())
    if situation.answered:
        yield Move(acts=(8,)) if situation.answers else Move(passes=(8,))
    if situation.by_owner and event not in _MOVES_AWAY | _ENDS_A_WAIT:
        yield Move(ends=(11, 17, 18))
    if event == "RequestWaiting" and situation.waiting_for:
        told = situation.waiting_for[-1]
        yield Move(acts=_ON_THE_WAY.get(told, ()), opens=(_STEP_OF[told],))
    elif event in _ENDS_A_WAIT and 10 in open:
        answered = WaitingReason.CUSTOMER not in situation.waiting_for
        yield Move(opens=(11,) if answered else ())
    elif event in _MOVES_AWAY:
        waited = WaitingReason.THIRD_PARTY in situation.waiting_for
        gone = not situation.with_partner and not waited
        yield Move(opens=(HAND_OVER[situation.line],), ends=(_THIRD_PARTY,) if gone else ())
    elif event == "RequestDelivered":
        kept = (16,) if situation.service_down else ()
        over = tuple(number for number in _UP_TO_DELIVERY if number not in kept)
        yield Move(opens=kept, ends=() if kept else (16,), skips=over)
    elif event == "RequestPlanned" and 9 in open:
        yield Move(passes=(9, 12), opens=(13,))
    elif event == "RequestStarted" and not situation.answered:
        yield Move(opens=(8,))
    if event in _GO_ON:
        yield Move(opens=_work_at_hand(situation, open=open, done=done))


def _still_waited_for(event: str, situation: Situation) -> frozenset[int]:
    """The steps of reasons that stay open: each ends by itself (R-REQ-03)."""
    if event in ("RequestDelivered", "RequestConfirmed", "RequestClosed"):
        return frozenset()
    return frozenset(_STEP_OF[each] for each in situation.waiting_for)


def _work_at_hand(
    situation: Situation, *, open: Collection[int], done: Collection[int]
) -> tuple[int, ...]:
    """The step of the technical work itself that an owner who goes on is at."""
    if {9, 13, 23} & set(open):
        return ()
    if situation.technical and situation.service_down:
        return (13,) if 9 in done else (9,)
    return (23,)


def _all(moves: Iterable[Move], which: str, situation: Situation) -> frozenset[int]:
    """What the moves do to steps; none of a thread the request lacks is entered (R-CP-04)."""
    found = {number for move in moves for number in getattr(move, which)}
    if not situation.technical and which not in ("ends", "skips"):
        found = {number for number in found if STEPS[number].thread is not Thread.RESTORATION}
    return frozenset(found)
