"""What other systems' histories come to: whole, continued, corrected, opened again (R-IMP-01)."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from itr import imports
from itr.actors.roles import Role
from itr.database import connected
from itr.events.log import Audience
from itr.figures.operations import figures
from itr.figures.rules import Period, Question
from itr.figures.terms import FigureName as F
from itr.imports import Outcome
from itr.imports.errors import CannotImport
from itr.requests.operations.correspondence import note_on_request
from itr.settings import Settings
from tests.operations.imports.test_importing import ROOT, command_environment
from tests.support.desk import FOUNDER, HOUR, START, furnish
from tests.support.exports import HEADER, MAPPING, mapping_of, row

CLASSIFIED = (
    "[classification.values]\n",
    '[classification]\ncolumn = "title"\n[classification.values]\n'
    'big = { problem_type = "FAULT", fault_level = "CRITICAL", impact = "ENTERPRISE" }\n',
)
OFTEN = "2026-03-0{} {:02}:00:00"
"""A day of March 2026, the second is a Monday, and an hour in Shanghai."""


@dataclass
class House:
    """A database with a house level, and what is asked of it."""

    settings: Settings
    pool: asyncpg.Pool
    folder: Path

    async def imports(self, text: str, *changes: tuple[str, str], **options: Any) -> Outcome:
        """Import a file with this content by the small mapping, changed so."""
        mapping_of(self.folder, *changes)
        path = self.folder / "export.csv"
        path.write_text(text)
        return await imports.run(
            self.settings, self.folder / "mapping.toml", path, lambda *_: None, **options
        )

    async def request(self, external_id: str) -> dict[str, Any]:
        """The imported request with this number."""
        found = await self.pool.fetchrow(
            "select r.*, p.name as product, o.name as customer, w.name as owner, a.name as asked"
            " from request r join organisation o on o.id = r.customer_id"
            " join person a on a.id = r.requester_id"
            " left join product p on p.id = r.product_id left join person w on w.id = assignee_id"
            " where external_id = $1",
            external_id,
        )
        return dict(found)

    async def timeline(self, external_id: str) -> list[tuple[str, dict[str, Any]]]:
        """What happened to a request, in order."""
        rows = await self.pool.fetch(
            "select e.type, e.payload::text as words from event e join request r on"
            " r.id = e.subject where r.external_id = $1 order by e.subject_version",
            external_id,
        )
        return [(each["type"], orjson.loads(each["words"])) for each in rows]

    async def clock(self, external_id: str, thread: str) -> tuple[str, int]:
        """The state of a clock and what it has counted, in microseconds."""
        found = await self.pool.fetchrow(
            "select c.* from clock c join request r on r.id = c.request_id"
            " where r.external_id = $1 and c.thread = $2",
            external_id,
            thread,
        )
        return found["state"], found["elapsed_us"]

    async def counts(self) -> list[int]:
        """How many rows everything an import writes has."""
        tables = ("request", "event", "clock", "stint", "person", "queue", "queue_member")
        more = ("product", "organisation")
        return [
            await self.pool.fetchval(f"select count(*) from {each}") for each in (*tables, *more)
        ]


@pytest.fixture(scope="module")
async def furnished(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    async with connected(settings) as database:
        await furnish(START)
        yield database.reads


@pytest.fixture
def house(settings: Settings, furnished: asyncpg.Pool, tmp_path: Path) -> House:
    return House(settings, furnished, tmp_path)


def at(day: int, hour: int) -> str:
    return OFTEN.format(day, hour)


async def test_a_changed_priority_is_a_reclassification_at_its_time(house):
    """15, L3, R-SLA-08: the request ends as its last line has it, its clocks under that."""
    text = HEADER + row("C1", at(2, 9)) + row("C1", at(2, 10), title="big")

    await house.imports(
        text + row("C1", at(2, 17), "Resolved", title="small"),
        (CLASSIFIED[0], CLASSIFIED[1] + 'small = { problem_type = "REQUIREMENT",'
         ' fault_level = "NONE", impact = "INDIVIDUAL" }\n'),
    )  # fmt: skip

    changed = [
        (words["priorityBefore"], words["priority"])
        for what, words in await house.timeline("C1")
        if what == "RequestReclassified"
    ]
    assert changed == [("P3", "P1"), ("P1", "P4")]
    assert (await house.request("C1"))["priority"] == "P4"


async def test_a_priority_changed_after_the_delivery_is_the_requests_all_the_same(house):
    """L3."""
    text = HEADER + row("C2", at(2, 9), "Resolved") + row("C2", at(2, 10), "Closed", title="big")

    await house.imports(text, CLASSIFIED)

    assert (await house.request("C2"))["priority"] == "P1"
    assert (await house.request("C2"))["status"] == "CLOSED"


async def test_another_customer_and_another_product_are_corrections_at_their_time(house):
    """L3."""
    text = HEADER + "".join(
        [
            row("C3", at(2, 9), title="printer"),
            row("C3", at(2, 10), title="scanner", customer="Beta"),
        ]
    )

    await house.imports(text, ("[person]", '[product]\nname = "{title}"\n[person]'))

    request = await house.request("C3")
    assert (request["customer"], request["product"]) == ("Beta", "scanner")
    assert [what for what, _ in await house.timeline("C3")].count("RequestCorrected") == 1


async def test_a_request_waits_whole_until_its_lines_are_mended(house):
    """L1: a corrected file brings all of it."""
    good = row("D1", at(2, 9)) + row("D1", at(2, 10), "Resolved")
    wrong = good.replace("Resolved", "Reslvd")

    first = await house.imports(HEADER + wrong + row("D2", at(2, 9)))
    second = await house.imports(HEADER + good + row("D2", at(2, 9)))

    assert (first.requests, first.refused_requests) == (1, {"D1"})
    assert (second.requests, second.present, second.refused) == (1, 1, [])
    assert (await house.request("D1"))["status"] == "DELIVERED"


async def test_a_longer_export_appends_what_is_newer(house):
    """L2: as if it had come at once; alarms of the time between are told once."""
    lines = [
        row("E{}", at(2, 9)),
        row("E{}", at(2, 10), "Pending"),
        row("E{}", at(3, 10), who="bob"),
        row("E{}", at(6, 18), "Resolved", who="bob"),
        row("E{}", at(7, 10), "Closed"),
    ]
    for end in (1, 2, 4, 5, 5):
        outcome = await house.imports(HEADER + "".join(lines[:end]).replace("{}", "1"))
    await house.imports(HEADER + "".join(lines).replace("{}", "2"))

    assert (outcome.requests, outcome.continued, outcome.present, outcome.facts) == (0, 0, 1, 0)
    bits, whole = await house.request("E1"), await house.request("E2")
    same = ("status", "delivered_at", "closed_at", "owner", "solved_by_line", "version")
    assert {name: bits[name] for name in same} == {name: whole[name] for name in same}
    for thread in ("RESPONSE", "RESTORATION", "RESOLUTION", "CLOSURE"):
        assert await house.clock("E1", thread) == await house.clock("E2", thread)
    assert await alarms(house, "E1") == await alarms(house, "E2") != []


async def alarms(house: House, external_id: str) -> list[tuple[object, ...]]:
    rows = await house.pool.fetch(
        "select e.payload->>'thread' as thread, e.payload->>'percent' as percent, e.occurred_at"
        " from event e join request r on r.id = e.stream where r.external_id = $1"
        " and e.type = 'ClockAlarmRaised' order by 1, 3, 2",
        external_id,
    )
    return [tuple(each) for each in rows]


async def test_a_line_earlier_than_what_is_in_is_listed(house):
    """L2."""
    first, last = row("F1", at(2, 9)), row("F1", at(3, 9), "Resolved")
    await house.imports(HEADER + first + last)

    outcome = await house.imports(HEADER + first + row("F1", at(2, 12), "Pending") + last)

    assert [str(each) for each in outcome.refused] == [
        "第 3 行：早于已导入的内容 / line 3: earlier than what is in already"
    ]
    assert (await house.request("F1"))["status"] == "DELIVERED"


async def test_what_went_on_here_is_not_continued_from_there(house):
    """L2: whoever works on an imported request here ends its past."""
    await house.imports(HEADER + row("F2", at(2, 9)))
    request = await house.request("F2")
    await note_on_request(
        FOUNDER, request["id"], text="ours now", audience=Audience.INTERNAL, now=START
    )

    outcome = await house.imports(HEADER + row("F2", at(2, 9)) + row("F2", at(3, 9), "Resolved"))

    assert "the request has gone on here since" in str(outcome.bad_lines)


async def test_durations_are_the_sources_own(house):
    """L4, L9: registered and delivered when the source says, to the microsecond."""
    text = HEADER.replace("\n", ",opened,resolved\n") + "".join(
        row("G1", at(2, hour), status).replace("\n", f",{at(2, 9)},{at(2, 15)}\n")
        for hour, status in ((10, "Open"), (10, "Pending"), (10, "Open"), (16, "Closed"))
    )

    await house.imports(
        text,
        ('column = "at"', 'column = "at"\nregistered = "opened"'),
        ("meanings = [", 'times = [{ column = "resolved", kind = "DELIVERED" }]\nmeanings = ['),
    )

    request = await house.request("G1")
    assert request["registered_at"] == datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert request["delivered_at"] == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert await house.clock("G1", "RESOLUTION") == ("MET", 4.5 * HOUR)


async def test_level_and_calendar_are_named_by_the_mapping(house):
    """L5: names of levels and calendars that are not here are listed."""
    named = '[level]\nname = "{team}"\nvalues = { Desk = "house" }\n'
    named += '[calendar]\nname = "{title}"\nvalues = { printer = "always" }\n'
    level = ("[events]", f"{named}[events]")
    text = HEADER + row("H1", at(6, 17)) + row("H1", at(7, 17), "Resolved")

    outcome = await house.imports(
        text + row("H2", at(2, 9), team="Gold") + row("H3", at(2, 9), title="fax"), level
    )

    assert await house.clock("H1", "RESOLUTION") == ("MET", 24 * HOUR)
    said = str(outcome)
    assert "line 4: there is no such service level: Gold" in said
    assert "line 5: there is no such calendar: fax" in said


async def test_the_sources_own_judgement_is_kept(house):
    """L5: the last line that says so counts."""
    judged = ("[events]", '[judgement]\ncolumn = "title"\nmet = ["true"]\nmissed = ["false"]\n'
              "[events]")  # fmt: skip
    text = HEADER + row("I1", at(2, 9), title="true") + row("I1", at(3, 9), title="false")

    await house.imports(text + row("I2", at(2, 9), title="?"), judged)

    assert (await house.request("I1"))["source_met"] is False
    assert (await house.request("I2"))["source_met"] is None


async def test_a_cancelled_request_that_goes_on_is_a_reopening(house):
    """L6, R-SLA-09: the clocks go on where they stood; it is marked."""
    text = HEADER + "".join(
        [
            row("J1", at(2, 9)),
            row("J1", at(2, 11), "Cancelled"),
            row("J1", at(4, 9)),
            row("J1", at(4, 10), "Resolved"),
        ]
    )

    outcome = await house.imports(text)

    told = await house.timeline("J1")
    [reopened] = [words for what, words in told if what == "RequestReopened"]
    request = await house.request("J1")
    assert (outcome.reopened_after_cancelling, outcome.refused) == (1, [])
    assert "goes on after it was cancelled: a reopening" in reopened["reason"]
    assert (request["status"], request["reopen_count"]) == ("DELIVERED", 1)
    assert await house.clock("J1", "RESOLUTION") == ("MET", 3 * HOUR)


async def test_a_cancelled_request_goes_on_in_a_later_export_too(house):
    """L2, L6."""
    text = HEADER + row("J2", at(2, 9)) + row("J2", at(2, 11), "Cancelled")
    await house.imports(text)

    outcome = await house.imports(text + row("J2", at(4, 9)))

    assert outcome.continued == 1
    assert (await house.request("J2"))["status"] == "IN_PROGRESS"
    assert await house.clock("J2", "RESOLUTION") == ("RUNNING", 2 * HOUR)


async def test_answers_replies_calls_and_mergers_are_what_they_are(house):
    """R-IMP-01: the customer's person asked; what they write answers nobody."""
    kinds = "".join(
        f'  {{ values = ["{value}"], kind = "{kind}" }},\n'
        for value, kind in (("said", "MESSAGE"), ("called", "CALL"), ("new", "QUEUED"))
    )
    merged = '  { values = ["merged"], kind = "MERGED", into = "{title}" },\n'
    asked = ("[person]", '[requester]\nname = "user"\n[actor]\nname = "{title}"\n[person]')
    text = HEADER + "".join(
        [
            row("K1", at(2, 9), "new", who=""),
            row("K1", at(2, 10), "said", title="user"),
            row("K1", at(2, 11), "said", title="ann"),
            row("K1", at(2, 12), "called", title="ann"),
            row("K2", at(2, 9), "new", who=""),
            row("K2", at(2, 10), "merged", title="K1"),
        ]
    )

    await house.imports(text, asked, ("meanings = [\n", f"meanings = [\n{kinds}{merged}"))

    one, two = await house.request("K1"), await house.request("K2")
    types = [what for what, _ in await house.timeline("K1")]
    assert (one["asked"], one["owner"], one["status"]) == ("user", None, "DISPATCHED")
    assert one["first_response_at"] == datetime(2026, 3, 2, 3, tzinfo=UTC)
    assert types[-3:] == ["RequestReplied", "RequestReplied", "CallLogged"]
    assert (two["status"], two["merged_into_id"]) == ("CANCELLED", one["id"])


