"""What a mapping says of cells: templates, names with defaults and tables, coded values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, StringConstraints, model_validator

from itr.imports.patterns import ANY, Pattern, fits_any
from itr.imports.source import Part

Row = Mapping[str, str]
Separator = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=20)]
E = TypeVar("E", bound=StrEnum)

_PLACE = re.compile(r"\{([^{}]+)\}")
_WHICH = re.compile(r"(.+)\[(\d+|\*)\]")


@dataclass(frozen=True, slots=True)
class Template:
    """A text with places for columns, as `{product} {number}`; blanks around it are taken off."""

    parts: tuple[str, ...]
    columns: tuple[str, ...]

    @classmethod
    @lru_cache(maxsize=1000)
    def of(cls, text: str) -> "Template":
        """A template as the mapping has it."""
        parts = _PLACE.split(text)
        return cls(tuple(parts[::2]), tuple(name.strip() for name in parts[1::2]))

    def filled(self, row: Row) -> str:
        """The text with a row's values."""
        return self._filled(row)[0]

    def filled_or_none(self, row: Row) -> str | None:
        """The text with a row's values; None where it names columns and the row knows none."""
        text, known = self._filled(row)
        return text if known else None

    def _filled(self, row: Row) -> tuple[str, bool]:
        text, known = self.parts[0], not self.columns
        for column, part in zip(self.columns, self.parts[1:], strict=True):
            value = row[column].strip()
            known = known or bool(value)
            text += value + part
        return text.strip(), known


def filled(template: str, row: Row) -> str:
    """A template with a row's values, blanks around it taken off."""
    return Template.of(template).filled(row)


def places_of(template: str) -> tuple[str, ...]:
    """The columns a template names, as in `{product} {number}`."""
    return Template.of(template).columns


class Named(Part):
    """Something known by a name made from columns; blank where a row knows none of them.

    Of a cell with several values `separator` stands between, the first or the last counts; `only`
    names of a pattern are some. `values` gives names other names, `default` is the name of what
    the row does not know.
    """

    name: str
    separator: Separator | None = None
    take: Literal["first", "last"] = "first"
    only: Pattern = ANY
    values: dict[str, str] = Field(default_factory=dict)
    default: str = ""

    def of(self, row: Row) -> str:
        """The name a row has for it."""
        name = Template.of(self.name).filled_or_none(row)
        if name is None:
            return self.default
        if self.separator is not None:
            name = self._one_of(name)
        if self.only != ANY and not fits_any((self.only,), name):
            return self.default
        return self.values.get(name, name) or self.default

    def columns(self) -> Iterator[str]:
        """The columns it reads."""
        yield from places_of(self.name)

    def _one_of(self, cell: str) -> str:
        assert self.separator is not None
        found = [each.strip() for each in cell.split(self.separator) if each.strip()]
        if not found:
            return ""
        return found[0] if self.take == "first" else found[-1]


class Coded(Part, Generic[E]):
    """One of our own words, by the value of a column; `*` is any other value."""

    column: str
    values: dict[str, E]
    default: E | None = None

    def of(self, row: Row) -> E | None:
        """The word for a row; None when the mapping has none."""
        value = row[self.column].strip()
        return self.values.get(value) or self.values.get(ANY) or self.default


class Judgement(Part):
    """The source's own judgement whether its promise was met, kept beside our clocks.

    By patterns of the column's values; what fits `missed` was not met.
    """

    column: str
    met: tuple[Pattern, ...]
    missed: tuple[Pattern, ...]

    @model_validator(mode="after")
    def _can_tell(self) -> "Judgement":
        if set(self.met) & set(self.missed) or not (self.met and self.missed):
            raise ValueError("met and missed are different values")
        return self

    def of(self, row: Row) -> bool | None:
        """Whether the row says it was met; None when it does not say."""
        value = row[self.column].strip()
        if fits_any(self.missed, value):
            return False
        return True if fits_any(self.met, value) else None


@dataclass(frozen=True)
class Columns:
    """Where the columns a mapping reads stand in a file; a name may stand there more than once.

    `Comment[2]` is the second column of that name, `Comment[*]` all of them, a line for each.
    """

    places: Mapping[str, Sequence[int]]

    def row(self, cells: Sequence[str], unknown: frozenset[str]) -> dict[str, str]:
        """A row's values by column; what stands for nothing known is blank."""
        width = len(cells)
        row = {
            name: cells[places[0]] if places[0] < width else ""
            for name, places in self.places.items()
        }
        for name, places in self.several:
            row[name] = "\n".join(cells[each] for each in places if each < width and cells[each])
        if unknown:
            for name, value in row.items():
                if value.strip() in unknown:
                    row[name] = ""
        return row

    @cached_property
    def several(self) -> Sequence[tuple[str, Sequence[int]]]:
        """The columns that stand there more than once."""
        return [(name, places) for name, places in self.places.items() if len(places) > 1]

    def each(self, column: str, cells: Sequence[str]) -> Iterator[str]:
        """What a row has in a column, or in each column of the name."""
        for place in self.places[column]:
            if place < len(cells) and cells[place].strip():
                yield cells[place].strip()


def places_in(header: Sequence[str], column: str) -> Sequence[int]:
    """Where a column stands; none when it is not there, or more than one where it repeats."""
    places = [place for place, name in enumerate(header) if name == column]
    if places:
        return places
    named = _WHICH.fullmatch(column)
    if named is None:
        return []
    places = [place for place, name in enumerate(header) if name == named[1].strip()]
    if named[2] == ANY:
        return places
    return places[int(named[2]) - 1 : int(named[2])] if int(named[2]) else []
