"""The words of figures: what they are split by and what they measure (R-KPI-01)."""

from enum import StrEnum


class FigureDimension(StrEnum):
    """What figures can be split by."""

    LINE = "LINE"
    FIRST_LINE = "FIRST_LINE"
    HIGHEST_LINE = "HIGHEST_LINE"
    PRIORITY = "PRIORITY"
    CUSTOMER = "CUSTOMER"
    PRODUCT = "PRODUCT"
    IMPACT = "IMPACT"


class FigureName(StrEnum):
    """What is measured."""

    REQUESTS = "REQUESTS"
    SHARE = "SHARE"
    DELIVERED = "DELIVERED"
    REOPENED = "REOPENED"
    RETURNED = "RETURNED"
    FIRST_CONTACT = "FIRST_CONTACT"
    TIME_TO_RESOLVE_MEDIAN = "TIME_TO_RESOLVE_MEDIAN"
    TIME_TO_RESOLVE_P90 = "TIME_TO_RESOLVE_P90"
    BACKLOG = "BACKLOG"
