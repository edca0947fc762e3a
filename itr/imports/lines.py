"""What the lines of one request tell: who did what, when and where (R-IMP-01)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from math import isnan, nan

from itr.errors import DomainError
from itr.imports.cells import Columns, Row, filled
from itr.imports.errors import bad_line
from itr.imports.mapping import MappingFile
from itr.imports.meanings import Happening
from itr.imports.rows import Line
from itr.imports.terms import OF_NOBODY, Kind
from itr.requests.priority import Classification
from itr.requests.rules import LONGEST_TITLE
from itr.requests.terms import Channel, RequestKind
from itr.sla.terms import WaitingReason
from itr.texts import LONGEST_TEXT, ensure_name, ensure_text

LONGEST_ID = 200
SHORT = 200
"""Letters of words that are worth keeping at hand."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A line that can be read: whose request it is of, and when it stands in it."""

    line: Line
    request: str
    row: Row
    at: datetime | None
    order: float = 0
    again: datetime | None = None
    """The second instant of a wall-clock time that comes twice."""

    @property
    def number(self) -> int:
        """Its line's number in the file."""
        return self.line.number


@dataclass(frozen=True, slots=True)
class About:
    """What is told of the request as a whole; it counts as the first line has it."""

    kind: RequestKind
    channel: Channel
    title: str
    description: str
    requester: str
    level: str
    calendar: str


@dataclass(frozen=True, slots=True)
class Told:
    """What one line tells: who did what, when and where, to which request."""

    line: int
    request: str
    at: datetime
    kind: Kind
    reason: WaitingReason | None
    restores_service: bool
    team: str
    line_of_work: int
    owner: str
    actor: str
    words: str
    classification: Classification
    customer: str
    product: str = ""
    requester: str = ""
    into: str = ""
    met: bool | None = None

    @property
    def by_customer(self) -> str:
        """The customer's person who did it; blank where it was somebody of ours."""
        if self.kind is Kind.CUSTOMER_REPLY:
            return self.actor or self.requester or self.customer
        return self.actor if self.actor == self.requester else ""


@dataclass
class Reader:
    """Reads lines by a mapping; `now` bounds the times there can be."""

    mapping: MappingFile
    columns: Columns
    now: datetime

    def placed(self, line: Line) -> Placed:
        """A line's request and time. Raises DomainError for one that does not go in."""
        if line.problem is not None:
            raise line.problem
        document = self.mapping.document
        row = self.columns.row(line.cells, document.source.unknown)
        request = _request(row[document.request.id])
        at, again = None, None
        if document.time.column is not None:
            at, again = document.time.read(row[document.time.column], self.now)
        return Placed(line, request, row, at, _order(row, document.request.order), again)

    def request_of(self, line: Line) -> str | None:
        """The request a line that cannot go in is of, if its number can be read."""
        place = self.columns.places[self.mapping.document.request.id][0]
        if place >= len(line.cells) or (place > 0 and not line.whole):
            return None
        try:
            return _request(line.cells[place])
        except DomainError:
            return None

    def about(self, first: Placed) -> About:
        """The request as a whole. Raises DomainError."""
        document, row = self.mapping.document, first.row
        part = document.request
        kind = document.kind.of(row) if document.kind else part.kind
        channel = document.channel.of(row) if document.channel else part.channel
        if kind is None or channel is None:
            coded = document.kind if kind is None else document.channel
            raise bad_line("未知的取值", "no meaning for", row[coded.column] if coded else None)
        return About(
            kind=kind,
            channel=channel,
            title=_text("标题", "title", filled(part.title, row), LONGEST_TITLE),
            description=_text("描述", "description", filled(part.description, row), LONGEST_TEXT),
            requester=document.requester.of(row) if document.requester else "",
            level=document.level.of(row) if document.level else "",
            calendar=document.calendar.of(row) if document.calendar else "",
        )

    def registered_at(self, first: Placed, at: datetime) -> datetime:
        """When the request was registered: with its first event, unless it is told apart.

        Raises DomainError.
        """
        column = self.mapping.document.time.registered
        text = first.row[column].strip() if column else ""
        if not text:
            return at
        return min(at, self.mapping.document.time.read(text, self.now)[0])

    def told(self, placed: Placed, row: Row) -> Told | None:
        """What a line's status tells; None where it has none, or one that is left out.

        Raises DomainError.
        """
        events = self.mapping.document.events
        if not events.columns or placed.at is None:
            return None
        status = tuple([row[column].strip() for column in events.columns])
        meaning = self.mapping.meaning_of(status)
        if meaning is None:
            raise bad_line("未知状态", "unknown status", " / ".join(status))
        words = filled(events.text, row) if events.text else ""
        return self.happened(placed, row, placed.at, meaning, words or _said(status))

    def happened(
        self,
        placed: Placed,
        row: Row,
        at: datetime,
        meaning: Happening,
        words: str,
        *,
        by: str | None = None,
    ) -> Told:
        """What happened at an instant, with all that the row says beside. Raises DomainError."""
        document = self.mapping.document
        classification = document.classification.of(row)
        if classification is None:
            value = row[document.classification.column or ""]
            raise bad_line("未知的影响值", "no classification for", value)
        line_of_work = document.team.line_of(row)
        if line_of_work is None:
            raise bad_line("支持线须为 1、2 或 3", "the line of work is not 1, 2 or 3")
        owner = document.person.of(row)
        actor = by if by is not None else document.actor.of(row) if document.actor else owner
        requester = document.requester.of(row) if document.requester else ""
        product = document.product.of(row) if document.product else ""
        needs_owner = meaning.kind not in OF_NOBODY and not document.person.optional
        return Told(
            line=placed.number,
            request=placed.request,
            at=at,
            kind=_kind(meaning.kind, by_requester=bool(actor) and actor == requester),
            reason=meaning.reason,
            restores_service=meaning.restores_service,
            team=_name("团队", "team", document.team.of(row)),
            line_of_work=line_of_work,
            owner=_name("人员", "person", owner) if owner or needs_owner else "",
            actor=_name("操作者", "actor", actor) if actor else "",
            words=_words(words),
            classification=classification,
            customer=_name("客户", "customer", document.customer.of(row)),
            product=_name("产品", "product", product) if product else "",
            requester=_name("提交人", "requester", requester) if requester else "",
            into=filled(meaning.into, row) if meaning.into else "",
            met=document.judgement.of(row) if document.judgement else None,
        )