async def test_a_duplicate_ends_in_a_request_wherever_in_the_file_that_stands(house):
    """R-IMP-01, R-REQ-13: far below, or a duplicate itself; in a circle the first is withdrawn."""
    ending = '["merged"], kind = "MERGED", into = "{title}"'
    merged = ('["Cancelled"], kind = "CANCELLED"', ending)
    into = [("M1", "M2"), ("M2", "M3"), ("M4", "M5"), ("M5", "M4"), ("M6", "M6")]
    lines = [row(one, at(2, 9)) + row(one, at(2, 10), "merged", title=other) for one, other in into]
    apart = [row(f"X{number}", at(2, 9), "no such status") for number in range(120)]
    text = HEADER + "".join([*lines, *apart, row("M3", at(2, 9))])

    outcome = await house.imports(text, merged)

    assert (outcome.requests, len(outcome.notes)) == (6, 2)
    found = {each: await house.request(each) for each in ("M1", "M2", "M3", "M4", "M5", "M6")}
    ended_in = {each: one["merged_into_id"] for each, one in found.items()}
    ids = {each: one["id"] for each, one in found.items()}
    assert ended_in == {
        "M1": ids["M2"],
        "M2": ids["M3"],
        "M3": None,
        "M4": None,
        "M5": ids["M4"],
        "M6": None,
    }

    again = await house.imports(text, merged)
    assert (again.requests, again.continued, again.present) == (0, 0, 6)


