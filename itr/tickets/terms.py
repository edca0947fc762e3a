"""The words all tickets share: how far an escalation has come, and why (R-ESC)."""

from enum import StrEnum


class ManagementStep(StrEnum):
    """How far a management escalation has come, lowest first (R-ESC-01)."""

    LINE_LEAD = "LINE_LEAD"
    PROCESS_MANAGER = "PROCESS_MANAGER"
    OPERATIONS_DIRECTOR = "OPERATIONS_DIRECTOR"


class EscalationCause(StrEnum):
    """Why a management escalation came to a step (R-ESC-01, R-ESC-02)."""

    ALARM = "ALARM"
    BY_HAND = "BY_HAND"
    TIMEOUT = "TIMEOUT"
