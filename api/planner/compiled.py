"""What a reading gives: JSON as it came from the database, and what was withheld."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Steps = tuple[tuple[str, str], ...]  # response key and the type it is read from


@dataclass(frozen=True)
class Withheld:
    """A field that reads null for lack of a permission: the way to it, and the permission."""

    steps: Steps
    permission: Any


@dataclass(frozen=True)
class Compiled:
    """The answer to one field.

    `json` is what to send, in UTF-8 without line breaks; None is null. `withheld` are the fields
    below it that hold null for lack of a permission. `cursor` is what the reader asked to be read
    in the same statement. `personal` says that another actor of equal scope and permissions might
    be answered otherwise.
    """

    json: bytes | None
    withheld: tuple[Withheld, ...] = ()
    cursor: str | None = None
    personal: bool = True
