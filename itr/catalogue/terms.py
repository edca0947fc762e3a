"""The words of the catalogue: entitlement outcomes, charge kinds, quota units (R-CAT, R-ENT)."""

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
