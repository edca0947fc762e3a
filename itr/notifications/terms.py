"""The words of being told (domain sections 4 and 10)."""

from enum import StrEnum


class NotificationKind(StrEnum):
    """What somebody is told of."""

    ALARM = "ALARM"
    ESCALATION = "ESCALATION"
    CONTROL_POINT = "CONTROL_POINT"
    BULLETIN = "BULLETIN"
    CONFIRMATION = "CONFIRMATION"
    TASK = "TASK"
    ASSIGNMENT = "ASSIGNMENT"
    CHARGE = "CHARGE"
    ACCESS = "ACCESS"


class MessageStatus(StrEnum):
    """Where an outgoing message stands (R-NOT-02)."""

    WAITING = "WAITING"
    SENT = "SENT"
    DEAD = "DEAD"
