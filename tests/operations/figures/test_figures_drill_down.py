"""Each figure opens to exactly the requests behind it, over made-up requests of every kind."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from statistics import median
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from strawberry.utils.str_converters import to_camel_case

from itr.database import open_pool
from itr.durations import parse_duration
from itr.figures.live_figures import Wanted, live_figures
from itr.figures.operations import DURATIONS, figures, possible
from itr.figures.rules import Period, Question
from itr.figures.statement import Statement
from itr.figures.terms import OF_REQUESTS, FigureDimension, FigureName
from itr.settings import Settings
from itr.sight.requests import visible_on_boards
from itr.sla.models import Clock
from itr.sla.operations import calendars_of_versions
from tests.support.desk import START, Desk, open_desk
from tests.support.random_requests import Known, make_up

D, F = FigureDimension, FigureName
NOW = START + timedelta(days=60)
PERIOD = {"from": "2026-03-26T05:00:00Z", "to": "2026-04-30T00:00:00Z"}
START_AT, END_AT = (datetime.fromisoformat(PERIOD[key]) for key in ("from", "to"))
REQUESTS = 160

FIELDS = {figure: to_camel_case(figure.value.lower()) for figure in FigureName}
ENDED = ("CLOSED", "CANCELLED", "REJECTED")
COUNTED = {
    F.REQUESTS: lambda _: True,
    F.DELIVERED: lambda it: it["deliveredAt"],
    F.CLOSED: lambda it: it["status"] == "CLOSED",
    F.CLOSED_PROMISED: lambda it: it["status"] == "CLOSED" and _entitled(it),
    F.CLOSED_ON_TIME: lambda it: (
        it["status"] == "CLOSED"
        and _entitled(it)
        and "BREACHED" not in [clock["state"] for clock in it["clocks"]]
    ),
    F.SOURCE_JUDGED: lambda it: it["sourceMet"] is not None,
    F.SOURCE_MET: lambda it: it["sourceMet"],
    F.REOPENED: lambda it: it["reopenCount"] > 0,
    F.RETURNED: lambda it: _returned(it["known"]),
    F.FIRST_CONTACT: lambda it: (
        it["deliveredAt"]
        and max(stint["line"] for stint in it["stints"]) == 1
        and it["known"].efforts == ("RequestStarted",)
    ),
    F.SOLVED_BY_LINE_1: lambda it: _accepted_line(it) == 1,
    F.SOLVED_BY_LINE_2: lambda it: _accepted_line(it) == 2,
    F.SOLVED_BY_LINE_3: lambda it: _accepted_line(it) == 3,
    F.BACKLOG: lambda it: it["status"] not in ENDED,
    F.BREACHED_NOW: lambda it: it["status"] not in ENDED and any(map(_late_now, it["clocks"])),
}
"""The figures that count requests."""

MEASURED: Mapping[FigureName, Callable[[Any], int | None]] = {
    F.BACKLOG_AGE_MEDIAN: lambda it: (
        _us(NOW - _at(it["registeredAt"])) if COUNTED[F.BACKLOG](it) else None
    ),
    F.TIME_TO_RESOLVE_MEDIAN: lambda it: (
        _us(_at(it["deliveredAt"]) - _at(it["registeredAt"])) if it["deliveredAt"] else None
    ),
    F.RESPONSE_TIME_MEDIAN: lambda it: _worked(it, "RESPONSE"),
    F.RESTORATION_TIME_MEDIAN: lambda it: _worked(it, "RESTORATION"),
    F.RESOLUTION_TIME_MEDIAN: lambda it: _worked(it, "RESOLUTION"),
}
"""What medians are taken of."""

RATES = {
    F.ON_TIME_CLOSING_RATE: (F.CLOSED_ON_TIME, (F.CLOSED_PROMISED,)),
    F.SOURCE_MET_RATE: (F.SOURCE_MET, (F.SOURCE_JUDGED,)),
    F.REOPEN_RATE: (F.REOPENED, (F.DELIVERED,)),
    F.FIRST_CONTACT_RATE: (F.FIRST_CONTACT, (F.DELIVERED,)),
    F.LINE_1_SHARE: (
        F.SOLVED_BY_LINE_1,
        (F.SOLVED_BY_LINE_1, F.SOLVED_BY_LINE_2, F.SOLVED_BY_LINE_3),
    ),
    F.LINE_2_SHARE_OF_REST: (F.SOLVED_BY_LINE_2, (F.SOLVED_BY_LINE_2, F.SOLVED_BY_LINE_3)),
    F.LINE_3_SHARE: (
        F.SOLVED_BY_LINE_3,
        (F.SOLVED_BY_LINE_1, F.SOLVED_BY_LINE_2, F.SOLVED_BY_LINE_3),
    ),
}

KEYS: Mapping[FigureDimension, Callable[[Any], Any]] = {
    D.DAY: lambda it: str(_day(it)),
    D.WEEK: lambda it: str(_day(it) - timedelta(days=_day(it).weekday())),
    D.MONTH: lambda it: str(_day(it).replace(day=1)),
    D.LINE: lambda it: _text(_accepted_line(it)),
    D.DELIVERING_LINE: lambda it: _text(_solved_by(it)),
    D.FIRST_LINE: lambda it: next(
        (str(stint["line"]) for stint in it["stints"] if stint["queue"]), None
    ),
    D.HIGHEST_LINE: lambda it: str(max(stint["line"] for stint in it["stints"])),
    D.PRIORITY: lambda it: it["priority"],
    D.IMPACT: lambda it: it["impact"],
    D.KIND: lambda it: it["kind"],
    D.ENTITLEMENT: lambda it: it["entitlementOutcome"],
    D.CUSTOMER: lambda it: _id(it["customer"]),
    D.PROJECT: lambda it: _id(it["project"]),
    D.CONTRACT: lambda it: _id(it["contract"]),
    D.PRODUCT: lambda it: _id(it["product"]),
    D.BRANCH: lambda it: _id(it["branch"]),
    D.QUEUE: lambda it: _id(it["queue"]),
    D.PERSON: lambda it: _id(it["assignee"]),
    D.PARTNER: lambda it: _id(it["partner"]),
}
STEP_KEYS: Mapping[FigureDimension, Callable[[Any], Any]] = {
    D.CONTROL_POINT: lambda step: str(step["number"]),
    D.STEP_LINE: lambda step: str(step["line"]),
    D.STEP_PERSON: lambda step: _id(step["owner"]),
    D.STEP_PARTNER: lambda step: _id(step["partner"]),
}


def _entitled(it: Any) -> bool:
    return bool(it["entitlementOutcome"] == "ENTITLED")


def _returned(known: Known) -> bool:
    stays = [
        queue
        for queue, before in zip(known.queues, [None, *known.queues], strict=False)
        if queue != before
    ]
    return len(set(stays)) < len(stays)


def _solved_by(it: Any) -> int | None:
    if it["deliveredAt"] is None:
        return None
    stints = [stint for stint in it["stints"] if _at(stint["startedAt"]) <= _at(it["deliveredAt"])]
    return stints[-1]["line"] if stints else None


def _accepted_line(it: Any) -> int | None:
    """The line of the solution, once it was accepted (R-LIN-02)."""
    return it["known"].solved_by_line if it["status"] in ("CONFIRMED", "CLOSED") else None


def _late_now(clock: Any) -> bool:
    ended = clock["completedAt"] or clock["remaining"] is None
    return clock["state"] == "BREACHED" and not ended


def _worked(it: Any, thread: str) -> int | None:
    for clock in it["clocks"]:
        if clock["thread"] == thread and clock["completedAt"] and clock["state"] != "CANCELLED":
            return parse_duration(clock["elapsed"])
    return None


def _day(it: Any) -> Any:
    return _at(it["registeredAt"]).astimezone(ZoneInfo("Asia/Shanghai")).date()


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _id(thing: Any) -> str | None:
    return None if thing is None else thing["id"]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


@dataclass
class Seen:
    """What somebody reads of every request, one by one."""

    desk: Desk
    who: str
    requests: list[Any]

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data a query gives."""
        return (await self.desk.as_(self.who).run(query, variables)).data

    def those(self, *, children: bool = False) -> list[Any]:
        """The requests of the period that count."""
        return [
            it
            for it in self.requests
            if START_AT <= _at(it["registeredAt"]) < END_AT
            and not it["isDuplicate"]
            and (children or not it["isChild"])
        ]

    async def rows(
        self, figures: Iterable[FigureName], *by: FigureDimension, filter: Any = None
    ) -> list[Any]:
        """The rows of `figures`, each with the filters its figures open to."""
        shown = " ".join(
            f"{FIELDS[figure]} open{FIELDS[figure]}: drillDown(of: {figure.value})"
            for figure in figures
        )
        query = f"""query(
            $period: PeriodInput!, $by: [FigureDimension!], $filter: FigureFilter
        ) {{ figures(period: $period, by: $by, filter: $filter) {{ keys {{ value }} {shown} }} }}"""
        asked = {"period": PERIOD, "by": [each.value for each in by], "filter": filter}
        return (await self.ask(query, **asked))["figures"]

    async def opened(self, filter: Any) -> set[str]:
        """The requests a filter lists; every one of them is counted."""
        query = """query($filter: RequestFilter, $after: String) {
            requests(filter: $filter, first: 100, after: $after) {
                totalCount nodes { id } pageInfo { hasNextPage endCursor } } }"""
        found: set[str] = set()
        after = None
        while True:
            page = (await self.ask(query, filter=filter, after=after))["requests"]
            found |= {node["id"] for node in page["nodes"]}
            if not page["pageInfo"]["hasNextPage"]:
                assert page["totalCount"] == len(found)
                return found
            after = page["pageInfo"]["endCursor"]


