"""The requests of a file: each with all its lines, or waiting whole among the rejects."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from itr.errors import DomainError
from itr.imports.errors import bad_line
from itr.imports.lines import Placed, Reader
from itr.imports.mapping import MappingFile
from itr.imports.rows import Line, table_of

Problem = tuple[int, DomainError]
"""A line's number, and why it does not go in."""


@dataclass
class History:
    """The lines of one request, how many lines of the file they take up, and what is wrong."""

    external_id: str
    placed: list[Placed] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def spans(self) -> int:
        """How many physical lines of the file it takes up."""
        return sum(line.spans for line in self.lines)


@dataclass(frozen=True)
class Survey:
    """What a first look at the whole file found.

    `apart` are requests whose lines do not stand together; `mentioned` is what stands in lines
    nobody can tell the request of: a request of that number waits.
    """

    apart: Mapping[str, int]
    mentioned: Mapping[str, int]

    def problem_of(self, external_id: str) -> DomainError | None:
        """Why a request cannot go in, whatever its own lines say."""
        if line := self.apart.get(external_id):
            return bad_line(
                f"同一请求的行不连续（第 {line} 行）",
                f"apart from the other lines of its request (line {line})",
            )
        if line := self.mentioned.get(external_id):
            return bad_line(
                f"第 {line} 行无法读取的内容可能属于该请求",
                f"what cannot be read in line {line} may be of this request",
            )
        return None


def surveyed(path: Path, mapping: MappingFile, reader: Reader) -> Survey:
    """Look through the file once before anything of it goes in. Raises CannotImport."""
    grouped = mapping.document.source.grouped
    apart: dict[str, int] = {}
    mentioned: dict[str, int] = {}
    seen: set[str] = set()
    current = None
    with table_of(path, mapping.document.source) as table:
        for line in table.lines:
            if line.problem is None and not grouped:
                continue
            request = reader.request_of(line)
            if request is None:
                if line.problem is not None:
                    for piece in _pieces(line, table.delimiter):
                        mentioned.setdefault(piece, line.number)
            elif request != current:
                if request in seen:
                    apart.setdefault(request, line.number)
                seen.add(request)
                current = request
    return Survey(apart if grouped else {}, mentioned)


def _pieces(line: Line, delimiter: str) -> set[str]:
    """All that may be a request's number in a line, or in text that cannot be told apart."""
    if line.text is None:
        return {cell.strip() for cell in line.cells}
    text = line.text.replace('"', delimiter).replace("'", delimiter)
    return {piece.strip() for row in text.splitlines() for piece in row.split(delimiter)}


def histories_of(
    lines: Iterable[Line], reader: Reader, refuse: Callable[[Line, DomainError], None]
) -> Iterator[History]:
    """The requests of the file, each with its lines; of a grouped file as soon as one is whole.

    `refuse` is told of lines nobody can tell the request of.
    """
    grouped = reader.mapping.document.source.grouped
    open_ones: dict[str, History] = {}
    for line in lines:
        placed, problem = None, None
        try:
            placed = reader.placed(line)
            key = placed.request
        except DomainError as error:
            known = reader.request_of(line)
            if known is None:
                refuse(line, error)
                continue
            key, problem = known, error
        if grouped and key not in open_ones:
            yield from open_ones.values()
            open_ones.clear()
        history = open_ones.setdefault(key, History(key))
        history.lines.append(line)
        if placed is not None:
            history.placed.append(placed)
        if problem is not None:
            history.problems.append((line.number, problem))
    yield from open_ones.values()
