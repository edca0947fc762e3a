"""One row nobody can compute among good ones: passed over, told once, the others are done."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID, uuid4

import pytest
from tortoise.connection import get_connection

from itr.passed_over import PassedOver
from itr.requests.models import HandOver
from itr.requests.recomputing import recompute_batch
from itr.requests.waits import work_out_waits
from itr.settings import Settings
from itr.sla.calendars import DatedException
from itr.sla.clock import Target
from itr.sla.clocks import ClockBook
from itr.sla.models import CalendarVersion, Clock, ControlPoint
from itr.sla.operations import current_calendars, readable_calendars, save_calendar
from itr.sla.terms import ClockState, Thread
from itr.tickets.reminders import fire_due_reminders, next_reminder_at
from tests.support.desk import FOUNDER, HOUR, OFFICE, Desk, hours, open_desk
from tests.support.requests import submitted


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def asked(desk: Desk, number: int = 2) -> list[UUID]:
    """Requests at the house level, whose clocks count by the office's calendar."""
    return [
        UUID((await submitted(desk, "bolt", customerId=desk.public("org", "Bolt")))["id"][4:])
        for _ in range(number)
    ]


async def edited(desk: Desk, closed: date) -> UUID:
    """The calendar's next version."""
    definition = replace(OFFICE, exceptions=(DatedException(closed),))
    await save_calendar(FOUNDER, name="office", definition=definition, now=desk.time.now)
    return (await current_calendars([desk.ids["office"]]))[desk.ids["office"]].version_id


async def broken_version(desk: Desk) -> UUID:
    """A version of the office's calendar that cannot be read, older than all others."""
    broken, lowest = uuid4(), await CalendarVersion.all().order_by("number").first()
    assert lowest is not None
    await get_connection("default").execute_query(
        "insert into calendar_version select (jsonb_populate_record(v, jsonb_build_object("
        "'id', $1::text, 'number', $3::int, 'definition', '{}'::jsonb))).* from calendar_version v"
        " where v.calendar_id = $2 order by v.number desc limit 1",
        [str(broken), desk.ids["office"], lowest.number - 1],
    )
    return broken


async def swept(now: datetime, passed: PassedOver) -> None:
    """What a worker does until nothing is left, a row at a time."""
    while await recompute_batch(now, limit=1, passed=passed):
        pass


def said(caplog: pytest.LogCaptureFixture, what: str) -> int:
    return sum(what in record.getMessage() for record in caplog.records)


async def test_clocks_behind_one_nobody_can_compute_are_recomputed(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """R-SLA-10: also when it comes first in every batch; told once, also when tried again."""
    keys = await asked(desk)
    first = await Clock.filter(request_id__in=keys).order_by("id").first()
    assert first is not None
    thread = first.thread
    await Clock.filter(id=first.id).update(thread=Thread.CLOSURE)
    version, passed = await edited(desk, date(2026, 4, 1)), PassedOver()

    for _ in range(2):
        await swept(desk.time.now, passed)
        passed.forgive()

    rows = await Clock.filter(request_id__in=keys)
    assert [row.id for row in rows if row.calendar_version_id != version] == [first.id]
    assert said(caplog, str(first.id)) == 1
    await Clock.filter(id=first.id).update(thread=thread)


async def test_clocks_of_firms_behind_one_nobody_can_compute_are_recomputed(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """R-REQ-10, R-SLA-10."""
    before = (await current_calendars([desk.ids["office"]]))[desk.ids["office"]].version_id
    book = ClockBook()
    book.start(Thread.RESOLUTION, desk.time.now, Target(us=9 * HOUR), desk.ids["office"])
    words = book.take_added()
    rows = [
        await HandOver.create(
            id=uuid4(),
            request_id=key,
            partner_id=desk.ids["Firm"],
            handed_at=desk.time.now,
            state=ClockState.RUNNING,
            calendar_version_id=before,
            clock_words=words,
        )
        for key in await asked(desk, 3)
    ]
    poisoned = min(rows, key=lambda row: row.id)
    await HandOver.filter(id=poisoned.id).update(clock_words=[])
    version = await edited(desk, date(2026, 4, 2))

    await swept(desk.time.now, PassedOver())

    kept = await HandOver.filter(id__in=[row.id for row in rows])
    assert [row.id for row in kept if row.calendar_version_id != version] == [poisoned.id]
    assert said(caplog, str(poisoned.id)) == 1


async def test_steps_behind_some_nobody_can_compute_are_counted_anew(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """R-SLA-10, R-CP-02: those of one request counted by a calendar that cannot be read."""
    bad, good = await asked(desk)
    await ControlPoint.filter(request_id=bad, completed_at=None).update(
        calendar_version_id=await broken_version(desk)
    )
    version = await edited(desk, date(2026, 4, 3))

    await swept(desk.time.now, PassedOver())

    open_ = await ControlPoint.filter(request_id__in=[bad, good], completed_at=None)
    assert {row.request_id for row in open_ if row.calendar_version_id == version} == {good}
    assert said(caplog, str(bad)) == 1


async def test_reminders_beside_one_that_makes_no_sense_are_told(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """R-CP-02: it is dropped, so that no worker looks at it again and again."""
    bad, good = await asked(desk)
    await ControlPoint.filter(request_id=bad, completed_at=None).update(deadline=None)
    due = desk.time.now + hours(24 * 7)

    while await fire_due_reminders(due):
        pass

    reminded = await ControlPoint.get(request_id=good, number=2)
    dropped = await ControlPoint.get(request_id=bad, number=2)
    assert (reminded.reminded, dropped.reminded, dropped.next_reminder_at) == (100, 0, None)
    coming = await next_reminder_at()
    assert coming is None or coming > due
    assert said(caplog, str(dropped.id)) == 1


async def test_waits_beside_one_nobody_can_work_out_are_worked_out(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """R-OLA-03: without a history, or by a calendar that cannot be read; then there is no more."""
    keys = await asked(desk, 3)
    await Clock.filter(request_id__in=keys).update(waited_us=None)
    lost = await Clock.get(request_id=keys[0], thread=Thread.RESPONSE)
    await Clock.filter(id=lost.id).update(thread=Thread.CLOSURE)
    unread = await Clock.get(request_id=keys[1], thread=Thread.RESPONSE)
    await Clock.filter(id=unread.id).update(calendar_version_id=await broken_version(desk))

    worked_out = 0
    while done := await work_out_waits(limit=2):
        worked_out += done

    assert worked_out == 9
    assert {row.waited_us == {} for row in await Clock.filter(request_id__in=keys)} == {True}
    assert [said(caplog, str(each.id)) for each in (lost, unread)] == [1, 1]
    await Clock.filter(id=lost.id).update(thread=Thread.RESPONSE)
    await Clock.filter(id=unread.id).update(calendar_version_id=lost.calendar_version_id)


async def test_a_calendar_that_cannot_be_read_troubles_no_other(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """R-CAL-03: renewing, materialising and alarms read calendars one by one, and tell it once."""
    broken = await broken_version(desk)
    good = (await current_calendars([desk.ids["office"]]))[desk.ids["office"]].version_id

    for _ in range(2):
        assert set(await readable_calendars([broken, good])) == {good}

    assert said(caplog, str(broken)) == 1