READ = (
    """id status priority impact kind registeredAt deliveredAt reopenCount isChild isDuplicate
    sourceMet entitlementOutcome customer { id } project { id } contract { id } product { id }
    branch { id } queue { id } assignee { id } partner { id }
    stints { line startedAt queue { id } }""",
    """id clocks { thread state completedAt elapsed remaining attribution { lateness unattributed
        steps { number lateness } lines { line lateness } persons { id lateness }
        partners { id lateness } } }""",
    "id controlPoints { number state line onTime remaining owner { id } partner { id } }",
)


@pytest.fixture(scope="module")
async def made(settings: Settings) -> AsyncIterator[tuple[Desk, Mapping[UUID, Known]]]:
    """Made-up requests."""
    async with open_desk(settings) as desk:
        known = await make_up(desk, REQUESTS, Random(991), until=NOW)
        desk.time.now = NOW
        yield desk, known


@pytest.fixture(scope="module", params=["ANALYST", "BRANCH_MANAGER"])
async def seen(request: Any, made: tuple[Desk, Mapping[UUID, Known]]) -> Seen:
    """Somebody who sees all of them, or some."""
    desk, known = made
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for fields in READ:
        after = None
        while True:
            query = f"""query($after: String) {{ requests(first: 50, after: $after) {{
                nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
            answer = await desk.as_(request.param).run(query, {"after": after})
            page = answer.data["requests"]
            for node in page["nodes"]:
                found[node["id"]] |= node
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
    for key, it in found.items():
        it["known"] = known[UUID(key.removeprefix("req_"))]
    return Seen(desk, request.param, list(found.values()))


@pytest.mark.parametrize("dimension", sorted(OF_REQUESTS))
async def test_figures_of_requests_open_to_exactly_those(seen, dimension):
    """R-KPI-01, R-KPI-02, R-ROLE-04: every figure of requests, by every dimension they have."""
    figures = [*COUNTED, *MEASURED, *RATES]
    groups: dict[Any, list[Any]] = defaultdict(list)
    for it in seen.those():
        groups[KEYS[dimension](it)].append(it)

    rows = await seen.rows(figures, dimension)

    assert Counter(row["keys"][0]["value"] for row in rows) == Counter(list(groups))
    for row in rows:
        group = groups[row["keys"][0]["value"]]
        for figure, counts in COUNTED.items():
            assert row[FIELDS[figure]] == sum(map(bool, map(counts, group))), figure
        for figure, measure in MEASURED.items():
            values = [value for value in map(measure, group) if value is not None]
            assert _microseconds(row[FIELDS[figure]]) == (round(median(values)) if values else None)
        for figure, (upper, lower) in RATES.items():
            whole = sum(row[FIELDS[each]] for each in lower)
            exact = row[FIELDS[upper]] / whole if whole else None
            found = row[FIELDS[figure]]
            assert found is exact is None or abs(float(found) - exact) < 1e-6, figure
    await _opens(seen, Random(dimension), rows, groups)


async def _opens(seen: Seen, dice: Random, rows: list[Any], groups: Mapping[Any, Any]) -> None:
    """One row of the figures, opened in every way it can be."""
    row = dice.choice(rows)
    group = groups[row["keys"][0]["value"]]
    behind: dict[str, set[str]] = {}
    for figure, counts in COUNTED.items():
        behind[figure] = {it["id"] for it in group if counts(it)}
    for figure, measure in MEASURED.items():
        behind[figure] = {it["id"] for it in group if measure(it) is not None}
    for figure, (_, lower) in RATES.items():
        behind[figure] = {key for each in lower for key in behind[each]}
    filters = {}
    for figure, expected in behind.items():
        given = row[f"open{FIELDS[FigureName(figure)]}"]
        filters[json.dumps(given, sort_keys=True)] = (given, expected, figure)
    for given, expected, figure in filters.values():
        assert await seen.opened(given) == expected, (figure, given)


@pytest.mark.parametrize("dimension", sorted(STEP_KEYS))
async def test_tasks_open_to_the_requests_and_children_that_have_them(seen, dimension):
    """R-KPI-01, R-KPI-02, R-REQ-09: a child's steps are steps."""
    tasks: dict[Any, list[tuple[str, bool]]] = defaultdict(list)
    for it in seen.those(children=True):
        for step in it["controlPoints"]:
            if step["onTime"] is not None:
                tasks[STEP_KEYS[dimension](step)].append((it["id"], step["onTime"]))

    rows = await seen.rows([F.TASKS, F.TASKS_ON_TIME, F.ON_TIME_TASK_RATE], dimension)

    assert {row["keys"][0]["value"]: (row["tasks"], row["tasksOnTime"]) for row in rows} == {
        key: (len(found), sum(on_time for _, on_time in found)) for key, found in tasks.items()
    }
    for row in Random(dimension).sample(rows, min(2, len(rows))):
        found = tasks[row["keys"][0]["value"]]
        assert float(row["onTimeTaskRate"]) == pytest.approx(
            sum(on_time for _, on_time in found) / len(found), abs=1e-6
        )
        assert row["openonTimeTaskRate"] == row["opentasks"]
        assert await seen.opened(row["opentasks"]) == {key for key, _ in found}
        on_time = {key for key, on_time in found if on_time}
        assert await seen.opened(row["opentasksOnTime"]) == on_time


