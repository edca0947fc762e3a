"""Figures: what they count, for whom, and what they refuse (R-KPI-01, R-KPI-02)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from itr.actors.roles import Role
from itr.catalogue.terms import FaultLevel, Impact
from itr.errors import Forbidden, InvalidInput
from itr.figures.formulas import FORMULAS, formula_of
from itr.figures.operations import figures
from itr.figures.rules import Period, Question, ratio, shares_of
from itr.figures.terms import FigureDimension as By
from itr.figures.terms import FigureName as Figure
from itr.requests import operations
from itr.requests.intake import Intake
from itr.requests.lifecycle import RequestVerb
from itr.requests.priority import Classification
from itr.requests.terms import ProblemType, RequestKind
from itr.settings import Settings
from itr.sla.models import ControlPoint
from tests.support.desk import HOUR, START, Desk, hours, open_desk

WEEK = Period(START, START + timedelta(days=7))
NOW = START + hours(30)
MINOR = Classification(ProblemType.FAULT, FaultLevel.MINOR, Impact.GROUP)
CRITICAL = Classification(ProblemType.FAULT, FaultLevel.CRITICAL, Impact.ENTERPRISE)


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    """Three requests: one solved at first contact, one sent back and up, one of another firm."""
    async with open_desk(settings) as opened:
        await solved_at_once(opened)
        await sent_back_and_up(opened)
        await submitted(opened, "bolt")
        yield opened


async def submitted(desk: Desk, who: str, *, after: float = 0) -> Any:
    wanted = Intake(
        kind=RequestKind.TECHNICAL,
        title="no network",
        description="since this morning",
        product_id=desk.ids["router"],
    )
    return await operations.submit_request(await desk.actor(who), wanted, now=START + hours(after))


async def solved_at_once(desk: Desk) -> None:
    line1 = await desk.actor("LINE1")
    key = await submitted(desk, "CUSTOMER")
    await operations.accept_request(line1, key, MINOR, now=START)
    await operations.dispatch_request(
        line1, key, queue_id=desk.ids["queue1"], assignee_id=None, now=START
    )
    await operations.start_request(line1, key, now=START)
    await operations.deliver_request(
        line1, key, solution="plugged in", restores_service=True, now=START + hours(1)
    )
    await operations.confirm_request(
        await desk.actor("CUSTOMER"), key, verified_by=None, now=START + hours(2)
    )


async def sent_back_and_up(desk: Desk) -> None:
    line1, line2, customer = [await desk.actor(name) for name in ("LINE1", "LINE2", "CUSTOMER")]
    key = await submitted(desk, "CUSTOMER", after=1)
    first, second = desk.ids["queue1"], desk.ids["queue2"]
    await operations.accept_request(line1, key, CRITICAL, now=START + hours(1))
    await operations.dispatch_request(
        line1, key, queue_id=first, assignee_id=None, now=START + hours(1)
    )
    await operations.start_request(line1, key, now=START + hours(1))
    await operations.deliver_request(
        line1, key, solution="restarted", restores_service=True, now=START + hours(2)
    )
    await operations.reject_solution(
        customer, key, reason="no", service_down=False, now=START + hours(3)
    )
    for verb, queue, who in (("ESCALATE", second, line2), ("HAND_BACK", first, line1)):
        await operations.change_line(
            line1 if verb == "ESCALATE" else line2,
            key,
            RequestVerb(verb),
            queue_id=queue,
            assignee_id=who.id,
            reason="asked",
            now=START + hours(4),
        )
    await operations.deliver_request(
        line1, key, solution="replaced", restores_service=True, now=START + hours(5)
    )


async def ask(desk: Desk, *by: By, who: str = "ANALYST", **where: Any) -> list[Any]:
    pool = desk.client.http._transport.app.state.services.database.reads  # type: ignore[attr-defined]
    actor = await desk.actor(who)
    asked = Question(WEEK, NOW, by, {By[key]: values for key, values in where.items()})
    return await figures(pool, actor, asked)


async def test_figures_count_what_their_formulas_say(desk):
    """R-KPI-01."""
    steps = [point.on_time for point in await ControlPoint.filter(on_time__isnull=False)]

    (row,) = await ask(desk)

    assert row.keys == ()
    assert row.values == {
        Figure.REQUESTS: 3,
        Figure.SHARE: Decimal(1),
        Figure.DELIVERED: 2,
        Figure.CLOSED: 0,
        Figure.CLOSED_PROMISED: 0,
        Figure.CLOSED_ON_TIME: 0,
        Figure.ON_TIME_CLOSING_RATE: None,
        Figure.SOURCE_JUDGED: 0,
        Figure.SOURCE_MET: 0,
        Figure.SOURCE_MET_RATE: None,
        Figure.REOPENED: 1,
        Figure.REOPEN_RATE: Decimal("0.5"),
        Figure.RETURNED: 1,
        Figure.FIRST_CONTACT: 1,
        Figure.FIRST_CONTACT_RATE: Decimal("0.5"),
        Figure.SOLVED_BY_LINE_1: 1,  # the other solution is not yet accepted
        Figure.SOLVED_BY_LINE_2: 0,
        Figure.SOLVED_BY_LINE_3: 0,
        Figure.LINE_1_SHARE: Decimal(1),
        Figure.LINE_2_SHARE_OF_REST: None,
        Figure.LINE_3_SHARE: Decimal(0),
        Figure.BACKLOG: 3,
        Figure.BREACHED_NOW: 1,
        Figure.BACKLOG_AGE_MEDIAN: 30 * HOUR,
        Figure.BACKLOG_AGE_P90: 30 * HOUR,
        Figure.TIME_TO_RESOLVE_MEDIAN: 2.5 * HOUR,
        Figure.TIME_TO_RESOLVE_P90: 4 * HOUR,
        Figure.RESPONSE_TIME_MEDIAN: 1 * HOUR,
        Figure.RESPONSE_TIME_P90: 1 * HOUR,
        Figure.RESTORATION_TIME_MEDIAN: 1 * HOUR,
        Figure.RESTORATION_TIME_P90: 1 * HOUR,
        Figure.RESOLUTION_TIME_MEDIAN: 2 * HOUR,
        Figure.RESOLUTION_TIME_P90: 3 * HOUR,
        Figure.TASKS: len(steps),
        Figure.TASKS_ON_TIME: sum(steps),
        Figure.ON_TIME_TASK_RATE: ratio(sum(steps), len(steps)),
        Figure.TASKS_PASSED: await ControlPoint.filter(ended="PASSED").count(),
        Figure.BREACHES: 1,  # Bolt's was never answered: due Monday 14:30, now Tuesday 15:00
        Figure.BREACHES_UNEXPLAINED: 1,
        Figure.LATENESS: 8 * HOUR,
        Figure.WAITING: 0,
        Figure.WAITING_OF_BREACHED: 0,
        Figure.CUSTOMER_WAIT: 0,
        Figure.CUSTOMER_WAIT_OF_BREACHED: 0,
    }


async def test_lines_are_first_dispatched_to_highest_reached_and_last_delivering(desk):
    """R-LIN-01, R-LIN-02: what is not accepted has no share of 991."""
    rows = {
        by: [(row.keys[0].value, row.values[Figure.SHARE]) for row in await ask(desk, by)]
        for by in (By.LINE, By.DELIVERING_LINE, By.FIRST_LINE, By.HIGHEST_LINE)
    }

    assert rows == {
        By.LINE: [("1", Decimal(1)), (None, None)],
        By.DELIVERING_LINE: [("1", Decimal(1)), (None, None)],
        By.FIRST_LINE: [("1", Decimal(1)), (None, None)],
        By.HIGHEST_LINE: [("1", Decimal("0.666667")), ("2", Decimal("0.333333"))],
    }


async def test_figures_split_by_several_dimensions_name_each_value(desk):
    """R-KPI-01."""
    rows = await ask(desk, By.CUSTOMER, By.PRIORITY, By.PRODUCT, PRIORITY=["P1"])

    assert [[(key.value, key.name) for key in row.keys] for row in rows] == [
        [
            (str(desk.ids["Acme"]), "Acme"),
            ("P1", None),
            (str(desk.ids["router"]), "router"),
        ]
    ]


@pytest.mark.parametrize(
    ("who", "requests"),
    [("ANALYST", 3), ("BRANCH_MANAGER", 2), ("beijing", 1), ("PROCESS_MANAGER", 3)],
)
async def test_figures_are_of_what_the_actor_sees(desk, who, requests):
    """R-ROLE-03, R-ROLE-04."""
    (row,) = await ask(desk, who=who)

    assert row.values[Figure.REQUESTS] == requests


@pytest.mark.parametrize("who", ["CUSTOMER", "PARTNER", "WALLBOARD", "ADMIN"])
async def test_figures_need_their_permission(desk, who):
    """R-ROLE-02."""
    with pytest.raises(Forbidden):
        await ask(desk, who=who)


async def test_a_period_includes_its_start_and_not_its_end(desk):
    """R-KPI-01."""
    pool = desk.client.http._transport.app.state.services.database.reads
    analyst = await desk.actor("ANALYST")

    async def counted(start: Any, end: Any) -> Any:
        asked = Question(Period(start, end), NOW)
        (row,) = await figures(pool, analyst, asked, {Figure.REQUESTS})
        return row.values[Figure.REQUESTS]

    assert await counted(START, START + hours(1)) == 2
    assert await counted(START + hours(1), START + hours(2)) == 1
    with pytest.raises(InvalidInput):
        await counted(START, START)


async def test_more_than_three_dimensions_or_one_twice_are_refused(desk):
    """R-KPI-01."""
    for by in ([By.LINE, By.LINE], [By.LINE, By.IMPACT, By.CUSTOMER, By.PRODUCT]):
        with pytest.raises(InvalidInput):
            await ask(desk, *by)


def test_shares_are_decimal_and_skip_what_has_no_value():
    """R-LIN-02."""
    shares = shares_of([5327, 1866, 353, None])

    assert shares == [Decimal("0.705937"), Decimal("0.247283"), Decimal("0.046780"), None]
    assert shares_of([0]) == [None]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(st.none(), st.integers(0, 10**7)), max_size=40))
def test_shares_make_one_or_are_none_at_all(counts):
    """R-KPI-05: by largest remainder; 0 of 0 is nothing, never 0 % or 100 %."""
    shares = shares_of(counts)
    whole = sum(count or 0 for count in counts)

    assert [share is None for share in shares] == [count is None or not whole for count in counts]
    assert sum(share or 0 for share in shares) == (1 if whole else 0)
    for count, share in zip(counts, shares, strict=True):
        if count is not None and share is not None:
            assert abs(share - Decimal(count) / whole) < Decimal("0.000001")


def test_every_figure_says_its_formula_in_both_languages():
    """R-KPI-02."""
    assert set(FORMULAS) == set(Figure)
    for figure in Figure:
        assert formula_of(figure, "zh") != formula_of(figure, "en")


async def test_figures_by_line_come_out_of_a_graphql_query(desk):
    """R-KPI-01, R-KPI-02: only what is selected; ids are public, names in the reader's language."""
    query = """
    query ($period: PeriodInput!, $filter: FigureFilter) {
      figures(period: $period, by: [DELIVERING_LINE, CUSTOMER], filter: $filter) {
        keys { dimension value name } requests share timeToResolveP90
        ... on FigureRow { formulas { figure formula } }
      }
      figureFormulas { figure formula }
      some: figureFormulas(figures: [REQUESTS]) { figure }
    }
    """
    variables = {
        "period": {"from": "2026-03-02T01:00:00Z", "to": "2026-03-09T00:00:00+08:00"},
        "filter": {"customerIds": [desk.public("org", "Acme"), "org_nonsense"], "kinds": None},
    }

    answer = await desk.as_("ANALYST", language="zh-CN").run(query, variables)

    (row,) = answer.data["figures"]
    assert row["keys"] == [
        {"dimension": "DELIVERING_LINE", "value": "1", "name": "一线"},
        {"dimension": "CUSTOMER", "value": desk.public("org", "Acme"), "name": "Acme"},
    ]
    assert (row["requests"], row["share"], row["timeToResolveP90"]) == (2, "1.000000", "PT4H")
    formulas = answer.data["figureFormulas"]  # L12: once for all rows
    assert [each["figure"] for each in formulas] == [figure.value for figure in Figure]
    assert formulas[0]["formula"] == formula_of(Figure.REQUESTS, "zh")
    assert row["formulas"] == formulas  # as long as clients still ask for it there
    assert answer.data["some"] == [{"figure": "REQUESTS"}]


@pytest.mark.parametrize("role", [role.value for role in Role])
async def test_the_schema_demands_the_permission_of_every_role(desk, role):
    """R-ROLE-02."""
    query = """{ figures(period: {from: "2026-03-02T01:00:00Z", to: "2026-03-09T00:00:00Z"})
        { requests } }"""
    actor = await desk.actor(role)

    answer = await desk.as_(role).run(query)

    if "READ_FIGURES" in actor.permissions:
        assert answer.data["figures"][0]["requests"] in (2, 3)
    else:
        assert answer.code == "FORBIDDEN"
