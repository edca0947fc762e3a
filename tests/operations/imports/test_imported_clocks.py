"""Open requests of another system sleep until somebody works on them (R-IMP-01)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from itr import imports
from itr.catalogue.operations import save_service_level
from itr.recalculations.operations import apply_migration, preview_migration
from itr.requests.models import Request
from itr.requests.recomputing import recompute_batch
from itr.settings import Settings
from itr.sla.calendars import DatedException
from itr.sla.clock import Target
from itr.sla.models import Clock
from itr.sla.operations import save_calendar
from itr.sla.terms import Thread
from itr.tickets.firing import fire_due
from tests.operations.imports.test_importing import BPI, HEADER, lines
from tests.support.desk import ALL_PAUSE, FOUNDER, HOUR, OFFICE, Desk, open_desk, targets
from tests.support.levels import work_off
from tests.support.requests import do
from tests.workers.alarms import alarms


@pytest.fixture(scope="module")
async def desk(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A desk with twenty requests that another system left open years ago."""
    async with open_desk(settings) as opened:
        await imported(settings, tmp_path_factory.mktemp("export") / "export.csv")
        yield opened


async def imported(settings: Settings, path: Path) -> None:
    states = ("Accepted/In Progress", "Accepted/Wait - User", "Queued/Awaiting Assignment")
    text = HEADER + "".join(
        lines(
            f"Z-{number}",
            "2012-03-01 08:00 Accepted/In Progress V1 1 Ann",
            f"2012-03-01 09:00 {states[number % 3]} V1 1 Ann",
        )
        for number in range(20)
    )
    path.write_text(text)  # noqa: ASYNC240 - a short file of the test's own
    outcome = await imports.run(settings, BPI, path, lambda *_: None)
    assert not outcome.bad_lines


async def fired(desk: Desk) -> int:
    """How many alarms fire when everything that is armed is due."""
    before = len(await alarms())
    while (await fire_due(desk.time.now + timedelta(days=3650))).clocks:
        pass
    return len(await alarms()) - before


async def test_importing_open_requests_arms_no_alarm(desk: Desk) -> None:
    """R-IMP-01."""
    assert await Request.filter(status__in=["IN_PROGRESS", "WAITING", "DISPATCHED"]).count() == 20
    assert await Clock.filter(next_alarm_at__isnull=False).count() == 0


async def test_breached_now_is_one_thing_in_lists_boards_and_figures(desk: Desk) -> None:
    """L7: late years ago, though no alarm ever told so; a paused one is not."""
    query = """query($period: PeriodInput!) {
        listed: requests(filter: { breachedNow: { eq: true } }) { totalCount }
        byClocks: requests(filter: { clocks: { some: { state: { eq: BREACHED },
            completedAt: { isNull: true } } } }) { totalCount }
        slaFigures { open breached lines { breached } priorities { breached } }
        figures(period: $period) { backlog breachedNow behind: drillDown(of: BREACHED_NOW) }
    }"""
    period = {"from": "2012-01-01T00:00:00Z", "to": "2013-01-01T00:00:00Z"}

    found = (await desk.as_("PROCESS_MANAGER").run(query, {"period": period})).data

    (row,), live = found["figures"], found["slaFigures"]
    counted = [
        found["listed"]["totalCount"],
        found["byClocks"]["totalCount"],
        live["breached"],
        sum(each["breached"] for each in live["lines"]),
        sum(each["breached"] for each in live["priorities"]),
        row["breachedNow"],
    ]
    assert len(set(counted)) == 1, counted
    assert 0 < counted[0] <= live["open"] == row["backlog"] == 20
    opened = await desk.as_("PROCESS_MANAGER").run(
        "query($filter: RequestFilter) { requests(filter: $filter) { totalCount } }",
        {"filter": row["behind"]},
    )
    assert opened.data["requests"]["totalCount"] == counted[0]


async def test_a_breach_that_was_overturned_is_none_now(desk: Desk) -> None:
    """L7, R-SLA-05: neither provisional nor overturned changes what "now" means."""
    request = await Request.filter(status="IN_PROGRESS").order_by("-number").first()
    assert request is not None
    count = "{ slaFigures { breached } requests(filter: {breachedNow: {eq: true}}) { totalCount } }"
    clocks = Clock.filter(request_id=request.id)
    rows = {row.id: (row.state, row.deadline, row.breached_at) async for row in clocks}

    async def counted() -> tuple[int, int]:
        data = (await desk.as_("PROCESS_MANAGER").run(count)).data
        return data["slaFigures"]["breached"], data["requests"]["totalCount"]

    before = await counted()
    await clocks.update(provisional=True)
    provisional = await counted()
    await clocks.update(
        state="RUNNING", breached_at=None, overturned_at=desk.time.now,
        deadline=desk.time.now + timedelta(days=1),
    )  # fmt: skip
    overturned = await counted()
    for key, (state, deadline, breached_at) in rows.items():
        await Clock.filter(id=key).update(
            state=state, deadline=deadline, breached_at=breached_at, overturned_at=None,
            provisional=False,
        )  # fmt: skip

    assert provisional == before
    assert overturned == (before[0] - 1, before[1] - 1)
    assert await counted() == before


async def test_a_corrected_calendar_recomputes_them_and_fires_nothing(desk: Desk) -> None:
    """R-IMP-01, R-SLA-10: a recompute wakes no clock that was asleep."""
    definition = replace(OFFICE, exceptions=(DatedException(date(2012, 3, 1)),))
    await save_calendar(FOUNDER, name="office", definition=definition, now=desk.time.now)

    done = 0
    while batch := await recompute_batch(desk.time.now):
        done += batch

    assert done >= 20
    assert await Clock.filter(next_alarm_at__isnull=False).count() == 0
    assert await fired(desk) == 0


async def test_moving_them_to_another_version_fires_nothing(desk: Desk) -> None:
    """R-IMP-01, R-CAT-03."""
    version = await save_service_level(
        FOUNDER,
        name="house",
        calendar_id=desk.ids["office"],
        targets={
            **targets(RESPONSE=2, RESTORATION=8, RESOLUTION=20, CLOSURE=80),
            ("P1", Thread.RESOLUTION): Target(us=10 * HOUR),
        },
        pauses=ALL_PAUSE,
        now=desk.time.now,
    )
    preview = await preview_migration(FOUNDER, version, now=desk.time.now)
    await work_off(desk.time.now)

    await apply_migration(FOUNDER, preview, now=desk.time.now)
    await work_off(desk.time.now)

    assert await Request.filter(service_level_version_id=version).count() == 20
    assert await Clock.filter(next_alarm_at__isnull=False).count() == 0
    assert await fired(desk) == 0


async def test_whoever_works_on_one_wakes_its_clocks(desk: Desk) -> None:
    """R-IMP-01, R-SLA-08: the thread whose promise changed warns; all others sleep on."""
    request = await Request.filter(status="IN_PROGRESS").order_by("number").first()
    assert request is not None

    await do(desk, "LINE1", "reclassifyRequest", id=f"req_{request.id.hex}",
             problemType="FAULT", faultLevel="CRITICAL", impact="ENTERPRISE")  # fmt: skip

    armed = await Clock.filter(next_alarm_at__isnull=False)
    assert [(each.request_id, each.thread) for each in armed] == [(request.id, Thread.RESOLUTION)]
