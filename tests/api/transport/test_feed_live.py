"""Live sources: a snapshot, then changes; resumable; computed once for equals."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.transport.context import Context
from api.transport.services import Services
from api.transport.source import SHARED_SECONDS
from itr.actors.actor import Actor
from itr.actors.roles import Role
from itr.errors import Forbidden
from itr.events.cursor import BadCursor
from itr.settings import Settings
from tests.api.throwaway import (
    Changed,
    Counted,
    Desk,
    Removed,
    Resync,
    Snapshot,
    Things,
    caught_up,
    eventually,
    make_things,
    put,
    record,
    wrapped,
)
from tests.support.client import Served, served


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(settings)


@pytest.fixture(scope="module")
async def server(desk: Desk, settings: Settings) -> AsyncIterator[Served]:
    await make_things(settings)
    async with served(desk.app(), settings) as running_server:
        yield running_server


@pytest.fixture
def services(server: Served) -> Services:
    opened: Services = server.app.state.services
    return opened


@pytest.fixture
async def writer(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute("delete from thing")
    await asyncio.sleep(SHARED_SECONDS + 0.2)
    yield connection
    await connection.close()


async def context_of(services: Services, desk: Desk, actor: Actor) -> Context:
    identity = await services.identities.identify(desk.token(actor))
    return services.context(identity, language="zh", request_id="test", client_address="")


def follow(context: Context, after: str | None = None) -> Any:
    return aclosing(values(context, after))


async def values(context: Context, after: str | None) -> AsyncGenerator[Any, None]:
    following = context.live.follow(context, Things(), after, wrapped)
    async with aclosing(following) as messages:
        async for message in messages:
            yield message.value


async def following(stream: Any, *, within: float = 5) -> Any:
    async with asyncio.timeout(within):
        return await anext(stream)


async def silence(stream: Any, *, seconds: float = 0.8) -> None:
    """Nothing comes; the stream cannot be used afterwards."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await anext(stream)


async def test_a_snapshot_comes_first_then_each_change_once(
    services: Services, desk: Desk, writer: asyncpg.Connection
) -> None:
    context = await context_of(services, desk, desk.person())
    old, new = uuid4(), uuid4()
    await put(writer, old)
    async with follow(context) as stream:
        snapshot = await following(stream)
        await put(writer, new)
        changed = await following(stream)
        await put(writer, new)
        again = await following(stream)
        await silence(stream)

    assert [one.id for one in snapshot.things] == [old]
    assert (changed.subject, changed.version) == (new, 1)
    assert (again.subject, again.version) == (new, 2)


async def test_others_things_are_silent_and_losing_sight_is_removal(
    services: Services, desk: Desk, writer: asyncpg.Connection
) -> None:
    """S1, S9."""
    mine, theirs = uuid4(), uuid4()
    context = await context_of(services, desk, desk.person("Customer", organisation=mine))
    thing, never = uuid4(), uuid4()
    async with follow(context) as stream:
        assert (await following(stream)).things == []
        await put(writer, never, owner=theirs)
        await put(writer, thing, owner=mine)
        gained = await following(stream)
        await put(writer, thing, owner=theirs)
        lost = await following(stream)
        await put(writer, thing, owner=theirs)
        await put(writer, never, owner=theirs)
        await silence(stream)

    assert isinstance(gained, Changed)
    assert gained.subject == thing
    assert isinstance(lost, Removed)
    assert lost.subject == thing


async def test_a_resumed_stream_tells_what_left_but_not_what_never_was_there(
    services: Services, desk: Desk, writer: asyncpg.Connection
) -> None:
    """S1."""
    mine, theirs = uuid4(), uuid4()
    context = await context_of(services, desk, desk.person("Customer", organisation=mine))
    leaving, never, staying = uuid4(), uuid4(), uuid4()
    await put(writer, leaving, owner=mine)
    await put(writer, staying, owner=mine)
    await caught_up(services.feed, writer)
    async with follow(context) as stream:
        snapshot = await following(stream)
    await put(writer, never, owner=theirs)
    await put(writer, leaving, owner=theirs)
    await put(writer, staying, owner=mine)

    async with follow(context, snapshot.cursor) as stream:
        first, second = await following(stream), await following(stream)
        await silence(stream)

    assert (type(first), first.subject) == (Removed, leaving)
    assert (type(second), second.subject, second.version) == (Changed, staying, 2)


