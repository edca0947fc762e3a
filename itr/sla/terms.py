"""The words of service time: threads, states, waiting reasons (domain section 4)."""

from enum import StrEnum


class Thread(StrEnum):
    """The four time threads that cover a request from entry to completion (R-SLA-01)."""

    RESPONSE = "RESPONSE"
    RESTORATION = "RESTORATION"
    RESOLUTION = "RESOLUTION"
    CLOSURE = "CLOSURE"

    @property
    def number(self) -> int:
        """Its place in the course of a request, from 1; stored beside it to be sorted by."""
        return list(Thread).index(self) + 1


class ClockState(StrEnum):
    """What a clock is doing (R-SLA-03)."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    MET = "MET"
    BREACHED = "BREACHED"
    CANCELLED = "CANCELLED"


class ControlPointState(StrEnum):
    """How a control point stands: open, or how it ended (R-CP-02).

    Only somebody's act completes it; what the workflow passed over without one is PASSED.
    """

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    PASSED = "PASSED"
    GIVEN_UP = "GIVEN_UP"


class BreachReason(StrEnum):
    """Why a promise was broken, coded (R-SLA-05)."""

    CUSTOMER_WAIT = "CUSTOMER_WAIT"
    THIRD_PARTY = "THIRD_PARTY"
    SPARE_PART = "SPARE_PART"
    CHANGE_WINDOW = "CHANGE_WINDOW"
    STAFFING = "STAFFING"
    SKILL = "SKILL"
    WRONG_CLASSIFICATION = "WRONG_CLASSIFICATION"
    WRONG_DISPATCH = "WRONG_DISPATCH"
    TOOL_FAILURE = "TOOL_FAILURE"
    FORCE_MAJEURE = "FORCE_MAJEURE"
    OTHER = "OTHER"


class BreachReasonState(StrEnum):
    """Where the reason of a breach stands; it counts once a manager has approved it."""

    GIVEN = "GIVEN"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"


class ClockEventKind(StrEnum):
    """What may happen to a clock, in the order that counts at one instant (R-SLA-02)."""

    STARTED = "STARTED"
    REOPENED = "REOPENED"
    RETARGETED = "RETARGETED"
    PAUSED = "PAUSED"
    RESUMED = "RESUMED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class WaitingReason(StrEnum):
    """Why a request waits (R-REQ-03)."""

    CUSTOMER = "CUSTOMER"
    THIRD_PARTY = "THIRD_PARTY"
    SPARE_PART = "SPARE_PART"
    CHANGE_WINDOW = "CHANGE_WINDOW"


class RecalculationKind(StrEnum):
    """What a long computation over many requests is for."""

    WHAT_IF = "WHAT_IF"
    MIGRATION_PREVIEW = "MIGRATION_PREVIEW"
    MIGRATION = "MIGRATION"
    SWITCH_OFF = "SWITCH_OFF"
    MAKE_UP_DAYS = "MAKE_UP_DAYS"


class RecalculationStatus(StrEnum):
    """How far a long computation is."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
