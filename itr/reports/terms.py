"""The words of figures: what they are split by and what they measure (R-KPI-01)."""

from enum import StrEnum


class FigureDimension(StrEnum):
    """What figures can be split by."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    LINE = "LINE"
    FIRST_LINE = "FIRST_LINE"
    HIGHEST_LINE = "HIGHEST_LINE"
    PRIORITY = "PRIORITY"
    IMPACT = "IMPACT"
    KIND = "KIND"
    ENTITLEMENT = "ENTITLEMENT"
    CUSTOMER = "CUSTOMER"
    PROJECT = "PROJECT"
    CONTRACT = "CONTRACT"
    PRODUCT = "PRODUCT"
    BRANCH = "BRANCH"
    QUEUE = "QUEUE"
    PERSON = "PERSON"
    PARTNER = "PARTNER"
    CONTROL_POINT = "CONTROL_POINT"
    STEP_LINE = "STEP_LINE"
    STEP_PERSON = "STEP_PERSON"
    STEP_PARTNER = "STEP_PARTNER"
    THREAD = "THREAD"
    BREACH_REASON = "BREACH_REASON"


D = FigureDimension
BUCKETS = (D.DAY, D.WEEK, D.MONTH)
OF_STEPS = (D.CONTROL_POINT, D.STEP_LINE, D.STEP_PERSON, D.STEP_PARTNER)
OF_CLOCKS = (D.THREAD, D.BREACH_REASON)
OF_STAYS = frozenset({D.LINE, D.FIRST_LINE, D.HIGHEST_LINE})
LINES = OF_STAYS | {D.STEP_LINE}


class FigureInstant(StrEnum):
    """Which instant of a request must lie in the period, and decides its day, week and month."""

    REGISTERED = "REGISTERED"
    DELIVERED = "DELIVERED"
    CLOSED = "CLOSED"


class FigureName(StrEnum):
    """What is measured."""

    REQUESTS = "REQUESTS"
    SHARE = "SHARE"
    DELIVERED = "DELIVERED"
    CLOSED = "CLOSED"
    CLOSED_PROMISED = "CLOSED_PROMISED"
    CLOSED_ON_TIME = "CLOSED_ON_TIME"
    ON_TIME_CLOSING_RATE = "ON_TIME_CLOSING_RATE"
    REOPENED = "REOPENED"
    REOPEN_RATE = "REOPEN_RATE"
    RETURNED = "RETURNED"
    FIRST_CONTACT = "FIRST_CONTACT"
    FIRST_CONTACT_RATE = "FIRST_CONTACT_RATE"
    SOLVED_BY_LINE_1 = "SOLVED_BY_LINE_1"
    SOLVED_BY_LINE_2 = "SOLVED_BY_LINE_2"
    SOLVED_BY_LINE_3 = "SOLVED_BY_LINE_3"
    LINE_1_SHARE = "LINE_1_SHARE"
    LINE_2_SHARE_OF_REST = "LINE_2_SHARE_OF_REST"
    LINE_3_SHARE = "LINE_3_SHARE"
    BACKLOG = "BACKLOG"
    BACKLOG_AGE_MEDIAN = "BACKLOG_AGE_MEDIAN"
    BACKLOG_AGE_P90 = "BACKLOG_AGE_P90"
    TIME_TO_RESOLVE_MEDIAN = "TIME_TO_RESOLVE_MEDIAN"
    TIME_TO_RESOLVE_P90 = "TIME_TO_RESOLVE_P90"
    RESPONSE_TIME_MEDIAN = "RESPONSE_TIME_MEDIAN"
    RESPONSE_TIME_P90 = "RESPONSE_TIME_P90"
    RESTORATION_TIME_MEDIAN = "RESTORATION_TIME_MEDIAN"
    RESTORATION_TIME_P90 = "RESTORATION_TIME_P90"
    RESOLUTION_TIME_MEDIAN = "RESOLUTION_TIME_MEDIAN"
    RESOLUTION_TIME_P90 = "RESOLUTION_TIME_P90"
    TASKS = "TASKS"
    TASKS_ON_TIME = "TASKS_ON_TIME"
    ON_TIME_TASK_RATE = "ON_TIME_TASK_RATE"
    BREACHES = "BREACHES"
    BREACHES_UNEXPLAINED = "BREACHES_UNEXPLAINED"
    LATENESS = "LATENESS"


class Unit(StrEnum):
    """What a figure counts: requests, completed control points, breached threads, lateness."""

    REQUEST = "REQUEST"
    TASK = "TASK"
    BREACH = "BREACH"
    LATENESS = "LATENESS"


F = FigureName
UNITS: dict[FigureName, Unit] = {
    **dict.fromkeys(FigureName, Unit.REQUEST),
    **dict.fromkeys((F.TASKS, F.TASKS_ON_TIME, F.ON_TIME_TASK_RATE), Unit.TASK),
    F.BREACHES: Unit.BREACH,
    F.BREACHES_UNEXPLAINED: Unit.BREACH,
    F.LATENESS: Unit.LATENESS,
}
"""What each figure counts."""

OF_REQUESTS = frozenset(D) - {*OF_STEPS, *OF_CLOCKS}
DIMENSIONS_OF: dict[Unit, frozenset[FigureDimension]] = {
    Unit.REQUEST: OF_REQUESTS,
    Unit.TASK: OF_REQUESTS | set(OF_STEPS),
    Unit.BREACH: OF_REQUESTS | set(OF_CLOCKS),
    Unit.LATENESS: OF_REQUESTS | {*OF_STEPS, *OF_CLOCKS},
}
"""By what each unit can be split: a request has no control point, a step no breach reason."""

PARTS_OF_RATE: dict[FigureName, tuple[tuple[FigureName, ...], tuple[FigureName, ...]]] = {
    F.ON_TIME_CLOSING_RATE: ((F.CLOSED_ON_TIME,), (F.CLOSED_PROMISED,)),
    F.REOPEN_RATE: ((F.REOPENED,), (F.DELIVERED,)),
    F.FIRST_CONTACT_RATE: ((F.FIRST_CONTACT,), (F.DELIVERED,)),
    F.LINE_1_SHARE: (
        (F.SOLVED_BY_LINE_1,),
        (F.SOLVED_BY_LINE_1, F.SOLVED_BY_LINE_2, F.SOLVED_BY_LINE_3),
    ),
    F.LINE_2_SHARE_OF_REST: (
        (F.SOLVED_BY_LINE_2,),
        (F.SOLVED_BY_LINE_2, F.SOLVED_BY_LINE_3),
    ),
    F.LINE_3_SHARE: (
        (F.SOLVED_BY_LINE_3,),
        (F.SOLVED_BY_LINE_1, F.SOLVED_BY_LINE_2, F.SOLVED_BY_LINE_3),
    ),
    F.ON_TIME_TASK_RATE: ((F.TASKS_ON_TIME,), (F.TASKS,)),
}
"""What each rate divides: the sum of the first by the sum of the second."""
