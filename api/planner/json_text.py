"""JSON written by SQL as text, piece by piece.

`row_to_json` looks up how to print each column of each row; here that is settled when the
statement is written. Texts are escaped by `to_json`, everything else needs no escaping.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_CHAIN = 24
"""So many pieces are chained; more become a tree: less deep, and less copied over and over."""


@dataclass(frozen=True)
class Json:
    """The text of one JSON value: constants, and SQL for the rest.

    `nullable`: the SQL may be null, which stands for JSON's null.
    """

    pieces: tuple[Constant | str, ...]
    nullable: bool = False

    @property
    def sql(self) -> str:
        """The SQL text; null where the value is and `nullable` says so."""
        return _chained(self.pieces)

    @property
    def filled(self) -> Json:
        """The same, `null` written out."""
        return text(f"coalesce({self.sql}, 'null')") if self.nullable else self


@dataclass(frozen=True)
class Constant:
    """Text that stands in the answer as it is."""

    text: str

    @property
    def sql(self) -> str:
        """The literal."""
        return "'" + self.text.replace("'", "''") + "'"


def constant(json: str) -> Json:
    """JSON that is the same in every row."""
    return Json((Constant(json),))


def text(sql: str, *, nullable: bool = False) -> Json:
    """What an SQL text says is JSON already."""
    return Json((sql,), nullable)


def string(sql: str, *, nullable: bool = False) -> Json:
    """A string of an SQL text that needs no escaping: of digits, letters and the like."""
    return Json((Constant('"'), sql, Constant('"')), nullable)


def escaped(sql: str, *, nullable: bool = False) -> Json:
    """Any SQL value as `to_json` writes it."""
    return text(f"to_json({sql})::text", nullable=nullable)


def object_of(items: Iterable[tuple[str, Json]]) -> Json:
    """An object; its keys are names of GraphQL or our own and need no escaping."""
    pieces: list[Constant | str] = [Constant("{")]
    for number, (key, value) in enumerate(items):
        pieces += [Constant(f'{"," if number else ""}"{key}":'), *value.filled.pieces]
    return Json(tuple(_merged([*pieces, Constant("}")])))


def list_of(item: str, *, order: str = "", kept: str = "") -> str:
    """The SQL text of a list, by an aggregate over its items' texts, which are never null."""
    return f"coalesce('[' || string_agg({item}, ', '{order}){kept} || ']', '[]')"


def _merged(pieces: Iterable[Constant | str]) -> list[Constant | str]:
    """Join constants that follow one another."""
    found: list[Constant | str] = []
    for piece in pieces:
        before = found[-1] if found else None
        if isinstance(piece, Constant) and isinstance(before, Constant):
            found[-1] = Constant(before.text + piece.text)
        else:
            found.append(piece)
    return found


def _chained(pieces: Sequence[Constant | str]) -> str:
    if len(pieces) > _CHAIN:
        middle = len(pieces) // 2
        return f"(({_chained(pieces[:middle])}) || ({_chained(pieces[middle:])}))"
    written = [each.sql if isinstance(each, Constant) else each for each in pieces]
    return written[0] if len(written) == 1 else " || ".join(written)
