"""From a figure to the requests behind it: values of `RequestFilter` (R-KPI-02)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from api.planner.scalars import print_instant
from api.planner.stored import stored_type
from api.schema.catalogue.types import Contract, Product
from api.schema.people.types import Organisation, Person, Project, Queue
from itr.figures.rules import Key, Question, buckets_of
from itr.figures.terms import (
    BUCKETS,
    COUNTS_STEPS,
    LINES,
    OF_CLOCKS,
    OF_REQUESTS,
    OF_STEPS,
    OF_WAITS,
    PARTS_OF_RATE,
    UNITS,
    FigureDimension,
    FigureInstant,
    FigureName,
    Unit,
)
from itr.requests.rules import OPEN
from itr.sla.terms import Thread, WaitingReason

Condition = Mapping[str, Any]
D, F = FigureDimension, FigureName

TYPES: Mapping[FigureDimension, type] = {
    D.CUSTOMER: Organisation,
    D.PROJECT: Project,
    D.CONTRACT: Contract,
    D.PRODUCT: Product,
    D.BRANCH: Organisation,
    D.QUEUE: Queue,
    D.PERSON: Person,
    D.PARTNER: Organisation,
    D.STEP_PERSON: Person,
    D.STEP_PARTNER: Organisation,
}
"""The dimensions whose values are rows, and of which type."""

_FIELDS: Mapping[FigureDimension, str] = {
    D.LINE: "solvedByLine",
    D.DELIVERING_LINE: "deliveringLine",
    D.FIRST_LINE: "firstLine",
    D.HIGHEST_LINE: "highestLine",
    D.PRIORITY: "priority",
    D.IMPACT: "impact",
    D.KIND: "kind",
    D.ENTITLEMENT: "entitlementOutcome",
    D.CUSTOMER: "customerId",
    D.PROJECT: "projectId",
    D.CONTRACT: "contractId",
    D.PRODUCT: "productId",
    D.BRANCH: "branchId",
    D.QUEUE: "queueId",
    D.PERSON: "assigneeId",
    D.PARTNER: "partnerId",
    D.CONTROL_POINT: "number",
    D.STEP_LINE: "line",
    D.STEP_PERSON: "ownerId",
    D.STEP_PARTNER: "partnerId",
    D.THREAD: "thread",
    D.BREACH_REASON: "breachReason",
}
"""What each dimension is called in the filter of requests, control points or clocks."""

_NUMBERS = frozenset({*LINES, D.CONTROL_POINT})
_INSTANTS = {
    FigureInstant.REGISTERED: "registeredAt",
    FigureInstant.DELIVERED: "deliveredAt",
    FigureInstant.CLOSED: "closedAt",
}
_WAITS = {
    WaitingReason.CUSTOMER: "customerWait",
    WaitingReason.THIRD_PARTY: "thirdPartyWait",
    WaitingReason.SPARE_PART: "sparePartWait",
    WaitingReason.CHANGE_WINDOW: "changeWindowWait",
}
"""Which field of a clock says how long it waited for what."""
_FOR_CUSTOMER = frozenset({F.CUSTOMER_WAIT, F.CUSTOMER_WAIT_OF_BREACHED})
_OF_BREACHED = frozenset({F.WAITING_OF_BREACHED, F.CUSTOMER_WAIT_OF_BREACHED})
_ENTITLED = {"entitlementOutcome": {"eq": "ENTITLED"}}
_UNBROKEN = {"not": {"clocks": {"some": {"breached": {"eq": True}}}}}
_DELIVERED: Condition = {"deliveredAt": {"isNull": False}}
_BACKLOG: Condition = {"status": {"in": sorted(OPEN)}}


def _lines(*lines: int) -> Condition:
    return {"solvedByLine": {"in": list(lines)}}


def _done(thread: Thread) -> Condition:
    done = {
        "thread": {"eq": thread.value},
        "completedAt": {"isNull": False},
        "not": {"state": {"eq": "CANCELLED"}},
    }
    return {"clocks": {"some": done}}


_OF_REQUESTS: Mapping[FigureName, Condition] = {
    F.REQUESTS: {},
    F.SHARE: {},
    F.DELIVERED: _DELIVERED,
    F.CLOSED: {"status": {"eq": "CLOSED"}},
    F.CLOSED_PROMISED: {"status": {"eq": "CLOSED"}, **_ENTITLED},
    F.CLOSED_ON_TIME: {"status": {"eq": "CLOSED"}, **_ENTITLED, **_UNBROKEN},
    F.SOURCE_JUDGED: {"sourceMet": {"isNull": False}},
    F.SOURCE_MET: {"sourceMet": {"eq": True}},
    F.REOPENED: {"reopenCount": {"gt": 0}},
    F.RETURNED: {"returned": {"eq": True}},
    F.FIRST_CONTACT: {"firstContact": {"eq": True}},
    F.SOLVED_BY_LINE_1: _lines(1),
    F.SOLVED_BY_LINE_2: _lines(2),
    F.SOLVED_BY_LINE_3: _lines(3),
    F.BACKLOG: _BACKLOG,
    F.BREACHED_NOW: {"breachedNow": {"eq": True}},
    F.BACKLOG_AGE_MEDIAN: _BACKLOG,
    F.BACKLOG_AGE_P90: _BACKLOG,
    F.TIME_TO_RESOLVE_MEDIAN: _DELIVERED,
    F.TIME_TO_RESOLVE_P90: _DELIVERED,
    F.RESPONSE_TIME_MEDIAN: _done(Thread.RESPONSE),
    F.RESPONSE_TIME_P90: _done(Thread.RESPONSE),
    F.RESTORATION_TIME_MEDIAN: _done(Thread.RESTORATION),
    F.RESTORATION_TIME_P90: _done(Thread.RESTORATION),
    F.RESOLUTION_TIME_MEDIAN: _done(Thread.RESOLUTION),
    F.RESOLUTION_TIME_P90: _done(Thread.RESOLUTION),
    F.LINE_1_SHARE: _lines(1, 2, 3),
    F.LINE_2_SHARE_OF_REST: _lines(2, 3),
    F.LINE_3_SHARE: _lines(1, 2, 3),
}


def request_filter(
    asked: Question, keys: Sequence[Key], figure: FigureName, given: Condition | None = None
) -> dict[str, Any]:
    """The filter that lists exactly the requests behind a figure of the row with these keys.

    `given` is the filter of requests that the question itself was asked with.
    """
    unit = UNITS[figure]
    conditions: list[Condition] = [{"isDuplicate": {"eq": False}}]
    if unit not in COUNTS_STEPS:
        conditions.append({"isChild": {"eq": False}})
    conditions += _within(asked, asked.period.start, asked.period.end)
    conditions += [_one_of(dimension, values) for dimension, values in asked.where.items()]
    for key in keys:
        if key.dimension in BUCKETS:
            bucket = buckets_of(asked, key.dimension)[int(key.value or 0) - 1]
            conditions += _within(asked, bucket.start, bucket.end)
        elif key.dimension in OF_REQUESTS:
            conditions.append(_is(key))
    conditions.append(_behind(unit, figure, keys))
    if given:
        conditions.append({"and": [given]})
    return _all_of(conditions)


def written(dimension: FigureDimension, value: str | int | UUID) -> str | int:
    """A value of a dimension as clients know it: rows by their public ids."""
    if dimension in TYPES:
        return stored_type(TYPES[dimension]).write_id(UUID(str(value)))
    return int(str(value)) if dimension in _NUMBERS else str(value)


def _behind(unit: Unit, figure: FigureName, keys: Sequence[Key]) -> Condition:
    """What a request must have to be counted in the figure at all."""
    of_steps = _all_of(_is(key) for key in keys if key.dimension in OF_STEPS)
    of_clocks = [_is(key) for key in keys if key.dimension in OF_CLOCKS]
    if unit is Unit.TASK:
        judged = {"eq": True} if figure is F.TASKS_ON_TIME else {"isNull": False}
        return {"controlPoints": {"some": _all_of([{"onTime": judged}, of_steps])}}
    if unit is Unit.PASSED:
        return {"controlPoints": {"some": _all_of([{"state": {"eq": "PASSED"}}, of_steps])}}
    if unit is Unit.BREACH:
        reasons = [{"breachReason": {"isNull": True}}] if figure is F.BREACHES_UNEXPLAINED else []
        return {"clocks": {"some": _all_of([{"breached": {"eq": True}}, *of_clocks, *reasons])}}
    if unit is Unit.LATENESS:
        late = [{"late": {"eq": True}}, *of_clocks, *_parts(keys, of_steps)]
        return {"clocks": {"some": _all_of(late)}}
    if unit is Unit.WAIT:
        return {"clocks": {"some": _all_of([*of_clocks, *_waited(figure, keys)])}}
    return _OF_REQUESTS[_opens(figure)]


def _waited(figure: FigureName, keys: Sequence[Key]) -> Iterator[Condition]:
    """What a clock must have waited for, and whether it must have been breached."""
    if figure in _OF_BREACHED:
        yield {"breached": {"eq": True}}
    reasons = {WaitingReason.CUSTOMER} if figure in _FOR_CUSTOMER else set(WaitingReason)
    for key in keys:
        if key.dimension in OF_WAITS:
            reasons &= {WaitingReason(key.value)} if key.value else set()
    yield {"or": [{_WAITS[each]: {"gt": "PT0S"}} for each in sorted(reasons)]}


def _opens(figure: FigureName) -> FigureName:
    """A rate opens to what it divides by."""
    if figure in PARTS_OF_RATE and figure not in _OF_REQUESTS:
        return PARTS_OF_RATE[figure][1][0]
    return figure


def _parts(keys: Sequence[Key], of_steps: Condition) -> Iterator[Condition]:
    """Steps with a part in the lateness; without any value also a lateness of no step's."""
    steps = [key for key in keys if key.dimension in OF_STEPS]
    if not steps:
        return
    with_part = {"lateSteps": {"some": of_steps}}
    if all(key.value is None for key in steps):
        yield {"or": [with_part, {"not": {"lateSteps": {"some": {}}}}]}
    else:
        yield with_part


def _is(key: Key) -> Condition:
    field = _FIELDS[key.dimension]
    if key.value is None:
        return {field: {"isNull": True}}
    return {field: {"eq": written(key.dimension, key.value)}}


def _one_of(dimension: FigureDimension, values: Sequence[str | int | UUID]) -> Condition:
    return {_FIELDS[dimension]: {"in": [written(dimension, value) for value in values]}}


def _within(asked: Question, start: Any, end: Any) -> list[Condition]:
    """From a start, included, to an end, not."""
    field = _INSTANTS[asked.instant]
    return [
        {field: {"lt": print_instant(end)}},
        {"not": {field: {"lt": print_instant(start)}}},
    ]


def _all_of(conditions: Iterable[Condition]) -> dict[str, Any]:
    """One object where all conditions hold; what would stand twice in it stands beside it."""
    found: dict[str, Any] = {}
    besides: list[Condition] = []
    for condition in conditions:
        if condition.keys() & found.keys():
            besides.append(condition)
        else:
            found |= condition
    return found | {"and": besides} if besides else found
