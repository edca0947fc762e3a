"""One checkout's part of a comparison: fills a database, or serves it and does as it is told.

    PYTHONPATH=/path/to/checkout python -P bench/side.py HOME fill 50000
    PYTHONPATH=/path/to/checkout python -P bench/side.py HOME serve

Run by `bench/beside.py`, for either checkout. Everything imported here is the checkout's own, so
only this may be asked of one: `bench.servers`, `bench.data.fill`, `bench.dashboard.token_for`,
`bench.mutations` (verbs, persons, statements) and `bench.imports` (mapping, importer). Orders and
answers are lines of JSON.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg
import orjson

from bench import dashboard, data, imports, mutations, servers


def main() -> None:
    """Do what the arguments say; the standard output is for answers only."""
    home, what, *number = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    with standing(Path(home), durable="ITR_BENCH_QUICK" not in os.environ) as stand:
        if what == "fill":
            asyncio.run(data.fill(stand.settings, int(number[0]), servers.printer("数据 data")))
            return
        asyncio.run(servers.migrate(stand.settings))
        asyncio.run(tidied(stand))
        with stand.api("api", "cli", "serve") as api:
            answers.write(orjson.dumps(told_at_first(stand, api)) + b"\n")
            for line in sys.stdin.buffer:
                order = orjson.loads(line)
                answer = ORDERS[order.pop("do")](stand, api, **order)
                answers.write(orjson.dumps(answer) + b"\n")


@contextmanager
def standing(home: Path, *, durable: bool) -> Iterator[Any]:
    """Both servers of a home that stays, with the tables made if there are none."""
    embedded = servers.EmbeddedServers(home, durable=durable)
    try:
        addresses = embedded.start()
        given = {
            "ITR_DATABASE_URL": addresses.database_url,
            "ITR_OWNER_DATABASE_URL": addresses.owner_url,
            "ITR_VALKEY_URL": addresses.valkey_url,
            "ITR_SECRET": addresses.secret,
            "ITR_COST_BUDGET": str(10**15),
        }
        settings = servers.Settings.read(given)
        asyncio.run(servers.migrate(settings))
        yield servers.Stand(embedded, addresses, settings)
    finally:
        embedded.stop()


async def tidied(stand: Any) -> None:
    """Write every table anew, so that none pays for how its rows came to be there."""
    connection = await asyncpg.connect(stand.addresses.owner_url)
    try:
        await connection.execute("vacuum (full, analyze)")
    finally:
        await connection.close()


def told_at_first(stand: Any, api: Any) -> dict[str, Any]:
    """Where the API answers, who asks, and how the measured verbs are asked for here."""
    verbs = (mutations.SUBMIT, *mutations.OTHERS)
    people = {
        verb.who: mutations.issue_token(stand.settings, mutations.demo_id("person", verb.who))
        for verb in verbs
    }
    reader = asyncio.run(dashboard.token_for(stand, dashboard.Role.LINE1))
    return {
        "port": api.port,
        "pid": api.pid,
        "reader": reader,
        "people": people,
        "verbs": [dataclasses.asdict(verb) for verb in verbs],
    }


def statements(stand: Any, api: Any) -> dict[str, int]:
    """The SQL statements of each verb."""
    counted: dict[str, int] = mutations.count_statements(stand, api)
    return counted


def imported(stand: Any, _: Any, *, file: str) -> dict[str, Any]:
    """Import a log, as the `itr import` of this checkout does; with its processor time."""
    before, begun = os.times(), perf_counter()
    outcome = asyncio.run(
        imports.run_import(stand.settings, imports.MAPPING, Path(file), lambda *_: None)
    )
    seconds, after = perf_counter() - begun, os.times()
    return {
        "lines": outcome.lines,
        "requests": outcome.requests,
        "facts": outcome.facts,
        "seconds": seconds,
        "cpu": sum(after[:4]) - sum(before[:4]),
    }


ORDERS: dict[str, Callable[..., Any]] = {"statements": statements, "import": imported}


if __name__ == "__main__":
    main()
