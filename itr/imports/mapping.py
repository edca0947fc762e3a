"""A mapping: how to read another system's export, as a TOML file says it (R-IMP-01)."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field, ValidationError, field_validator, model_validator

from itr.catalogue.terms import EntitlementOutcome, FaultLevel, Impact
from itr.imports.cells import (
    Coded,
    Columns,
    Judgement,
    Named,
    Row,
    filled,
    places_in,
    places_of,
)
from itr.imports.errors import CannotImport
from itr.imports.meanings import Changes, Events, Meaning
from itr.imports.patterns import ANY
from itr.imports.source import Name, Part, Source
from itr.imports.times import Time
from itr.requests.priority import Classification
from itr.requests.terms import Channel, ProblemType, RequestKind

MOST_KEPT = 10_000
"""Combinations of values whose meaning is kept at hand."""
MOST_TOLD = 20
"""Mistakes in a mapping that are told at once."""

__all__ = ["Document", "MappingFile", "Row", "filled", "places_of"]


class RequestPart(Part):
    """The request itself: its number in the other system and what all have in common."""

    id: str
    order: str | None = None
    kind: RequestKind = RequestKind.TECHNICAL
    channel: Channel = Channel.PHONE
    title: str
    description: str
    entitlement: EntitlementOutcome = EntitlementOutcome.NO_DATA
    service_down_when_reopened: bool = False

    @field_validator("entitlement")
    @classmethod
    def _names_no_contract(cls, value: EntitlementOutcome) -> EntitlementOutcome:
        if value not in (EntitlementOutcome.NO_DATA, EntitlementOutcome.CHARGEABLE):
            raise ValueError("must be NO_DATA or CHARGEABLE")
        return value


class PersonPart(Named):
    """Who has it in hand; with `optional`, where a row names nobody, it is nobody's.

    `machines` are names of what acts by itself.
    """

    machines: tuple[str, ...] = ()
    optional: bool = False


class Branch(Named):
    """The own branch the export's people belong to: one name for all of it."""

    name: Name

    @field_validator("name")
    @classmethod
    def _is_one(cls, value: str) -> str:
        if places_of(value):
            raise ValueError("one name for all, without columns")
        return value


