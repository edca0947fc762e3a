"""What a transaction writes by one statement: all of it, or nothing and an error (S12)."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from tortoise.connection import get_connection

from itr.database import connected
from itr.settings import Settings
from itr.transactions import in_transaction
from itr.writing import Table, Writing
from tests.support.databases import as_owner


@pytest.fixture(scope="module")
async def things(settings: Settings) -> AsyncIterator[None]:
    async with connected(settings):
        yield


async def written(*changes: Writing) -> None:
    """Write in a transaction, among things of its own."""
    async with in_transaction() as connection:
        for each in changes:
            await each.run(connection)


GUARDED = Table("guarded", {"name": "text", "revision": "int"}, "revision")


def renamed(key: UUID, name: str, *, known: int) -> Writing:
    changing = Writing()
    values = {"name": name, "revision": known + 1, "other": "stays"}
    changing.change(GUARDED, key, values, {"name", "revision"}, known)
    return changing


@pytest.fixture(autouse=True)
async def guarded(things: None, settings: Settings) -> None:
    await as_owner(
        settings,
        "create table if not exists guarded (id uuid primary key, name text, revision int,"
        " other text); grant all on guarded to public; delete from guarded;",
    )


async def names() -> dict[UUID, tuple[str, int, str]]:
    rows = await get_connection("default").execute_query_dict("select * from guarded")
    return {row["id"]: (row["name"], row["revision"], row["other"]) for row in rows}


async def kept(*keys: UUID) -> None:
    table = Table("guarded", {"id": "uuid", "name": "text", "revision": "int", "other": "text"})
    adding = Writing()
    adding.add(table, *({"id": k, "name": "a", "revision": 1, "other": "kept"} for k in keys))
    await written(adding)


async def test_only_the_columns_that_differ_are_written() -> None:
    key = uuid4()
    await kept(key)

    await written(renamed(key, "b", known=1))

    assert await names() == {key: ("b", 2, "kept")}


async def test_what_has_changed_beside_is_not_written_over() -> None:
    """R-ALM-02: an alarm level that was raised meanwhile is never written back."""
    key = uuid4()
    await kept(key)
    await written(renamed(key, "beside", known=1))

    with pytest.raises(asyncpg.SerializationError):
        await written(renamed(key, "late", known=1))

    assert await names() == {key: ("beside", 2, "kept")}


async def test_one_row_that_has_changed_keeps_all_others_from_being_written() -> None:
    """S12: half a change is none."""
    fresh, stale = uuid4(), uuid4()
    await kept(fresh, stale)
    await written(renamed(stale, "beside", known=1))
    both = renamed(fresh, "b", known=1)
    with pytest.raises(ValueError, match="twice"):
        both.change(GUARDED, fresh, {"name": "c"}, {"name"}, 1)
    other = Writing()
    for key in (fresh, stale):
        other.change(GUARDED, key, {"name": "b", "revision": 2}, {"name", "revision"}, 1)

    with pytest.raises(asyncpg.SerializationError):
        await written(other)

    assert (await names())[fresh] == ("a", 1, "kept")


async def test_parts_in_words_of_their_own_stand_beside_others() -> None:
    key = uuid4()
    await kept(key)
    writing = renamed(key, "b", known=1)
    writing.also("update guarded set other = $2 where id <> $1 returning 1", key, "x", rows=0)
    writing.add(Table("guarded", {"id": "uuid", "name": "text"}), {"id": uuid4(), "name": "one"})
    writing.also("select $1::int[] as numbers", [1, 2])

    await written(writing)

    assert sorted(name for name, *_ in (await names()).values()) == ["b", "one"]