@pytest.mark.parametrize("dimension", sorted(STEP_KEYS))
async def test_points_passed_are_told_beside_and_stand_in_no_rate_or_lateness(seen, dimension):
    """R-CP-02, R-KPI-01, R-OLA-03: without time, neither on time nor late, nobody's part."""
    passed: dict[Any, list[str]] = defaultdict(list)
    for it in seen.those(children=True):
        for step in it["controlPoints"]:
            if step["state"] == "PASSED":
                assert step["onTime"] is step["remaining"] is None
                passed[STEP_KEYS[dimension](step)].append(it["id"])

    rows = await seen.rows([F.TASKS_PASSED], dimension)

    assert {row["keys"][0]["value"]: row["tasksPassed"] for row in rows} == {
        key: len(found) for key, found in passed.items()
    }
    for row in Random(dimension).sample(rows, min(2, len(rows))):
        assert await seen.opened(row["opentasksPassed"]) == set(passed[row["keys"][0]["value"]])
    gone = {
        (it["id"], step["number"])
        for it in seen.requests
        for step in it["controlPoints"]
        if step["state"] == "PASSED"
    }
    late = {
        (it["id"], step["number"])
        for it in seen.requests
        for clock in it["clocks"]
        for step in (clock["attribution"] or {"steps": []})["steps"]
    }
    assert gone and late and not gone & late


