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
from itr.sla.firing import fire_due
from itr.sla.models import Clock
from itr.sla.operations import save_calendar
from itr.sla.terms import Thread
from tests.operations.test_importing import BPI, HEADER, lines
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
