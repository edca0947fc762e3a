"""The words of access: what a client is, where a device's code stands, why a grant ended."""

from enum import StrEnum


class ClientKind(StrEnum):
    """What sort of program an OAuth client is; it decides how the client gets its tokens."""

    DASHBOARD = "DASHBOARD"
    WEB = "WEB"
    MACHINE = "MACHINE"
    WALLBOARD = "WALLBOARD"


class IdTokenAlgorithm(StrEnum):
    """What ID tokens of a client are signed by: Ed25519, or RS256 for those that know no other."""

    ED25519 = "ED25519"
    RS256 = "RS256"


class DeviceStatus(StrEnum):
    """Where the code on a device's screen stands."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DENIED = "DENIED"
    USED = "USED"


class ApprovalKind(StrEnum):
    """What of access waits for a second person."""

    ROLE = "ROLE"
    CLIENT = "CLIENT"
    CLIENT_SECRET = "CLIENT_SECRET"
    FIRST_PARTY = "FIRST_PARTY"
    PASSWORD = "PASSWORD"
    EMAIL = "EMAIL"
    REACTIVATION = "REACTIVATION"
    ERASURE = "ERASURE"


class ApprovalState(StrEnum):
    """Where it stands; what nobody decided in time has lapsed."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"


class EndReason(StrEnum):
    """Why a grant came to its end."""

    REVOKED = "REVOKED"
    CODE_REPLAYED = "CODE_REPLAYED"
    TOKEN_REUSED = "TOKEN_REUSED"
    PASSWORD_SET = "PASSWORD_SET"
