"""Work that takes more than a moment, done beside the event loop and within a time."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from itr.time_budget import TimeBudget

T = TypeVar("T")

_WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="itr-working-out")
"""One thread: the loop shares the interpreter with it, and with no more than it."""
_TURN_SECONDS = 0.0005
"""How long the thread goes on when the loop has something to do."""


SECONDS = 2.0
"""How long one thing may be worked out."""


async def worked_out(work: Callable[[], T], *, seconds: float = SECONDS) -> T:
    """What a function returns that is run beside the loop, one after another.

    It stops after so many seconds, or when nobody waits for it any more, where it looks at the
    time: raises TooLongAStory.
    """
    sys.setswitchinterval(_TURN_SECONDS)
    budget = TimeBudget(seconds)
    context = copy_context()
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(_WORKER, context.run, budget.spend, work)
    except asyncio.CancelledError:
        budget.stop()
        raise
