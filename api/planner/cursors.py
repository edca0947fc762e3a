"""Cursors: the keys of a row, signed so that nobody can make or move one.

A cursor is base64url of 16 bytes of HMAC-SHA256 followed by a JSON list of the row's keys as
text. The statement itself writes it, by the textbook construction of HMAC over PostgreSQL's
`sha256`; the key is derived from the server's secret, the reader, the connection and the order,
so a cursor of another reader, connection or order is as forged as a made-up one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

import orjson

SEAL = 16
LONGEST = 16_384

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


@dataclass(frozen=True)
class CursorKey:
    """The key of one reader's cursors in one connection and order."""

    key: bytes

    @classmethod
    def derive(cls, secret: bytes, reader: str, connection: str, order: str) -> CursorKey:
        """Derive the key; equal arguments give equal keys."""
        return _derive(secret, reader, connection, order)

    @property
    def inner(self) -> bytes:
        """The first block of the inner hash."""
        return self.key.ljust(64, b"\0").translate(_INNER)

    @property
    def outer(self) -> bytes:
        """The first block of the outer hash."""
        return self.key.ljust(64, b"\0").translate(_OUTER)


@lru_cache(4096)
def _derive(secret: bytes, reader: str, connection: str, order: str) -> CursorKey:
    told = orjson.dumps([reader, connection, order])
    return CursorKey(hmac.digest(secret, told, "sha256"))


def cursor_sql(keys: list[str], inner: str, outer: str) -> str:
    """Return the SQL that writes a row's cursor; `inner` and `outer` are the key's two blocks."""
    listed = ", ".join(f"({key})::text" for key in keys)
    return (
        f"(select translate(encode(substr(sha256({outer} || sha256({inner} || p.b)), 1, {SEAL})"
        " || p.b, 'base64'), E'+/=\\n', '-_') from (select"
        f" convert_to(json_build_array({listed})::text, 'UTF8') as b offset 0) p)"
    )


def open_cursor(text: str, key: CursorKey) -> tuple[str | None, ...] | None:
    """Return the keys in a cursor; None unless this key signed it."""
    try:
        raw = text.encode("ascii")
        if len(raw) > LONGEST or b"+" in raw or b"/" in raw:
            return None
        data = base64.b64decode(raw + b"=" * (-len(raw) % 4), b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return None
    signed = hmac.new(key.key, data[SEAL:], hashlib.sha256).digest()[:SEAL]
    if not hmac.compare_digest(signed, data[:SEAL]):
        return None
    return tuple(orjson.loads(data[SEAL:]))
