"""The words of an import: what a line of another system's export tells."""

from enum import StrEnum


class Kind(StrEnum):
    """What a line says happened; a mapping gives one to every status it knows."""

    QUEUED = "QUEUED"
    ASSIGNED = "ASSIGNED"
    WORKING = "WORKING"
    WAITING = "WAITING"
    RESTORED = "RESTORED"
    DELIVERED = "DELIVERED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"
    NOTE = "NOTE"


class Step(StrEnum):
    """What a line comes to once the lines around it are known."""

    QUEUE = "QUEUE"
    ASSIGN = "ASSIGN"
    WORK = "WORK"
    WAIT = "WAIT"
    RESTORE = "RESTORE"
    DELIVER = "DELIVER"
    DELIVER_AND_CLOSE = "DELIVER_AND_CLOSE"
    REPLY = "REPLY"
    CLOSE = "CLOSE"
    CANCEL = "CANCEL"
    NOTE = "NOTE"
