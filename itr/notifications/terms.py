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
    ASSIGNMENT = "ASSIGNMENT"
    CHARGE = "CHARGE"
    ACCESS = "ACCESS"


class Recipient(StrEnum):
    """Whom the process tells; always exactly one named person (R-ROLE-07)."""

    OWNER = "OWNER"
    LINE_LEAD = "LINE_LEAD"
    DISPATCH_MANAGER = "DISPATCH_MANAGER"
    PROJECT_MANAGER = "PROJECT_MANAGER"
    PROCESS_MANAGER = "PROCESS_MANAGER"
    OPERATIONS_DIRECTOR = "OPERATIONS_DIRECTOR"
    CATALOGUE_MANAGER = "CATALOGUE_MANAGER"
    CONTACT = "CONTACT"


class MessageStatus(StrEnum):
    """Where an outgoing message stands (R-NOT-02)."""

    WAITING = "WAITING"
    SENT = "SENT"
    DEAD = "DEAD"
