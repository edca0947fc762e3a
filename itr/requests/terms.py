"""The words of a request (domain section 3)."""

from enum import StrEnum


class RequestKind(StrEnum):
    """What sort of request it is; decides which threads and steps it has."""

    TECHNICAL = "TECHNICAL"
    NON_TECHNICAL = "NON_TECHNICAL"
    SPARE_PART = "SPARE_PART"


class RequestStatus(StrEnum):
    """Where on the lifecycle a request stands."""

    REGISTERED = "REGISTERED"
    AUTHORISED = "AUTHORISED"
    REJECTED = "REJECTED"
    DISPATCHED = "DISPATCHED"
    IN_PROGRESS = "IN_PROGRESS"
    WAITING = "WAITING"
    RESTORED = "RESTORED"
    DELIVERED = "DELIVERED"
    CONFIRMED = "CONFIRMED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


class ProblemType(StrEnum):
    """What is the matter; bounds the priority (R-PRI-01)."""

    FAULT = "FAULT"
    DEGRADATION = "DEGRADATION"
    SECURITY = "SECURITY"
    CONSULTATION = "CONSULTATION"
    REQUIREMENT = "REQUIREMENT"


class Channel(StrEnum):
    """How the request reached us (R-REQ-06)."""

    PHONE = "PHONE"
    WEB = "WEB"
    EMAIL = "EMAIL"
    PARTNER = "PARTNER"
    ON_SITE = "ON_SITE"
    MONITORING = "MONITORING"
    INSPECTION = "INSPECTION"


class BulletinKind(StrEnum):
    """What a status bulletin of an emergency tells (R-REQ-11)."""

    FIRST = "FIRST"
    PROGRESS = "PROGRESS"
    RECOVERY = "RECOVERY"
    CAUSE = "CAUSE"


class RejectionCode(StrEnum):
    """Why a request is turned down; told to the requester with a sentence (R-REQ-01)."""

    NOT_SERVED = "NOT_SERVED"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    NOT_AUTHORISED = "NOT_AUTHORISED"
    CHARGE_DECLINED = "CHARGE_DECLINED"
    INCOMPLETE = "INCOMPLETE"
    DUPLICATE = "DUPLICATE"
    NO_ISSUE = "NO_ISSUE"


class Charge(StrEnum):
    """Where the charge of a request that no contract covers stands (R-ENT-06)."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    WAIVED = "WAIVED"
    WITHDRAWN = "WITHDRAWN"
