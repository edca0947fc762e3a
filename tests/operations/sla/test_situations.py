"""Situations that only the database and its history can show."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import orjson
import pytest
from tortoise.connection import get_connection

from itr.requests.recomputing import recompute_batch
from itr.settings import Settings
from itr.sla.calendars import DatedException
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clocks import histories_of, settle
from itr.sla.models import Clock, ControlPoint
from itr.sla.operations import current_calendars, refresh_calendars, save_calendar
from itr.sla.public_holidays import first_unpublished_year
from tests.support.databases import as_owner
from tests.support.desk import FOUNDER, OFFICE, START, Desk, hours, open_desk
from tests.support.requests import (
    CRITICAL,
    MINOR,
    brought_to,
    clock,
    do,
    read,
    request_columns,
    submitted,
)


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def test_situation_26_a_clock_is_the_same_in_whatever_order_its_events_come(
    desk: Desk,
) -> None:
    """Situation 26, R-SLA-02: what the log holds, shuffled, folds to what is stored."""
    request = await brought_to(desk, "IN_PROGRESS")
    id_ = request["id"]
    for verb, more in (
        ("waitRequest", {"reason": "CUSTOMER"}),
        ("waitRequest", {"reason": "SPARE_PART"}),
        ("resumeRequest", {}),
        ("reclassifyRequest", MINOR),
        ("restoreRequest", {"workaround": "备用链路"}),
        ("reclassifyRequest", CRITICAL),
        ("deliverRequest", {"solution": "换模块", "restoresService": True}),
    ):
        await do(desk, "LINE1", verb, id=id_, **more)
        desk.time.pass_(hours(0.75))
    await do(desk, "CUSTOMER", "rejectSolution", id=id_, reason="仍不通", serviceDown=True)
    desk.time.pass_(hours(1))
    key = id_.removeprefix("req_")
    rows = await get_connection("default").execute_query_dict(
        "select payload->'clocks' as words from event where subject = $1 and payload ? 'clocks'"
        " order by subject_version",
        [key],
    )
    words = [word for row in rows for word in orjson.loads(row["words"])]

    for clock_row in await Clock.filter(request_id=key):
        stored = written(clock_row)
        for seed in range(20):
            shuffled = random.Random(seed).sample(words, len(words))
            history = histories_of(shuffled)[clock_row.thread]
            calendars = await calendars_in_force(
                {event.calendar for event in history if event.calendar}, desk.ids["Acme"]
            )
            again = settle(
                None, history, calendars,
                request_id=clock_row.request_id, thread=clock_row.thread,
                percents=(50, 75, 90, 100), now=desk.time.now,
            )  # fmt: skip
            assert written(again) == stored


def written(row: Clock) -> tuple[Any, ...]:
    """What does not depend on when it was folded."""
    return (
        row.state, row.version, row.started_at, row.deadline, row.base_us, row.deadline_us,
        row.elapsed_us, row.paused_since, row.completed_at, row.breached_at,
    )  # fmt: skip


async def test_situation_26_a_response_recorded_late_counts_from_when_it_was_given(
    desk: Desk,
) -> None:
    """Situation 26, R-SLA-05: the duplicate was answered in time, so is its survivor."""
    early = (await submitted(desk))["id"]
    for verb, more in (("acceptRequest", CRITICAL), ("respondToRequest", {"text": "在看"})):
        await do(desk, "LINE1", verb, id=early, **more)
    late = (await brought_to(desk, "IN_PROGRESS"))["id"]
    desk.time.pass_(hours(2))
    assert clock(await standing(desk, late), "RESPONSE")["state"] == "BREACHED"

    await do(desk, "LINE1", "mergeRequests", duplicateId=early, survivorId=late)

    assert clock(await standing(desk, late), "RESPONSE")["state"] == "MET"
    row = await Clock.get(request_id=late.removeprefix("req_"), thread="RESPONSE")
    assert row.overturned_at == desk.time.now or row.breached_at is None


async def standing(desk: Desk, id: str) -> dict[str, Any]:
    found = await read(desk, "LINE1", id)
    assert found is not None
    return found


CLOCKS = 300
_numbers = count(1)
_COPY_REQUESTS = """
insert into request ({columns}) select {columns} from (
select p.* from request r cross join generate_series(1, $2::int) n
cross join lateral jsonb_populate_record(null::request, to_jsonb(r) || jsonb_build_object(
    'id', md5(r.id::text || n)::uuid, 'number', 'SR-C-' || substr(r.id::text, 1, 6) || n)) p
where r.id = $1) copies
"""
_COPY_CLOCKS = """
insert into clock select p.* from clock c cross join generate_series(1, $2::int) n
cross join lateral jsonb_populate_record(null::clock, to_jsonb(c) || jsonb_build_object(
    'id', md5(c.id::text || n)::uuid, 'request_id', md5(c.request_id::text || n)::uuid)) p
where c.request_id = $1
"""
_COPY_EVENTS = """
insert into event (type, subject_type, subject, subject_version, stream, audience, customer_id,
    actor_id, actor_name, origin, occurred_at, payload)
