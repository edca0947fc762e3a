"""What the values of status columns, and times in columns of their own, say happened."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from pydantic import Field, model_validator

from itr.imports.cells import places_of
from itr.imports.patterns import Pattern, fits_any
from itr.imports.source import Part
from itr.imports.terms import Kind
from itr.sla.terms import WaitingReason


class Happening(Part):
    """Something that happened, in our words; `into` is the request one was merged into."""

    kind: Kind
    reason: WaitingReason | None = None
    restores_service: bool = True
    into: str | None = None

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> "Happening":
        if (self.kind is Kind.WAITING) != (self.reason is not None):
            raise ValueError("WAITING has a reason, other kinds have none")
        if (self.kind is Kind.MERGED) != (self.into is not None):
            raise ValueError("MERGED names the request it went into, other kinds none")
        return self


class Meaning(Happening):
    """What one status says happened.

    Each of `values` is a value, or several that mean the same; `*` stands for any letters in it.
    """

    values: tuple[Pattern | tuple[Pattern, ...], ...]

    def covers(self, values: Sequence[str]) -> bool:
        """Whether this is the meaning of these values."""
        return all(
            fits_any((mine,) if isinstance(mine, str) else mine, other)
            for mine, other in zip(self.values, values, strict=True)
        )


class Moment(Happening):
    """A time in a column of its own: something happened then, once however often it is told.

    A cell that holds more than a time is taken apart by `parts`, as `{time};{who};{text}`; the
    columns of those names then stand for them, `{time}` is the time. Templates of `by` and
    `text` say who did it and with what words.
    """

    column: str
    parts: str | None = None
    by: str | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _has_a_time(self) -> "Moment":
        if self.parts is not None and "time" not in places_of(self.parts):
            raise ValueError("parts holds a {time}")
        return self

    def taken_apart(self, cell: str) -> dict[str, str] | None:
        """The parts of a cell by name; None where it has not all of them."""
        if self._shape is None:
            return {"time": cell}
        found = self._shape.fullmatch(cell)
        if found is None:
            return None
        return dict(zip(self.named, (each.strip() for each in found.groups()), strict=True))

    @property
    def named(self) -> Sequence[str]:
        """The names of the parts."""
        return places_of(self.parts) if self.parts else ("time",)

    @cached_property
    def _shape(self) -> re.Pattern[str] | None:
        if self.parts is None:
            return None
        between = re.split(r"\{[^{}]+\}", self.parts)
        places = ["([^" + re.escape(text[0]) + "]*)" if text else "(.*)" for text in between[1:]]
        texts = [re.escape(text) for text in between]
        pattern = texts[0] + "".join(
            place + text for place, text in zip(places, texts[1:], strict=True)
        )
        return re.compile(pattern, re.DOTALL)

    def columns(self) -> Iterator[str]:
        """The columns of the file it reads."""
        yield self.column
        for template in (self.by, self.text, self.into):
            yield from (each for each in places_of(template or "") if each not in self.named)


class Events(Part):
    """The status columns and what each combination means; the first that covers it counts.

    `times` are columns that are each the time of something that happened.
    """

    columns: tuple[str, ...] = ()
    text: str | None = None
    meanings: tuple[Meaning, ...] = ()
    times: tuple[Moment, ...] = ()

    @model_validator(mode="after")
    def _have_as_many_values(self) -> "Events":
        if any(len(each.values) != len(self.columns) for each in self.meanings):
            raise ValueError("each meaning has one value per column")
        if bool(self.columns) != bool(self.meanings):
            raise ValueError("columns and meanings go together")
        if not self.columns and not self.times:
            raise ValueError("columns with meanings, or times")
        return self

    def read_columns(self) -> Iterator[str]:
        """Every column it reads."""
        yield from self.columns
        yield from places_of(self.text or "")
        for meaning in self.meanings:
            yield from places_of(meaning.into or "")
        for moment in self.times:
            yield from moment.columns()


class Changes(Part):
    """Lines of a field, its old and its new value; a value stands until the next change.

    `fields` names columns of ours after values of the field's column; each has on every line the
    last value it was given, before the first change its old one.
    """

    field: str
    new: str
    old: str | None = None
    fields: dict[str, str | tuple[str, ...]] = Field(min_length=1)

    def columns(self) -> Iterator[str]:
        """The columns of the file it reads."""
        yield from (each for each in (self.field, self.new, self.old) if each)

    @cached_property
    def column_of(self) -> dict[str, str]:
        """Our column by the field's value."""
        return {
            value: column
            for column, values in self.fields.items()
            for value in ((values,) if isinstance(values, str) else values)
        }
