"""What goes wrong around the worker: kills, bad rows, duties that fail, a database that goes."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from tortoise.connection import get_connection

from itr.catalogue.terms import FaultLevel, Impact
from itr.database import connected
from itr.requests import operations
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Request
from itr.requests.priority import Classification
from itr.requests.terms import ProblemType, RequestStatus
from itr.settings import Settings
from itr.sla.models import Clock, Timer
from itr.sla.terms import Thread, WaitingReason
from itr.tickets.firing import fire_due
from tests.support.databases import environment
from tests.support.desk import START, furnish, hours
from tests.workers.alarms import alarms, how_often, person, promise, registered
from workers.main import run
from workers.settings import maintain
from workers.timers import TimerLoop

Ids = dict[str, UUID]
HOUR = 3600.0
CLASSIFICATION = Classification(ProblemType.FAULT, FaultLevel.MINOR, Impact.GROUP)


@pytest.fixture(scope="module")
async def ids(settings: Settings) -> AsyncIterator[Ids]:
    async with connected(settings):
        found = await furnish(START)
        await promise(found, (10 * HOUR, 20 * HOUR, 40 * HOUR), now=START)
        yield found


async def clock_of(request_id: UUID, thread: Thread = Thread.RESPONSE) -> Clock:
    return await Clock.get(request_id=request_id, thread=thread)


async def levels(request_id: UUID, thread: Thread = Thread.RESPONSE) -> list[int]:
    return [each["percent"] for each in await alarms(request_id) if each["thread"] == thread]


async def execute(statement: str, *values: object) -> None:
    await get_connection("default").execute_query(statement, list(values))


@asynccontextmanager
async def in_the_background(loop: TimerLoop) -> AsyncIterator[None]:
    """The loop at work until the block ends."""
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        loop.stop()
        await asyncio.wait_for(task, 20)


async def until(holds: Callable[[], Awaitable[object]], seconds: float = 30) -> None:
    """Wait until an awaited answer is true; fails when that takes too long."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - other tasks and processes write it
            await asyncio.sleep(0.05)


async def test_a_worker_killed_between_writing_and_committing_leaves_everything_to_the_next(
    ids: Ids, settings: Settings
) -> None:
    """R-ALM-02, S12: nothing of its batch is seen, nothing of it is lost, nothing is doubled."""
    requests = [await registered(ids, START) for _ in range(20)]
    due = START + hours(5)
    stuck = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-m", "tests.workers.stuck", due.isoformat()],
        env=os.environ
        | environment(database_url=settings.database_url, valkey_url=settings.valkey_url),
        stdout=subprocess.PIPE,
    )
    assert stuck.stdout is not None
    assert await asyncio.to_thread(stuck.stdout.readline) == b"written\n"
    while_stuck = await fire_due(due)
    stuck.kill()
    stuck.communicate()

    async def all_fired() -> bool:
        await fire_due(due)
        return len(await how_often()) == len(requests)

    await until(all_fired)

    assert while_stuck.clocks == 0
    assert set((await how_often()).values()) == {1}


async def test_a_clock_nobody_can_compute_blocks_no_other_and_fires_when_mended(ids: Ids) -> None:
    """Decision 4: it is left as it is, with its original due time."""
    began = START + hours(100)
    bad, good = await registered(ids, began), await registered(ids, began)
    clock = await clock_of(bad)
    calendar, broken = clock.calendar_version_id, uuid4()
    await execute(
        "insert into calendar_version select (jsonb_populate_record(v, jsonb_build_object("
        "'id', $1::text, 'number', 0, 'definition', '{}'::jsonb))).* from calendar_version v"
        " where v.id = $2",
        str(broken),
        calendar,
    )
    await Clock.filter(id=clock.id).update(calendar_version_id=broken)

    batch = await fire_due(began + hours(5))
    fired = await levels(bad), await levels(good)
    again = await fire_due(began + hours(5), skip=batch.troubled)
    await Clock.filter(id=clock.id).update(calendar_version_id=calendar)
    await fire_due(began + hours(6))

    assert batch.troubled == {clock.id}
    assert fired == ([], [50])
    assert again.clocks == 0
    (told,) = await alarms(bad)
    assert (told["percent"], told["late"]) == (50, True)
    assert datetime.fromisoformat(told["dueAt"]) == began + hours(5)


