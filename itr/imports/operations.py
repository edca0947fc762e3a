"""Importing: another system's past, replayed through the rules of this one (R-IMP-01)."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import asyncpg
from tortoise.connection import get_connection

from itr.actors.actor import SYSTEM
from itr.addresses import credentials
from itr.database import connected
from itr.events.work import Call, called_by
from itr.imports.directory import Directory
from itr.imports.errors import CannotImport
from itr.imports.files import count_lines
from itr.imports.histories import histories_of, surveyed
from itr.imports.importing import Importing, WrongMapping
from itr.imports.lines import Reader
from itr.imports.mapping import MappingFile
from itr.imports.outcome import Outcome
from itr.imports.promises import Promises
from itr.imports.rejects import ensure_new, write_rejects
from itr.imports.rows import table_of
from itr.settings import Settings

Report = Callable[[int, int], object]
T = TypeVar("T")

BATCH = 100
"""Requests whose names are looked up together."""
_ANALYZE = "select refresh_statistics()"
"""What came in by the thousand is known to the planner at once, not when PostgreSQL gets to it."""
AT_ONCE = 3
"""Requests being saved at the same time, each in a transaction of its own."""
_LOCK = 71728002


async def run(
    settings: Settings,
    mapping: Path,
    file: Path,
    report: Report,
    *,
    dry_run: bool = False,
    rejects: Path | None = None,
) -> Outcome:
    """Replay an export, one transaction per request; of what is there already, what is newer.

    `report` is told how many lines are done, of how many. `dry_run` writes nothing to the
    database; refused lines go to `rejects`. Raises CannotImport when nothing can be imported at
    all; a request with a line that does not go in waits whole, the rest goes in.
    """
    read = MappingFile.read(mapping)
    if rejects is not None:
        ensure_new(rejects)
    async with connected(settings), _alone(settings, read.document.source.name):
        call = Call(actor_id=SYSTEM.id, client_id="itr import")
        with called_by(call):
            at_once = settings.database_pool - 1
            outcome = await import_file(read, file, report, at_once=at_once, dry_run=dry_run)
    if rejects is not None and outcome.refused and not outcome.stopped:
        write_rejects(rejects, file, read.document.source, outcome.refused)
    return outcome


async def import_file(
    mapping: MappingFile,
    file: Path,
    report: Report,
    *,
    at_once: int = AT_ONCE,
    dry_run: bool = False,
) -> Outcome:
    """Replay an export into the database that is open."""
    now = datetime.now(UTC)
    total = count_lines(file)
    with table_of(file, mapping.document.source) as table:
        reader = Reader(mapping, mapping.columns_in(table.header), now)
    importing = Importing(
        reader=reader,
        survey=surveyed(file, mapping, reader),
        directory=await Directory.open(mapping.document, now, dry=dry_run),
        promises=await Promises.read(mapping.document),
        tell=lambda done: report(min(done, total), total),
        at_once=max(1, min(AT_ONCE, at_once)),
        dry=dry_run,
        outcome=Outcome(dry_run=dry_run),
    )
    report(0, total)
    with table_of(file, mapping.document.source) as table:
        try:
            histories = histories_of(table.lines, reader, importing.refuse_line)
            for batch in batches(histories, BATCH):
                await importing.take(batch)
            await importing.take_duplicates()
        except WrongMapping:
            importing.outcome.stopped = True
    if not dry_run:
        await get_connection("default").execute_query(_ANALYZE)
    report(total, total)
    return importing.outcome


def batches(each: Iterable[T], size: int) -> Iterator[list[T]]:
    """What comes, in lists of at most `size`."""
    batch: list[T] = []
    for one in each:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


@asynccontextmanager
async def _alone(settings: Settings, source: str) -> AsyncIterator[None]:
    """Keep a second import of the same source out. Raises CannotImport."""
    guard = await asyncpg.connect(**credentials(settings.database_url))
    try:
        if not await guard.fetchval("select pg_try_advisory_lock($1, hashtext($2))", _LOCK, source):
            raise CannotImport(f"{source} 正在导入", f"{source} is being imported already")
        yield
    finally:
        await guard.close()
