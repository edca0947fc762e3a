"""Importing: another system's past, replayed through the rules of this one (R-IMP-01)."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError

from itr.actor import SYSTEM
from itr.catalogue.operations import house_terms
from itr.catalogue.rules import ServiceTerms
from itr.database import connected, credentials
from itr.errors import DomainError
from itr.events.work import Call, called_by, transaction
from itr.imports.directory import Directory
from itr.imports.errors import CannotImport, bad_line
from itr.imports.lines import Line, Told, count_lines, in_order, read_lines, told_by
from itr.imports.mapping import Document, MappingFile, filled
from itr.imports.outcome import Outcome, Remark
from itr.imports.past_alarms import raise_past_alarms
from itr.imports.replay import Replay, steps_of
from itr.imports.terms import Step
from itr.people.models import Organisation
from itr.requests.handling import Handling
from itr.requests.intake import ALPHABET, number_of
from itr.requests.models import Request
from itr.requests.rules import LONGEST_TITLE, ensure_text
from itr.requests.store import calendars_in_force, save
from itr.requests.terms import Priority, RequestKind, RequestStatus
from itr.settings import Settings
from itr.sla.clocks import CalendarInForce

Report = Callable[[int, int], object]
T = TypeVar("T")

BATCH = 100
"""Requests whose names are looked up together."""
_ANALYZE = "select refresh_statistics()"
"""What came in by the thousand is known to the planner at once, not when PostgreSQL gets to it."""
AT_ONCE = 3
"""Requests being saved at the same time, each in a transaction of its own."""
ATTEMPTS = 5
"""Numbers tried for one request before something else must be wrong."""
_LOCK = 71728002


async def run(settings: Settings, mapping: Path, file: Path, report: Report) -> Outcome:
    """Replay an export, one transaction per request; what is there already is left as it is.

    `report` is told how many lines are done, of how many. Raises CannotImport when nothing can
    be imported at all; bad lines are listed in the outcome and the rest goes in.
    """
    read = MappingFile.read(mapping)
    async with connected(settings), _alone(settings, read.document.source.name):
        call = Call(actor_id=SYSTEM.id, client_id="itr import")
        with called_by(call):
            return await import_file(read, file, report, at_once=settings.database_pool - 1)


async def import_file(
    mapping: MappingFile, file: Path, report: Report, *, at_once: int = AT_ONCE
) -> Outcome:
    """Replay an export into the database that is open."""
    total = count_lines(file)
    try:
        terms = await house_terms()
    except DomainError as error:
        raise CannotImport(error.message("zh"), error.message("en")) from None
    importing = Importing(
        mapping=mapping,
        directory=await Directory.open(mapping.document, datetime.now(UTC)),
        terms=terms,
        calendars=await calendars_in_force([terms.calendar_id], None),
        opted_out=await _opted_out(terms.calendar_id),
        tell=lambda done: report(min(done, total), total),
        at_once=max(1, min(AT_ONCE, at_once)),
    )
    report(0, total)
    for batch in batches(importing.requests_of(read_lines(file, mapping)), BATCH):
        await importing.take(batch)
    await get_connection("default").execute_query(_ANALYZE)
    report(total, total)
    return importing.outcome


@dataclass
class History:
    """The lines of one request, and how many lines of the file they take up."""

    external_id: str
    told: list[Told] = field(default_factory=list)
    spans: int = 0


@dataclass
class Importing:
    """One import under way."""

    mapping: MappingFile
    directory: Directory
    terms: ServiceTerms
    calendars: Mapping[UUID, CalendarInForce]
    opted_out: Mapping[UUID, Mapping[UUID, CalendarInForce]]
    tell: Callable[[int], object]
    at_once: int
    outcome: Outcome = field(default_factory=Outcome)
    done: int = 0

    @property
    def document(self) -> Document:
        """The mapping's words."""
        return self.mapping.document

    def requests_of(self, lines: Iterable[Line]) -> Iterator[History]:
        """The requests of the file, each with its lines; lines that cannot be read are listed.

        A grouped file is never held in memory as a whole.
        """
        grouped = self.document.source.grouped
        open_ones: dict[str, History] = {}
        finished: set[str] = set()
        for line in lines:
            told = self._read(line)
            if told is None:
                continue
            key = told.request
            if grouped and key not in open_ones:
                yield from open_ones.values()
                finished.update(open_ones)
                open_ones.clear()
            if key in finished:
                apart = bad_line("同一请求的行不连续", "apart from the other lines of its request")
                self._refuse(line.number, apart, line.spans)
                continue
            history = open_ones.setdefault(key, History(key))
            history.told.append(told)
            history.spans += line.spans
        yield from open_ones.values()

    async def take(self, batch: list[History]) -> None:
        """Import the requests of a batch that are not there yet, some at once."""
        there = await self._present([history.external_id for history in batch])
        missing = []
        for history in batch:
            if history.external_id in there:
                self.outcome.present += 1
                self._advance(history.spans)
            else:
                history.told = in_order(history.told)
                missing.append((history, steps_of(history.told)))
        named = [
            pair for history, steps in missing for pair in zip(history.told, steps, strict=True)
        ]
        await self.directory.make_missing(named)
        waiting = iter(missing)

        async def work_off() -> None:
            for history, steps in waiting:
                await self.import_request(history, steps)
                self._advance(history.spans)

        await _all([work_off() for _ in range(self.at_once)])

    async def import_request(self, history: History, steps: list[Step]) -> None:
        """Replay one request and save it, or leave it if somebody else has meanwhile."""
        told = history.told
        while told:
            try:
                replay = self.replayed(told, steps)
                break
            except Refused as refused:
                self._refuse(refused.told.line, refused.error, 0)
                told = [each for each in told if each is not refused.told]
                steps = steps_of(told)
        else:
            return
        alarms = raise_past_alarms(replay.work)
        for attempt in range(ATTEMPTS):
            try:
                async with transaction() as work:
                    await save(work, replay.work)
                    work.record(*alarms)
                break
            except IntegrityError:
                if await self._present([history.external_id]):
                    self.outcome.present += 1
                    return
                if attempt == ATTEMPTS - 1:
                    raise
                replay.work.request.number = self._number(told[0].at)
        self.outcome.requests += 1
        self.outcome.lines += len(told)
        self.outcome.facts += len(work.facts)
        self.outcome.late_reopenings += replay.late_reopenings
        self.outcome.notes.extend(
            Remark(each.line, f"{each.words}（按备注保留）", f"{each.words}, kept as a note")
            for each in replay.kept_as_notes
        )

    def replayed(self, history: list[Told], steps: list[Step]) -> Replay:
        """The request in memory as its lines leave it. Raises Refused for a line nothing fits."""
        first = history[0]
        replay = Replay(
            work=self._blank(first),
            place_of=self.directory.place_of,
            actor_of=self.directory.actor_of,
            outcome=self.document.request.entitlement,
            service_down_when_reopened=self.document.request.service_down_when_reopened,
        )
        for told, step in zip(history, steps, strict=True):
            try:
                if told is first:
                    replay.take_in(told)
                replay.follow(told, step)
            except DomainError as error:
                raise Refused(told, error) from error
        return replay

    def _blank(self, first: Told) -> Handling:
        part, at = self.document.request, first.at
        directory, kind = self.directory, part.kind
        try:
            title = ensure_text(filled(part.title, first.row), "title", limit=LONGEST_TITLE)
            description = ensure_text(filled(part.description, first.row), "description")
        except DomainError as error:
            raise Refused(first, error) from error
        actor = directory.actor_of(first)
        request = Request(
            id=uuid4(),
            number=self._number(at),
            kind=kind,
            status=RequestStatus.REGISTERED,
            title=title,
            description=description,
            channel=part.channel,
            phase="AFTER_ACCEPTANCE",
            customer_id=directory.customer_of(first),
            requester_id=actor.id,
            product_id=directory.product_of(first),
            branch_id=directory.branch_id,
            priority=Priority.P3,
            service_level_version_id=self.terms.version_id,
            service_down=kind is RequestKind.TECHNICAL,
            source=self.document.source.name,
            external_id=first.request,
            registered_at=at,
            updated_at=at,
        )
        return Handling(
            actor=actor,
            now=at,
            request=request,
            terms=self.terms,
            calendars=self.opted_out.get(request.customer_id, self.calendars),
            historic=True,
        )

    def _number(self, at: datetime) -> str:
        zone = self.calendars[self.terms.calendar_id].working.definition.time_zone
        letters = "".join(secrets.choice(ALPHABET) for _ in range(4))
        return number_of(at.astimezone(ZoneInfo(zone)), letters)

    async def _present(self, external_ids: list[str]) -> set[str]:
        rows = await get_connection("default").execute_query_dict(
            "select external_id from request where source = $1 and external_id = any($2)",
            [self.document.source.name, external_ids],
        )
        return {row["external_id"] for row in rows}

    def _read(self, line: Line) -> Told | None:
        try:
            return told_by(line, self.mapping)
        except DomainError as error:
            self._refuse(line.number, error, line.spans)
            return None

    def _refuse(self, line: int, error: DomainError, spans: int) -> None:
        self.outcome.bad_lines.append(Remark.of(line, error))
        self._advance(spans)

    def _advance(self, spans: int) -> None:
        self.done += spans
        self.tell(self.done)


async def _opted_out(calendar_id: UUID) -> dict[UUID, Mapping[UUID, CalendarInForce]]:
    """The calendars of the customers who opted out of make-up days (R-CAL-03)."""
    found = await Organisation.filter(make_up_days=False)
    return {each.id: await calendars_in_force([calendar_id], each.id) for each in found}


class Refused(Exception):
    """A line that no sequence of verbs leads to."""

    def __init__(self, told: Told, error: DomainError) -> None:
        super().__init__(str(error))
        self.told, self.error = told, error


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


async def _all(works: list[Coroutine[None, None, None]]) -> None:
    """Run these together; the first that fails, or is cancelled, ends the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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
