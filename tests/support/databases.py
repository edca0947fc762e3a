"""Databases for tests: migrated once into a template, cloned where a test module wants its own."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from embedded import Addresses

SECRET = "a secret for tests, long enough to be one"
TEMPLATE = "template_of_tests"
_numbers = itertools.count(1)


def environment(*, database_url: str, valkey_url: str) -> dict[str, str]:
    """The environment variables that point the product at these servers."""
    return {
        "ITR_DATABASE_URL": database_url,
        "ITR_VALKEY_URL": valkey_url,
        "ITR_SECRET": SECRET,
        "ITR_DATABASE_POOL": "5",
    }


def make_template(addresses: Addresses) -> None:
    """Make the database that others are cloned from, by running the migrations."""
    from itr.database import migrate
    from itr.settings import Settings

    asyncio.run(_execute(addresses, f"create database {TEMPLATE} owner itr"))
    url = _url_of(addresses, TEMPLATE)
    given = environment(database_url=url, valkey_url=addresses.valkey_url)
    owner = {"ITR_OWNER_DATABASE_URL": owner_url(addresses, url)}
    asyncio.run(migrate(Settings.read(given | owner)))


@contextmanager
def cloned_database(addresses: Addresses, template: str) -> Iterator[str]:
    """A database of one's own, copied from the template; yields its URL, dropped afterwards."""
    name = f"test_{next(_numbers)}"
    asyncio.run(_execute(addresses, f"create database {name} template {template} owner itr"))
    try:
        yield _url_of(addresses, name)
    finally:
        asyncio.run(_execute(addresses, f"drop database {name} with (force)"))


async def _execute(addresses: Addresses, statement: str) -> None:
    connection = await asyncpg.connect(addresses.admin_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _url_of(addresses: Addresses, database: str) -> str:
    return urlsplit(addresses.database_url)._replace(path=f"/{database}").geturl()


def owner_url(addresses: Addresses, database_url: str) -> str:
    """The same database as the owner of its tables."""
    path = urlsplit(database_url).path
    return urlsplit(addresses.owner_url)._replace(path=path).geturl()


_COUNTED_BESIDE = frozenset({"document_use", "field_use"})
"""What the server writes down by itself, whenever it gets to it: what is used, and how often."""


async def contents(connection: Any) -> dict[str, tuple[int, int]]:
    """How many rows each table has, and the newest transaction that wrote one.

    Two that are equal hold the same: whatever is added, changed or removed shows.
    """
    names = await connection.execute_query_dict(
        "select c.relname as name from pg_class c where c.relkind in ('r', 'p')"
        " and not c.relispartition and c.relnamespace = 'public'::regnamespace"
    )
    each = " union all ".join(
        f"select '{row['name']}' as name, count(*) as rows,"
        f' coalesce(max(xmin::text::bigint), 0) as newest from "{row["name"]}"'
        for row in names
        if row["name"] not in _COUNTED_BESIDE
    )
    found = await connection.execute_query_dict(each)
    return {row["name"]: (row["rows"], row["newest"]) for row in found}


async def as_owner(settings: Any, statement: str, *values: Any) -> None:
    """Do to the database what the product's own login may not."""
    from itr.addresses import credentials

    connection = await asyncpg.connect(**credentials(settings.owner_database_url))
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()
