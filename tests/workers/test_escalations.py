"""Management escalation as time makes it: opened, moved on, acknowledged, ended; each once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from tortoise.connection import get_connection

from itr.catalogue.make_up_days import set_make_up_days
from itr.catalogue.operations import save_service_level
from itr.database import connected
from itr.requests import operations
from itr.requests.due_timers import fire_due_timers
from itr.requests.models import Request
from itr.settings import Settings
from itr.sla.models import Timer
from itr.tickets.escalation_rules import EscalatedToOthers, NothingToAcknowledge
from itr.tickets.firing import fire_due
from tests.support.desk import ALL_PAUSE, FOUNDER, START, furnish, hours, targets
from tests.support.notified import listed, reach_everybody, sent
from tests.workers.alarms import P1, P3, fire_all, owned, person, promise

Ids = dict[str, UUID]
HOUR = 3600.0
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)


@pytest.fixture(scope="module")
async def ids(settings: Settings) -> AsyncIterator[Ids]:
    async with connected(settings):
        found = await furnish(START)
        await promise(found, (10 * HOUR, 400 * HOUR, 800 * HOUR), now=START)
        await reach_everybody()
        yield found


async def told(key: UUID) -> list[tuple[str, str, str | None]]:
    """What the timeline says of the escalation: event, step, person."""
    rows = await get_connection("default").execute_query_dict(
        "select e.type, e.audience, e.payload::text as words, p.name from event e"
        " left join person p on p.id = (e.payload->>'person')::uuid"
        " where e.stream = $1 and e.subject_type = 'escalation' order by e.id",
        [key],
    )
    assert {row["audience"] for row in rows} <= {"INTERNAL"}
    return [
        (row["type"].removeprefix("Escalation"), orjson.loads(row["words"])["step"], row["name"])
        for row in rows
    ]


async def standing(key: UUID) -> list[tuple[int, bool]]:
    """The steps it stands at, and whether somebody took note."""
    rows = await get_connection("default").execute_query_dict(
        "select step, acknowledged_at from escalation where request_id = $1 and ended_at is null"
        " order by step",
        [key],
    )
    return [(row["step"], row["acknowledged_at"] is not None) for row in rows]


async def waits_until(key: UUID) -> datetime | None:
    row = await Timer.get_or_none(request_id=key, kind="ESCALATION")
    return None if row is None else row.due_at


async def pass_to(now: datetime) -> None:
    """What workers do until then: alarms and timeouts."""
    await fire_all(now)
    while await fire_due_timers(now):
        pass


async def escalated(ids: Ids, began: datetime, classification: Any = P3) -> UUID:
    """A request that has just been escalated to the line lead by its 90 % alarm."""
    key = await owned(ids, began, classification)
    await fire_all(began + hours(9))
    return key


async def test_90_percent_opens_it_at_the_line_lead_of_the_queue(ids: Ids) -> None:
    """R-ESC-01, R-ESC-02: told by list and by the alarm's SMS, not by two."""
    key = await escalated(ids, START)

    assert await told(key) == [("Opened", "LINE_LEAD", "LINE_LEAD")]
    assert await standing(key) == [(1, False)]
    assert await waits_until(key) == START + hours(9.5)
    entries = await listed(key, "ESCALATION")
    assert [(each["who"], each["thread"], each["percent"]) for each in entries] == [
        ("LINE_LEAD", "RESPONSE", 90)
    ]
    messages = [who for who, _, _, _ in await sent((await Request.get(id=key)).number)]
    assert sorted(messages) == ["LINE1", "LINE_LEAD"]


