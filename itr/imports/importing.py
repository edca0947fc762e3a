"""One import under way: requests replayed and saved, or waiting whole with their reasons."""

import asyncio
import secrets
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from uuid import uuid4
from zoneinfo import ZoneInfo

from tortoise.exceptions import IntegrityError

from itr.catalogue.terms import Priority
from itr.errors import DomainError
from itr.events.work import transaction
from itr.imports.continuing import Continuing, Present, present_among
from itr.imports.directory import Directory
from itr.imports.histories import History, Problem, Survey
from itr.imports.lines import Reader, Told
from itr.imports.outcome import Outcome, Remark
from itr.imports.past_alarms import raise_past_alarms
from itr.imports.promises import Promises
from itr.imports.replay import Parties, Refused, Replay, steps_of
from itr.imports.rows import Line
from itr.imports.stories import Story, story_of
from itr.imports.traces import trace_of
from itr.requests.intake import ALPHABET, number_of
from itr.requests.models import Request
from itr.requests.store import save
from itr.requests.terms import RequestKind, RequestStatus
from itr.requests.ticket_work import TicketWork

ATTEMPTS = 5
"""Numbers tried for one request before something else must be wrong."""
ASKS_AFTER = 100
"""So many lines or requests refused and none taken: the mapping may be the wrong one."""


class WrongMapping(Exception):
    """Nothing of the beginning goes in."""