PARTS = {
    D.CONTROL_POINT: ("steps", "number"),
    D.STEP_LINE: ("lines", "line"),
    D.STEP_PERSON: ("persons", "id"),
    D.STEP_PARTNER: ("partners", "id"),
}


@pytest.mark.parametrize("dimension", sorted(PARTS))
async def test_lateness_by_cause_is_that_of_each_clock_and_opens_to_the_late(seen, dimension):
    """R-OLA-03, R-KPI-02: divided in the database as one by one, to the microsecond."""
    parts, name = PARTS[dimension]
    late: Counter[Any] = Counter()
    behind: dict[Any, set[str]] = defaultdict(set)
    for it in seen.those():
        for clock in it["clocks"]:
            if clock["attribution"] is None:
                continue
            rest = parse_duration(clock["attribution"]["lateness"])
            for part in clock["attribution"][parts]:
                us = parse_duration(part["lateness"])
                rest -= us
                late[str(part[name])] += us
                behind[str(part[name])].add(it["id"])
            if rest:
                late[None] += rest
                behind[None].add(it["id"])

    rows = await seen.rows([F.LATENESS], dimension)

    found = {row["keys"][0]["value"]: _microseconds(row["lateness"]) for row in rows}
    if seen.who == "ANALYST":  # what a branch manager may not see of people counts as nobody's
        assert found == late
    assert sum(found.values()) == sum(late.values())
    for row in Random(dimension).sample(rows, min(3, len(rows))):
        if seen.who == "ANALYST":
            assert await seen.opened(row["openlateness"]) == behind[row["keys"][0]["value"]]


