"""Another system's history, replayed through the same operations and rules (R-IMP-01)."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
import zstandard

from itr import imports
from itr.database import connected
from itr.imports import Outcome
from itr.settings import Settings
from tests.support.databases import environment
from tests.support.desk import START, furnish

ROOT = Path(__file__).parents[3]
BPI = ROOT / "mappings" / "bpi2013.toml"
HEADER = (
    "sr_number,event_no,change_utc,change_local_stockholm,status,sub_status,involved_st,"
    "support_line,involved_function_div,involved_org_line,impact,product,country,owner_country,"
    "owner_first_name\n"
)


@dataclass
class House:
    """A database with a house level, and what is asked of it."""

    settings: Settings
    pool: asyncpg.Pool
    folder: Path

    async def imports(self, text: str, mapping: Path = BPI) -> Outcome:
        """Import a file with this content."""
        path = self.folder / "export.csv"
        path.write_text(text)
        return await imports.run(self.settings, mapping, path, lambda *_: None)

    async def request(self, external_id: str) -> dict[str, Any]:
        """The imported request with this number."""
        row = await self.pool.fetchrow(
            "select r.*, p.name as owner, q.name as queue from request r"
            " left join person p on p.id = r.assignee_id left join queue q on q.id = r.queue_id"
            " where external_id = $1",
            external_id,
        )
        return dict(row)

    async def timeline(self, external_id: str) -> list[str]:
        """What happened to a request, in order."""
        rows = await self.pool.fetch(
            "select e.type from event e join request r on r.id = e.subject"
            " where r.external_id = $1 order by e.subject_version",
            external_id,
        )
        return [row["type"] for row in rows]

    async def clock(self, external_id: str, thread: str) -> dict[str, Any]:
        """One clock of a request."""
        row = await self.pool.fetchrow(
            "select c.* from clock c join request r on r.id = c.request_id"
            " where r.external_id = $1 and c.thread = $2",
            external_id,
            thread,
        )
        return dict(row)

    async def counts(self) -> dict[str, int]:
        """How many rows everything an import writes has."""
        tables = ("request", "event", "clock", "stint", "person", "queue", "queue_member")
        more = ("product", "organisation", "timer")
        return {
            table: await self.pool.fetchval(f"select count(*) from {table}")
            for table in (*tables, *more)
        }


@pytest.fixture(scope="module")
async def furnished(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    async with connected(settings) as database:
        await furnish(START)
        yield database.reads


@pytest.fixture
def house(settings: Settings, furnished: asyncpg.Pool, tmp_path: Path) -> House:
    return House(settings, furnished, tmp_path)


def lines(number: str, *events: str, impact: str = "Medium", product: str = "PROD1") -> str:
    """Lines of one request: `2012-03-01 08:00 Accepted/In Progress V1 1 Ann`."""
    text = ""
    for place, event in enumerate(events, 1):
        day, hour, rest = event.split(" ", 2)
        status, team, line, who = rest.rsplit(" ", 3)
        main, _, sub = status.partition("/")
        text += (
            f"{number},{place},{day}T{hour}:00Z,,{main},{sub},{team},{line},,,"
            f"{impact},{product},se,{'' if who == 'Siebel' else 'Sweden'},{who}\n"
        )
    return text


async def test_a_request_comes_in_through_the_verbs_with_its_own_times(house):
    """R-IMP-01, R-REQ-01, R-PRI-01."""
    outcome = await house.imports(
        HEADER
        + lines(
            "A-1",
            "2012-03-01 08:00 Accepted/In Progress V1 1 Ann",
            "2012-03-01 09:00 Queued/Awaiting Assignment V2 2 Ann",
            "2012-03-01 10:00 Accepted/In Progress V2 2 Bob",
            "2012-03-01 11:00 Completed/Resolved V2 2 Bob",
            "2012-03-08 23:00 Completed/Closed V2 2 Siebel",
            impact="High",
        )
    )

    request = await house.request("A-1")
    assert (outcome.requests, outcome.lines, outcome.bad_lines) == (1, 5, [])
    assert (request["source"], request["status"], request["priority"]) == (
        "bpi2013",
        "CLOSED",
        "P2",
    )
    assert request["registered_at"] == at("2012-03-01T08:00")
    assert request["delivered_at"] == at("2012-03-01T11:00")
    assert request["closed_at"] == at("2012-03-08T23:00")
    assert (request["queue"], request["owner"]) == ("V2", "Bob Sweden")
    assert request["entitlement_outcome"] == "NO_DATA"
    assert await house.timeline("A-1") == [
        "RequestRegistered",
        "RequestAccepted",
        "RequestDispatched",
        "RequestStarted",
        "RequestEscalated",
        "RequestRequeued",
        "RequestStarted",
        "RequestDelivered",
        "RequestConfirmed",
        "RequestClosed",
    ]


async def test_history_sets_no_timers_and_notifies_nobody(house):
    """R-IMP-01, R-REQ-04: no window, no alarm to come; every event is marked historic."""
    await house.imports(
        HEADER
        + lines(
            "B-1",
            "2012-03-01 08:00 Accepted/In Progress V1 1 Ann",
            "2012-03-05 08:00 Completed/Resolved V1 1 Ann",
        )
    )

    request = await house.request("B-1")
    timers = await house.pool.fetchval(
        "select count(*) from timer where request_id = $1", request["id"]
    )
    armed = await house.pool.fetchval(
        "select count(next_alarm_at) from clock where request_id = $1", request["id"]
    )
    historic = await house.pool.fetchval(
        "select bool_and(historic) from event where stream = $1", request["id"]
    )
    assert (request["status"], timers, armed, historic) == ("DELIVERED", 0, 0, True)


async def test_alarms_of_the_past_are_recorded_as_historic(house):
    """R-IMP-01, R-ALM-02: four hours to respond from 16:00 in Shanghai, answered a day later."""
    await house.imports(
        HEADER
        + lines(
            "C-1",
            "2012-03-05 08:00 Accepted/In Progress V1 1 Ann",
            "2012-03-06 08:00 Completed/Resolved V1 1 Ann",
        )
    )

    request = await house.request("C-1")
    rows = await house.pool.fetch(
        "select payload::text as words, occurred_at, historic from event where stream = $1"
        " and type = 'ClockAlarmRaised' and payload->>'thread' = 'RESPONSE' order by occurred_at",
        request["id"],
    )
    words = [orjson.loads(row["words"]) for row in rows]
    assert [word["percent"] for word in words] == [50, 75, 90, 100]
    assert not any(word["notifies"] or word["late"] for word in words)
    assert all(row["historic"] for row in rows)
    assert rows[0]["occurred_at"] == at("2012-03-05T10:00")
    assert (await house.clock("C-1", "RESPONSE"))["state"] == "BREACHED"
    assert (await house.clock("C-1", "RESPONSE"))["alarm_level"] == 100
    assert (await house.clock("C-1", "RESOLUTION"))["state"] == "MET"


async def test_a_delivery_straight_from_waiting_leaves_the_pause_out(house):
    """R-IMP-01, R-SLA-07: one working hour before the wait."""
    await house.imports(
        HEADER
        + lines(
            "D-1",
            "2012-03-05 02:00 Accepted/In Progress V1 1 Ann",
            "2012-03-05 03:00 Accepted/Wait - User V1 1 Ann",
            "2012-03-06 03:00 Accepted/Wait - Vendor V1 1 Ann",
            "2012-03-07 06:00 Completed/In Call V1 1 Ann",
        )
    )

    clock = await house.clock("D-1", "RESOLUTION")
    assert (clock["state"], clock["elapsed_us"]) == ("MET", 3_600_000_000)
    assert (await house.timeline("D-1"))[-3:] == [
        "RequestWaiting",
        "RequestWaiting",
        "RequestDelivered",
    ]


async def test_a_colleague_takes_over_while_it_waits_and_it_goes_on_waiting(house):
    """R-IMP-01, R-ROLE-07, L9: the clock stays paused all the while, to the microsecond."""
    await house.imports(
        HEADER
        + lines(
            "E-1",
            "2012-03-05 02:00 Accepted/In Progress V1 1 Ann",
            "2012-03-05 03:00 Accepted/Wait - User V1 1 Ann",
            "2012-03-06 03:00 Accepted/Wait - User V1 1 Bob",
        )
    )

    request, clock = await house.request("E-1"), await house.clock("E-1", "RESOLUTION")
    assert (request["status"], request["owner"]) == ("WAITING", "Bob Sweden")
    assert (clock["state"], clock["elapsed_us"]) == ("PAUSED", 3_600_000_000)


async def test_what_repeats_becomes_a_note_or_an_assignment(house):
    """R-IMP-01."""
    await house.imports(
        HEADER
        + lines(
            "F-1",
            "2012-03-05 02:00 Queued/Awaiting Assignment V1 1 Ann",
            "2012-03-05 02:10 Queued/Awaiting Assignment V1 1 Ann",
            "2012-03-05 03:00 Accepted/In Progress V1 1 Ann",
            "2012-03-05 03:10 Accepted/In Progress V1 1 Ann",
            "2012-03-05 03:20 Accepted/In Progress V1 1 Bob",
            "2012-03-05 03:30 Accepted/Assigned V1 1 Cid",
        )
    )

    request = await house.request("F-1")
    assert (request["status"], request["owner"]) == ("DISPATCHED", "Cid Sweden")
    assert (await house.timeline("F-1"))[2:] == [
        "RequestDispatched",
        "RequestNoted",
        "RequestStarted",
        "RequestNoted",
        "RequestRequeued",
        "RequestStarted",
        "RequestRequeued",
        "RequestDispatched",
    ]


async def test_a_reopening_beyond_the_window_stays_one_request_and_is_marked(house):
    """R-IMP-01, R-SLA-09."""
    outcome = await house.imports(
        HEADER
        + lines(
            "G-1",
            "2012-03-05 02:00 Accepted/In Progress V1 1 Ann",
            "2012-03-05 03:00 Completed/Resolved V1 1 Ann",
            "2012-03-05 04:00 Completed/Closed V1 1 Siebel",
            "2012-03-26 02:00 Accepted/In Progress V1 1 Ann",
            "2012-03-26 03:00 Completed/Resolved V1 1 Ann",
        )
    )

    request, clock = await house.request("G-1"), await house.clock("G-1", "RESOLUTION")
    reason = await house.pool.fetchval(
        "select payload->>'reason' from event where subject = $1 and type = 'RequestReopened'",
        request["id"],
    )
    assert outcome.late_reopenings == 1
    assert (request["status"], request["reopen_count"]) == ("DELIVERED", 1)
    assert "20 days after closing, beyond the window" in reason
    assert clock["elapsed_us"] == 2 * 3_600_000_000


async def test_of_deliveries_repeated_the_last_is_the_one_that_counts(house):
    """R-IMP-01, R-LIN-02."""
    await house.imports(
        HEADER
        + lines(
            "H-1",
            "2012-03-05 02:00 Accepted/In Progress V1 1 Ann",
            "2012-03-05 03:00 Completed/Resolved V1 1 Ann",
            "2012-03-05 04:00 Completed/In Call V2 2 Bob",
        )
    )

    request = await house.request("H-1")
    assert (request["solved_by_line"], request["reopen_count"]) == (2, 0)
    assert request["delivered_at"] == at("2012-03-05T04:00")
    assert request["first_response_at"] == at("2012-03-05T03:00")


async def test_a_first_line_that_is_further_on_brings_the_steps_before_it(house):
    """R-IMP-01."""
    await house.imports(
        HEADER
        + lines("I-1", "2012-03-05 02:00 Completed/Resolved V1 3 Ann")
        + lines("I-2", "2012-03-05 02:00 Completed/Closed V1 3 Ann", product="PROD2")
    )

    first, second = await house.request("I-1"), await house.request("I-2")
    assert (first["status"], first["solved_by_line"]) == ("DELIVERED", 3)
    assert first["delivered_at"] == first["registered_at"] == at("2012-03-05T02:00")
    assert (second["status"], second["confirmed_by_silence"]) == ("CLOSED", True)


async def test_what_was_delivered_cannot_be_cancelled_and_is_closed_with_a_note(house):
    """R-IMP-01, R-REQ-01."""
    await house.imports(
        HEADER
        + lines(
            "J-1",
            "2012-03-05 02:00 Accepted/In Progress V1 1 Ann",
            "2012-03-05 03:00 Completed/Resolved V1 1 Ann",
            "2012-03-05 04:00 Completed/Cancelled V1 1 Ann",
        )
        + lines(
            "J-2",
            "2012-03-05 02:00 Accepted/In Progress V1 1 Ann",
            "2012-03-05 04:00 Completed/Cancelled V1 1 Ann",
        )
    )

    assert (await house.request("J-1"))["status"] == "CLOSED"
    assert (await house.timeline("J-1"))[-3:] == [
        "RequestNoted",
        "RequestConfirmed",
        "RequestClosed",
    ]
    assert (await house.request("J-2"))["status"] == "CANCELLED"


async def test_a_status_that_is_no_step_is_kept_as_a_note_and_listed(house):
    """R-IMP-01."""
    outcome = await house.imports(
        HEADER
        + lines(
            "K-1",
            "2012-03-05 02:00 Accepted/In Progress V1 1 Ann",
            "2012-03-05 03:00 Unmatched/Unmatched V1 1 Ann",
        )
    )

    assert (await house.request("K-1"))["status"] == "IN_PROGRESS"
    assert (await house.timeline("K-1"))[-1] == "RequestNoted"
    assert [remark.line for remark in outcome.notes] == [3]
    assert "line 3: Unmatched / Unmatched, kept as a note" in str(outcome)


async def test_bad_lines_are_listed_with_number_and_reason_and_their_requests_wait_whole(house):
    """R-IMP-01, L1: what is there of a request is all of it, or nothing."""
    good = lines("L-1", "2012-03-05 02:00 Accepted/In Progress V1 1 Ann")
    outcome = await house.imports(
        HEADER
        + good
        + good.replace("L-1,1,2012-03-05", "L-1,2,2012-99-05")
        + good.replace("L-1,1,", "L-1,3,").replace("In Progress", "Asleep")
        + "L-1,4,short\n"
        + lines("L-2", "2012-03-05 02:00 Accepted/In Progress V1 1 Ann")
        + lines("L-4", "2012-03-05 02:00 Accepted/In Progress V1 1 Ann")
        + lines("L-2", "2012-03-06 02:00 Accepted/In Progress V1 1 Ann")
        + lines("L-3", "2012-03-05 02:00 Accepted/In Progress V1 7 Ann")
    )

    said = str(outcome)
    assert (outcome.requests, outcome.lines, outcome.refused_requests) == (
        1,
        1,
        {"L-1", "L-2", "L-3"},
    )
    assert [remark.line for remark in sorted(outcome.bad_lines)] == [3, 4, 5, 6, 8, 9]
    assert [remark.line for remark in sorted(outcome.waiting)] == [2]
    assert "line 2: waits with another line of its request" in said
    assert "line 3: not a time: 2012-99-05T02:00:00Z" in said
    assert "第 4 行：未知状态：Accepted / Asleep" in said
    assert "line 5: 3 columns instead of 15" in said
    assert "line 6: apart from the other lines of its request (line 8)" in said
    assert "line 9: the line of work is not 1, 2 or 3" in said
    there = await house.pool.fetch("select external_id from request where external_id like 'L-%'")
    assert [row["external_id"] for row in there] == ["L-4"]


async def test_running_it_again_adds_nothing(house):
    """R-IMP-01."""
    text = HEADER + lines(
        "M-1",
        "2012-03-05 02:00 Accepted/In Progress V1 1 Ann",
        "2012-03-05 03:00 Accepted/Wait V9 2 Zoe",
    )
    await house.imports(text)
    before = await house.counts()

    outcome = await house.imports(text)

    assert (outcome.requests, outcome.present, outcome.facts) == (0, 1, 0)
    assert await house.counts() == before


async def test_people_come_without_roles_and_belong_to_the_teams_they_worked_in(house):
    """R-IMP-01, R-ROLE-01."""
    await house.imports(
        HEADER
        + lines(
            "N-1",
            "2012-03-05 02:00 Accepted/In Progress V7 1 Eve",
            "2012-03-05 03:00 Queued/Awaiting Assignment V8 2 Eve",
            "2012-03-05 04:00 Completed/Resolved V8 2 Fay",
            "2012-03-06 04:00 Completed/Closed V8 2 Siebel",
        )
    )

    rows = await house.pool.fetch(
        "select q.name as queue, p.name as person from queue_member m"
        " join queue q on q.id = m.queue_id join person p on p.id = m.person_id"
        " where q.name in ('V7', 'V8') order by 1, 2"
    )
    roles = await house.pool.fetchval(
        "select count(*) from role_assignment a join person p on p.id = a.person_id"
        " join organisation o on o.id = p.organisation_id where o.name = 'Volvo IT'"
    )
    assert [tuple(row) for row in rows] == [("V7", "Eve Sweden"), ("V8", "Fay Sweden")]
    assert roles == 0
    assert await house.pool.fetchval("select machine from person where name like 'Siebel%'")


async def test_another_system_needs_only_another_mapping(house):
    """R-IMP-01: other columns, words, zone, encoding, delimiter; its lines in order of time."""
    mapping = house.folder / "another.toml"
    mapping.write_text(ANOTHER)
    path = house.folder / "another.csv.zst"
    path.write_bytes(zstandard.compress(ANOTHER_EXPORT.encode("gb18030")))

    told: list[tuple[int, int]] = []
    outcome = await imports.run(
        house.settings, mapping, path, lambda done, total: told.append((done, total))
    )

    one, two = await house.request("W-1"), await house.request("W-2")
    customer = await house.pool.fetchval(
        "select name from organisation where id = $1", one["customer_id"]
    )
    assert (outcome.requests, outcome.lines, outcome.bad_lines) == (2, 7, [])
    assert (told[0], told[-1]) == ((0, 7), (7, 7))
    assert (one["source"], one["status"], one["priority"], one["title"]) == (
        "旧工单系统",
        "CLOSED",
        "P1",
        "断网 W-1",
    )
    assert one["registered_at"] == at("2020-02-03T01:00")
    assert (one["owner"], one["queue"], one["line"]) == ("李四", "网络组", 2)
    assert customer == "东方机械"
    assert (two["status"], two["waiting_reason"]) == ("WAITING", "SPARE_PART")
    assert two["product_id"] is None


async def test_an_import_killed_in_the_middle_goes_on_where_it_stopped(house):
    """R-IMP-01: one transaction per request, so none is half there."""
    path = house.folder / "killed.csv"
    path.write_text(HEADER + "".join(many(f"X-{number}") for number in range(400)))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "import", str(BPI), str(path)),
        cwd=ROOT,
        env=os.environ | command_environment(house.settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while await imported(house) < 50:
            assert process.returncode is None
            await asyncio.sleep(0.02)
    finally:
        process.kill()
        await process.wait()
    there = await imported(house)

    outcome = await imports.run(house.settings, BPI, path, lambda *_: None)

    whole = await house.pool.fetch(
        "select r.status, count(*) as facts from request r join event e on e.subject = r.id"
        " where external_id like 'X-%' group by r.id"
    )
    assert 50 <= there < 400
    assert (outcome.present, outcome.requests) == (there, 400 - there)
    assert {(row["status"], row["facts"]) for row in whole} == {("DELIVERED", 6)}
    assert len(whole) == 400


async def imported(house: House) -> int:
    """How many requests of the killed import are there."""
    count: int = await house.pool.fetchval(
        "select count(*) from request where external_id like 'X-%'"
    )
    return count


def many(number: str) -> str:
    """A short history."""
    return lines(
        number,
        "2012-03-05 02:00 Accepted/In Progress V1 1 Ann",
        "2012-03-05 03:00 Accepted/In Progress V1 1 Ann",
        "2012-03-05 04:00 Completed/Resolved V1 1 Ann",
    )


def command_environment(settings: Settings) -> dict[str, str]:
    """What the command needs to find the module's database."""
    return environment(database_url=settings.database_url, valkey_url=settings.valkey_url)


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(f"{text}+00:00")