async def test_where_rejects_cannot_be_written_nothing_is_imported(house):
    """L1: not first the import, then an error that speaks of the database."""
    with pytest.raises(CannotImport, match="cannot write into"):
        await house.imports(HEADER + row("M9", at(2, 9)), rejects=house.folder / "no" / "r.csv")


async def test_a_dry_run_says_it_all_and_writes_nothing(house):
    """R-IMP-01: what would go in, what would not, and why."""
    await house.imports(HEADER + row("L1", at(2, 9)))
    before = await house.counts()
    text = HEADER + "".join(
        [
            row("L1", at(2, 9)),
            row("L1", at(2, 10), "Resolved"),
            row("L2", at(2, 9), customer="New Ltd", who="new one", team="New team"),
            row("L3", at(2, 9), "Unheard of"),
        ]
    )

    dry = await house.imports(text, dry_run=True, rejects=house.folder / "rejects.csv")
    between = await house.counts()
    wet = await house.imports(text)

    assert between == before
    assert "A dry run, nothing is written" in str(dry)
    assert (dry.requests, dry.continued, dry.facts) == (wet.requests, wet.continued, wet.facts)
    assert dry.refused == wet.refused
    assert "L3,2026" in (house.folder / "rejects.csv").read_text().replace('"', "")


@pytest.mark.parametrize("grouped", ["", "grouped = true"])
async def test_it_stops_and_asks_when_nothing_of_the_beginning_goes_in(house, grouped):
    """L8: a hundred refused of a hundred, in one range; nothing was made."""
    before = await house.counts()
    text = HEADER + "".join(row(f"M{n}", f"{n}.3.2026") for n in range(300))

    outcome = await house.imports(text, ('name = "probe"', f'name = "probe"\n{grouped}'))

    assert outcome.stopped
    assert "is this the right mapping?" in str(outcome)
    assert len(str(outcome).splitlines()) < 10
    assert before[0] == (await house.counts())[0]