async def test_breaches_are_counted_by_thread_and_open_to_theirs(seen):
    """R-KPI-01, R-SLA-05."""
    breached: dict[str, list[str]] = defaultdict(list)
    for it in seen.those():
        for clock in it["clocks"]:
            if clock["state"] == "BREACHED":
                breached[clock["thread"]].append(it["id"])

    rows = await seen.rows([F.BREACHES], D.THREAD)

    assert {row["keys"][0]["value"]: row["breaches"] for row in rows} == {
        thread: len(found) for thread, found in breached.items()
    }
    for row in rows:
        thread = row["keys"][0]["value"]
        assert await seen.opened(row["openbreaches"]) == set(breached[thread])


WAITING = (F.WAITING, F.WAITING_OF_BREACHED, F.CUSTOMER_WAIT, F.CUSTOMER_WAIT_OF_BREACHED)


@pytest.mark.parametrize("dimension", [D.WAITING_REASON, D.THREAD, D.CUSTOMER, D.MONTH])
async def test_waiting_is_what_each_clock_waited_and_opens_to_those_that_did(seen, dimension):
    """R-KPI-01, R-KPI-02, R-OLA-03: for what, in which thread, of breached ones and of all."""
    amounts: dict[Any, Counter[FigureName]] = defaultdict(Counter)
    behind: dict[Any, set[str]] = defaultdict(set)
    rows_of = await waits_by_request()
    for it in seen.those():
        for thread, reason, us, breached in rows_of[UUID(it["id"].removeprefix("req_"))]:
            for figure in WAITING:
                if "CUSTOMER" in figure and reason != "CUSTOMER":
                    continue
                if "BREACHED" in figure and not breached:
                    continue
                asked = {D.WAITING_REASON: reason, D.THREAD: thread}
                key = asked.get(dimension) or KEYS[dimension](it)
                amounts[key][figure] += us
                behind[key, figure].add(it["id"])

    rows = await seen.rows(WAITING, dimension)

    assert {row["keys"][0]["value"] for row in rows} == set(amounts)
    for row in rows:
        key = row["keys"][0]["value"]
        for figure in WAITING:
            assert _microseconds(row[FIELDS[figure]]) == amounts[key][figure], (key, figure)
    for row in Random(dimension).sample(rows, min(2, len(rows))):
        for figure in WAITING:
            expected = behind[row["keys"][0]["value"], figure]
            assert await seen.opened(row[f"open{FIELDS[figure]}"]) == expected, figure


async def waits_by_request() -> dict[UUID, list[tuple[str, str, int, bool]]]:
    """Of each clock: its thread, for what and how long it waited, whether it was breached."""
    found: dict[UUID, list[tuple[str, str, int, bool]]] = defaultdict(list)
    versions = await Clock.all().distinct().values_list("calendar_version_id", flat=True)
    calendars = await calendars_of_versions(set(versions))
    for row in await Clock.all():
        waits = Counter(row.waited_us)
        if row.waiting_for is not None and row.waiting_since_us is not None:
            position = calendars[row.calendar_version_id].position_us(NOW)
            waits[row.waiting_for.value] += position - row.waiting_since_us
        passed = row.base_us is not None and row.deadline is not None and row.deadline < NOW
        breached = row.breached_at is not None or (row.state == "RUNNING" and passed)
        found[row.request_id] += [
            (row.thread.value, reason, us, breached) for reason, us in waits.items() if us
        ]
    return found


