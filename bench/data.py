"""A database of many requests: people and contracts of the demo, the rest copied in as rows.

Every request has been delivered at least once, so that each has its four clocks. Clocks are folds
of made-up histories under the real calendars, so that deadlines and remaining times are true.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from itr.addresses import credentials
from itr.catalogue.in_force import current_terms
from itr.catalogue.rules import ServiceTerms
from itr.database import connected
from itr.demo.data import (
    BEIJING,
    DESKTOP,
    GATEWAY,
    GOLD,
    HOUSE,
    SHANGHAI,
    SILVER,
    SWITCH,
    VIDEO,
    demo_id,
)
from itr.demo.seeding import seed
from itr.requests.intake import ALPHABET, number_of
from itr.settings import Settings
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clock import ClockEvent, Target, as_of
from itr.sla.clock_history import History
from itr.sla.clocks import CalendarInForce
from itr.sla.terms import ClockEventKind as Kind
from itr.sla.terms import ClockState, Thread
from itr.sla.waits import waits_of

Progress = Callable[[float, str], object]

CUSTOMERS = 240
ENGINEERS = 60
NEWEST = 0.12
"""The share of requests young enough to be still in hand, most of them."""

_FIRMS = ("精密制造", "医疗科技", "连锁餐饮", "物流集团", "新能源", "商业银行", "中学", "软件园")
_PLACES = ("澄湖", "岚山", "禾木", "青浦", "松江", "武清", "滨海", "余杭", "昆山", "吴江")
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = ("伟", "芳", "娜", "敏", "静", "磊", "洋", "艳", "勇", "杰", "娟", "涛", "明", "超", "霞")
_MATTERS = (
    ("核心交换机端口频繁 up/down，二楼办公区断网", SWITCH),
    ("云桌面登录后黑屏，重连三次后恢复 VDI session lost", DESKTOP),
    ("视频会议画面卡顿，声音不同步", VIDEO),
    ("安防网关固件升级后告警未上报", GATEWAY),
    ("无线网络覆盖范围咨询：新仓库 3 000 ㎡", SWITCH),
    ("瘦终端无法识别 USB 读卡器", DESKTOP),
)
_PRIORITIES = (("P1", 5), ("P2", 20), ("P3", 60), ("P4", 15))
_CLASSES = {
    "P1": ("FAULT", "CRITICAL", "ENTERPRISE"),
    "P2": ("FAULT", "MAJOR", "DEPARTMENT"),
    "P3": ("DEGRADATION", "MINOR", "GROUP"),
    "P4": ("CONSULTATION", "NONE", "INDIVIDUAL"),
}
_OPEN = (("DELIVERED", 40), ("IN_PROGRESS", 35), ("WAITING", 15), ("CONFIRMED", 10))


@dataclass(frozen=True)
class Level:
    """A service level in force: its terms and the calendar it counts by."""

    terms: ServiceTerms
    calendar: CalendarInForce


@dataclass
class Story:
    """One request as it went: when what happened, and the histories of its threads."""

    status: str
    at: dict[str, datetime]
    service_down: bool
    threads: dict[Thread, list[ClockEvent]] = field(default_factory=dict)


async def fill(settings: Settings, number: int, progress: Progress, *, seeded: int = 7) -> None:
    """Fill a migrated, empty database; the newest requests were registered within hours."""
    now = datetime.now(UTC)
    await seed(settings, lambda share, _: progress(share / 10, "演示数据 demonstration data"), now)
    async with connected(settings):
        levels = [await _level(name) for name in (HOUSE, GOLD, SILVER)]
    connection = await asyncpg.connect(**credentials(settings.owner_database_url))
    try:
        await connection.execute(
            "truncate request, clock, stint, hand_over, timer, quota_taking cascade"
        )
        await _Filling(connection, Random(seeded), levels, now).run(number, progress)
        await connection.execute("vacuum (analyze)")
        await connection.execute("checkpoint")
    except asyncpg.InsufficientPrivilegeError:
        pass  # a checkpoint is the superuser's; the next one comes by itself
    finally:
        await connection.close()


async def _level(name: str) -> Level:
    terms = await current_terms(demo_id("service level", name))
    calendars = await calendars_in_force([terms.calendar_id], None)
    return Level(terms, calendars[terms.calendar_id])


class _Filling:
    """Copies people, then requests with their clocks, in batches."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        random: Random,
        levels: Sequence[Level],
        now: datetime,
    ) -> None:
        self.connection = connection
        self.random = random
        self.levels = levels
        self.now = now
        self.customers: list[tuple[UUID, UUID]] = []  # customer, its branch
        self.contacts: dict[UUID, list[UUID]] = {}
        self.engineers: list[UUID] = []
        self.numbers: set[str] = set()

    async def run(self, number: int, progress: Progress) -> None:
        """Copy everything in."""
        await self._people()
        batch = 2_500
        for first in range(0, number, batch):
            progress(0.1 + 0.85 * first / number, f"请求 requests {first:,} / {number:,}")
            places = range(first, min(first + batch, number))
            rows = [self._request(place, number) for place in places]
            await self._copy("request", [request for request, _ in rows])
            await self._copy("clock", [clock for _, clocks in rows for clock in clocks])
        progress(0.95, "统计信息 statistics")

    async def _copy(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        columns = list(rows[0])
        records = [tuple(row.values()) for row in rows]
        await self.connection.copy_records_to_table(table, records=records, columns=columns)

    async def _people(self) -> None:
        random = self.random
        branches = [demo_id("organisation", name) for name in (SHANGHAI, BEIJING)]
        organisations, persons = [], []
        for place in range(CUSTOMERS):
            firm = _uuid(random)
            name = f"{random.choice(_PLACES)}{random.choice(_FIRMS)}{place + 1:03d}"
            self.customers.append((firm, branches[place % 2]))
            organisations.append(self._organisation(firm, name, branches[place % 2]))
            self.contacts[firm] = [_uuid(random) for _ in range(3)]
            persons += [self._person(contact, firm) for contact in self.contacts[firm]]
        self.engineers = [_uuid(random) for _ in range(ENGINEERS)]
        persons += [self._person(one, branches[0]) for one in self.engineers]
        await self._copy("organisation", organisations)
        await self._copy("person", persons)

    def _organisation(self, key: UUID, name: str, branch: UUID) -> dict[str, Any]:
        return {
            "id": key,
            "kind": "CUSTOMER",
            "name": name,
            "branch_id": branch,
            "make_up_days": True,
            "created_at": self.now,
        }

    def _person(self, key: UUID, organisation: UUID) -> dict[str, Any]:
        name = self.random.choice(_SURNAMES) + self.random.choice(_GIVEN)
        return {
            "id": key,
            "organisation_id": organisation,
            "name": name,
            "language": "zh",
            "machine": False,
            "active": True,
            "created_at": self.now,
        }

    def _request(self, place: int, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Make the row of one request and the rows of its clocks; place 0 is the oldest."""
        random = self.random
        age = timedelta(hours=3) + timedelta(days=400) * ((number - place) / number)
        registered = self.now - age - timedelta(seconds=random.randrange(400))
        young = place >= number * (1 - NEWEST)
        status = _pick(random, _OPEN) if random.random() < (0.85 if young else 0.02) else "CLOSED"
        level = random.choice(self.levels)
        priority = _pick(random, _PRIORITIES)
        story = self._story(status, registered, level, priority)
        key = _uuid(random)
        request = self._row(key, story, level, priority)
        clocks = [
            self._clock(key, thread, history, level) for thread, history in story.threads.items()
        ]
        return request, clocks

    def _story(self, status: str, registered: datetime, level: Level, priority: str) -> Story:
        """Tell what happened when, as shares of the time there was."""
        random = self.random
        age = min(self.now - registered, timedelta(days=random.uniform(1, 25)))

        def moment(least: float, most: float) -> datetime:
            return registered + age * random.uniform(least, most)

        at = {
            "registered": registered,
            "responded": moment(0.01, 0.1),
            "restored": moment(0.15, 0.4),
            "delivered": moment(0.45, 0.6),
            "rejected": moment(0.62, 0.7),
            "confirmed": moment(0.72, 0.8),
            "waiting": moment(0.82, 0.9),
            "closed": moment(0.91, 0.99),
        }
        story = Story(status, at, service_down=random.random() < 0.5)
        story.threads = {
            thread: self._history(thread, story, level.terms, priority) for thread in Thread
        }
        return story

    def _history(
        self, thread: Thread, story: Story, terms: ServiceTerms, priority: str
    ) -> list[ClockEvent]:
        at, target = story.at, terms.target(priority, thread)
        assert target is not None
        if thread is Thread.CLOSURE:
            return _told(self._closure(story), target, terms.calendar_id)
        ended = {
            Thread.RESPONSE: "responded",
            Thread.RESTORATION: "restored",
            Thread.RESOLUTION: "delivered",
        }[thread]
        steps: list[tuple[datetime, Kind]] = [(at["registered"], Kind.STARTED)]
        if thread is not Thread.RESPONSE and self.random.random() < 0.25:
            span = at[ended] - at["registered"]
            steps.append((at["registered"] + span * 0.3, Kind.PAUSED))
            steps.append((at["registered"] + span * 0.5, Kind.RESUMED))
        steps.append((at[ended], Kind.COMPLETED))
        again = thread is Thread.RESOLUTION or (thread is Thread.RESTORATION and story.service_down)
        if story.status in ("IN_PROGRESS", "WAITING") and again:
            steps.append((at["rejected"], Kind.REOPENED))
            if story.status == "WAITING":
                steps.append((at["waiting"], Kind.PAUSED))
        return _told(steps, target, terms.calendar_id)

    def _closure(self, story: Story) -> list[tuple[datetime, Kind]]:
        steps = [(story.at["delivered"], Kind.STARTED)]
        if story.status == "CLOSED":
            steps.append((story.at["closed"], Kind.COMPLETED))
        if story.status in ("IN_PROGRESS", "WAITING"):
            steps.append((story.at["rejected"], Kind.CANCELLED))
        return steps

    def _row(self, key: UUID, story: Story, level: Level, priority: str) -> dict[str, Any]:
        random, at, status = self.random, story.at, story.status
        customer, branch = random.choice(self.customers)
        contact = random.choice(self.contacts[customer])
        title, product = random.choice(_MATTERS)
        problem, fault, impact = _CLASSES[priority]
        solved = status in ("DELIVERED", "CONFIRMED", "CLOSED")
        last = {"CLOSED": "closed", "CONFIRMED": "confirmed", "DELIVERED": "delivered"}
        return {
            "id": key,
            "number": self._number(at["registered"]),
            "version": 7,
            "kind": "TECHNICAL",
            "status": status,
            "title": title,
            "description": f"{title}。现场已重启设备，问题依旧，请协助处理。Please help. " * 3,
            "channel": random.choice(("WEB", "PHONE", "EMAIL")),
            "phase": "AFTER_ACCEPTANCE",
            "customer_id": customer,
            "contact_id": contact,
            "requester_id": contact,
            "product_id": demo_id("product", product),
            "branch_id": branch,
            "problem_type": problem,
            "fault_level": fault,
            "impact": impact,
            "priority": priority,
            "line": 1,
            "queue_id": demo_id("queue", "上海一线"),
            "assignee_id": random.choice(self.engineers) if random.random() < 0.95 else None,
            "waiting_reason": "CUSTOMER" if status == "WAITING" else None,
            "waits": orjson.dumps(
                [{"reason": "CUSTOMER", "since": at[last.get(status, "rejected")].isoformat()}]
                if status == "WAITING"
                else []
            ).decode(),
            "returns_to": "IN_PROGRESS" if status == "WAITING" else None,
            "entitlement_outcome": "ENTITLED",
            "reauthorised": False,
            "service_level_version_id": level.terms.version_id,
            "emergency": False,
            "solution": "更换光模块并固化端口配置，观察两小时无告警。" if solved else None,
            "restores_service": False,
            "service_down": story.service_down and not solved,
            "confirmed_by_silence": False,
            "reopen_count": int(status in ("IN_PROGRESS", "WAITING")),
            "registered_at": at["registered"],
            "first_response_at": at["responded"],
            "restored_at": at["restored"],
            "delivered_at": at["delivered"] if solved else None,
            "confirmed_at": at["confirmed"] if status in ("CONFIRMED", "CLOSED") else None,
            "closed_at": at["closed"] if status == "CLOSED" else None,
            "updated_at": at[last.get(status, "rejected")],
        }

    def _number(self, day: datetime) -> str:
        while True:
            letters = "".join(self.random.choice(ALPHABET) for _ in range(4))
            number = number_of(day, letters)
            if number not in self.numbers:
                self.numbers.add(number)
                return number

    def _clock(
        self, request: UUID, thread: Thread, history: Sequence[ClockEvent], level: Level
    ) -> dict[str, Any]:
        walked = History(history, lambda _: level.calendar.working, until=None)
        value, waits = as_of(walked.clock(), self.now), waits_of(walked)
        assert value.target is not None
        ahead = value.state is ClockState.RUNNING and value.deadline is not None
        return {
            "id": _uuid(self.random),
            "request_id": request,
            "thread": thread.value,
            "thread_no": thread.number,
            "state": value.state.value,
            "calendar_version_id": level.calendar.version_id,
            "version": value.version,
            "revision": len(history),
            "target_us": value.target.us,
            "target_days": value.target.days,
            "started_at": value.started_at,
            "deadline": value.deadline,
            "base_us": value.base_us,
            "deadline_us": value.deadline_us,
            "elapsed_us": value.elapsed_us,
            "remaining_us": value.remaining_us,
            "paused_since": value.paused_since,
            "pause_reasons": orjson.dumps(list(value.pause_reasons)).decode(),
            "waited_us": orjson.dumps(waits.ended_us).decode(),
            "waiting_for": waits.reason,
            "waiting_since_us": waits.since_us,
            "completed_at": value.completed_at,
            "breached_at": value.breached_at,
            "provisional": value.provisional,
            "next_alarm_at": value.deadline if ahead else None,
            "alarm_level": 90 if ahead else 0,
        }


def _told(
    steps: Iterable[tuple[datetime, Kind]], target: Target, calendar: UUID
) -> list[ClockEvent]:
    events = []
    for sequence, (at, kind) in enumerate(steps):
        first = kind is Kind.STARTED
        events.append(
            ClockEvent(
                at,
                kind,
                reason="CUSTOMER" if kind is Kind.PAUSED else None,
                target=target if first else None,
                calendar=calendar if first else None,
                sequence=sequence,
            )
        )
    return events


def _pick(random: Random, weighed: Sequence[tuple[str, int]]) -> str:
    values, weights = zip(*weighed, strict=True)
    return str(random.choices(values, weights)[0])


def _uuid(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)


def new_title() -> str:
    """Return a title that no other request has."""
    return f"bench {secrets.token_hex(6)}"
