"""The worker process: the timer loop, and an arq worker that is started again when it ends."""

import asyncio
import contextlib
import logging
from datetime import datetime
from functools import partial

from arq.connections import ArqRedis, create_pool
from arq.worker import Worker
from redis.exceptions import RedisError

from itr.database import connected
from itr.events.wakeup import hear_wakeups, publishing
from itr.retrying import for_ever
from itr.settings import Settings
from workers.recalculations import RecalculationLoop
from workers.settings import (
    CRON_JOBS,
    FUNCTIONS,
    QUEUE,
    from_json,
    maintain,
    redis_settings,
    to_json,
)
from workers.timers import TimerLoop, utc_now

logger = logging.getLogger("itr.worker")

SECONDS_TO_FINISH = 10.0
SECONDS_TO_CLOSE = 2.0


async def run(settings: Settings) -> None:
    """Work until cancelled, then finish the batch in hand.

    Without Valkey everything still happens, by polling PostgreSQL.
    """
    async with connected(settings), publishing(settings.valkey_url):
        await maintain(utc_now())
        timers, recalculations = TimerLoop(), RecalculationLoop()

        def wake() -> None:
            timers.wake()
            recalculations.wake()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_finishing(timers), name="timers")
            tasks.create_task(_finishing(recalculations), name="recalculations")
            tasks.create_task(hear_wakeups(settings.valkey_url, wake), name="wakeups")
            tasks.create_task(_arq_again_and_again(settings, timers), name="arq")


async def _finishing(timers: TimerLoop | RecalculationLoop) -> None:
    """Run the loop; when cancelled let it commit what it has in hand."""
    loop = asyncio.create_task(timers.run(), name=type(timers).__name__)
    try:
        await asyncio.shield(loop)
    except asyncio.CancelledError:
        timers.stop()
        _, unfinished = await asyncio.wait([loop], timeout=SECONDS_TO_FINISH)
        for each in unfinished:
            logger.warning("the batch in hand is given up; it is undone and will be taken again")
            each.cancel()
        raise


async def _arq_again_and_again(settings: Settings, timers: TimerLoop) -> None:
    """Run arq; it exits when Valkey goes away, so start it again when Valkey is back."""

    def tell(error: Exception) -> None:
        if isinstance(error, OSError | RedisError | RuntimeError):
            logger.warning("arq has ended: %s", type(error).__name__)
        else:
            logger.error("arq has failed", exc_info=error)

    work = partial(_arq, settings, timers)
    await for_ever(work, on=Exception, tell=tell, first=1.0, longest=10.0, settled=60.0)


async def _arq(settings: Settings, timers: TimerLoop) -> None:
    pool = await create_pool(
        redis_settings(settings),
        default_queue_name=QUEUE,
        job_serializer=to_json,
        job_deserializer=from_json,
    )
    worker = Worker(
        functions=FUNCTIONS,
        cron_jobs=CRON_JOBS,
        queue_name=QUEUE,
        redis_pool=pool,
        ctx={"timers": timers},
        handle_signals=False,
        keep_result=0,
        poll_delay=0.5,
        job_serializer=to_json,
        job_deserializer=from_json,
    )
    waking = asyncio.create_task(_wake_when_due(pool, timers), name="wake jobs")
    try:
        await worker.main()
    finally:
        await _close(worker, pool, waking)


async def _close(worker: Worker, pool: ArqRedis, waking: asyncio.Task[None]) -> None:
    """End its jobs and connections, also when Valkey does not answer.

    arq's own `close` waits for Valkey, and what it raises would hide why we are leaving.
    """
    tasks = [waking, *worker.tasks.values()]
    for each in tasks:
        each.cancel()
    with contextlib.suppress(OSError, RedisError):
        async with asyncio.timeout(SECONDS_TO_CLOSE):
            await asyncio.gather(*tasks, return_exceptions=True)
            await pool.delete(worker.health_check_key)
    with contextlib.suppress(OSError, RedisError):
        await pool.aclose(close_connection_pool=True)


async def _wake_when_due(pool: ArqRedis, timers: TimerLoop) -> None:
    """Have a job wake some worker when the next thing is due, wherever this one is then."""
    asked: datetime | None = None
    while True:
        due = timers.next_due
        if due is not None and due != asked and due > utc_now():
            name = f"wake:{int(due.timestamp() * 1000)}"
            await pool.enqueue_job("wake", _job_id=name, _defer_until=due)
            asked = due
        await asyncio.sleep(0.5)