@pytest.mark.parametrize(
    "by",
    [
        (D.CUSTOMER, D.STEP_LINE, D.THREAD),
        (D.CONTROL_POINT, D.STEP_PARTNER, D.MONTH),
        (D.THREAD, D.PERSON),
        (D.STEP_PERSON, D.STEP_PARTNER, D.PRODUCT),
        (D.WAITING_REASON, D.THREAD, D.BREACH_REASON),
    ],
)
async def test_combinations_divide_the_whole_and_each_part_opens_to_its_own(seen, by):
    """R-KPI-01, R-KPI-02, R-OLA-03: no lateness is lost or counted twice, however it is split."""
    figures = [each for each in possible(by) if each in (F.LATENESS, F.TASKS, F.BREACHES, *WAITING)]
    (whole,) = await seen.rows(figures)

    rows = await seen.rows(figures, *by)

    for figure in figures:
        amounts = [_amount(row, figure) for row in rows]
        assert sum(amounts) == _amount(whole, figure)
    for row in Random(str(by)).sample(rows, min(3, len(rows))):
        for figure in figures:
            opened = await seen.opened(row[f"open{FIELDS[figure]}"])
            assert bool(opened) == bool(_amount(row, figure)), (figure, row)


def _amount(row: Any, figure: FigureName) -> int:
    value = row[FIELDS[figure]]
    return (_microseconds(value) or 0) if figure in DURATIONS else value


def _microseconds(duration: str | None) -> int | None:
    return None if duration is None else parse_duration(duration)


FILTERS: Mapping[str, tuple[FigureDimension, Callable[[Any], Any]]] = {
    "customerIds": (D.CUSTOMER, KEYS[D.CUSTOMER]),
    "productIds": (D.PRODUCT, KEYS[D.PRODUCT]),
    "queueIds": (D.QUEUE, KEYS[D.QUEUE]),
    "personIds": (D.PERSON, KEYS[D.PERSON]),
    "partnerIds": (D.PARTNER, KEYS[D.PARTNER]),
    "lines": (D.LINE, _accepted_line),
    "kinds": (D.KIND, KEYS[D.KIND]),
    "priorities": (D.PRIORITY, KEYS[D.PRIORITY]),
    "impacts": (D.IMPACT, KEYS[D.IMPACT]),
    "entitlements": (D.ENTITLEMENT, KEYS[D.ENTITLEMENT]),
}


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_filtered_and_split_a_row_counts_what_it_opens_to(seen, seed):
    """R-KPI-01, R-KPI-02: some of what there is, by one or two dimensions."""
    dice = Random(seed)
    chosen = dice.sample(sorted(FILTERS), dice.choice([1, 1, 2]))
    by = dice.sample(sorted(KEYS), dice.choice([1, 2]))
    wanted: dict[str, list[Any]] = {}
    for name in chosen:
        values = sorted({FILTERS[name][1](it) for it in seen.those()} - {None})
        wanted[name] = dice.sample(values, dice.randint(0, len(values)) or len(values))
    those = [
        it
        for it in seen.those()
        if all(FILTERS[name][1](it) in values for name, values in wanted.items())
    ]
    groups: dict[Any, list[Any]] = defaultdict(list)
    for it in those:
        groups[tuple(KEYS[dimension](it) for dimension in by)].append(it)

    rows = await seen.rows(COUNTED, *by, filter=wanted)

    found = {tuple(key["value"] for key in row["keys"]): row for row in rows}
    assert found.keys() == groups.keys()
    for key, group in groups.items():
        for figure, counts in COUNTED.items():
            assert found[key][FIELDS[figure]] == sum(map(bool, map(counts, group))), figure
    for key in dice.sample(sorted(groups, key=str), min(2, len(groups))):
        figure = dice.choice(sorted(COUNTED))
        opened = await seen.opened(found[key][f"open{FIELDS[figure]}"])
        assert opened == {it["id"] for it in groups[key] if COUNTED[figure](it)}, figure


SAME_FILTER = [
    {"priority": {"in": ["P1", "P3"]}},
    {"registeredAt": {"gt": "2026-04-01T00:00:00Z"}, "not": {"kind": {"eq": "TECHNICAL"}}},
    {"or": [{"breachedNow": {"eq": True}}, {"reopenCount": {"gt": 0}}]},
    {"clocks": {"some": {"thread": {"eq": "RESPONSE"}, "customerWait": {"gt": "PT1H"}}}},
]


