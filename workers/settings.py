"""What the arq worker runs: waking the timers, and keeping the house every hour."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from arq.connections import RedisSettings
from arq.cron import cron
from tortoise.connection import get_connection

from itr.access.operations.leaving import pass_on_what_was_left_behind
from itr.access.operations.signing_keys import retire_older_keys
from itr.access.operations.upkeep import forget_expired_access
from itr.events.work import KEYS_KEPT
from itr.settings import Settings
from itr.sla.operations import extend_spans, refresh_calendars
from itr.trusted_documents.operations import forget_old_usage
from workers.timers import TimerLoop

logger = logging.getLogger("itr.worker")

QUEUE = "itr:jobs"


def redis_settings(settings: Settings) -> RedisSettings:
    """Where arq finds Valkey."""
    url = settings.valkey_url
    if url.startswith("unix://"):
        return RedisSettings(unix_socket_path=url.removeprefix("unix://"))
    secure = url.startswith(("valkeys://", "rediss://"))
    rest = url.partition("://")[2]
    return RedisSettings.from_dsn(f"{'rediss' if secure else 'redis'}://{rest}")


async def wake(ctx: dict[Any, Any], *_: Any, **__: Any) -> None:
    """Something is due: let the timer loop of this process look."""
    timers: TimerLoop = ctx["timers"]
    timers.wake()


async def run_maintenance(ctx: dict[Any, Any], *_: Any, **__: Any) -> None:
    """Keep calendars and partitions ahead of time, drop idempotency keys that have expired."""
    del ctx
    await maintain(datetime.now(UTC))


async def maintain(now: datetime) -> None:
    """What `run_maintenance` does, as of `now`; doing it twice changes nothing.

    A part that fails is told and tried again the next time; the others are done.
    """
    ahead = (extend_spans, refresh_calendars, keep_partitions_ahead, pass_on_what_was_left_behind)
    old = (forget_old_keys, forget_old_usage, forget_expired_access, retire_older_keys)
    for part in (*ahead, *old):
        try:
            await part(now)
        except Exception:
            logger.exception("%s failed", part.__name__)


async def keep_partitions_ahead(now: datetime) -> None:
    """Have partitions of the event log for this month and the twelve after it."""
    await get_connection("default").execute_query(
        "select create_event_partition(($1::timestamptz + make_interval(months => ahead))::date)"
        " from generate_series(0, 12) as ahead",
        [now],
    )


async def forget_old_keys(now: datetime) -> None:
    """Delete idempotency keys older than their 24 hours (S13)."""
    await get_connection("default").execute_query(
        "delete from mutation_key where created_at < $1", [now - KEYS_KEPT]
    )


FUNCTIONS = [wake]
CRON_JOBS = [cron(run_maintenance, minute=7, run_at_startup=True, unique=True)]


def to_json(job: dict[str, Any]) -> bytes:
    """Jobs are JSON: ids as arguments, nothing pickled."""
    return json.dumps(job, default=str).encode()


def from_json(job: bytes) -> dict[str, Any]:
    """Read a job back."""
    found: dict[str, Any] = json.loads(job)
    return found
