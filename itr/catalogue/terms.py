"""The words of the catalogue: outcomes, charge kinds, quota units, priorities (R-CAT, R-ENT)."""

from enum import StrEnum


class EntitlementOutcome(StrEnum):
    """What authorisation found (R-ENT-01)."""

    ENTITLED = "ENTITLED"
    NO_DATA = "NO_DATA"
    CHARGEABLE = "CHARGEABLE"
    NOT_SERVED = "NOT_SERVED"


class ChargeKind(StrEnum):
    """What kind of work a catalogue item charges for (R-CAT-01)."""

    CONSULTING = "CONSULTING"
    IMPLEMENTATION = "IMPLEMENTATION"
    SUPPORT = "SUPPORT"
    MAINTENANCE = "MAINTENANCE"
    TRAINING = "TRAINING"


class QuotaUnit(StrEnum):
    """What a contract line's quota counts (R-ENT-03)."""

    REQUEST = "REQUEST"
    VISIT = "VISIT"


class Phase(StrEnum):
    """Where in the contract's life a request falls (R-REQ-06)."""

    DELIVERY = "DELIVERY"
    AFTER_ACCEPTANCE = "AFTER_ACCEPTANCE"


class FaultLevel(StrEnum):
    """How badly it is broken (R-PRI-01)."""

    CRITICAL = "CRITICAL"
    MAJOR = "MAJOR"
    MINOR = "MINOR"
    NONE = "NONE"


class Impact(StrEnum):
    """Who is affected (R-PRI-01)."""

    ENTERPRISE = "ENTERPRISE"
    DEPARTMENT = "DEPARTMENT"
    GROUP = "GROUP"
    INDIVIDUAL = "INDIVIDUAL"


class Priority(StrEnum):
    """Derived from problem type, fault level and impact; nobody types it (R-PRI-01)."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