@pytest.mark.parametrize("wanted", SAME_FILTER)
async def test_figures_take_the_filter_lists_take(seen, wanted):
    """R-KPI-02: one dialect of filters; a row opens to what it counts, that filter included."""
    query = """query($period: PeriodInput!, $wanted: RequestFilter!) {
        figures(period: $period, by: [CUSTOMER], requests: $wanted) {
            keys { value } requests openRequests: drillDown(of: REQUESTS) } }"""
    alone = {"isChild": {"eq": False}, "isDuplicate": {"eq": False}}
    within = {"registeredAt": {"lt": PERIOD["to"]}, "not": {"registeredAt": {"lt": PERIOD["from"]}}}

    rows = (await seen.ask(query, period=PERIOD, wanted=wanted))["figures"]
    listed = await seen.opened({"and": [alone, within, wanted]})

    assert sum(row["requests"] for row in rows) == len(listed) > 0
    opened = [await seen.opened(row["openRequests"]) for row in rows]
    assert set().union(*opened) == listed
    assert [len(each) for each in opened] == [row["requests"] for row in rows]


async def test_991_is_the_same_in_figures_and_beside_boards(made):
    """R-LIN-02, R-REQ-09: of accepted solutions only, children and duplicates left out."""
    desk, _ = made
    query = """query($period: PeriodInput!) {
        live: slaFigures(days: 30) { solved lines { solved share } }
        figures(period: $period, instant: DELIVERED) {
            solvedByLine1 solvedByLine2 solvedByLine3 line1Share line3Share } }"""
    period = {"from": (NOW - timedelta(days=30)).isoformat(), "to": NOW.isoformat()}

    answer = await desk.as_("PROCESS_MANAGER").run(query, {"period": period})

    (row,), live = answer.data["figures"], answer.data["live"]
    solved = [row[f"solvedByLine{line}"] for line in (1, 2, 3)]
    assert [each["solved"] for each in live["lines"]] == solved
    assert live["solved"] == sum(solved) > 0
    assert sum(Decimal(each["share"]) for each in live["lines"]) == 1


FIGURE_FILTERS = {
    **FILTERS,
    "projectIds": (D.PROJECT, KEYS[D.PROJECT]),
    "contractIds": (D.CONTRACT, KEYS[D.CONTRACT]),
    "branchIds": (D.BRANCH, KEYS[D.BRANCH]),
}


async def test_no_figure_gets_a_plan_for_whatever_values_however_often_it_is_asked(made):
    """L10: every figure with every filter, seven times on one connection."""
    desk, _ = made
    (settings, whole) = desk.settings, Period(START_AT, END_AT)
    analyst = await desk.actor("ANALYST")
    some: dict[FigureDimension, list[Any]] = {
        dimension: ["P1"] if dimension is D.PRIORITY else []
        for dimension, _ in FIGURE_FILTERS.values()
    }
    some[D.BRANCH] = [desk.ids["Shanghai"]]
    async with open_pool(settings, max_size=1) as pool:
        for dimension, values in some.items():
            asked = Question(whole, NOW, [], {dimension: values})
            for figure in FigureName:
                for _ in range(7 if figure in (F.REQUESTS, F.LATENESS) else 1):
                    await figures(pool, analyst, asked, {figure})
        for _ in range(7):
            await live_figures(pool, Wanted(), visible_on_boards(analyst), NOW)
        plans = await pool.fetch("select statement, generic_plans from pg_prepared_statements")

    kept = [row["statement"] for row in plans if "request r" in row["statement"]]
    assert kept == []


@pytest.mark.parametrize("filter", sorted(FIGURE_FILTERS))
async def test_a_filter_stands_where_the_requests_are_found_not_behind_all_of_them(made, filter):
    """L10: what it leaves out is not looked at at all."""
    desk, _ = made
    dimension, _ = FIGURE_FILTERS[filter]
    asked = Question(Period(START_AT, END_AT), NOW, [], {dimension: []})

    text = Statement(asked, await desk.actor("ANALYST")).text([F.LATENESS])

    found, _, _ = text.removeprefix("with asked as (").partition("), ")
    column = "contract_id" if dimension is D.CONTRACT else _COLUMNS.get(dimension)
    assert f"{column} = any(" in found, text


