"""How long one thing may be worked out: long computations look whether they may go on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from itr.errors import DomainError

T = TypeVar("T")


class TooLongAStory(DomainError):
    """Working it out takes longer than anybody may take."""

    code = "TOO_LONG_A_STORY"
    zh = "计算量过大，已停止：请缩短时间范围或减少数量。"
    en = "Working this out takes too long and was stopped; ask for a shorter time or for less."


class TimeBudget:
    """The seconds of work a computation may take, unless it is stopped before.

    Work is counted, not waiting: on a busy machine the same is worked out, only later.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = math.inf

    def spend(self, work: Callable[[], T]) -> T:
        """Do the work within the budget. Raises TooLongAStory where it looks at the time."""
        if self._until == math.inf:
            self._until = time.thread_time() + self._seconds
        token = _BUDGET.set(self)
        try:
            return work()
        finally:
            _BUDGET.reset(token)

    def stop(self) -> None:
        """Nobody waits for it any more."""
        self._until = -math.inf

    def ensure_left(self) -> None:
        """Raise TooLongAStory when it is used up."""
        if time.thread_time() > self._until:
            raise TooLongAStory


_BUDGET: ContextVar[TimeBudget | None] = ContextVar("time_budget", default=None)


def ensure_time_left() -> None:
    """Raise TooLongAStory when the computation under way has used up its time, if it has one."""
    budget = _BUDGET.get()
    if budget is not None:
        budget.ensure_left()
