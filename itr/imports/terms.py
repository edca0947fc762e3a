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
    MERGED = "MERGED"
    ANSWER = "ANSWER"
    CUSTOMER_REPLY = "CUSTOMER_REPLY"
    MESSAGE = "MESSAGE"
    CALL = "CALL"
    RECLASSIFIED = "RECLASSIFIED"
    REMARK = "REMARK"
    NOTE = "NOTE"
    SKIP = "SKIP"


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
    MERGE = "MERGE"
    ANSWER = "ANSWER"
    HEAR = "HEAR"
    CALL = "CALL"
    RECLASSIFY = "RECLASSIFY"
    NOTE = "NOTE"


ASIDE = frozenset(
    {
        Kind.ANSWER,
        Kind.CUSTOMER_REPLY,
        Kind.MESSAGE,
        Kind.CALL,
        Kind.RECLASSIFIED,
        Kind.REMARK,
        Kind.NOTE,
        Kind.SKIP,
    }
)
"""Kinds that say nothing of where the request stands."""
OF_NOBODY = ASIDE | {Kind.QUEUED, Kind.CLOSED, Kind.CANCELLED, Kind.MERGED}
"""Kinds that need no owner."""
