"""Reading an export: its lines as they stand, then what each of them tells."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, partial
from io import TextIOWrapper
from pathlib import Path
from typing import IO, cast

import zstandard

from itr.errors import DomainError
from itr.imports.errors import CannotImport, bad_line
from itr.imports.mapping import MappingFile, Row, filled
from itr.imports.terms import Kind
from itr.people.rules import ensure_name
from itr.requests.priority import Classification
from itr.requests.rules import ensure_text
from itr.sla.terms import WaitingReason

LONGEST_ID = 200
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, or why it cannot be read; `spans` physical lines it takes up."""

    number: int
    spans: int
    row: Row
    problem: DomainError | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What one line tells: who did what, when and where, to which request."""

    line: int
    request: str
    at: datetime
    order: float
    kind: Kind
    reason: WaitingReason | None
    restores_service: bool
    team: str
    line_of_work: int
    person: str
    words: str
    classification: Classification
    row: Row
    again: datetime | None = None
    """The second instant of a wall-clock time that comes twice."""


def read_lines(path: Path, mapping: MappingFile) -> Iterator[Line]:
    """The lines of a `.csv` or `.csv.zst`, as they are read. Raises CannotImport."""
    source = mapping.document.source
    with _opened(path) as file:
        stream = TextIOWrapper(file, encoding=source.encoding, errors="replace", newline="")
        reader = csv.reader(stream, delimiter=source.delimiter, strict=True)
        header = _header(reader, path)
        mapping.ensure_columns(header)
        before = reader.line_num
        while True:
            problem, values = None, cast(list[str], [])
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error:
                problem = bad_line("不是有效的 CSV 行", "not a line of CSV")
            number, spans, before = before + 1, reader.line_num - before, reader.line_num
            if problem is None and not values:
                continue
            yield _line(number, spans, header, values, problem)


def count_lines(path: Path) -> int:
    """How many lines follow the header, about: for progress only.

    Reads the file to its end first, so that nothing is imported of one that was cut off. Raises
    CannotImport.
    """
    total, last = 0, b"\n"
    for block in _blocks(path):
        total += block.count(b"\n")
        last = block[-1:] or last
    return max(0, total + (last != b"\n") - 1)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        if not path.name.endswith(".zst"):
            yield from iter(partial(file.read, BLOCK), b"")
            return
        unpacking, rest = zstandard.ZstdDecompressor().decompressobj(), b""
        try:
            while block := rest or file.read(BLOCK):
                if unpacking.eof:
                    unpacking = zstandard.ZstdDecompressor().decompressobj()
                yield unpacking.decompress(block)
                rest = unpacking.unused_data
        except zstandard.ZstdError as error:
            raise _not_whole(path, str(error)) from None
        if not unpacking.eof:
            raise _not_whole(path, "it ends too early")


def _not_whole(path: Path, reason: str) -> CannotImport:
    return CannotImport(f"{path.name} 不是完整的 zstd 文件", f"{path.name} is not whole: {reason}")


def told_by(line: Line, mapping: MappingFile) -> Told:
    """What a line tells. Raises DomainError for one that does not go in."""
    if line.problem is not None:
        raise line.problem
    document, row = mapping.document, line.row
    status = tuple(row[column].strip() for column in document.events.columns)
    words = filled(document.events.text, row) if document.events.text else ""
    meaning = mapping.meaning_of(status)
    if meaning is None:
        raise bad_line(f"未知状态 {' / '.join(status)}", f"unknown status {' / '.join(status)}")
    classification = document.classification.of(row)
    if classification is None:
        value = row[document.classification.column or ""]
        raise bad_line(f"未知的影响值 {value}", f"no classification for {value}")
    line_of_work = document.team.line_of(row)
    if line_of_work is None:
        raise bad_line("支持线须为 1、2 或 3", "the line of work is not 1, 2 or 3")
    at, again = _instant(row[document.time.column].strip(), mapping)
    return Told(
        line=line.number,
        request=ensure_name(row[document.request.id], "id", limit=LONGEST_ID),
        at=at,
        again=again,
        order=_order(row, document.request.order),
        kind=meaning.kind,
        reason=meaning.reason,
        restores_service=meaning.restores_service,
        team=_name("团队", "team", filled(document.team.name, row)),
        line_of_work=line_of_work,
        person=_name("人员", "person", filled(document.person.name, row)),
        words=ensure_text(words or " / ".join(status), "text"),
        classification=classification,
        row=row,
    )


def in_order(history: Sequence[Told]) -> list[Told]:
    """A request's lines by time; at one instant by their number, then as the file has them.

    An hour that comes twice is the second where the line's place says that it comes later.
    """
    placed: list[Told] = []
    for told in sorted(history, key=lambda told: (told.order, told.line)):
        if told.again is not None and placed and told.at < placed[-1].at:
            told = replace(told, at=told.again)  # noqa: PLW2901 - the same line, understood better
        placed.append(told)
    return sorted(placed, key=lambda told: (told.at, told.order, told.line))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes; zstd is unpacked on the way."""
    try:
        if path.name.endswith(".zst"):
            with zstandard.open(path, "rb") as unpacked:
                yield cast(IO[bytes], unpacked)
        else:
            with path.open("rb") as plain:
                yield plain
    except zstandard.ZstdError as error:
        raise _not_whole(path, str(error)) from None


