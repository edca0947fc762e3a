"""Rejects: the lines that did not go in, in their file's own shape, with number and reason."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from itr.imports.errors import CannotImport
from itr.imports.files import KEPT, encoding_of
from itr.imports.outcome import Remark
from itr.imports.rows import (
    LINE_COLUMN,
    REASON_COLUMN,
    Dialect,
    Line,
    guarded,
    not_among,
    own_columns,
    table_of,
)
from itr.imports.source import Source

MINE_ALONE = 0o600


def ensure_new(path: Path) -> None:
    """Refuse to write over what is there, or where nothing can be written, before all else.

    Somebody may be mending it. Raises CannotImport.
    """
    if path.exists():
        raise CannotImport(f"{path.name} 已存在", f"{path.name} exists already")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CannotImport(f"无法写入 {path.parent}", f"cannot write into {path.parent}")


def write_rejects(path: Path, file: Path, source: Source, remarks: Sequence[Remark]) -> None:
    """Write the refused lines of `file`; mended they are imported by the same mapping.

    Two columns come first: the line's number and the reason. No cell begins like a formula (an
    apostrophe stands before it, which importing takes off again).
    """
    reasons = {remark.line: remark for remark in remarks}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MINE_ALONE)
    encoding = _encoding(file, source)
    with (
        os.fdopen(descriptor, "w", encoding=encoding, errors=KEPT, newline="") as stream,
        table_of(file, source) as table,
    ):
        stream.write("\n" * source.skip_lines)
        if source.delimiter is None and table.delimiter != ",":
            stream.write(f"sep={table.delimiter}\n")
        header = [LINE_COLUMN, REASON_COLUMN, *not_among(own_columns(table.header), table.header)]
        writer = csv.writer(stream, Dialect(source, table.delimiter, quoting=csv.QUOTE_ALL))
        writer.writerow(header)
        for line in table.lines:
            if remark := reasons.get(line.number):
                reason, cells = _reason(remark, encoding), _cells(line)
                if not (source.quote or source.escape):
                    reason = reason.replace(table.delimiter, " ")
                    cells = [each for cell in cells for each in cell.split(table.delimiter)]
                writer.writerow([_place(line), *map(guarded, [reason, *cells])])


def _encoding(file: Path, source: Source) -> str:
    """As the file has it, with a byte order mark where it has one."""
    told = encoding_of(file)
    return "utf-8-sig" if told == "utf-8" else told or source.encoding


def _reason(remark: Remark, encoding: str) -> str:
    """In both languages, or in the one that the encoding has letters for."""
    try:
        f"{remark.zh}".encode(encoding, KEPT)
    except UnicodeEncodeError:
        return remark.en.encode(encoding, "replace").decode(encoding)
    return f"{remark.zh} / {remark.en}"


def _place(line: Line) -> str:
    return f"{line.number}" if line.spans == 1 else f"{line.number}-{line.through}"


def _cells(line: Line) -> Sequence[str]:
    return [line.text] if line.text is not None else line.said