class Team(Named):
    """Where it was done: a queue of one of the three lines, by column or the same for all."""

    line: str | int
    lines: dict[str, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_lines(self) -> "Team":
        fixed = [self.line] if isinstance(self.line, int) else []
        if any(line not in {1, 2, 3} for line in [*fixed, *self.lines.values()]):
            raise ValueError("a line is 1, 2 or 3")
        return self

    def line_of(self, row: Row) -> int | None:
        """The line a row names; None when it names none."""
        if isinstance(self.line, int):
            return self.line
        text = row[self.line].strip()
        if self.lines:
            return self.lines.get(text) or self.lines.get(ANY)
        return int(text) if text in {"1", "2", "3"} else None


class Classified(Part):
    """What decides the priority (R-PRI-01)."""

    problem_type: ProblemType
    fault_level: FaultLevel
    impact: Impact

    @property
    def classification(self) -> Classification:
        """As the rules take it."""
        return Classification(self.problem_type, self.fault_level, self.impact)


class ClassificationPart(Part):
    """Which classification the values of a column stand for; `*` for any other value."""

    column: str | None = None
    values: dict[str, Classified]

    @model_validator(mode="after")
    def _can_decide(self) -> "ClassificationPart":
        if self.column is None and set(self.values) != {ANY}:
            raise ValueError("without a column there is one value, *")
        return self

    def of(self, row: Row) -> Classification | None:
        """The classification of a row; None when the mapping has none for it."""
        value = row[self.column].strip() if self.column else ANY
        found = self.values.get(value) or self.values.get(ANY)
        return found.classification if found else None


class Document(Part):
    """The mapping file."""

    source: Source
    time: Time
    request: RequestPart
    kind: Coded[RequestKind] | None = None
    channel: Coded[Channel] | None = None
    branch: Branch
    customer: Named
    requester: Named | None = None
    product: Named | None = None
    person: PersonPart
    actor: Named | None = None
    team: Team
    level: Named | None = None
    calendar: Named | None = None
    classification: ClassificationPart
    judgement: Judgement | None = None
    changes: Changes | None = None
    events: Events

    @model_validator(mode="after")
    def _has_times(self) -> "Document":
        if self.events.columns and self.time.column is None:
            raise ValueError("time.column: when a line happened")
        if self.changes is not None and self.time.column is None:
            raise ValueError("time.column: when a change happened")
        return self

    def columns(self) -> Iterator[str]:
        """Every column of the file the mapping reads."""
        carried = self.changes.fields if self.changes else {}
        yield from (each for each in self._read() if each not in carried)

    def _read(self) -> Iterator[str]:
        yield self.request.id
        yield from self.time.columns()
        yield from self.events.read_columns()
        if self.changes:
            yield from self.changes.columns()
        coded = [self.kind, self.channel, self.judgement]
        yield from (each.column for each in coded if each is not None)
        yield from (each for each in (self.request.order, self.classification.column) if each)
        if isinstance(self.team.line, str):
            yield self.team.line
        for template in (self.request.title, self.request.description):
            yield from places_of(template)
        named = [self.customer, self.requester, self.product, self.person, self.actor]
        for part in (*named, self.team, self.level, self.calendar):
            if part is not None:
                yield from part.columns()


@dataclass
class MappingFile:
    """A mapping ready for use."""

    document: Document
    _meanings: dict[tuple[str, ...], Meaning | None] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "MappingFile":
        """Read a mapping. Raises CannotImport with one sentence."""
        try:
            with path.open("rb") as file:
                return cls(Document.model_validate(tomllib.load(file)))
        except tomllib.TOMLDecodeError as error:
            raise _wrong(path, str(error)) from None
        except UnicodeDecodeError:
            raise _wrong(path, "UTF-8?") from None
        except ValidationError as error:
            raise _wrong(path, "; ".join(_reasons(error))) from None

    def columns_in(self, header: Sequence[str]) -> Columns:
        """Where the columns stand that the mapping reads.

        Raises CannotImport for one that is missing, or stands there more than once.
        """
        document, places = self.document, dict[str, Sequence[int]]()
        wanted = {column: places_in(header, column) for column in document.columns()}
        if missing := [column for column, found in wanted.items() if not found]:
            raise _missing(missing)
        for column, found in wanted.items():
            if len(found) > 1 and not column.endswith("[*]"):
                raise _repeated(column, len(found))
            places[column] = found
        for column in document.changes.fields if document.changes else ():
            if column in header:
                raise CannotImport(f"文件已有列 {column}", f"the file has a column {column} itself")
        return Columns(places)

    def meaning_of(self, values: tuple[str, ...]) -> Meaning | None:
        """What a status says; None when the mapping does not know it."""
        if values not in self._meanings:
            if len(self._meanings) >= MOST_KEPT:
                self._meanings.clear()
            covering = (each for each in self.document.events.meanings if each.covers(values))
            self._meanings[values] = next(covering, None)
        return self._meanings[values]


def _reasons(error: ValidationError) -> Iterator[str]:
    """What is wrong with a mapping: all of it, each with its place."""
    for each in error.errors(include_url=False, include_input=False)[:MOST_TOLD]:
        where = ".".join(str(part) for part in each["loc"])
        reason = each["msg"].removeprefix("Value error, ")
        yield f"{where}: {reason}" if where else reason


def _missing(columns: Sequence[str]) -> CannotImport:
    word = "column" if len(columns) == 1 else "columns"
    return CannotImport(
        f"文件没有列 {'、'.join(columns)}", f"the file has no {word} {', '.join(columns)}"
    )


def _repeated(column: str, times: int) -> CannotImport:
    return CannotImport(
        f"列 {column} 出现 {times} 次：请写明是哪一列，如 {column}[1]，或全部 {column}[*]",
        f"column {column} is there {times} times: say which, as {column}[1], or all, {column}[*]",
    )


def _wrong(path: Path, reason: str) -> CannotImport:
    return CannotImport(f"映射文件 {path.name} 有误：{reason}", f"{path.name} is wrong: {reason}")