async def test_the_command_ends_with_3_and_writes_the_rejects(house):
    """R-IMP-01, L1: mended, they come in by the same mapping."""
    mapping, file, rejects = (house.folder / each for each in ("m.toml", "e.csv", "r.csv"))
    mapping.write_text(MAPPING)
    file.write_text(HEADER + row("N1", at(2, 9)) + row("N2", at(2, 9), "Opn", title="=1+1"))

    first = await command(house, str(mapping), str(file), "--rejects", str(rejects))
    again = await command(house, str(mapping), str(file), "--rejects", str(rejects))
    said = rejects.read_text()
    rejects.write_text(said.replace('"Opn"', '"Open"'))
    mended = await command(house, str(mapping), str(rejects))

    assert (first[0], again[0], mended[0]) == (3, 2, 0)
    assert "exists already" in again[1]
    assert said.splitlines()[0].startswith('"itr:line","itr:reason","id"')
    assert '"3","未知状态：Opn / unknown status: Opn","N2"' in said
    assert '"\'=1+1"' in said
    assert (await house.request("N2"))["title"] == "=1+1"


async def command(house: House, *arguments: str) -> tuple[int | None, str]:
    """How `itr import` ends, and what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "import", *arguments),
        cwd=ROOT,
        env=os.environ | command_environment(house.settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_the_sources_judgement_is_a_figure(house):
    """L5, R-KPI-01: what that system says was met, of what it judged."""
    judged = ("[events]", '[judgement]\ncolumn = "title"\nmet = ["-*", "0"]\nmissed = ["+*"]\n'
              "[events]")  # fmt: skip
    titles = ("-0:20", "0", "+1:00", "none")
    lines = (
        row(f"O{n}", "2025-11-03 09:00:00", title=title, customer="Figured")
        for n, title in enumerate(titles)
    )

    await house.imports(HEADER + "".join(lines), judged)

    month = Period(datetime(2025, 11, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC))
    analyst = replace(FOUNDER, roles=frozenset({Role.ANALYST}))
    [all_of_it] = await figures(house.pool, analyst, Question(month, START, ()))
    assert [all_of_it.values[each] for each in (F.SOURCE_JUDGED, F.SOURCE_MET)] == [3, 2]
    assert str(all_of_it.values[F.SOURCE_MET_RATE])[:6] == "0.6666"
