"""Readers that do not read: cut, instead of keeping their answers forever (S10)."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

STALLED_SECONDS = 12.0
"""How long a reader may take nothing of what waits for it."""
_KERNEL_BUFFER = 256 * 1024


class DropsStalledReaders(asyncio.Protocol):
    """Cuts a connection whose reader takes nothing."""

    _stalled: asyncio.TimerHandle | None = None
    _writes_to: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the kernel from taking in megabytes for a reader that does not read."""
        self._writes_to = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER)
        super().connection_made(transport)

    def pause_writing(self) -> None:
        """Give the reader its time."""
        super().pause_writing()
        self._cut_later()

    def resume_writing(self) -> None:
        """It reads again."""
        self._forget()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._forget()
        super().connection_lost(exc)

    def close_soon(self) -> None:
        """Close; a reader that does not take the rest is not waited for."""
        if self._writes_to is not None:
            self._writes_to.close()
            self._cut_later()

    def _cut_later(self) -> None:
        if self._writes_to is not None and self._stalled is None:
            loop = asyncio.get_running_loop()
            self._stalled = loop.call_later(STALLED_SECONDS, self._writes_to.abort)

    def _forget(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