@pytest.mark.parametrize(
    ("classification", "further"),
    [
        (P3, [("Raised", "PROCESS_MANAGER", "PROCESS_MANAGER")]),
        (
            P1,
            [
                ("Raised", "PROCESS_MANAGER", "PROCESS_MANAGER"),
                ("Raised", "OPERATIONS_DIRECTOR", "OPERATIONS_DIRECTOR"),
            ],
        ),
    ],
    ids=["P3", "P1"],
)
async def test_a_breach_moves_it_on_and_at_p1_to_the_director_too(
    ids: Ids, classification: Any, further: list[tuple[str, str, str]]
) -> None:
    """R-ESC-01: also when the line lead has taken note."""
    began = START + hours(20)
    key = await escalated(ids, began, classification)
    await operations.acknowledge_escalation(
        await person(ids, "LINE_LEAD"), key, now=began + hours(9) + MINUTE
    )

    await fire_all(began + hours(10) + MOMENT)

    assert (await told(key))[2:] == further
    assert await standing(key) == [(number, False) for number in (2, 3)][: len(further)]


async def test_a_breach_at_once_opens_it_where_it_belongs(ids: Ids) -> None:
    """R-ESC-01, R-ALM-02, situation 25: after an outage only the highest level speaks."""
    began = START + hours(40)
    key = await owned(ids, began, P1)

    await fire_all(began + hours(12))

    assert await told(key) == [
        ("Opened", "PROCESS_MANAGER", "PROCESS_MANAGER"),
        ("Raised", "OPERATIONS_DIRECTOR", "OPERATIONS_DIRECTOR"),
    ]


async def test_without_an_acknowledgement_it_walks_to_the_top_and_stays_there(ids: Ids) -> None:
    """R-ESC-02: line lead, process manager, director; the director is told again, once."""
    began = START + hours(60)
    key = await owned(ids, began)
    lead, at = await person(ids, "LINE1"), began + hours(1)
    await operations.escalate_to_management(lead, key, reason="客户催促", to=None, now=at)
    steps = []
    for minutes in (29, 30, 59, 60, 89, 90, 300):
        await pass_to(at + minutes * MINUTE)
        steps.append([number for number, _ in await standing(key)])

    assert steps == [[1], [2], [2], [3], [3], [3], [3]]
    assert await told(key) == [
        ("Opened", "LINE_LEAD", "LINE_LEAD"),
        ("Raised", "PROCESS_MANAGER", "PROCESS_MANAGER"),
        ("Raised", "OPERATIONS_DIRECTOR", "OPERATIONS_DIRECTOR"),
        ("Repeated", "OPERATIONS_DIRECTOR", "OPERATIONS_DIRECTOR"),
    ]
    assert await waits_until(key) is None
    entries = await listed(key, "ESCALATION")
    assert [each["who"] for each in entries] == [
        "LINE_LEAD",
        "PROCESS_MANAGER",
        "OPERATIONS_DIRECTOR",
        "OPERATIONS_DIRECTOR",
    ]
    assert {each["reason"] for each in entries} == {"客户催促"}
    messages = await sent((await Request.get(id=key)).number)
    assert [who for who, channel, _, text in messages if "升级" in text and channel == "SMS"] == [
        each["who"] for each in entries
    ]


async def test_at_p1_it_waits_ten_minutes_of_real_time(ids: Ids) -> None:
    """R-ESC-02."""
    await promise(ids, (4 * HOUR, 100 * HOUR, 200 * HOUR), calendar="office", now=START)
    friday = datetime(2026, 3, 6, 9, 50, tzinfo=START.tzinfo)  # 17:50 in Shanghai
    urgent, other = await owned(ids, friday, P1), await owned(ids, friday, P3)
    line1 = await person(ids, "LINE1")
    for key in (urgent, other):
        await operations.escalate_to_management(line1, key, reason="急", to=None, now=friday)

    assert await waits_until(urgent) == friday + 10 * MINUTE
    assert await waits_until(other) == datetime(2026, 3, 9, 1, 20, tzinfo=START.tzinfo)
    for minutes in (10, 20):
        await pass_to(friday + minutes * MINUTE)
    assert await standing(urgent) == [(3, False)]
    assert await standing(other) == [(1, False)]
    await promise(ids, (10 * HOUR, 400 * HOUR, 800 * HOUR), now=START)