async def test_a_duty_that_fails_keeps_no_other_from_being_done(ids: Ids) -> None:
    """Decision 4: alarms fire while windows cannot end, and the loop goes on."""
    began = START + hours(200)
    request_id = await registered(ids, began)

    class Stumbling(TimerLoop):
        async def _remind(self) -> int:
            raise KeyError("something nobody thought of")

    async with in_the_background(Stumbling(clock=lambda: began + hours(5))):
        await until(lambda: levels(request_id))
        second = await registered(ids, began)
        await until(lambda: levels(second))

    assert await levels(request_id) == [50]


async def test_a_retarget_may_breach_at_once_with_one_notification(ids: Ids) -> None:
    """R-SLA-08: two hours were spent when an hour was promised."""
    began = START + hours(300)
    request_id = await registered(ids, began, by="CUSTOMER")
    accepted = began + hours(2)
    await operations.accept_request(
        await person(ids, "LINE1"), request_id, CLASSIFICATION, now=accepted
    )

    await fire_due(accepted)

    clock = await clock_of(request_id)
    told = [each for each in await alarms(request_id) if each["thread"] == Thread.RESPONSE]
    assert (clock.state, clock.breached_at, clock.version) == ("BREACHED", accepted, 2)
    assert [each["percent"] for each in told] == [50, 75, 90, 100]
    assert [each["percent"] for each in told if each["notifies"]] == [100]
    assert {datetime.fromisoformat(each["dueAt"]) for each in told} == {accepted}


async def test_levels_that_came_due_before_a_pause_keep_their_own_due_times(ids: Ids) -> None:
    """R-ALM-02: no worker ran; 50 and 75 % came before the pause, 90 % after it."""
    began = START + hours(400)
    request_id = await in_progress(ids, began)
    line1 = await person(ids, "LINE1")
    await operations.wait_request(
        line1, request_id, reason=WaitingReason.CUSTOMER, note=None, now=began + hours(8)
    )
    await operations.resume_request(line1, request_id, answer=None, now=began + hours(18))

    await fire_due(began + hours(19.5))

    told = [each for each in await alarms(request_id) if each["thread"] == Thread.RESPONSE]
    assert [datetime.fromisoformat(each["dueAt"]) for each in told] == [
        began + hours(5),
        began + hours(7.5),
        began + hours(19),
    ]


async def in_progress(ids: Ids, at: datetime) -> UUID:
    """A request line 1 works on, at the house level."""
    request_id = await registered(ids, at)
    line1, manager = await person(ids, "LINE1"), await person(ids, "PROCESS_MANAGER")
    await operations.agree_to_charge(manager, request_id, RequestVerb.WAIVE_CHARGE, now=at)
    await operations.accept_request(line1, request_id, CLASSIFICATION, now=at)
    dispatcher = await person(ids, "DISPATCH_MANAGER")
    await operations.dispatch_request(
        dispatcher, request_id, queue_id=ids["queue1"], assignee_id=line1.id, now=at
    )
    return await operations.start_request(line1, request_id, now=at)


