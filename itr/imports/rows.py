"""The rows of an export: what a cell holds is never a row, whatever stands in it (R-IMP-01)."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Literal

from itr.errors import DomainError
from itr.imports.errors import CannotImport, bad_line
from itr.imports.files import BOM, UNDECODED, opened
from itr.imports.source import Source

LARGEST_CELL = 1 << 30
"""Letters of a cell; what is too long for its field is refused with its row, not by the reader."""
LINE_COLUMN, REASON_COLUMN = "itr:line", "itr:reason"
"""The first two columns of a file of rejects."""

_DELIMITER_TOLD = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_CARRIAGE_RETURN = "new-line character"
_FORMULA_GUARDED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


class Dialect(csv.Dialect):
    """How a source's cells are separated and quoted; what is wrong about it is an error."""

    lineterminator = "\n"
    strict = True
    doublequote = True
    skipinitialspace = False

    def __init__(self, source: Source, delimiter: str, *, quoting: Literal[0, 1] = 0) -> None:
        self.delimiter = delimiter
        self.quotechar = source.quote or None
        self.quoting = quoting if source.quote else csv.QUOTE_NONE
        self.escapechar = source.escape or None
        super().__init__()


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file, or why it cannot be read; it takes up the lines `number` to `through`.

    `text` is what stands there when rows cannot be told from cells any more.
    """

    number: int
    through: int
    cells: Sequence[str]
    problem: DomainError | None = None
    text: str | None = None
    whole: bool = True
    """Whether it has as many cells as the header."""
    own: frozenset[int] = frozenset()
    """Which of its cells are not the export's: those of the columns a file of rejects has."""

    @property
    def spans(self) -> int:
        """How many physical lines it takes up."""
        return self.through - self.number + 1

    @property
    def said(self) -> Sequence[str]:
        """What the export itself says in it."""
        return not_among(self.own, self.cells) if self.own else self.cells


@dataclass(frozen=True, slots=True)
class Table:
    """An export's header and the rows below it, as they are read."""

    header: Sequence[str]
    lines: Iterator[Line]
    delimiter: str


class PhysicalLines:
    """The lines of a text, counted; the last row's are kept until the next begins."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.number = 0
        self.undecoded = False
        self.row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def put_back(self, line: str) -> None:
        """Let the line that was read last come once more."""
        self.number -= 1
        self._lines = chain([line], self._lines)

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        if self.number == 1:
            line = line.removeprefix(BOM)
        if not line.isascii() and UNDECODED.search(line):
            self.undecoded = True
        self.row.append(line)
        return line

    def next_row(self) -> None:
        """Another row begins."""
        self.undecoded = False
        self.row.clear()

    def rest(self) -> str:
        """Everything that is left, with what was read of the row under way."""
        while next(self, None) is not None:
            pass
        return "".join(self.row)


@contextmanager
def table_of(path: Path, source: Source) -> Iterator[Table]:
    """The table in a `.csv` or `.csv.zst`; its rows are read while it is open.

    Raises CannotImport.
    """
    csv.field_size_limit(LARGEST_CELL)
    with opened(path, source.encoding) as stream:
        physical = PhysicalLines(stream)
        delimiter = _skip_to_header(physical, source)
        reader = csv.reader(physical, Dialect(source, delimiter))
        header = _header(reader, physical, path)
        own = own_columns(header)
        lines = _lines(reader, physical, header)
        yield Table(header, (_unguarded(each, own) for each in lines) if own else lines, delimiter)


def guarded(cell: str) -> str:
    """A cell as a spreadsheet may open it: never a formula.

    An apostrophe before what a spreadsheet would compute; reading a file of rejects takes it off.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def own_columns(header: Sequence[str]) -> frozenset[int]:
    """Where the columns stand that a file of rejects has, wherever somebody moved them."""
    own = (LINE_COLUMN, REASON_COLUMN)
    return frozenset(place for place, name in enumerate(header) if name in own)


def not_among(own: frozenset[int], cells: Sequence[str]) -> Sequence[str]:
    """The cells of the other columns."""
    return [cell for place, cell in enumerate(cells) if place not in own]


def _unguarded(line: Line, own: frozenset[int]) -> Line:
    cells = [cell[1:] if _FORMULA_GUARDED.match(cell) else cell for cell in line.cells]
    return replace(line, cells=cells, own=own)


def _skip_to_header(physical: PhysicalLines, source: Source) -> str:
    """Pass over what stands before the header; returns what separates the cells.

    A first line `sep=;` is none of the table: spreadsheets write it for each other.
    """
    delimiter = source.delimiter
    for _ in range(source.skip_lines):
        next(physical, None)
    first = next(physical, "")
    while first and not first.strip():
        first = next(physical, "")
    if told := _DELIMITER_TOLD.fullmatch(first):
        delimiter = delimiter or told[1]
    else:
        physical.put_back(first)
    return delimiter or ","


def _header(reader: Iterator[list[str]], physical: PhysicalLines, path: Path) -> list[str]:
    """The names of the columns, blanks around them left off."""
    try:
        header = next(reader, [])
    except csv.Error:
        header = []
    if not any(header) or physical.undecoded:
        raise CannotImport(f"{path.name} 没有表头", f"{path.name} has no readable header")
    return [name.strip() for name in header]


def _lines(
    reader: Iterator[list[str]], physical: PhysicalLines, header: Sequence[str]
) -> Iterator[Line]:
    columns, nameless = len(header), _nameless_at_the_end(header)
    while True:
        physical.next_row()
        number = physical.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if _CARRIAGE_RETURN in str(error):
                yield _with_a_carriage_return(number, physical)
                continue
            yield _unreadable_from(number, physical)
            return
        if not any(map(str.strip, cells)):
            continue
        whole = columns - nameless <= len(cells) <= columns
        problem = None if whole else _not_so_many(columns, len(cells))
        if physical.undecoded:
            problem = bad_line("编码有误", "not in the encoding the mapping names")
        yield Line(number, physical.number, cells, problem, whole=whole)


def _nameless_at_the_end(header: Sequence[str]) -> int:
    """How many columns at the end have no name: rows may leave them out."""
    named = [place for place, name in enumerate(header, 1) if name]
    return len(header) - named[-1]


def _not_so_many(wanted: int, found: int) -> DomainError:
    return bad_line(f"应有 {wanted} 列，实有 {found} 列", f"{found} columns instead of {wanted}")


def _with_a_carriage_return(number: int, physical: PhysicalLines) -> Line:
    """A line with a carriage return outside quotes: the next line is a row again."""
    problem = bad_line("引号外有回车符", "a carriage return outside quotes")
    text = "".join(physical.row).rstrip("\r\n")
    return Line(number, physical.number, [text], problem, whole=False)


def _unreadable_from(number: int, physical: PhysicalLines) -> Line:
    """From a wrong quote on nobody can tell rows from what a cell holds: all of it waits."""
    text = physical.rest()
    problem = bad_line(
        "引号有误（不是有效的 CSV 行）；自此行起无法分辨行与单元格中的文字，请改正此行",
        "not a line of CSV: a quote is wrong; from this line on rows cannot be told from the text"
        " of a cell, mend it here",
    )
    return Line(number, physical.number, [], problem, text, whole=False)