def in_order(history: Sequence[Placed], newest_first: bool | None = None) -> list[Placed]:
    """A request's lines by time; at one instant by their number, then as the file has them.

    A file that has the newest first is read from its end; unless the mapping says, a request is
    where its lines go back in time and never forward. An hour that comes twice is the second
    where the line's place says that it comes later.
    """
    if newest_first is None:
        newest_first = _goes_back(history)
    sign = -1 if newest_first else 1
    placed: list[Placed] = []
    for each in sorted(history, key=lambda each: (each.order, sign * each.number)):
        before = placed[-1].at if placed else None
        if each.again is not None and before is not None and each.at and each.at < before:
            each = replace(each, at=each.again)  # noqa: PLW2901 - the same line, understood better
        placed.append(each)
    if any(each.at is None for each in placed):
        return placed
    return sorted(placed, key=lambda each: (each.at, each.order, sign * each.number))


def _goes_back(history: Sequence[Placed]) -> bool:
    times = [each.at for each in sorted(history, key=lambda each: each.number) if each.at]
    pairs = list(pairwise(times))
    return any(a > b for a, b in pairs) and all(a >= b for a, b in pairs)


def _kind(kind: Kind, *, by_requester: bool) -> Kind:
    if kind is Kind.MESSAGE:
        return Kind.CUSTOMER_REPLY if by_requester else Kind.ANSWER
    return kind


def _said(status: Sequence[str]) -> str:
    return " / ".join(each for each in status if each) or "–"


def _order(row: Row, column: str | None) -> float:
    if column is None:
        return 0
    try:
        number = float(row[column])
    except ValueError:
        number = nan
    if isnan(number):
        raise bad_line("序号无效", "not a number", row[column])
    return number


@lru_cache(maxsize=10_000)
def _request(text: str) -> str:
    try:
        return ensure_name(text, limit=LONGEST_ID)
    except DomainError as error:
        raise _concerning("编号", "id", error) from None


@lru_cache(maxsize=10_000)
def _name(zh: str, en: str, text: str) -> str:
    try:
        return ensure_name(text)
    except DomainError as error:
        raise _concerning(zh, en, error) from None


def _words(text: str) -> str:
    """What a line says happened: mostly one of a few."""
    return _short(text) if len(text) <= SHORT else _text("说明", "text", text, LONGEST_TEXT)


@lru_cache(maxsize=10_000)
def _short(text: str) -> str:
    return _text("说明", "text", text, LONGEST_TEXT)


def _text(zh: str, en: str, text: str, limit: int) -> str:
    try:
        return ensure_text(text, limit=limit)
    except DomainError as error:
        raise _concerning(zh, en, error) from None


def _concerning(zh: str, en: str, error: DomainError) -> DomainError:
    return bad_line(f"{zh}：{error.message('zh')}", f"{en}: {error.message('en')}")
