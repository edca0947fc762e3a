"""Work on one request beside other work on it: nothing is read too early, nothing written over."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from tortoise.connection import get_connection

from itr.actors.actor import Actor
from itr.addresses import credentials
from itr.database import connected
from itr.errors import DomainError
from itr.events.log import Audience
from itr.requests import operations
from itr.requests.lifecycle import RequestVerb
from itr.requests.recomputing import recompute_batch
from itr.requests.rules import NotInQueue
from itr.requests.store import working_on
from itr.requests.verbs import handling
from itr.settings import Settings
from itr.sla.calendars import DatedException
from itr.sla.clock import as_of, fold
from itr.sla.clocks import histories_of
from itr.sla.models import Clock
from itr.sla.operations import calendars_of_versions, correct_calendar
from itr.sla.terms import ClockState, Thread, WaitingReason
from itr.sla.working_time import WorkingCalendar
from itr.tickets.firing import fire_due
from tests.support.clock_events import load_clock_events
from tests.support.desk import FOUNDER, START, furnish
from tests.workers.alarms import P3, how_often, owned, person, promise, registered

Ids = dict[str, UUID]
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
async def ids(settings: Settings) -> AsyncIterator[Ids]:
    async with connected(settings):
        yield await furnish(START)


_WAITING = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock'
"""


async def raw(settings: Settings) -> asyncpg.Connection:
    """A connection of somebody else's."""
    return await asyncpg.connect(**credentials(settings.database_url))


async def until_it_waits(beside: asyncpg.Connection) -> None:
    """Until somebody waits for a lock that somebody else holds."""
    async with asyncio.timeout(10):
        while not await beside.fetchval(_WAITING):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def clocks_of(key: UUID) -> dict[Thread, Clock]:
    return {row.thread: row for row in await Clock.filter(request_id=key)}


async def test_who_waited_for_the_lock_sees_the_clocks_as_they_were_left(
    ids: Ids, settings: Settings
) -> None:
    """S12, R-SLA-02: what hangs on a request is read after its lock, not with the statement."""
    key, line1 = await owned(ids, START), await person(ids, "LINE1")
    beside, taken = await raw(settings), asyncio.Event()

    async def resumes() -> None:
        await taken.wait()
        await operations.resume_request(line1, key, answer=None, now=START + 3 * MINUTE)

    resuming = asyncio.create_task(resumes())
    async with working_on(line1, key, START + MINUTE) as in_hand:
        taken.set()
        await until_it_waits(beside)
        handling.wait(in_hand, WaitingReason.SPARE_PART, None)
    await resuming
    await beside.close()

    clock = (await clocks_of(key))[Thread.RESOLUTION]
    assert clock.state is ClockState.RUNNING
    assert clock.waited_us == {"SPARE_PART": 2 * 60_000_000}


async def test_an_alarm_level_that_is_raised_meanwhile_is_not_written_back(
    ids: Ids, settings: Settings
) -> None:
    """R-ALM-02: each level once, whoever works on the request when it is due."""
    key, line1 = await owned(ids, START), await person(ids, "LINE1")
    beside = await raw(settings)
    async with beside.transaction():
        await beside.execute("select 1 from request where id = $1 for key share", key)
        await beside.execute(
            "update clock set alarm_level = 50, revision = revision + 1 where request_id = $1", key
        )
        waiting = asyncio.create_task(
            operations.wait_request(
                line1, key, reason=WaitingReason.SPARE_PART, note=None, now=START + MINUTE
            )
        )
        await until_it_waits(beside)
    await waiting
    await beside.close()

    levels = {row.alarm_level for row in (await clocks_of(key)).values() if not row.completed_at}
    assert levels == {50}


async def test_who_is_taken_off_a_queue_elsewhere_gets_no_work_of_it_any_more(
    ids: Ids, settings: Settings
) -> None:
    """R-ORG-04: what is remembered of queues is never older than what is locked."""
    manager, second = await person(ids, "DISPATCH_MANAGER"), ids["second"]
    line1, queue = await person(ids, "LINE1"), ids["queue1"]

    async def dispatched() -> None:
        key = await registered(ids, START)
        await accepted(ids, line1, key)
        await operations.dispatch_request(
            manager, key, queue_id=queue, assignee_id=second, now=START + MINUTE
        )

    await dispatched()
    beside = await raw(settings)
    await beside.execute(
        "delete from queue_member where queue_id = $1 and person_id = $2", queue, second
    )
    await beside.close()

    with pytest.raises(NotInQueue):
        await dispatched()


async def accepted(ids: Ids, line1: Actor, key: UUID) -> None:
    manager, waive = await person(ids, "PROCESS_MANAGER"), RequestVerb.WAIVE_CHARGE
    await operations.agree_to_charge(manager, key, waive, now=START)
    await operations.accept_request(line1, key, P3, now=START)


async def test_verbs_alarms_and_new_calendars_beside_each_other_lose_and_double_nothing(
    ids: Ids,
) -> None:
    """S12, R-ALM-02, R-SLA-02, R-SLA-10: the rows are what the timelines say."""
    await promise(ids, (600, 1_200, 2_400), calendar="always", now=START)
    line1 = await person(ids, "LINE1")
    keys = [await owned(ids, START) for _ in range(4)]
    luck, ticks = random.Random(7), iter(range(1, 10_000))

    def now() -> datetime:
        return START + timedelta(seconds=20 * next(ticks))

    async def work(key: UUID) -> None:
        for _ in range(8):
            act = luck.choice((waits, resumes, notes))
            try:
                await act(key)
            except DomainError:
                continue

    async def waits(key: UUID) -> None:
        reason = luck.choice(list(WaitingReason))
        await operations.wait_request(line1, key, reason=reason, note=None, now=now())

    async def resumes(key: UUID) -> None:
        await operations.resume_request(line1, key, answer=None, now=now())

    async def notes(key: UUID) -> None:
        await operations.note_on_request(
            line1, key, text="看", audience=Audience.INTERNAL, now=now()
        )

    async def fires() -> None:
        for _ in range(12):
            await fire_due(now())
            await asyncio.sleep(0)

    async def recounts() -> None:
        for place in range(3):
            day = (START + timedelta(days=30 + place)).date()
            closed = DatedException(day, ())
            await correct_calendar(
                FOUNDER, ids["always"], exceptions=[closed], dropped=[], now=now()
            )
            while await recompute_batch(now()):
                pass

    await asyncio.gather(*(work(key) for key in keys * 2), fires(), fires(), recounts())
    while (await fire_due(now())).clocks:
        pass
    while await recompute_batch(now()):
        pass

    assert set((await how_often()).values()) == {1}
    for key in keys:
        await its_rows_are_what_its_timeline_says(key, now())


async def its_rows_are_what_its_timeline_says(key: UUID, now: datetime) -> None:
    """The fold of each thread's events is what its row says."""
    connection = get_connection("default")
    histories = histories_of(await load_clock_events(connection, key))
    for thread, row in (await clocks_of(key)).items():
        working = await calendars_of_versions([row.calendar_version_id])
        clock = as_of(fold(histories[thread], _always(working[row.calendar_version_id])), now)
        assert (row.deadline, row.base_us) == (clock.deadline, clock.base_us)
        assert row.version == clock.version + row.overturns
    versions = await connection.execute_query_dict(
        "select subject_version from event where subject = $1 order by subject_version", [key]
    )
    told = [row["subject_version"] for row in versions]
    assert told == list(range(1, len(told) + 1))


def _always(working: WorkingCalendar) -> Callable[[object], WorkingCalendar]:
    return lambda _: working
