"""Working off long computations beside the timers, so that no alarm waits for one."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from itr import spans
from itr.access.operations.erasing_texts import erase_texts
from itr.database import AWAY
from itr.recalculations.working import BUSY, advance
from itr.requests.waits import work_out_waits
from workers.timers import utc_now

logger = logging.getLogger("itr.recalculations")

POLL = 1.0
"""Seconds between two looks when nothing wakes the loop."""
BREATH = 0.005
"""Seconds between two steps: whatever else this process does goes first."""


@dataclass
class RecalculationLoop:
    """Does one step after the other; any number may run beside each other."""

    clock: Callable[[], datetime] = utc_now
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    def wake(self) -> None:
        """Look now: something was committed."""
        self.woken.set()

    def stop(self) -> None:
        """Finish the step in hand, then leave."""
        self._stopping = True
        self.woken.set()

    async def run(self) -> None:
        """Work until stopped; a database that goes away, or a request that is held, is waited for.

        What fails otherwise is told and tried again.
        """
        while not self._stopping:
            try:
                more = await spans.batch("recalculations", advance(self.clock()))
                more = more or await spans.batch("waits", work_out_waits()) > 0
                more = more or await spans.batch("erasures", erase_texts(self.clock()))
            except (*AWAY, *BUSY) as error:
                logger.warning("recalculations wait: %r", error)
                more = False
            except Exception:
                logger.exception("a step of a recalculation failed")
                more = False
            await self._sleep(BREATH if more else POLL, wakes=not more)

    async def _sleep(self, seconds: float, *, wakes: bool) -> None:
        if not wakes:
            await asyncio.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        self.woken.clear()