def _header(reader: Iterator[list[str]], path: Path) -> list[str]:
    try:
        header = next(reader, [])
    except csv.Error:
        header = []
    if not header or "\ufffd" in "".join(header):
        raise CannotImport(f"{path.name} 没有表头", f"{path.name} has no readable header")
    return header


def _line(
    number: int, spans: int, header: list[str], values: list[str], problem: DomainError | None
) -> Line:
    if problem is None and len(values) != len(header):
        problem = bad_line(
            f"应有 {len(header)} 列，实有 {len(values)} 列",
            f"{len(values)} columns instead of {len(header)}",
        )
    if problem is None and any("\ufffd" in value for value in values):
        problem = bad_line("编码有误", "not in the encoding the mapping names")
    return Line(number, spans, dict(zip(header, values, strict=False)), problem)


def _instant(text: str, mapping: MappingFile) -> tuple[datetime, datetime | None]:
    """When it happened, and when else it may have where the clocks were put back."""
    time = mapping.document.time
    try:
        at = _read_time(text, time.format)
        if at.tzinfo is not None:
            return at.astimezone(UTC), None
        return _told_in(at, time.info)
    except (ValueError, OverflowError):
        raise bad_line(f"时间无法识别：{text[:40]}", f"not a time: {text[:40]}") from None


def _read_time(text: str, format: str | None) -> datetime:
    if format is None:
        return datetime.fromisoformat(text)
    return datetime.strptime(text, format)  # noqa: DTZ007 - the zone is the mapping's to say


def _told_in(at: datetime, zone: tzinfo | None) -> tuple[datetime, datetime | None]:
    if zone is None:
        raise bad_line("时间没有时区", "a time without a zone")
    first = at.replace(tzinfo=zone).astimezone(UTC)
    second = at.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) != at:
        raise bad_line(f"当地没有这一时刻：{at}", f"the zone has no such time: {at}")
    return first, second if second > first else None


def _order(row: Row, column: str | None) -> float:
    if column is None:
        return 0
    try:
        return float(row[column])
    except ValueError:
        raise bad_line(
            f"序号无效：{row[column][:40]}", f"not a number: {row[column][:40]}"
        ) from None


@lru_cache(maxsize=10_000)
def _name(zh: str, en: str, text: str) -> str:
    try:
        return ensure_name(text)
    except DomainError as error:
        reason_zh, reason_en = error.message("zh"), error.message("en")
        raise bad_line(f"{zh}：{reason_zh}", f"{en}: {reason_en}") from None
