"""What a reading gives: JSON as it came from the database, and what was kept back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Compiled:
    """The answer to one field.

    `json` is what to send, in UTF-8 without line breaks; None is null. `denied` are the paths below
    the field that hold null for lack of a permission: response keys and the types they are read
    from. `cursor` is what the reader asked to be read in the same statement. `personal` says that
    another actor of equal scope and permissions might be answered otherwise.
    """

    json: bytes | None
    denied: tuple[tuple[tuple[str, str], ...], ...] = ()
    cursor: str | None = None
    personal: bool = True