select type, subject_type, md5(subject::text || n)::uuid, subject_version,
    md5(stream::text || n)::uuid, audience, customer_id, actor_id, actor_name, origin,
    occurred_at, payload
from event e, generate_series(1, $2::int) n where e.subject = $1 order by n, e.id
"""
_COPY_STEPS = """
insert into control_point select p.* from control_point s cross join generate_series(1, $2::int) n
cross join lateral jsonb_populate_record(null::control_point, to_jsonb(s) || jsonb_build_object(
    'id', md5(s.id::text || n)::uuid, 'request_id', md5(s.request_id::text || n)::uuid)) p
where s.request_id = $1
"""
_UNTOUCHED = """
select count(distinct (r.version, r.updated_at)) as states, (
    select count(*) from event e where e.subject_type = 'request' and e.customer_id = $1) as told
from request r where r.customer_id = $1
"""


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that run on the product's writing connections while the block does."""
    ran: list[str] = []
    holders = get_connection("default")._pool._holders  # type: ignore[union-attr]
    connections = [holder._con for holder in holders if holder._con is not None]

    def keep(record: Any) -> None:
        ran.append(record.query)

    for connection in connections:
        connection.add_query_logger(keep)
    yield ran
    for connection in connections:
        connection.remove_query_logger(keep)


async def test_situation_28_recomputing_very_many_clocks_touches_no_request(desk: Desk) -> None:
    """Situation 28 (Zammad 2574, 4037), R-SLA-10: in batches, each clock once, its steps with it.

    A batch takes as many statements however large it is, so that 10 000 take fifty times those.
    """
    desk.time.now = (desk.time.now + timedelta(days=1)).replace(hour=1, minute=0)  # it opens
    first = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
    key, connection = first["id"].removeprefix("req_"), get_connection("default")
    copies = _COPY_REQUESTS.format(columns=request_columns())
    for copy in (copies, _COPY_CLOCKS, _COPY_EVENTS, _COPY_STEPS):
        await connection.execute_query(copy, [key, CLOCKS // 3])
    of_bolt = Clock.filter(request__customer_id=desk.ids["Bolt"])
    before = await connection.execute_query_dict(_UNTOUCHED, [desk.ids["Bolt"]])
    steps = ControlPoint.filter(request__customer_id=desk.ids["Bolt"], completed_at=None)
    due = set(await steps.values_list("deadline", flat=True))
    deadlines = set(await of_bolt.values_list("thread", "deadline"))
    today = desk.time.now.date()
    definition = replace(OFFICE, exceptions=(DatedException(today),))

    await save_calendar(FOUNDER, name="office", definition=definition, now=desk.time.now)
    done, statements = 0, []
    for limit in (3, 30, 150):
        with counted() as ran:
            done += await recompute_batch(desk.time.now, limit=limit)
        statements.append(len(ran))
    while batch := await recompute_batch(desk.time.now):
        done += batch

    assert done >= CLOCKS
    assert statements[1] == statements[2] < 20
    assert await connection.execute_query_dict(_UNTOUCHED, [desk.ids["Bolt"]]) == before
    assert before[0]["states"] == 1
    assert len(set(await of_bolt.values_list("thread", "deadline"))) == len(deadlines) == 3
    assert set(await of_bolt.values_list("revision", flat=True)) == {2}
    moved = set(await steps.values_list("deadline", "revision"))
    assert moved == {(deadline + timedelta(days=1), 2) for deadline in due}


async def test_situation_30_a_provisional_deadline_is_recomputed_when_the_year_is_published(
    desk: Desk,
) -> None:
    """Situation 30 (chinese-calendar 66), R-CAL-03: no crash before, the right day after."""
    year = first_unpublished_year("CN")
    assert year is not None
    holiday = date(year, 10, 8)
    while holiday.weekday() >= 5:
        holiday += timedelta(days=1)
    desk.time.now = datetime(year, holiday.month, holiday.day, 1, 0, tzinfo=UTC)
    office = desk.ids["office"]
    await save_calendar(FOUNDER, name="office", definition=OFFICE, now=desk.time.now)
    request = await submitted(desk, "bolt", customerId=desk.public("org", "Bolt"))
    key = request["id"].removeprefix("req_")
    before = await Clock.get(request_id=key, thread="RESOLUTION")
    assert before.provisional
    assert before.deadline is not None

    # What was laid out of the year before it was published had one working day more.
    version = (await current_calendars([office]))[office].version_id
    await as_owner(
        desk.settings,
        "delete from calendar_span where calendar_version_id = $1 and starts_at > $2"
        " and starts_at < $2 + interval '7 days'",
        version,
        desk.time.now,
    )
    assert await refresh_calendars(desk.time.now) == 1
    assert await refresh_calendars(desk.time.now) == 0
    while await recompute_batch(desk.time.now):
        pass

    after = await Clock.get(request_id=key, thread="RESOLUTION")
    assert after.calendar_version_id == (await current_calendars([office]))[office].version_id
    assert after.revision == before.revision + 1
    desk.time.now = START
