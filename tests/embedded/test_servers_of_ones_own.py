"""Servers of one's own: what they must be is told in a sentence, before anything is done."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

import itr.servers
from embedded import Addresses
from itr.servers import check_servers, session_of
from itr.settings import Settings, WrongSettings
from tests.embedded.conftest import ROOT
from tests.support.databases import environment
from tests.support.other_servers import old_redis

COMMANDS = (
    ("migrate",),
    ("serve",),
    ("work",),
    ("admin", "create", "--name", "A", "--email", "a@b.example"),
    ("token", "--role", "LINE1"),
    ("keys", "rotate"),
)


def run(*arguments: str, **given: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ITR_")}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=clean | given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@contextmanager
def made(servers: Addresses, name: str, how: str) -> Iterator[dict[str, str]]:
    """The settings of a database an administrator made in this way."""

    async def execute(statement: str) -> None:
        connection = await asyncpg.connect(servers.admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute(f"create database {name} owner itr template template0 {how}"))
    url = urlsplit(servers.owner_url)._replace(path=f"/{name}").geturl()
    try:
        yield environment(database_url=url, valkey_url=servers.valkey_url)
    finally:
        asyncio.run(execute(f"drop database {name} with (force)"))


@pytest.mark.parametrize(
    ("name", "how", "told"),
    [
        ("in_ascii", "encoding 'SQL_ASCII' locale_provider libc locale 'C'", "UTF8"),
        ("unfolding", "encoding 'UTF8' locale_provider libc locale 'C'", "Unicode"),
    ],
)
def test_a_database_made_otherwise_is_one_sentence_that_says_how_to_make_it(
    servers: Addresses, name: str, how: str, told: str
) -> None:
    with made(servers, name, how) as given:
        answer = run("migrate", **given)

    assert answer.returncode == 2, answer.stderr
    assert told in answer.stderr
    assert "create database itr owner itr template template0" in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert not answer.stdout


@pytest.fixture(scope="module")
def too_old() -> Iterator[str]:
    with old_redis() as url:
        yield url


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_says_of_a_redis_that_is_too_old_what_is_needed(
    servers: Addresses, too_old: str, command: tuple[str, ...]
) -> None:
    given = environment(database_url=servers.admin_url, valkey_url=too_old)

    answer = run(*command, **given)

    assert answer.returncode == 2, answer.stderr
    assert "Redis 6.2" in answer.stderr
    assert "7" in answer.stderr
    assert answer.stderr.count("\n") == 1


async def test_a_postgresql_that_is_too_old_is_named_with_what_is_needed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(itr.servers, "OLDEST_POSTGRES", 99)

    with pytest.raises(WrongSettings, match="PostgreSQL 99 or newer is needed; this server is 1"):
        await check_servers(settings)


def test_without_a_time_out_of_transactions_statements_have_one() -> None:
    """`transaction_timeout` came with PostgreSQL 17."""
    assert session_of(18)["transaction_timeout"] == session_of(16)["statement_timeout"] == "15s"
    assert "transaction_timeout" not in session_of(16)
