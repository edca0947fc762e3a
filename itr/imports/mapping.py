"""A mapping: how to read another system's export, as a TOML file says it (R-IMP-01)."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from itr.catalogue.terms import EntitlementOutcome
from itr.imports.errors import CannotImport
from itr.imports.terms import Kind
from itr.requests.priority import Classification
from itr.requests.terms import Channel, FaultLevel, Impact, ProblemType, RequestKind
from itr.sla.terms import WaitingReason
from itr.time_zones import is_time_zone

ANY = "*"
_PLACE = re.compile(r"\{([^{}]+)\}")
Row = Mapping[str, str]


class _Part(BaseModel):
    """A table of the mapping; unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Source(_Part):
    """The export as a file: its name in our records, its encoding, whether it is grouped."""

    name: str = Field(min_length=1, max_length=60)
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    grouped: bool = False

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError("no such encoding") from None
        return "utf-8-sig" if value.lower().replace("_", "-") in {"utf-8", "utf8"} else value


class Time(_Part):
    """When a line happened: a column, how it is written, and where naive times were told."""

    column: str
    zone: str | None = None
    format: str | None = None

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str | None) -> str | None:
        if value is not None and not is_time_zone(value):
            raise ValueError("no such time zone")
        return value

    @property
    def info(self) -> ZoneInfo | None:
        """The zone of naive times."""
        return ZoneInfo(self.zone) if self.zone else None


class RequestPart(_Part):
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


class Named(_Part):
    """Something that is known by a name made from columns, or the same for all lines."""

    name: str


class PersonPart(Named):
    """Who did it; `machines` are names of what acts by itself."""

    machines: tuple[str, ...] = ()


class Team(Named):
    """Where it was done: a queue of one of the three lines, by column or the same for all."""

    line: str | int
    lines: dict[str, int] = {}

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
            return self.lines.get(text)
        return int(text) if text in {"1", "2", "3"} else None


class Classified(_Part):
    """What decides the priority (R-PRI-01)."""

    problem_type: ProblemType
    fault_level: FaultLevel
    impact: Impact

    @property
    def classification(self) -> Classification:
        """As the rules take it."""
        return Classification(self.problem_type, self.fault_level, self.impact)


class ClassificationPart(_Part):
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


class Meaning(_Part):
    """What one status says happened; `*` in `values` is any value."""

    values: tuple[str, ...]
    kind: Kind
    reason: WaitingReason | None = None
    restores_service: bool = True

    @model_validator(mode="after")
    def _waits_for_something(self) -> "Meaning":
        if (self.kind is Kind.WAITING) != (self.reason is not None):
            raise ValueError("WAITING has a reason, other kinds have none")
        return self

    def covers(self, values: Sequence[str]) -> bool:
        """Whether this is the meaning of these values."""
        return all(mine in (ANY, other) for mine, other in zip(self.values, values, strict=True))


class Events(_Part):
    """The status columns and what each combination means; the first that covers it counts."""

    columns: tuple[str, ...] = Field(min_length=1)
    text: str | None = None
    meanings: tuple[Meaning, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _have_as_many_values(self) -> "Events":
        if any(len(each.values) != len(self.columns) for each in self.meanings):
            raise ValueError("each meaning has one value per column")
        return self


class Document(_Part):
    """The mapping file."""

    source: Source
    time: Time
    request: RequestPart
    branch: Named
    customer: Named
    product: Named | None = None
    person: PersonPart
    team: Team
    classification: ClassificationPart
    events: Events

    def columns(self) -> Iterator[str]:
        """Every column the mapping reads."""
        yield from (self.time.column, self.request.id, *self.events.columns)
        yield from (each for each in (self.request.order, self.classification.column) if each)
        if isinstance(self.team.line, str):
            yield self.team.line
        named = [self.customer, self.person, self.team, *([self.product] if self.product else [])]
        for template in (self.request.title, self.request.description, self.events.text or ""):
            yield from places_of(template)
        for part in named:
            yield from places_of(part.name)


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
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            reason = first["msg"].removeprefix("Value error, ")
            raise _wrong(path, f"{where}: {reason}") from None

    def ensure_columns(self, header: Sequence[str]) -> None:
        """Refuse a file that lacks a column the mapping reads. Raises CannotImport."""
        for column in dict.fromkeys(self.document.columns()):
            if column not in header:
                raise CannotImport(f"文件没有列 {column}", f"the file has no column {column}")

    def meaning_of(self, values: tuple[str, ...]) -> Meaning | None:
        """What a status says; None when the mapping does not know it."""
        if values not in self._meanings:
            covering = (each for each in self.document.events.meanings if each.covers(values))
            self._meanings[values] = next(covering, None)
        return self._meanings[values]


def places_of(template: str) -> list[str]:
    """The columns a template names, as in `{product} {number}`."""
    return _PLACE.findall(template)


def filled(template: str, row: Row) -> str:
    """A template with a row's values, blanks around it taken off."""
    return _PLACE.sub(lambda found: row[found[1]].strip(), template).strip()


def _wrong(path: Path, reason: str) -> CannotImport:
    return CannotImport(f"映射文件 {path.name} 有误：{reason}", f"{path.name} is wrong: {reason}")
