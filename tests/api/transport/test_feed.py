"""The event feed: every committed event once, in order, whatever dies meanwhile."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from itr.events.cursor import OLDEST, BadCursor, Position, Sealer
from itr.events.feed import BATCH, Event, Feed, FellBehind, Listener
from itr.events.wakeup import Wakeups
from itr.settings import Settings
from tests.api.throwaway import eventually, record
from tests.support.databases import as_owner

NOWHERE = "valkey://127.0.0.1:1/0"


@pytest.fixture
async def writer(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(settings.database_url)
    yield connection
    await connection.close()


@asynccontextmanager
async def feed_of(
    settings: Settings, *, valkey: str | None = None, poll: float = 0.05
) -> AsyncIterator[Feed]:
    feed = Feed(database_url=settings.database_url, valkey_url=valkey, poll=poll)
    async with feed.running():
        yield feed


async def heard(listener: Listener, count: int, *, within: float = 5) -> list[Event]:
    """Listen until so many events have come."""
    events: list[Event] = []
    async with asyncio.timeout(within):
        while len(events) < count:
            events += await listener.batch()
    return events


async def test_an_event_is_heard_as_it_was_written(
    settings: Settings, writer: asyncpg.Connection
) -> None:
    subject = uuid4()
    async with feed_of(settings) as feed:
        listener = feed.listen()
        await record(writer, subject, version=7)
        [event] = await heard(listener, 1)

    assert (event.subject, event.subject_version, event.type) == (subject, 7, "Changed")
    assert event.payload == {}
    assert event.recorded_at.tzinfo is not None


async def test_nothing_is_lost_or_twice_when_transactions_commit_late(settings: Settings) -> None:
    """Decision 3: a cursor by id alone loses events that commit late."""
    luck = random.Random(3)
    async with feed_of(settings, poll=0.01) as feed:
        listener = feed.listen(limit=10_000)
        written: list[UUID] = []

        async def write_some() -> None:
            connection = await asyncpg.connect(settings.database_url)
            for _ in range(40):
                subject = uuid4()
                async with connection.transaction():
                    await record(connection, subject)
                    await asyncio.sleep(luck.random() * 0.02)
                    await record(connection, subject, version=2)
                written.extend([subject, subject])
            await connection.close()

        await asyncio.gather(*(write_some() for _ in range(8)))
        events = await heard(listener, len(written))

    assert sorted(event.subject for event in events) == sorted(written)
    positions = [event.position for event in events]
    assert positions == sorted(set(positions))


async def test_an_open_transaction_holds_the_feed_back_and_shows_as_lag(
    settings: Settings, writer: asyncpg.Connection
) -> None:
    other = await asyncpg.connect(settings.database_url)
    early, late = uuid4(), uuid4()
    async with feed_of(settings) as feed:
        listener = feed.listen()
        transaction = writer.transaction()
        await transaction.start()
        await record(writer, early)
        await record(other, late)
        with pytest.raises(TimeoutError):
            await heard(listener, 1, within=0.5)
        assert feed.lag > 0.3

        await transaction.commit()
        events = await heard(listener, 2)
        await asyncio.sleep(0.2)

        assert [event.subject for event in events] == [early, late]
        assert feed.lag < 0.2
    await other.close()


async def test_a_wakeup_is_faster_than_the_poll(
    settings: Settings, writer: asyncpg.Connection
) -> None:
    async with (
        feed_of(settings, valkey=settings.valkey_url, poll=30) as feed,
        Wakeups(settings.valkey_url).running() as wakeups,
    ):
        listener = feed.listen()
        await asyncio.sleep(0.3)
        await record(writer, uuid4())
        begun = time.monotonic()
        wakeups.send()

        await heard(listener, 1)

    assert time.monotonic() - begun < 1


async def test_without_valkey_the_poll_finds_it(
    settings: Settings, writer: asyncpg.Connection
) -> None:
    async with (
        feed_of(settings, valkey=NOWHERE, poll=0.5) as feed,
        Wakeups(NOWHERE).running() as no,
    ):
        listener = feed.listen()
        await record(writer, uuid4())
        no.send()

        assert len(await heard(listener, 1, within=2)) == 1


async def test_a_killed_connection_costs_no_event(
    settings: Settings, writer: asyncpg.Connection
) -> None:
    """S12."""
    subjects = [uuid4() for _ in range(30)]
    async with feed_of(settings) as feed:
        listener = feed.listen()
        for number, subject in enumerate(subjects):
            await record(writer, subject)
            if number % 10 == 5:
                await writer.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'itr feed' and datname = current_database()"
                )
        events = await heard(listener, 30)

    assert [event.subject for event in events] == subjects


async def test_more_than_a_batch_is_read_at_once(
    settings: Settings, writer: asyncpg.Connection
) -> None:
    async with feed_of(settings, poll=0.3) as feed:
        listener = feed.listen(limit=10_000)
        async with writer.transaction():
            for _ in range(BATCH * 2 + 7):
                await record(writer, uuid4())
        begun = time.monotonic()
        await heard(listener, BATCH * 2 + 7)

    assert time.monotonic() - begun < 2


async def test_joining_in_the_middle_misses_nothing_and_repeats_nothing(
    settings: Settings, writer: asyncpg.Connection
) -> None:
    pool = await asyncpg.create_pool(settings.database_url, min_size=1, max_size=2)
    stop = asyncio.Event()
    subjects: list[UUID] = []

    async def keep_writing() -> None:
        while not stop.is_set():
            subject = uuid4()
            await record(writer, subject)
            subjects.append(subject)
            await asyncio.sleep(0.002)

    async with feed_of(settings, poll=0.02) as feed:
        start = feed.position
        writing = asyncio.create_task(keep_writing())
        joined: list[list[UUID]] = []
        for _ in range(5):
            await asyncio.sleep(0.1)
            got: list[UUID] = []
            position = start
            async with asyncio.timeout(5):
                async for place, event in feed.subscribe(pool, start):
                    assert place > position
                    position = place
                    got.append(event.subject)
                    if len(got) >= len(subjects):
                        break
            joined.append(got)
        stop.set()
        await writing
    await pool.close()

    for got in joined:
        assert got == subjects[: len(got)]


async def test_a_slow_listener_keeps_the_newest_of_each_subject(settings: Settings) -> None:
    """S10."""
    async with feed_of(settings) as feed:
        listener = feed.listen(limit=10)
        busy, other = uuid4(), uuid4()
        for version in range(1, 40):
            listener.put(made(busy, version))
        listener.put(made(other, 40))

        events = await listener.batch()

    assert len(events) <= 11
    assert (events[-1].subject, events[-2].subject_version) == (other, 39)


async def test_a_listener_that_is_too_slow_is_cut_off(settings: Settings) -> None:
    """S10."""
    async with feed_of(settings) as feed:
        listener = feed.listen(limit=10)
        for version in range(1, 40):
            listener.put(made(uuid4(), version))

        with pytest.raises(FellBehind):
            await listener.batch()


async def test_a_new_epoch_ends_the_listeners(
    settings: Settings, writer: asyncpg.Connection
) -> None:
    async with feed_of(settings) as feed:
        listener = feed.listen()
        await as_owner(settings, "update epoch set value = gen_random_uuid()")
        await writer.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'itr feed' and datname = current_database()"
        )

        with pytest.raises(FellBehind):
            await heard(listener, 1)


NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = bytes(range(32))


def test_a_cursor_opens_to_where_it_was_sealed() -> None:
    sealer = Sealer(KEY, epoch=UUID(int=1), purpose="things")
    text = sealer.seal(Position(12, 34), now=NOW)

    opened = sealer.open(text, now=NOW)

    assert opened.position == Position(12, 34)
    assert not opened.too_old
    assert text == sealer.seal(Position(12, 34), now=NOW)
    assert len(text) < 64


def test_anything_but_our_own_cursor_is_bad() -> None:
    """S3."""
    sealer = Sealer(KEY, epoch=UUID(int=1), purpose="things")
    text = sealer.seal(Position(12, 34), now=NOW)
    others = Sealer(KEY, epoch=UUID(int=1), purpose="other").seal(Position(12, 34), now=NOW)
    foreign = Sealer(bytes(32), epoch=UUID(int=1), purpose="things").seal(Position(1, 2), now=NOW)

    flipped = [text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :] for at in range(58)]
    for bad in ["", "x", "游标", "-1", text[:-1], text + "A", "=" * 9, others, foreign, *flipped]:
        with pytest.raises(BadCursor):
            sealer.open(bad, now=NOW)


def test_a_cursor_of_another_life_or_a_week_ago_is_too_old() -> None:
    sealer = Sealer(KEY, epoch=UUID(int=1), purpose="things")
    text = sealer.seal(Position(12, 34), now=NOW)
    restored = Sealer(KEY, epoch=UUID(int=1 << 127), purpose="things")

    assert sealer.open(text, now=NOW + OLDEST + timedelta(minutes=2)).too_old
    assert restored.open(text, now=NOW).too_old


def made(subject: UUID, version: int) -> Event:
    """An event that never was in a database."""
    return Event(
        position=Position(version, version),
        uid=uuid4(),
        type="Changed",
        subject_type="thing",
        subject=subject,
        subject_version=version,
        stream=subject,
        audience="PUBLIC",
        customer_id=None,
        branch_id=None,
        actor_id=subject,
        actor_name="",
        occurred_at=NOW,
        recorded_at=NOW,
        historic=False,
        payload_text="{}",
    )


async def test_what_is_urgent_waits_for_nobodys_open_transaction(
    settings: Settings, writer: asyncpg.Connection
) -> None:
    """S9."""
    other = await asyncpg.connect(settings.database_url)
    ends, waits = uuid4(), uuid4()
    told: list[tuple[UUID, str]] = []
    async with feed_of(settings) as feed:
        feed.watch(lambda event: told.append((event.subject, "urgent")), urgent=["oauth_grant"])
        transaction = writer.transaction()
        await transaction.start()
        await record(writer, uuid4())
        await record(other, waits)
        await record(other, ends, kind="oauth_grant")

        async def first_told() -> object:
            return told

        await eventually(first_told, [(ends, "urgent")], within=2)
        await asyncio.sleep(0.2)
        assert told == [(ends, "urgent")], "once, while it waits"
        await transaction.commit()
        listener = feed.listen()
        await record(other, uuid4())
        await heard(listener, 1)

    assert [subject for subject, _ in told[2:4]] == [waits, ends], "and once more in its place"
    await other.close()
