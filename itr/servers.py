"""What servers of one's own must be: told in a sentence before anything is done with them."""

from collections.abc import Mapping
from typing import Any

import asyncpg
from redis.exceptions import RedisError

from itr.addresses import credentials
from itr.settings import Settings, WrongSettings
from itr.valkey import open_valkey

OLDEST_POSTGRES = 16
OLDEST_VALKEY = 7
_WITH_TRANSACTION_TIMEOUT = 17

_CHARACTER = """
select current_setting('server_encoding') as encoding,
    'Z' < 'a' and 'z' < 'é' and '。' < '中' as by_code_point,
    lower('É') = 'é' as folds
"""
_MADE_SO = (
    "create database itr owner itr template template0 encoding 'UTF8'"
    " lc_collate 'C' lc_ctype 'C.UTF-8'"
)


async def session_at(url: str) -> dict[str, str]:
    """The settings of the product's sessions on the PostgreSQL at an address."""
    return session_of(await major_of(credentials(url)))


def session_of(major: int) -> dict[str, str]:
    """The settings of every session of the product on a PostgreSQL of this version.

    Before 17 a transaction has no time-out of its own: each statement and each pause in it has.
    """
    longest = "transaction_timeout" if major >= _WITH_TRANSACTION_TIMEOUT else "statement_timeout"
    return {
        "jit": "off",
        "timezone": "UTC",
        "application_name": "itr",
        longest: "15s",
        "idle_in_transaction_session_timeout": "10s",
        "lock_timeout": "5s",
    }


async def major_of(address: Mapping[str, Any]) -> int:
    """The version of the PostgreSQL at an address; asked once a process."""
    place = (address["host"], address["port"])
    if place not in _VERSIONS:
        connection = await asyncpg.connect(**address)
        try:
            _VERSIONS[place] = connection.get_server_version().major
        finally:
            await connection.close()
    return _VERSIONS[place]


_VERSIONS: dict[tuple[Any, Any], int] = {}


async def give_missing_functions(owner: asyncpg.Connection) -> None:
    """Make what later versions of PostgreSQL bring: `uuidv7()`, which is there from 18 on.

    As there, values of one session rise: the microseconds of the instant, or one more than the
    last, stand where 18 has milliseconds and a counter.
    """
    if await owner.fetchval("select to_regprocedure('uuidv7()') is null"):
        await owner.execute(_UUIDV7)


_UUIDV7 = """
create function uuidv7() returns uuid language plpgsql volatile parallel restricted as $$
declare
    now_us bigint := floor(extract(epoch from clock_timestamp()) * 1000000);
    last_us bigint := nullif(current_setting('itr.last_uuid', true), '')::bigint;
    part int;
begin
    if last_us is not null and now_us <= last_us then
        now_us := last_us + 1;
    end if;
    perform set_config('itr.last_uuid', now_us::text, false);
    part := (now_us % 1000) * 4096 / 1000;
    return (
        lpad(to_hex(now_us / 1000), 12, '0') || '7' || lpad(to_hex(part), 3, '0')
        || to_hex(8 + (random() * 3)::int) || substr(replace(gen_random_uuid()::text, '-', ''), 18)
    )::uuid;
end $$;
"""


async def check_servers(settings: Settings, *, as_owner: bool = False) -> None:
    """Raise WrongSettings when the servers are too old, or the database is not as it must be."""
    owner = settings.owner_database_url if as_owner else None
    connection = await asyncpg.connect(**credentials(owner or settings.database_url))
    try:
        _ensure_postgres(connection.get_server_version())
        _ensure_characters(await connection.fetchrow(_CHARACTER))
    finally:
        await connection.close()
    await _check_valkey(settings.valkey_url)


def _ensure_postgres(version: Any) -> None:
    if version.major < OLDEST_POSTGRES:
        raise WrongSettings(
            f"需要 PostgreSQL {OLDEST_POSTGRES} 或更新版本，此服务器是 {version.major}。 /"
            f" PostgreSQL {OLDEST_POSTGRES} or newer is needed; this server is {version.major}."
        )


def _ensure_characters(found: Mapping[str, Any]) -> None:
    if found["encoding"] != "UTF8":
        raise WrongSettings(
            f"数据库的编码须为 UTF8，现为 {found['encoding']}；请这样建库 /"
            f" the database must be encoded in UTF8, it is {found['encoding']}; make it by:"
            f" {_MADE_SO}"
        )
    if not (found["by_code_point"] and found["folds"]):
        raise WrongSettings(
            "数据库须按码位排序且识别 Unicode 大小写；请这样建库 /"
            " the database must sort by code point and know upper and lower case of Unicode;"
            f" make it by: {_MADE_SO}"
        )


async def _check_valkey(url: str) -> None:
    """A Valkey that is away is waited for by whoever needs it; one that is too old never does."""
    try:
        async with open_valkey(url) as valkey:
            told: Mapping[str, Any] = await valkey.info("server")
    except (RedisError, OSError):
        return
    name = "Valkey" if "valkey_version" in told else "Redis"
    version = str(told.get("valkey_version") or told.get("redis_version") or "")
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < OLDEST_VALKEY:
        raise WrongSettings(
            f"需要 Valkey 或 Redis {OLDEST_VALKEY} 或更新版本，此服务器是 {name} {version}。 /"
            f" Valkey or Redis {OLDEST_VALKEY} or newer is needed; this server is {name} {version}."
        )
