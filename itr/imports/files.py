"""An export as a file: its bytes, unpacked, and its physical lines in the encoding it has."""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import IO, cast

import zstandard

from itr.imports.errors import CannotImport

BLOCK = 1 << 20
BOM = "\ufeff"
UNDECODED = re.compile("[\udc80-\udcff]")
"""Bytes that are no letters of the encoding, as `KEPT` keeps them."""
KEPT = "itr.kept"
"""How such bytes are kept and written again, in whatever encoding."""

_NOT_ASCII, _SOME_BYTE, _NO_LETTER = 0x80, "\udcff", "?"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
"""What a file begins with when it says itself how it is encoded."""


@contextmanager
def opened(path: Path, encoding: str) -> Iterator[TextIOWrapper]:
    """The file's text, unpacked; a byte order mark says more than the mapping does."""
    with _opened_as_bytes(path) as file:
        named = encoding_of(path) or encoding
        yield TextIOWrapper(file, named, errors=KEPT, newline=_line_end(path, named))


def encoding_of(path: Path) -> str | None:
    """The encoding a byte order mark at the file's beginning names; None without one."""
    with _opened_as_bytes(path) as file:
        beginning = file.read(4)
    return next((name for mark, name in _BOMS if beginning.startswith(mark)), None)


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


def _line_end(path: Path, encoding: str) -> str:
    """What ends a line. A carriage return alone does only in files that know no other end.

    So that one inside a cell never makes a row of what follows it.
    """
    with _opened_as_bytes(path) as file:
        text = file.read(BLOCK).decode(encoding, errors="ignore")
    return "\r" if "\r" in text and "\n" not in text else "\n"


@contextmanager
def _opened_as_bytes(path: Path) -> Iterator[IO[bytes]]:
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


def _kept(error: UnicodeError) -> tuple[str | bytes, int]:
    """As `surrogateescape`, which knows no byte below 128 and nothing of letters of two bytes.

    There a sign stands for what is no letter; written again, it is a question mark.
    """
    if isinstance(error, UnicodeDecodeError):
        if all(each >= _NOT_ASCII for each in error.object[error.start : error.end]):
            return codecs.lookup_error("surrogateescape")(error)
        return _SOME_BYTE, error.end
    if isinstance(error, UnicodeEncodeError) and error.encoding.startswith(("utf-16", "utf-32")):
        return _NO_LETTER * (error.end - error.start), error.end
    return codecs.lookup_error("surrogateescape")(error)


codecs.register_error(KEPT, _kept)


def _not_whole(path: Path, reason: str) -> CannotImport:
    return CannotImport(f"{path.name} 不是完整的 zstd 文件", f"{path.name} is not whole: {reason}")
