"""The words of people: whom the process tells, and how they are reached (domain section 4)."""

from enum import StrEnum


class Channel(StrEnum):
    """How somebody is told (R-NOT-01)."""

    LIST = "LIST"
    SMS = "SMS"
    EMAIL = "EMAIL"


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