_COLUMNS = {
    D.CUSTOMER: "r.customer_id",
    D.PROJECT: "r.project_id",
    D.PRODUCT: "r.product_id",
    D.BRANCH: "r.branch_id",
    D.QUEUE: "r.queue_id",
    D.PERSON: "r.assignee_id",
    D.PARTNER: "r.partner_id",
    D.LINE: "r.solved_by_line end)",
    D.KIND: "r.kind",
    D.PRIORITY: "r.priority",
    D.IMPACT: "r.impact",
    D.ENTITLEMENT: "r.entitlement_outcome",
}


@pytest.mark.parametrize("field", ["returned", "firstContact"])
async def test_routing_is_looked_up_on_the_request_not_in_its_log(made, field):
    """L11: whatever the number of requests, an index finds them; no stay, no event is read."""
    desk, _ = made
    query = f"""{{ requests(first: 5, filter: {{ {field}: {{ eq: true }} }}) {{ totalCount
        nodes {{ id {field} }} }} }}"""
    nodes = (await desk.as_("ANALYST").run(query)).data["requests"]["nodes"]
    column = {"firstContact": "first_contact"}.get(field, field)
    reads = desk.client.http._transport.app.state.services.database.reads

    async with AsyncExitStack() as stack:
        kept = [
            row["statement"]
            for connection in [
                await stack.enter_async_context(reads.acquire()) for _ in range(reads.size)
            ]
            for row in await connection.fetch("select statement from pg_prepared_statements")
            if f'"{column}" = $' in row["statement"]
        ]
    indexes = await reads.fetch("select indexdef from pg_indexes where tablename = 'request'")

    assert nodes and all(node[field] for node in nodes)
    assert kept
    assert not [each for each in kept if re.search(r"from (event|stint)\b", each)]
    assert [each for (each,) in indexes if f"({column}, registered_at)" in each]


@pytest.mark.parametrize(
    ("by", "since"), [("DAY", "2026-03-26"), ("WEEK", "2026-02-20"), ("MONTH", "2025-07-01")]
)
async def test_days_weeks_and_months_come_in_order_of_time(made, by, since):
    """14: the tenth comes behind the ninth, not behind the first."""
    desk, _ = made
    query = f"""query($period: PeriodInput!) {{
        figures(period: $period, by: [{by}]) {{ keys {{ value }} requests tasks }} }}"""
    period = {"from": f"{since}T00:00:00Z", "to": "2026-06-01T00:00:00Z"}

    rows = (await desk.as_("ANALYST").run(query, {"period": period})).data["figures"]

    days = [row["keys"][0]["value"] for row in rows]
    assert days == sorted(days)
    assert len(days) > 1


async def test_control_points_come_in_their_order(made):
    """14: numbers are numbers, also those that are no time."""
    desk, _ = made
    query = """query($period: PeriodInput!) {
        figures(period: $period, by: [CONTROL_POINT]) { keys { value } tasks } }"""

    rows = (await desk.as_("ANALYST").run(query, {"period": PERIOD})).data["figures"]

    numbers = [int(row["keys"][0]["value"]) for row in rows if row["keys"][0]["value"]]
    assert numbers == sorted(numbers)


async def test_what_is_split_by_something_else_is_refused(made):
    """R-KPI-01: a request has no one control point, a step no thread of its own."""
    desk, _ = made
    for figure, by in (("requests", "CONTROL_POINT"), ("tasks", "THREAD"), ("closed", "THREAD")):
        query = f"""query($period: PeriodInput!) {{
            figures(period: $period, by: [PRIORITY, {by}]) {{ {figure} }} }}"""
        answer = await desk.as_("ANALYST").run(query, {"period": PERIOD})
        assert answer.code == "WRONG_DIMENSION"
        assert answer.errors[0]["extensions"]["inputPath"] == ["by", 1]


async def test_a_figure_that_is_skipped_refuses_nothing(made):
    """R-KPI-01."""
    desk, _ = made
    query = """query($period: PeriodInput!, $steps: Boolean!) {
        figures(period: $period, by: [CONTROL_POINT]) { tasks requests @skip(if: $steps) } }"""

    answer = await desk.as_("ANALYST").run(query, {"period": PERIOD, "steps": True})

    assert answer.data["figures"]