async def test_both_of_a_p1_breach_take_note_each(ids: Ids) -> None:
    """R-ESC-02: at the top it stays; the manager's step goes nowhere twice."""
    began = START + hours(150)
    key = await owned(ids, began, P1)
    await fire_all(began + hours(12))
    await operations.acknowledge_escalation(
        await person(ids, "PROCESS_MANAGER"), key, now=began + hours(12) + MINUTE
    )
    half = await standing(key)
    await pass_to(began + hours(12) + 11 * MINUTE)
    await operations.acknowledge_escalation(
        await person(ids, "OPERATIONS_DIRECTOR"), key, now=began + hours(12) + 12 * MINUTE
    )

    assert half == [(2, True), (3, False)]
    assert await standing(key) == [(2, True), (3, True)]
    assert [event for event, _, _ in await told(key)] == [
        "Opened",
        "Raised",
        "Acknowledged",
        "Repeated",
        "Acknowledged",
    ]


async def test_taking_note_stops_it(ids: Ids) -> None:
    """R-ESC-02: whoever stands as high or higher does, and only while something waits."""
    began = START + hours(180)
    key = await escalated(ids, began)
    at = began + hours(9) + 10 * MINUTE
    await operations.acknowledge_escalation(await person(ids, "PROCESS_MANAGER"), key, now=at)

    await pass_to(began + hours(9.9))

    assert await standing(key) == [(1, True)]
    assert await waits_until(key) is None
    with pytest.raises(NothingToAcknowledge):
        await operations.acknowledge_escalation(await person(ids, "LINE_LEAD"), key, now=at)


async def test_a_lower_step_takes_no_note_of_a_higher_one(ids: Ids) -> None:
    """R-ESC-02."""
    began = START + hours(200)
    key = await escalated(ids, began)
    await pass_to(began + hours(9.5))

    with pytest.raises(EscalatedToOthers):
        await operations.acknowledge_escalation(
            await person(ids, "LINE_LEAD"), key, now=began + hours(9.6)
        )

    assert await standing(key) == [(2, False)]


@pytest.mark.parametrize("end", ["deliver", "cancel", "close"])
async def test_it_ends_with_what_it_was_about(ids: Ids, end: str) -> None:
    """R-ESC-01, R-ESC-02: delivered, withdrawn, closed; nobody is told of it any more."""
    began = START + hours({"deliver": 220, "cancel": 240, "close": 260}[end])
    key = await owned(ids, began)
    line1, bolt = await person(ids, "LINE1"), await person(ids, "bolt")
    solved = {"solution": "ok", "restores_service": True}
    if end == "close":
        await operations.deliver_request(line1, key, now=began, **solved)
        await operations.confirm_request(bolt, key, verified_by=None, now=began)
    await operations.escalate_to_management(line1, key, reason="急", to=None, now=began + hours(1))
    at = began + hours(1) + MINUTE
    if end == "deliver":
        await operations.deliver_request(line1, key, now=at, **solved)
    elif end == "cancel":
        await operations.cancel_request(bolt, key, reason="不需要", now=at)
    else:
        await operations.close_request(line1, key, now=at)
    await pass_to(at + hours(3))

    assert (await told(key))[-1] == ("Ended", "LINE_LEAD", None)
    assert await standing(key) == []
    assert await waits_until(key) is None
    assert len(await listed(key, "ESCALATION")) == 1


async def test_a_levels_own_time_to_acknowledge_counts(ids: Ids) -> None:
    """R-ESC-02: a setting of the service level."""
    await save_service_level(
        FOUNDER,
        name="house",
        calendar_id=ids["always"],
        targets=targets(RESPONSE=10, RESTORATION=400, RESOLUTION=800, CLOSURE=900),
        pauses=ALL_PAUSE,
        alarm_rules={"escalation": {"minutes": 5}},
        now=START,
    )
    began = START + hours(280)
    key = await escalated(ids, began)

    assert await waits_until(key) == began + hours(9) + 5 * MINUTE
    await promise(ids, (10 * HOUR, 400 * HOUR, 800 * HOUR), now=START)


