"""Sealed cursors: where a reader of the event log stands, told without telling volume."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from itr.errors import DomainError

_LAYOUT = struct.Struct(">8sQQI")
OLDEST = timedelta(days=7)
"""How long a cursor can be resumed from; well inside the log's first month."""


class BadCursor(DomainError):
    """A cursor that this server did not give out, or gave out for something else (S3)."""

    code = "BAD_CURSOR"
    zh = "游标无效。"
    en = "The cursor is not valid."


class Position(NamedTuple):
    """A place in the event log: transaction, then event; the order readers see."""

    tx: int
    id: int


@dataclass(frozen=True, slots=True)
class Resumption:
    """What an opened cursor says: where to go on, or that it is too late for that."""

    position: Position
    too_old: bool


class Sealer:
    """Seals positions for one purpose; equal positions give equal text, so messages can be shared.

    Another purpose, another secret or a changed character give BadCursor; another life of the
    database, or a cursor older than a week, gives a Resumption that is too old.
    """

    def __init__(self, key: bytes, *, epoch: UUID, purpose: str) -> None:
        self._cipher = AESSIV(key)
        self._epoch = epoch.bytes[:8]
        self._bound_to = [purpose.encode()]

    def seal(self, position: Position, *, now: datetime) -> str:
        """Return the text a client may keep."""
        minute = int(now.timestamp()) // 60
        plain = _LAYOUT.pack(self._epoch, position.tx, position.id, minute)
        return urlsafe_b64encode(self._cipher.encrypt(plain, self._bound_to)).decode().rstrip("=")

    def open(self, text: str, *, now: datetime) -> Resumption:
        """Read a sealed cursor; raises BadCursor."""
        try:
            sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            plain = self._cipher.decrypt(sealed, self._bound_to)
            epoch, tx, event_id, minute = _LAYOUT.unpack(plain)
        except (ValueError, InvalidTag, struct.error):
            raise BadCursor from None
        age = now - datetime.fromtimestamp(minute * 60, tz=UTC)
        return Resumption(Position(tx, event_id), epoch != self._epoch or age > OLDEST)