ANOTHER = """
[source]
name = "旧工单系统"
encoding = "gb18030"
delimiter = ";"

[time]
column = "时间"
zone = "Asia/Shanghai"
format = "%Y/%m/%d %H:%M"

[request]
id = "工单号"
channel = "WEB"
title = "{摘要} {工单号}"
description = "{摘要}"

[branch]
name = "旧系统团队"

[customer]
name = "{客户}"

[product]
name = "{产品}"

[person]
name = "{经办人}"

[team]
name = "{组}"
line = "级别"
lines = { "一线" = 1, "二线" = 2 }

[classification]
column = "等级"
[classification.values]
"紧急" = { problem_type = "FAULT", fault_level = "CRITICAL", impact = "ENTERPRISE" }
"*" = { problem_type = "CONSULTATION", fault_level = "NONE", impact = "INDIVIDUAL" }

[events]
columns = ["状态"]
text = "{状态}：{摘要}"
meanings = [
  { values = ["受理"], kind = "WORKING" },
  { values = ["等备件"], kind = "WAITING", reason = "SPARE_PART" },
  { values = ["恢复"], kind = "RESTORED" },
  { values = ["完成"], kind = "DELIVERED" },
  { values = ["归档"], kind = "CLOSED" },
]
"""
ANOTHER_EXPORT = """工单号;时间;状态;组;级别;经办人;等级;客户;产品;摘要
W-1;2020/02/03 09:00;受理;热线;一线;张三;紧急;东方机械;交换机;断网
W-2;2020/02/03 09:30;受理;热线;一线;张三;一般;北方仪表;;备件
W-1;2020/02/03 10:00;受理;网络组;二线;李四;紧急;东方机械;交换机;断网
W-1;2020/02/03 10:30;恢复;网络组;二线;李四;紧急;东方机械;交换机;断网
W-2;2020/02/03 11:00;等备件;热线;一线;张三;一般;北方仪表;;备件
W-1;2020/02/03 12:00;完成;网络组;二线;李四;紧急;东方机械;交换机;断网
W-1;2020/02/04 12:00;归档;网络组;二线;李四;紧急;东方机械;交换机;断网
"""
