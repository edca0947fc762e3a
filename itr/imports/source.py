"""The export as a file: its name in our records, how it is encoded, separated and quoted."""

import codecs
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from itr.errors import DomainError
from itr.texts import ensure_name

NO_ENCODINGS = frozenset(
    {
        "idna",
        "punycode",
        "unicode_escape",
        "raw_unicode_escape",
        "utf_7",
        "undefined",
        "mbcs",
        "oem",
    }
)
"""Codecs that make other letters out of plain ones: a cell could become a row by them."""

Letter = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=1)]
LetterOrNone = Annotated[str, StringConstraints(strip_whitespace=False, max_length=1)]
_ENDS = "\r\n\0"


def _is_name(value: str) -> str:
    try:
        return ensure_name(value)
    except DomainError as error:
        raise ValueError(error.message("en")) from None


Name = Annotated[str, AfterValidator(_is_name)]
"""A name as all areas take them: what the mapping itself has something known by."""


class Part(BaseModel):
    """A table of the mapping; unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Source(Part):
    """The export as a file; `unknown` are cells that stand for nothing known."""

    name: Name = Field(max_length=60)
    encoding: str = "utf-8"
    delimiter: Letter | None = None
    quote: LetterOrNone = '"'
    escape: LetterOrNone = ""
    skip_lines: int = Field(default=0, ge=0, le=1000)
    grouped: bool = False
    newest_first: bool | None = None
    unknown: frozenset[str] = frozenset()

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            name = codecs.lookup(value).name
            "".encode(value)
        except (LookupError, ValueError):
            raise ValueError("no such encoding") from None
        if name.replace("-", "_") in NO_ENCODINGS:
            raise ValueError("no encoding of files")
        return name

    @model_validator(mode="after")
    def _letters_differ(self) -> "Source":
        letters = [each for each in (self.delimiter, self.quote, self.escape) if each]
        if len(set(letters)) < len(letters) or any(each in _ENDS for each in letters):
            raise ValueError("delimiter, quote and escape are three different letters")
        return self
