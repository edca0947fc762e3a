"""A part of the BPI 2013 incidents, imported, gives the figures its own lines say (R-KPI-01).

The whole file is imported and checked against its known facts by `python -m bench --only imports`.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from math import ceil
from pathlib import Path

import pytest

from bench.imports import DATA, FACTS, MAPPING, PERIOD, QUERY, facts_in, groups, sample
from itr import imports
from itr.actors.actor import Actor
from itr.figures.operations import figures
from itr.figures.rules import Period, Question, Row
from itr.figures.terms import FigureDimension as By
from itr.figures.terms import FigureName as Figure
from itr.settings import Settings
from tests.support.desk import START, Desk, open_desk

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="../shared/data is not there: the incident log cannot be imported"
)
EVERY = 25
YEARS = Period(datetime(2010, 1, 1, tzinfo=UTC), datetime(2013, 1, 1, tzinfo=UTC))
SOLVED = {("Completed", "Resolved"), ("Completed", "In Call")}

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def histories() -> list[Rows]:
    return [rows for number, rows in enumerate(groups()) if number % EVERY == 0]


@pytest.fixture(scope="module")
async def imported(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator["Imported"]:
    path = tmp_path_factory.mktemp("import") / "sample.csv"
    path.write_bytes(sample(EVERY))
    async with open_desk(settings) as desk:
        outcome = await imports.run(settings, MAPPING, path, lambda *_: None)
        pool = desk.client.http._transport.app.state.services.database.reads  # type: ignore[attr-defined]
        yield Imported(desk, pool, await desk.actor("ANALYST"), outcome, path)


class Imported:
    """The imported part, and somebody who reads its figures."""

    def __init__(
        self, desk: Desk, pool: object, analyst: Actor, outcome: imports.Outcome, path: Path
    ) -> None:
        self.desk, self.pool, self.analyst = desk, pool, analyst
        self.outcome, self.path = outcome, path

    async def rows(self, *by: By) -> list[Row]:
        return await figures(self.pool, self.analyst, Question(YEARS, START, by))  # type: ignore[arg-type]

    async def counts(self, by: By) -> dict[str | None, int]:
        rows = await self.rows(by)
        return {row.keys[0].value: int(row.values[Figure.REQUESTS] or 0) for row in rows}


async def test_every_line_of_the_part_goes_in(imported, histories):
    """R-IMP-01."""
    assert imported.outcome.requests == len(histories) == 303
    assert imported.outcome.lines == sum(len(rows) for rows in histories)
    assert imported.outcome.bad_lines == []


async def test_the_line_of_the_last_solution_is_the_line_of_the_last_resolved_line(
    imported, histories
):
    """R-LIN-02, R-KPI-01."""
    solved = [rows[-1] for rows in map(solutions, histories) if rows]

    rows = {row.keys[0].value: row.values for row in await imported.rows(By.DELIVERING_LINE)}

    for line, count in Counter(row["support_line"] for row in solved).items():
        share = (Decimal(count) / len(solved)).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        assert rows[line][Figure.REQUESTS] == count
        assert rows[line][Figure.SHARE] == share


async def test_first_and_highest_lines_are_those_of_the_lines_of_the_file(imported, histories):
    """R-LIN-01, R-KPI-01."""
    first = Counter(rows[0]["support_line"] for rows in histories)
    highest = Counter(max(row["support_line"] for row in rows) for rows in histories)

    assert await imported.counts(By.FIRST_LINE) == first
    assert await imported.counts(By.HIGHEST_LINE) == highest


async def test_requests_reopened_and_returned_to_an_earlier_team_are_as_many(imported, histories):
    """R-KPI-01, R-SLA-09."""
    (row,) = await imported.rows()

    assert row.values[Figure.REOPENED] == sum(map(was_reopened, histories))
    assert row.values[Figure.RETURNED] == sum(map(has_returned, histories))


async def test_times_to_resolve_are_those_to_the_last_resolved_line(imported, histories):
    """R-KPI-01: median interpolated, 90th percentile a value that occurs."""
    taken = sorted(at(solutions(rows)[-1]) - at(rows[0]) for rows in histories if solutions(rows))
    middle = (len(taken) - 1) // 2, len(taken) // 2

    (row,) = await imported.rows()

    assert row.values[Figure.DELIVERED] == len(taken)
    assert (
        microseconds(row, Figure.TIME_TO_RESOLVE_MEDIAN)
        == (taken[middle[0]] + taken[middle[1]]) / 2
    )
    assert microseconds(row, Figure.TIME_TO_RESOLVE_P90) == taken[ceil(0.9 * len(taken)) - 1]


async def test_impact_and_product_are_those_of_the_file(imported, histories):
    """R-PRI-01, R-KPI-01."""
    words = {"Major": "ENTERPRISE", "High": "DEPARTMENT", "Medium": "GROUP", "Low": "INDIVIDUAL"}
    named = {"- -": "Unnamed"}
    products = Counter(named.get(each[0]["product"], each[0]["product"]) for each in histories)

    impacts = await imported.counts(By.IMPACT)
    rows = await imported.rows(By.PRODUCT)

    assert impacts == Counter(words[rows[0]["impact"]] for rows in histories)
    assert {row.keys[0].name: row.values[Figure.REQUESTS] for row in rows} == products


async def test_every_known_fact_of_the_log_is_told_of_the_part_by_the_query(imported, histories):
    """R-KPI-01: the query and the facts are those by which the whole log is checked."""
    solved = [found for found in map(solutions, histories) if found]
    taken = sorted(at(solutions(rows)[-1]) - at(rows[0]) for rows in histories if solutions(rows))
    middle = (taken[(len(taken) - 1) // 2] + taken[len(taken) // 2]) / 2
    words = {"Major": "ENTERPRISE", "High": "DEPARTMENT", "Medium": "GROUP", "Low": "INDIVIDUAL"}
    by_line = Counter(found[-1]["support_line"] for found in solved)
    impacts = Counter(words[rows[0]["impact"]] for rows in histories)

    answer = await imported.desk.as_("ANALYST").run(QUERY, {"period": PERIOD})
    facts = facts_in(answer.data)

    assert facts == {
        "requests": len(histories),
        "delivered": len(solved),
        "reopened after completion": sum(map(was_reopened, histories)),
        "returned to an earlier team": sum(map(has_returned, histories)),
        "hours to resolve, median": in_hours(middle, "0.01"),
        "hours to resolve, p90": in_hours(taken[ceil(0.9 * len(taken)) - 1], "0.1"),
        "requests by line": by_line,
        "share by line, %": percents(by_line),
        "share by first line, %": percents(Counter(rows[0]["support_line"] for rows in histories)),
        "share by highest line, %": percents(
            Counter(max(row["support_line"] for row in rows) for rows in histories)
        ),
        "requests by impact": impacts,
    }
    assert facts.keys() == FACTS.keys()


def in_hours(span: timedelta, step: str) -> str:
    return str((Decimal(span // timedelta(microseconds=1)) / 3_600_000_000).quantize(Decimal(step)))


def percents(counts: Counter[str]) -> dict[str, str]:
    whole = sum(counts.values())
    step = Decimal("0.000001")
    shares = {key: (Decimal(n) / whole).quantize(step, ROUND_HALF_UP) for key, n in counts.items()}
    return {key: str(round(share * 100, 2)) for key, share in shares.items()}


async def test_importing_the_part_again_adds_nothing(imported, settings):
    """R-IMP-01."""
    outcome = await imports.run(settings, MAPPING, imported.path, lambda *_: None)

    assert (outcome.requests, outcome.present, outcome.facts) == (0, 303, 0)


def solutions(rows: Rows) -> Rows:
    return [row for row in rows if (row["status"], row["sub_status"]) in SOLVED]


def was_reopened(rows: Rows) -> bool:
    completed = [row["status"] == "Completed" for row in rows]
    return any(before and not after for before, after in pairwise(completed))


def has_returned(rows: Rows) -> bool:
    teams = [row["involved_st"] for row in rows]
    stays = [team for team, before in zip(teams, [None, *teams], strict=False) if team != before]
    return len(set(stays)) < len(stays)


def at(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(row["change_utc"])


def microseconds(row: Row, figure: Figure) -> timedelta:
    value = row.values[figure]
    assert value is not None
    return timedelta(microseconds=int(value))
