"""A later, longer export: what is newer of a request that is in already is appended in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.connection import get_connection

from itr.actors.actor import SYSTEM
from itr.errors import DomainError
from itr.events.work import Work, transaction
from itr.imports.errors import bad_line
from itr.imports.histories import History
from itr.imports.lines import Told
from itr.imports.outcome import Outcome, Remark
from itr.imports.past_alarms import raise_past_alarms
from itr.imports.replay import Parties, Replay, steps_of
from itr.imports.stories import Story
from itr.imports.traces import not_in, trace_of
from itr.requests.store import save
from itr.requests.taking import look, take
from itr.requests.terms import RequestStatus
from itr.requests.ticket_work import TicketWork

LEEWAY = timedelta(milliseconds=1)
"""What happened at one instant may be kept a moment apart."""
_DELIVERED = (RequestStatus.DELIVERED, RequestStatus.CONFIRMED)
_PRESENT = (
    "select id, number, external_id, import_traces, updated_at from request"
    " where source = $1 and external_id = any($2)"
)
_GONE_ON = (
    "select 1 from event where subject = $1 and not historic and type <> 'BreachOverturned' limit 1"
)


@dataclass(frozen=True)
class Present:
    """A request that is in already; `traces` of its lines, if they were kept then."""

    id: UUID
    number: str
    traces: bytes | None
    updated_at: datetime


async def present_among(source: str, external_ids: Sequence[str]) -> dict[str, Present]:
    """The requests of these numbers that are in already."""
    rows = await get_connection("default").execute_query_dict(
        _PRESENT, [source, list(external_ids)]
    )
    return {
        row["external_id"]: Present(
            row["id"], row["number"], row["import_traces"], row["updated_at"]
        )
        for row in rows
    }


@dataclass
class Continuing:
    """Appends to requests that are in; `dry`: everything but the writing."""

    parties: Parties
    outcome: Outcome
    dry: bool = False
    service_down_when_reopened: bool = False

    async def take(self, history: History, story: Story, present: Present) -> None:
        """Append what is newer; what would be earlier than what is in is listed.

        Raises Refused for a line no verbs lead to.
        """
        fresh = _fresh(story.told, present)
        newer = [told for told in fresh if told.at >= present.updated_at - LEEWAY]
        late = {told.line for told in fresh} - {told.line for told in newer}
        if newer and await _has_gone_on(present):
            here = bad_line("该请求已在本系统中继续处理", "the request has gone on here since")
            self._list(history, {told.line for told in fresh}, here)
            return
        earlier = bad_line("早于已导入的内容", "earlier than what is in already")
        self._list(history, late, earlier)
        if newer:
            await self._append(newer, present)
        elif not late:
            self.outcome.present += 1

    async def _append(self, newer: Sequence[Told], present: Present) -> None:
        async with transaction() as work:
            handling = await self._in_hand(work, present, newer[0].at)
            replay = Replay(handling, self.parties, self.service_down_when_reopened)
            delivered = handling.request.status in _DELIVERED
            replay.follow_all(newer, steps_of(newer, delivered=delivered))
            handling.book.touched.update(handling.book.unfinished())
            facts = raise_past_alarms(handling, since=present.updated_at)
            written = len(handling.facts) + len(facts)
            handling.request.import_traces = (present.traces or b"") + trace_of(newer)
            if not self.dry:
                await save(work, handling)
                work.record(*facts)
        self.outcome.continued += 1
        self.outcome.add(replay, lines=len({told.line for told in newer}), facts=written)

    async def _in_hand(self, work: Work, present: Present, at: datetime) -> TicketWork:
        """The request as it stands, for its past to go on."""
        handling = await (look if self.dry else take)(work, SYSTEM, present.id, at)
        handling.historic = True
        return handling

    def _list(self, history: History, numbers: set[int], error: DomainError) -> None:
        wrong = [line for line in history.lines if line.number in numbers]
        self.outcome.bad_lines.extend(Remark.of(line, error) for line in wrong)


def _fresh(told: Sequence[Told], present: Present) -> list[Told]:
    """The lines that are not in."""
    if present.traces is None:
        return [each for each in told if each.at > present.updated_at]
    return not_in(told, present.traces)


async def _has_gone_on(present: Present) -> bool:
    """Whether somebody has worked on it here, so that the other system's past is over."""
    return bool(await get_connection("default").execute_query_dict(_GONE_ON, [present.id]))
