"""The figures beside a board: right, told when they change, no more often than once a second."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.app import create_app
from api.resolvers import live_figures
from itr.database import connected
from itr.settings import Settings
from tests.support.boards import fire_all, following, told
from tests.support.client import Served, served
from tests.support.desk import START, Desk, Time, furnish, hours
from tests.support.requests import brought_to, do, submitted

COUNT = "open atRisk breached"
FIGURES = f"""{{ {COUNT} solved solvedSince serverTime priorities {{ priority {COUNT} }}
    lines {{ line {COUNT} solved share shareOfRest priorities {{ priority {COUNT} }} }} }}"""
LIVE = (
    f"subscription Figures($filter: SlaFiguresFilter) {{ slaFigures(filter: $filter) {FIGURES} }}"
)
ONCE = f"""query($filter: SlaFiguresFilter, $days: Int! = 30) {{
    slaFigures(filter: $filter, days: $days) {FIGURES} }}"""


@pytest.fixture(scope="module")
async def hall(settings: Settings) -> AsyncIterator[tuple[Desk, Served]]:
    async with connected(settings):
        ids = await furnish(START)
        time = Time()
        async with served(create_app(settings, clock=time), settings) as server:
            yield Desk(settings, server.client, time, ids), server


async def asked(desk: Desk, who: str = "WALLBOARD", **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.as_(who).run(ONCE, variables)).data["slaFigures"]
    return found


def of(name: str, desk: Desk) -> dict[str, Any]:
    return {"customerIds": [desk.public("org", name)]}


async def test_figures_count_what_is_open_at_risk_and_breached_and_who_solved(
    hall: tuple[Desk, Served],
) -> None:
    """R-ALM-01, R-LIN-02: by line and priority; 991 of solutions that were accepted."""
    desk, _ = hall
    for _ in range(2):
        await brought_to(desk, "CLOSED")
    await brought_to(desk, "DELIVERED", owner="LINE2")
    again = await brought_to(desk, "DELIVERED", owner="LINE3")
    await do(desk, "CUSTOMER", "rejectSolution", id=again["id"], reason="仍然不通")
    await brought_to(desk, "IN_PROGRESS", owner="LINE2")
    late = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
    desk.time.pass_(hours(6))  # past the response promised to Bolt
    await fire_all(desk.time.now)
    fresh = await submitted(desk)

    found = await asked(desk)
    bolts = await asked(desk, filter=of("Bolt", desk))
    long_ago = desk.time.now
    desk.time.pass_(hours(24 * 40))
    later = await asked(desk)
    desk.time.now = long_ago

    assert [found[name] for name in ("open", "atRisk", "breached", "solved")] == [5, 0, 2, 2]
    assert [(it["line"], it["open"]) for it in found["lines"]] == [(1, 2), (2, 2), (3, 1)]
    assert [it["solved"] for it in found["lines"]] == [2, 0, 0]
    assert [it["share"] for it in found["lines"]] == ["1.0000", "0.0000", "0.0000"]
    assert [it["shareOfRest"] for it in found["lines"]] == ["1.0000", None, None]
    p1, p3 = found["priorities"][0], found["priorities"][2]
    assert (p1["open"], p1["breached"], p3["open"], p3["breached"]) == (3, 1, 2, 1)
    assert found["lines"][0]["priorities"][2]["breached"] == 1
    assert (bolts["open"], bolts["breached"], bolts["solved"]) == (1, 1, 0)
    assert (later["open"], later["solved"], later["lines"][0]["share"]) == (5, 0, None)
    for request, who in ((late, "bolt"), (fresh, "CUSTOMER")):
        await do(desk, who, "cancelRequest", id=request["id"], reason="gone")


async def test_days_that_make_no_period_are_refused(hall: tuple[Desk, Served]) -> None:
    """R-KPI-02: what a figure covers is said, or refused."""
    for days in (0, -1, 367):
        answer = await hall[0].as_("WALLBOARD").run(ONCE, {"days": days})

        assert answer.code == "INVALID"


async def test_followed_figures_are_what_a_query_finds_and_silent_while_nothing_changes(
    hall: tuple[Desk, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decision 5: each message is the whole picture, and none says the same again."""
    desk, server = hall
    monkeypatch.setattr(live_figures, "PACE", 0.0)
    token = desk.as_("WALLBOARD").token
    assert token is not None
    variables = of("Acme", desk)
    async with following(server, token, LIVE, filter=variables) as socket:
        first = await told(socket)
        request = await submitted(desk)
        more = await told(socket)
        await do(desk, "LINE1", "noteOnRequest", id=request["id"], text="counts nothing")
        await do(desk, "CUSTOMER", "cancelRequest", id=request["id"], reason="gone")
        fewer = await told(socket)

    assert more["open"] == first["open"] + 1
    assert fewer["open"] == first["open"]
    assert fewer == await asked(desk, filter=variables)


async def test_however_much_happens_figures_are_computed_once_in_their_pace(
    hall: tuple[Desk, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S10: twelve changes within one pace are told in two messages, to everybody alike."""
    desk, server = hall
    token = desk.as_("WALLBOARD").token
    assert token is not None
    computed = 0
    compute = live_figures.live_figures

    async def counting(*arguments: Any) -> Any:
        nonlocal computed
        computed += 1
        return await compute(*arguments)

    monkeypatch.setattr(live_figures, "live_figures", counting)
    monkeypatch.setattr(live_figures, "PACE", 3.0)
    async with (
        following(server, token, LIVE, filter=of("Acme", desk)) as one,
        following(server, token, LIVE, filter=of("Acme", desk)) as other,
    ):
        before = [await told(each) for each in (one, other)]
        started = computed
        for _ in range(12):
            await submitted(desk)
        messages = [[await told(each, timeout=20)] for each in (one, other)]
        for each, heard in zip((one, other), messages, strict=True):
            while heard[-1]["open"] < before[0]["open"] + 12:
                heard.append(await told(each, timeout=20))

    assert messages[0] == messages[1]
    assert len(messages[0]) == computed - started <= 4
