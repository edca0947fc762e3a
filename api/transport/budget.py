"""What a client may spend: a leaky bucket of cost in Valkey, drawn from in small slices (S5).

A slice is taken out of the bucket in one atomic step and spent in memory, so that most operations
ask nobody. All processes together never give out more than the bucket holds; while Valkey is
away, each process keeps buckets of its own.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self, cast

from redis.exceptions import RedisError

from api.transport.errors import Refusal
from itr.settings import Settings
from itr.valkey import open_valkey

logger = logging.getLogger("itr.budget")

_SLICE = 200
"""A slice is at least this part of a bucket."""
_SLICE_SECONDS = 5.0
"""How long what is left of a slice may still be spent."""
_PATIENCE = 0.25
"""Seconds Valkey has to answer before this process goes on by itself."""
_AWAY_SECONDS = 2.0
_REMEMBERED = 20_000
_DRAW = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local need, want = tonumber(ARGV[1]), tonumber(ARGV[2])
local capacity, rate = tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = math.max(0, (tonumber(kept[1]) or 0) - (now - (tonumber(kept[2]) or now)) * rate)
local drawn = 0
if capacity - level >= need then drawn = math.min(want, capacity - level) end
redis.call('HSET', KEYS[1], 'level', level + drawn, 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(capacity / rate * 1000) + 1000)
return {math.floor(drawn), math.ceil(level + drawn)}
"""


class Standing(NamedTuple):
    """How a client's budget stands after an operation was charged."""

    limit: int
    remaining: int
    full_in: float
    """Seconds until all of it is back."""


class Overdrawn(Exception):
    """There is not enough left; it will be after so many seconds."""

    def __init__(self, standing: Standing, retry_after: float) -> None:
        super().__init__("overdrawn")
        self.standing = standing
        self.retry_after = retry_after


@dataclass(slots=True)
class _Slice:
    """What this process has drawn of one bucket and not yet spent."""

    left: int = 0
    level: float = 0.0
    """How full the bucket was after the last draw; it leaks from there."""
    at: float = -math.inf
    drawing: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class _Bucket:
    """A bucket of this process alone."""

    level: float = 0.0
    at: float = 0.0


class Budgets:
    """The budgets of all clients, as this process sees them."""

    def __init__(self, *, capacity: int, per_second: float) -> None:
        self.capacity = capacity
        self.per_second = per_second
        self._slices: OrderedDict[str, _Slice] = OrderedDict()
        self._own: OrderedDict[str, _Bucket] = OrderedDict()
        self._draw_shared: Callable[..., Awaitable[Any]] | None = None
        self._away_until = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The budgets these settings say."""
        return cls(capacity=settings.cost_budget, per_second=settings.cost_per_second)

    @asynccontextmanager
    async def shared(self, valkey_url: str) -> AsyncIterator[Self]:
        """Share the buckets with other processes until the block ends."""
        async with AsyncExitStack() as stack:
            valkey = await stack.enter_async_context(open_valkey(valkey_url))
            self._draw_shared = valkey.register_script(_DRAW)
            yield self
            self._draw_shared = None

    async def spend(self, client: str, cost: int) -> Standing:
        """Take `cost` out of a client's bucket; raises Overdrawn when it does not hold as much."""
        mine = self._slices.get(client)
        if mine is None:
            mine = self._slices[client] = _Slice()
            if len(self._slices) > _REMEMBERED:
                self._slices.popitem(last=False)
        now = time.monotonic()
        if not self._covers(mine, cost, now):
            async with mine.drawing:
                if not self._covers(mine, cost, time.monotonic()):
                    await self._draw(client, mine, cost)
                now = time.monotonic()
        mine.left -= cost
        return self._standing(mine, now)

    @staticmethod
    def _covers(mine: _Slice, cost: int, now: float) -> bool:
        return mine.left >= cost and now - mine.at < _SLICE_SECONDS

    async def _draw(self, client: str, mine: _Slice, cost: int) -> None:
        want = max(cost, self.capacity // _SLICE)
        drawn, level = await self._drawn(client, cost, want)
        mine.left, mine.level, mine.at = int(drawn), float(level), time.monotonic()
        if mine.left < cost:
            short = level + cost - self.capacity
            standing = self._standing(mine, mine.at)
            raise Overdrawn(standing, max(short / self.per_second, 0.0))

    async def _drawn(self, client: str, need: int, want: int) -> tuple[float, float]:
        if self._draw_shared is None or time.monotonic() < self._away_until:
            return self._drawn_here(client, need, want)
        arguments = [need, want, self.capacity, self.per_second]
        try:
            async with asyncio.timeout(_PATIENCE):
                drawn = await self._draw_shared(keys=[f"itr:budget:{client}"], args=arguments)
            return cast("tuple[float, float]", tuple(drawn))
        except (OSError, RedisError, TimeoutError) as error:
            logger.warning("budgets are kept per process: %s", type(error).__name__)
            self._away_until = time.monotonic() + _AWAY_SECONDS
            return self._drawn_here(client, need, want)

    def _drawn_here(self, client: str, need: int, want: int) -> tuple[float, float]:
        bucket, now = self._own.setdefault(client, _Bucket()), time.monotonic()
        if len(self._own) > _REMEMBERED:
            self._own.popitem(last=False)
        level = max(0.0, bucket.level - (now - bucket.at) * self.per_second)
        free = self.capacity - level
        drawn = min(want, free) if free >= need else 0
        bucket.level, bucket.at = level + drawn, now
        return math.floor(drawn), bucket.level

    def _standing(self, mine: _Slice, now: float) -> Standing:
        level = max(0.0, mine.level - mine.left - (now - mine.at) * self.per_second)
        return Standing(self.capacity, int(self.capacity - level), level / self.per_second)


@dataclass(slots=True)
class QueryCost:
    """What one operation costs its client, and how the client stands since."""

    budgets: Budgets
    client: str
    kind: str = "unknown"
    """Query, mutation or subscription, once that is known."""
    name: str | None = None
    """What its document calls it."""
    shown_as: str = ""
    """What operators may call it."""
    requested: int = 0
    standing: Standing | None = None
    retry_after: int | None = None

    async def charge(self, cost: int) -> None:
        """Charge an operation, or one event of a subscription; raises Refusal over budget."""
        self.requested = cost
        try:
            self.standing = await self.budgets.spend(self.client, cost)
        except Overdrawn as overdrawn:
            self.standing = overdrawn.standing
            self.retry_after = max(1, math.ceil(overdrawn.retry_after))
            raise Refusal("RATE_LIMITED", retryAfter=self.retry_after) from None

    def extensions(self, now: datetime) -> dict[str, Any]:
        """`extensions.cost`."""
        if self.standing is None:
            return {}
        reset_at = now + timedelta(seconds=math.ceil(self.standing.full_in))
        return {
            "cost": {
                "requested": self.requested,
                "remaining": self.standing.remaining,
                "resetAt": f"{reset_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            }
        }

    def headers(self) -> dict[str, str]:
        """`RateLimit` and its policy as the IETF's draft has them, and when to come back."""
        if self.standing is None:
            return {}
        window = math.ceil(self.budgets.capacity / self.budgets.per_second)
        limits = {
            "ratelimit-policy": f'"cost";q={self.standing.limit};w={window}',
            "ratelimit": f'"cost";r={self.standing.remaining};t={math.ceil(self.standing.full_in)}',
        }
        if self.retry_after is not None:
            limits["retry-after"] = str(self.retry_after)
        return limits