async def test_the_loop_reminds_and_then_confirms_by_silence(ids: Ids) -> None:
    """R-REQ-04: the window is a day here; the reminder comes at half of it, each once."""
    began = START + hours(500)
    request_id = await in_progress(ids, began)
    await operations.deliver_request(
        await person(ids, "LINE1"), request_id, solution="done", restores_service=True, now=began
    )

    seen = []
    for later in (hours(11), hours(12), hours(13), hours(24), hours(25)):
        await asyncio.gather(*(TimerLoop(clock=lambda: began + later).work_off() for _ in "123"))  # noqa: B023
        seen.append(await said_by_time(request_id))

    assert seen == [
        [],
        ["ConfirmationReminded"],
        ["ConfirmationReminded"],
        ["ConfirmationReminded", "RequestConfirmed"],
        ["ConfirmationReminded", "RequestConfirmed"],
    ]
    request = await Request.get(id=request_id)
    assert (request.status, request.confirmed_by_silence) == (RequestStatus.CONFIRMED, True)
    assert not await Timer.exists(request_id=request_id)


async def said_by_time(request_id: UUID) -> list[str]:
    rows = await get_connection("default").execute_query_dict(
        "select type from event where subject = $1"
        " and type in ('ConfirmationReminded', 'RequestConfirmed') order by subject_version",
        [request_id],
    )
    return [row["type"] for row in rows]


async def test_alarms_go_on_after_the_database_dropped_every_connection(
    ids: Ids, settings: Settings
) -> None:
    """Decision 4: what a restart of PostgreSQL does to a worker."""
    async with in_the_background(TimerLoop()):
        await promise(ids, (2, 4, 8), now=datetime.now(UTC))
        for _ in range(3):
            await execute_and_forget(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
                " and backend_type = 'client backend'"
            )
            await asyncio.sleep(0.2)
        request_id = await registered_anyhow(ids)

        await until(lambda: levels(request_id))
        await until(lambda: is_breached(request_id))

    assert await levels(request_id) == [50, 75, 90, 100]
    assert set((await how_often()).values()) == {1}


async def execute_and_forget(statement: str) -> None:
    """The connection asked over may be one that goes."""
    with contextlib.suppress(Exception):
        await execute(statement)


async def registered_anyhow(ids: Ids) -> UUID:
    """A request, also when the first connections of the pool turn out to be dead."""
    for _ in range(20):
        try:
            return await registered(ids, datetime.now(UTC))
        except Exception:
            await asyncio.sleep(0.05)
    raise AssertionError("the database does not come back")


async def is_breached(request_id: UUID) -> bool:
    return (await clock_of(request_id)).next_alarm_at is None


async def test_a_worker_that_is_asked_to_stop_stops(settings: Settings, ids: Ids) -> None:
    """`itr work` ends with the batch in hand, quickly, with and without work to do."""
    working = asyncio.create_task(run(settings))
    await promise(ids, (0.5, 1, 2), now=datetime.now(UTC))
    request_id = await registered(ids, datetime.now(UTC))
    await until(lambda: levels(request_id))

    working.cancel()
    began = asyncio.get_running_loop().time()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert asyncio.get_running_loop().time() - began < 10


async def test_the_hourly_tidying_forgets_old_keys_and_stays_ahead(ids: Ids) -> None:
    """S13: a key is kept for 24 hours; the log has partitions for the coming year."""
    await execute(
        "insert into mutation_key (id, actor_id, client_id, key, mutation, fingerprint, failures,"
        " created_at) select gen_random_uuid(), gen_random_uuid(), 'c', name, 'm', 'f', '[]', at"
        " from (values ('old', $1::timestamptz), ('new', $2::timestamptz)) as k (name, at)",
        START - timedelta(hours=25),
        START - timedelta(hours=23),
    )

    await maintain(START)
    await maintain(START)

    rows = await get_connection("default").execute_query_dict("select key from mutation_key")
    months = await get_connection("default").execute_query_dict(
        "select count(*) as number from generate_series(0, 12) as ahead where to_regclass('event_'"
        " || to_char($1::timestamptz + make_interval(months => ahead), 'YYYYMM')) is not null",
        [START],
    )
    assert [row["key"] for row in rows] == ["new"]
    assert months[0]["number"] == 13
