"""The words of being told (domain sections 4 and 10)."""

from enum import StrEnum


class Channel(StrEnum):
    """How somebody is told (R-NOT-01)."""

    LIST = "LIST"
    SMS = "SMS"
    EMAIL = "EMAIL"


class NotificationKind(StrEnum):
    """What somebody is told of."""

    ALARM = "ALARM"
    ESCALATION = "ESCALATION"
    CONTROL_POINT = "CONTROL_POINT"
    BULLETIN = "BULLETIN"
    CONFIRMATION = "CONFIRMATION"
    TASK = "TASK"


class MessageStatus(StrEnum):
    """Where an outgoing message stands (R-NOT-02)."""

    WAITING = "WAITING"
    SENT = "SENT"
    DEAD = "DEAD"
