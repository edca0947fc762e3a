"""The timer loop: what is due happens, once, and the loop sleeps until the next thing is."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from itr import spans
from itr.database import AWAY
from itr.passed_over import PassedOver
from itr.requests.due_timers import fire_due_timers, next_timer_at
from itr.requests.recomputing import recompute_batch
from itr.retrying import until_done
from itr.tickets.firing import LIMIT, FiredBatch, fire_due, next_alarm_at
from itr.tickets.reminders import fire_due_reminders, next_reminder_at

logger = logging.getLogger("itr.timers")

POLL = 0.5
"""Seconds between two looks at PostgreSQL when nothing wakes the loop: the floor (Decision 4)."""
PAUSE = 0.02
"""Seconds at least between two looks, however many wakeups come."""
LANES = 2
"""Batches at once when many are due: one is worked out while PostgreSQL writes the other."""
SWEEP = timedelta(seconds=2)
TROUBLED_AGAIN = timedelta(minutes=5)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, for a worker that lives in real time."""
    return datetime.now(UTC)


@dataclass
class TimerLoop:
    """Fires alarms and timers and recomputes clocks as PostgreSQL says they are due.

    Any number may run beside each other; rows are taken with SKIP LOCKED and change in the
    transaction that records what happened, so killing one loses and doubles nothing.
    """

    clock: Clock = utc_now
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    next_due: datetime | None = None
    _troubled: set[UUID] = field(default_factory=set)
    _passed_over: PassedOver = field(default_factory=PassedOver)
    _forgive_at: datetime | None = None
    _sweep_at: datetime | None = None
    _stopping: bool = False
    _stumbled: bool = False

    def wake(self) -> None:
        """Look now: something was committed, or is due."""
        self.woken.set()

    def stop(self) -> None:
        """Finish the batch in hand, then leave."""
        self._stopping = True
        self.woken.set()

    async def run(self) -> None:
        """Work until stopped; a database that goes away is waited for."""

        def wait(error: Exception) -> None:
            logger.warning("the timers wait for the database: %r", error)

        while not self._stopping:
            await until_done(self._work_and_rest, on=AWAY, tell=wait)

    async def _work_and_rest(self) -> None:
        if not self._stopping:
            await self.work_off()
            await self._sleep()

    async def work_off(self) -> int:
        """Do all that is due by now; returns how much it was.

        A duty that fails is told and tried again at the next poll; the others go on.
        """
        done, self._stumbled = 0, False
        for duty in (self._fire_alarms, self._remind, self._fire_timers, self._recompute):
            try:
                done += await duty()
            except AWAY:
                raise
            except Exception:
                self._stumbled = True
                logger.exception("%s failed", duty.__name__.strip("_"))
        self.next_due = await self._look_ahead()
        return done

    async def _fire_alarms(self) -> int:
        self._forgive()
        batch = await self._fire_batch()
        if batch.clocks < LIMIT:
            return batch.alarms
        lanes = await asyncio.gather(
            *(self._fire_until_none() for _ in range(LANES)), return_exceptions=True
        )
        for each in lanes:
            if isinstance(each, BaseException):
                raise each
        return batch.alarms + sum(each for each in lanes if isinstance(each, int))

    async def _fire_until_none(self) -> int:
        fired = 0
        while not self._stopping:
            batch = await self._fire_batch()
            fired += batch.alarms
            if batch.clocks < LIMIT:
                break
        return fired

    async def _fire_batch(self) -> FiredBatch:
        firing = fire_due(self.clock(), skip=self._troubled)
        batch = await spans.batch("alarms", firing, size=lambda fired: fired.alarms)
        self._troubled |= batch.troubled
        return batch

    async def _remind(self) -> int:
        return await self._until_none("reminders", fire_due_reminders)

    async def _fire_timers(self) -> int:
        return await self._until_none("timers", fire_due_timers)

    async def _recompute(self) -> int:
        now = self.clock()
        if self._sweep_at is not None and now < self._sweep_at:
            return 0
        self._sweep_at = now + SWEEP
        return await self._until_none(
            "recomputing", partial(recompute_batch, passed=self._passed_over)
        )

    async def _until_none(self, name: str, duty: Callable[[datetime], Awaitable[int]]) -> int:
        done = 0
        while not self._stopping:
            taken = await spans.batch(name, duty(self.clock()))
            if not taken:
                break
            done += taken
        return done

    def _forgive(self) -> None:
        """Give what could not be computed another chance now and then."""
        now = self.clock()
        if self._forgive_at is None or now >= self._forgive_at:
            self._troubled.clear()
            self._passed_over.forgive()
            self._forgive_at = now + TROUBLED_AGAIN

    async def _look_ahead(self) -> datetime | None:
        coming = [
            await next_alarm_at(skip=self._troubled),
            await next_timer_at(),
            await next_reminder_at(),
        ]
        return min((each for each in coming if each is not None), default=None)

    async def _sleep(self) -> None:
        """Rest a moment, then until something is due, somebody wakes us, or the next poll."""
        if self._stopping:
            return
        await asyncio.sleep(PAUSE)
        left = POLL
        if self.next_due is not None and not self._stumbled:
            left = min(POLL, (self.next_due - self.clock()).total_seconds())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(left, 0)):
                await self.woken.wait()
        self.woken.clear()