async def test_beside_an_open_transaction_a_resumed_stream_tells_more_but_never_less(
    services: Services, desk: Desk, settings: Settings, writer: asyncpg.Connection
) -> None:
    """S1, Decision 3: what came after it began is told again, in the order of what is told."""
    mine, theirs = uuid4(), uuid4()
    context = await context_of(services, desk, desk.person("Customer", organisation=mine))
    leaving, staying = uuid4(), uuid4()
    await put(writer, leaving, owner=mine)
    async with opened_transaction(settings):
        await put(writer, staying, owner=mine)
        async with follow(context) as stream:
            snapshot = await following(stream)
    await put(writer, leaving, owner=theirs)
    await put(writer, staying, owner=mine)
    await caught_up(services.feed, writer)

    async with follow(context, snapshot.cursor) as stream:
        first, second = await following(stream), await following(stream)
        await silence(stream)

    assert {one.id for one in snapshot.things} == {leaving, staying}
    assert (type(first), first.subject, first.version) == (Changed, staying, 2)
    assert (type(second), second.subject) == (Removed, leaving)


@asynccontextmanager
async def opened_transaction(settings: Settings) -> AsyncIterator[None]:
    """Somebody's transaction that has begun to write and takes its time."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute("select pg_current_xact_id()")
            yield
    finally:
        await connection.close()


async def test_what_left_long_ago_is_not_mentioned_again(
    services: Services, desk: Desk, writer: asyncpg.Connection
) -> None:
    """S1."""
    mine, theirs = uuid4(), uuid4()
    context = await context_of(services, desk, desk.person("Customer", organisation=mine))
    gone = uuid4()
    await put(writer, gone, owner=mine)
    await put(writer, gone, owner=theirs)
    await caught_up(services.feed, writer)
    async with follow(context) as stream:
        cursor = (await following(stream)).cursor
    await put(writer, gone, owner=theirs)

    async with follow(context, cursor) as stream:
        await silence(stream)


async def test_two_hundred_resumptions_fold_to_what_a_query_says(
    services: Services, desk: Desk, settings: Settings, writer: asyncpg.Connection
) -> None:
    """Decision 5: nothing missed, nothing twice."""
    mine, theirs = uuid4(), uuid4()
    customer = await context_of(services, desk, desk.person("Customer", organisation=mine))
    inside = await context_of(services, desk, desk.person())
    things = [uuid4() for _ in range(12)]
    luck = random.Random(11)
    stop = asyncio.Event()

    async def keep_changing() -> None:
        connection = await asyncpg.connect(settings.database_url)
        while not stop.is_set():
            await put(connection, luck.choice(things), owner=luck.choice([mine, mine, theirs]))
            await asyncio.sleep(luck.random() * 0.004)
        await connection.close()

    changing = [asyncio.create_task(keep_changing()) for _ in range(3)]
    try:
        results = await asyncio.gather(
            *(
                resumed_again_and_again(context, random.Random(seed), stop)
                for context in (customer, inside)
                for seed in range(20)
            )
        )
    finally:
        stop.set()
        await asyncio.gather(*changing)

    rows = await writer.fetch("select id, version, owner from thing")
    expected = {
        "inside": {row["id"]: row["version"] for row in rows},
        "customer": {row["id"]: row["version"] for row in rows if row["owner"] == mine},
    }
    await asyncio.gather(
        *(
            fold_until(expected["customer" if result[0] is customer else "inside"], *result)
            for result in results
        )
    )
    assert len(results) * 6 >= 200


async def resumed_again_and_again(
    context: Context, luck: random.Random, stop: asyncio.Event
) -> tuple[Context, dict[UUID, int], str]:
    """Follow and break off at random, six times."""
    folded: dict[UUID, int] = {}
    cursor = ""
    for _ in range(6):
        async with follow(context, cursor or None) as stream:
            for _ in range(luck.randint(1, 12)):
                message = await following(stream)
                fold(folded, message)
                cursor = message.cursor
    return context, folded, cursor


async def fold_until(
    expected: dict[UUID, int], context: Context, folded: dict[UUID, int], cursor: str
) -> None:
    """Resume once more; what is folded must become what is expected."""
    async with follow(context, cursor) as stream:
        try:
            while folded != expected:
                fold(folded, await following(stream, within=10))
        except TimeoutError:
            assert folded == expected


def fold(folded: dict[UUID, int], message: Any) -> None:
    """What a client does."""
    if isinstance(message, Snapshot):
        folded.clear()
        folded.update({one.id: one.version for one in message.things})
    elif isinstance(message, Changed):
        if message.version >= folded.get(message.subject, 0):
            folded[message.subject] = message.version
    elif isinstance(message, Removed):
        folded.pop(message.subject, None)


async def test_equal_subscribers_cost_one_look_and_one_query(
    server: Served, services: Services, desk: Desk, writer: asyncpg.Connection
) -> None:
    """Decision 5: 500 equal wallboards cost one query."""
    actor = desk.person("Wallboard")
    query = (
        """subscription { things { __typename ... on Changed { subject thing { version } } } }"""
    )
    async with server.socket(desk.token(actor)) as ours:
        before = Counted.snapshots
        for _ in range(100):
            await ours.subscribe(query)
        for _ in range(100):
            assert (await ours.receive())["payload"]["data"]["things"] == {"__typename": "Snapshot"}
        assert Counted.snapshots - before == 2  # what the source learns, and the shared snapshot

        snapshots, resolved = Counted.snapshots, Counted.resolved
        thing = uuid4()
        await put(writer, thing)
        answers = [await ours.receive() for _ in range(100)]

    expected = {"__typename": "Changed", "subject": str(thing), "thing": {"version": 1}}
    assert all(one["payload"]["data"]["things"] == expected for one in answers)
    assert Counted.snapshots - snapshots == 1
    assert Counted.resolved - resolved == 1
    await eventually(lambda: count_of(services), 0)


async def count_of(services: Services) -> int:
    return len(services.live)


async def test_a_role_taken_away_ends_the_stream_with_the_next_message(
    services: Services, desk: Desk, writer: asyncpg.Connection
) -> None:
    """S9."""
    actor = desk.person("Wu")
    context = await context_of(services, desk, actor)
    async with follow(context) as stream:
        await following(stream)
        desk.change(actor, roles=frozenset({Role.ADMIN}))
        await record(writer, actor.id, kind="person")
        await put(writer, uuid4())

        with pytest.raises(Forbidden):
            await following(stream)


async def test_another_scope_means_to_start_over(
    services: Services, desk: Desk, writer: asyncpg.Connection
) -> None:
    """S9."""
    one, other = uuid4(), uuid4()
    await put(writer, uuid4(), owner=one)
    ours = uuid4()
    await put(writer, ours, owner=other)
    actor = desk.person("Customer", organisation=one)
    context = await context_of(services, desk, actor)
    async with follow(context) as stream:
        await following(stream)
        desk.change(actor, organisation_id=other)
        await record(writer, actor.id, kind="person")
        await put(writer, uuid4(), owner=one)

        resync, snapshot = await following(stream), await following(stream)

    assert isinstance(resync, Resync)
    assert [thing.id for thing in snapshot.things] == [ours]


async def test_a_cursor_of_another_scope_or_of_nobody_is_bad(
    services: Services, desk: Desk, writer: asyncpg.Connection
) -> None:
    """S3."""
    inside = await context_of(services, desk, desk.person())
    customer = await context_of(services, desk, desk.person("C", organisation=uuid4()))
    async with follow(inside) as stream:
        cursor = (await following(stream)).cursor

    for bad in (cursor, "nonsense", cursor[:-2] + "xx"):
        with pytest.raises(BadCursor):
            async with follow(customer, bad) as stream:
                await following(stream)


async def test_too_much_to_tell_is_a_resync(
    services: Services, desk: Desk, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("itr.events.feed.REPLAYED", 3)
    context = await context_of(services, desk, desk.person())
    async with follow(context) as stream:
        cursor = (await following(stream)).cursor
    for _ in range(5):
        await put(writer, uuid4())
    await caught_up(services.feed, writer)

    async with follow(context, cursor) as stream:
        resync, snapshot = await following(stream), await following(stream)

    assert isinstance(resync, Resync)
    assert len(snapshot.things) == 5


async def test_a_slow_subscriber_gets_the_newest_of_each_and_misses_nothing(
    services: Services, desk: Desk, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S10."""
    monkeypatch.setattr("api.transport.source.Member.__init__.__defaults__", (5,))
    context = await context_of(services, desk, desk.person())
    busy, other = uuid4(), uuid4()
    async with follow(context) as stream:
        await following(stream)
        for _ in range(12):
            await put(writer, busy)
            services.feed.wake()
            await asyncio.sleep(0.05)
        await put(writer, other)
        await asyncio.sleep(0.8)
        got = []
        while not got or got[-1].subject != other:
            got.append(await following(stream))
    async with follow(context, got[0].cursor) as stream:
        resumed = await following(stream)

    assert len(got) <= 6
    assert resumed.subject in (busy, other)
    assert max(one.version for one in got if one.subject == busy) == 12


async def test_the_database_going_away_for_a_moment_loses_nothing(
    services: Services, desk: Desk, writer: asyncpg.Connection
) -> None:
    """S12."""
    context = await context_of(services, desk, desk.person())
    thing = uuid4()
    async with follow(context) as stream:
        await following(stream)
        await writer.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name like 'itr%' and datname = current_database()"
        )
        await put(writer, thing)

        assert (await following(stream, within=10)).subject == thing
