"""How often a clock is written: once per change, however many alarms it has (R-ALM-02)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from tortoise.connection import get_connection

from itr.catalogue.operations import save_service_level
from itr.database import connected
from itr.requests import operations
from itr.settings import Settings
from itr.sla.terms import WaitingReason
from itr.tickets.firing import fire_due
from tests.support.databases import as_owner
from tests.support.desk import ALL_PAUSE, FOUNDER, START, furnish, targets
from tests.workers.alarms import alarms, owned, person, registered

Ids = dict[str, UUID]
TEN_LEVELS = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)

_COUNTING = """
create table clock_write (clock_id uuid not null);
grant select, insert, delete on clock_write to public;
create function count_clock_write() returns trigger language plpgsql as $$
begin insert into clock_write values (new.id); return null; end $$;
create trigger clock_written after insert or update on clock
    for each row execute function count_clock_write();
"""


@pytest.fixture(scope="module")
async def ids(settings: Settings) -> AsyncIterator[Ids]:
    async with connected(settings):
        found = await furnish(START)
        await as_owner(settings, _COUNTING)
        yield found


async def writes() -> list[int]:
    """How often each clock was written since this was asked last."""
    rows = await get_connection("default").execute_query_dict(
        "with gone as (delete from clock_write returning clock_id)"
        " select count(*)::int as times from gone group by clock_id"
    )
    return [row["times"] for row in rows]


@pytest.mark.parametrize("percents", [(100,), TEN_LEVELS])
async def test_a_change_writes_each_clock_once_however_many_alarms_it_has(
    ids: Ids, percents: tuple[int, ...]
) -> None:
    """R-ALM-02, Decision 4: registered, paused, resumed, and every level due together."""
    await save_service_level(
        FOUNDER,
        name="house",
        calendar_id=ids["always"],
        targets=targets(RESPONSE=1, RESTORATION=2, RESOLUTION=4, CLOSURE=240),
        pauses=ALL_PAUSE,
        percents=percents,
        now=START,
    )
    await registered(ids, START)
    assert await writes() == [1, 1, 1]
    key, line1 = await owned(ids, START), await person(ids, "LINE1")
    await writes()

    wait, reason = operations.wait_request, WaitingReason.SPARE_PART
    await wait(line1, key, reason=reason, note=None, now=START + timedelta(minutes=1))
    assert await writes() == [1, 1, 1]
    await operations.resume_request(line1, key, answer=None, now=START + timedelta(minutes=2))
    assert await writes() == [1, 1, 1]

    fired = await fire_due(START + timedelta(hours=9))
    assert (fired.clocks, fired.alarms) == (6, 6 * len(percents))
    assert await writes() == [1] * 6
    assert len(await alarms(key)) == 3 * len(percents)