async def test_five_workers_open_and_pass_on_each_step_once(ids: Ids) -> None:
    """R-ESC-02, R-ALM-02: rows are taken, and each step stands once."""
    await promise(ids, (10 * HOUR, 10 * HOUR, 10 * HOUR), now=START)
    began = START + hours(300)
    keys = [await owned(ids, began) for _ in range(6)]

    async def work(now: datetime) -> None:
        while (await fire_due(now, limit=3)).clocks or await fire_due_timers(now, limit=3):
            pass

    for now in (began + hours(9), began + hours(9.5)):
        await asyncio.gather(*(work(now) for _ in range(5)))
        await pass_to(now)

    for key in keys:
        assert await told(key) == [
            ("Opened", "LINE_LEAD", "LINE_LEAD"),
            ("Raised", "PROCESS_MANAGER", "PROCESS_MANAGER"),
        ]
        entries = await listed(key, "ESCALATION")
        assert [each["who"] for each in entries] == ["LINE_LEAD", "PROCESS_MANAGER"]
    await promise(ids, (10 * HOUR, 400 * HOUR, 800 * HOUR), now=START)


async def test_taking_note_while_it_times_out_ends_one_way_or_the_other(ids: Ids) -> None:
    """R-ESC-02: under concurrency it went on before, or not at all."""
    began = START + hours(340)
    keys = [await escalated(ids, began) for _ in range(4)]
    due = began + hours(9.5)
    director = await person(ids, "OPERATIONS_DIRECTOR")

    await asyncio.gather(
        *(operations.acknowledge_escalation(director, key, now=due) for key in keys),
        *(fire_due_timers(due, limit=2) for _ in range(4)),
    )
    await pass_to(began + hours(9.9))

    for key in keys:
        assert await standing(key) in ([(1, True)], [(2, True)])
        assert await waits_until(key) is None


async def test_where_there_is_no_line_lead_it_comes_to_the_dispatch_manager(ids: Ids) -> None:
    """R-ROLE-07: and they may take note of it."""
    connection = get_connection("default")
    await connection.execute_query("update queue set lead_id = null")
    await connection.execute_query("delete from role_assignment where role = 'LINE_LEAD'")
    began = START + hours(400)
    key = await escalated(ids, began)

    assert await told(key) == [("Opened", "LINE_LEAD", "DISPATCH_MANAGER")]
    await operations.acknowledge_escalation(
        await person(ids, "DISPATCH_MANAGER"), key, now=began + hours(9)
    )
    assert await standing(key) == [(1, True)]


async def test_it_waits_by_the_calendar_of_a_customer_who_opted_out_of_make_up_days(
    ids: Ids,
) -> None:
    """R-ESC-02, R-CAL-03: others work on Saturday 9 May; these 30 minutes are Monday's."""
    promised = (10 * HOUR, 400 * HOUR, 800 * HOUR)
    await promise(ids, promised, calendar="office", now=START)
    await set_make_up_days(FOUNDER, ids["Bolt"], make_up_days=False, now=START)
    saturday = datetime(2026, 5, 9, 2, 0, tzinfo=UTC)
    key = await owned(ids, saturday)

    line1 = await person(ids, "LINE1")
    await operations.escalate_to_management(line1, key, reason="催办", to=None, now=saturday)

    assert await waits_until(key) == datetime(2026, 5, 11, 1, 30, tzinfo=UTC)
    await set_make_up_days(FOUNDER, ids["Bolt"], make_up_days=True, now=saturday)
    await promise(ids, promised, now=saturday)