@dataclass
class Importing:
    """One import under way; `dry`: everything but the writing."""

    reader: Reader
    survey: Survey
    directory: Directory
    promises: Promises
    tell: Callable[[int], object]
    at_once: int
    dry: bool = False
    outcome: Outcome = field(default_factory=Outcome)
    done: int = 0
    taken: int = 0
    survivors: dict[str, Present] = field(default_factory=dict)
    duplicates: list[tuple[History, Story]] = field(default_factory=list)
    """Requests that ended in another one, which may stand further down."""

    def __post_init__(self) -> None:
        self.document = self.reader.mapping.document
        self.source = self.document.source.name
        self.parties = Parties(
            place_of=self.directory.place_of,
            owner_of=self.directory.owner_of,
            actor_of=self.directory.actor_of,
            customer_of=self.directory.customer_of,
            product_of=self.directory.product_of,
            survivor_of=self._survivor_of,
            calendars_for=self.promises.calendars_for,
        )
        down = self.document.request.service_down_when_reopened
        self.continuing = Continuing(self.parties, self.outcome, self.dry, down)

    async def take(self, batch: Sequence[History]) -> None:
        """Import the requests of a batch, some at once; duplicates wait for the end.

        Raises WrongMapping.
        """
        wanted = [pair for history in batch if (pair := self._wanted(history)) is not None]
        self._ask_whether_the_mapping_is_right()
        await self.directory.make_missing(
            pair
            for _, story in wanted
            for pair in zip(story.told, steps_of(story.told), strict=True)
        )
        await self._take_all([pair for pair in wanted if not pair[1].ends_in])
        self.duplicates.extend(pair for pair in wanted if pair[1].ends_in)

    async def take_duplicates(self) -> None:
        """Import what ended in another request, each after that one."""
        await self._find_survivors({into for _, story in self.duplicates for into in story.ends_in})
        left = {history.external_id: (history, story) for history, story in self.duplicates}
        while left:
            ready = [pair for pair in left.values() if not pair[1].ends_in & left.keys()]
            ready = ready or [next(iter(left.values()))]
            await self._take_all(ready)
            for history, _ in ready:
                del left[history.external_id]

    async def _take_all(self, wanted: Sequence[tuple[History, Story]]) -> None:
        there = await present_among(self.source, [history.external_id for history, _ in wanted])
        waiting = iter(wanted)

        async def work_off() -> None:
            for history, story in waiting:
                await self._take_one(history, story, there.get(history.external_id))
                self._advance(history.spans)

        await _all([work_off() for _ in range(self.at_once)])

    def refuse_line(self, line: Line, error: DomainError) -> None:
        """A line nobody can tell the request of. Raises WrongMapping."""
        self.outcome.bad_lines.append(Remark.of(line, error))
        self._advance(line.spans)
        self._ask_whether_the_mapping_is_right()

    def _ask_whether_the_mapping_is_right(self) -> None:
        refused = max(len(self.outcome.bad_lines), len(self.outcome.refused_requests))
        if not self.taken and refused >= ASKS_AFTER:
            raise WrongMapping

    def _wanted(self, history: History) -> tuple[History, Story] | None:
        """The request and what it tells if all its lines go in; else they wait together."""
        story = story_of(history, self.reader)
        if problem := self.survey.problem_of(history.external_id):
            story.problems.append((history.lines[0].number, problem))
        if not story.problems:
            self.taken += 1
            return history, story
        self._refuse(history, story.problems)
        self._advance(history.spans)
        return None

    def _refuse(self, history: History, problems: Sequence[Problem]) -> None:
        """Let a request wait whole: its wrong lines with their reasons, the others with it."""
        wrong = dict(reversed(problems))
        for line in history.lines:
            if line.number in wrong:
                self.outcome.bad_lines.append(Remark.of(line, wrong[line.number]))
            else:
                self.outcome.waiting.append(Remark.waiting(line))
        self.outcome.refused_requests.add(history.external_id)

    async def _take_one(self, history: History, story: Story, present: Present | None) -> None:
        try:
            if present is not None:
                await self.continuing.take(history, story, present)
            else:
                await self._import(history, story)
        except Refused as refused:
            self._refuse(history, [(refused.told.line, refused.error)])

    async def _import(self, history: History, story: Story) -> None:
        """Replay one request and save it, or leave it if somebody else has meanwhile.

        Raises Refused for a line no verbs lead to.
        """
        replay = self._replayed(story)
        request = replay.work.request
        request.import_traces = trace_of(story.told)
        facts = raise_past_alarms(replay.work)
        written = len(replay.work.facts) + len(facts)
        for attempt in range(0 if self.dry else ATTEMPTS):
            try:
                async with transaction() as work:
                    await save(work, replay.work)
                    work.record(*facts)
                    written = len(work.facts)
                break
            except IntegrityError:
                if await present_among(self.source, [history.external_id]):
                    self.outcome.present += 1
                    return
                if attempt == ATTEMPTS - 1:
                    raise
                request.number = self._number(replay.work)
        self.survivors[history.external_id] = Present(
            request.id, request.number, request.import_traces, request.updated_at
        )
        self.outcome.requests += 1
        self.outcome.add(replay, lines=len(history.lines), facts=written)

    def _replayed(self, story: Story) -> Replay:
        """The request in memory as its lines leave it. Raises Refused for a line nothing fits."""
        first = story.told[0]
        try:
            replay = Replay(
                work=self._blank(story),
                parties=self.parties,
                service_down_when_reopened=self.document.request.service_down_when_reopened,
            )
            replay.take_in(first, self.document.request.entitlement)
        except DomainError as error:
            raise Refused(first, error) from error
        replay.follow_all(story.told, steps_of(story.told))
        return replay

    def _blank(self, story: Story) -> TicketWork:
        first, about, at = story.told[0], story.about, story.registered_at
        assert about is not None
        assert at is not None
        asked = next((told for told in story.told if told.requester), first)
        terms, asking = self.promises.terms_of(about), self.directory.requester_of(asked)
        customer_id = self.directory.customer_of(first)
        request = Request(
            id=uuid4(),
            number="",
            kind=about.kind,
            status=RequestStatus.REGISTERED,
            title=about.title,
            description=about.description,
            channel=about.channel,
            phase="AFTER_ACCEPTANCE",
            customer_id=customer_id,
            requester_id=asking.id,
            product_id=self.directory.product_of(first),
            branch_id=self.directory.branch_id,
            priority=Priority.P3,
            service_level_version_id=terms.version_id,
            service_down=about.kind is RequestKind.TECHNICAL,
            source=self.source,
            external_id=first.request,
            registered_at=at,
            updated_at=at,
        )
        work = TicketWork(
            actor=asking,
            now=at,
            request=request,
            terms=terms,
            calendars=self.promises.calendars_for(customer_id),
            historic=True,
        )
        request.number = self._number(work)
        return work

    def _number(self, work: TicketWork) -> str:
        zone = work.calendars[work.terms.calendar_id].working.definition.time_zone
        letters = "".join(secrets.choice(ALPHABET) for _ in range(4))
        return number_of(work.request.registered_at.astimezone(ZoneInfo(zone)), letters)

    def _survivor_of(self, told: Told) -> Present | None:
        """The request that one ended in; none ends in itself."""
        return None if told.into == told.request else self.survivors.get(told.into)

    async def _find_survivors(self, numbers: Collection[str]) -> None:
        """Requests that were imported before, which duplicates ended in."""
        if missing := set(numbers) - self.survivors.keys():
            self.survivors |= await present_among(self.source, list(missing))

    def _advance(self, spans: int) -> None:
        self.done += spans
        self.tell(self.done)


async def _all(works: list[Coroutine[None, None, None]]) -> None:
    """Run these together; the first that fails, or is cancelled, ends the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
