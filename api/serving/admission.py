"""Which connections may be open at once: so many of an address, so many in all (S20)."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Literal

from api.serving.proxies import TrustedProxies
from itr.access.operations.attempts import place_of
from itr.networks import read_address

Refusal = Literal["address", "all"]


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """How long a client may take over what it has to send, and how many connections there are."""

    head_seconds: float = 10.0
    """From the first byte, or the beginning of a connection, to the end of a request's head."""
    body_seconds: float = 30.0
    idle_seconds: float = 30.0
    """Between two requests."""
    head_bytes: int = 65_536
    message_bytes: int = 8_000_000
    """More than any endpoint takes; each has a smaller limit of its own."""
    per_address: int = 500
    in_all: int = 4_000


class Admission:
    """The open connections of this process.

    An address (of IPv6 a /64) has only so many. The machine itself and trusted proxies are not
    counted: everybody comes from there. When there are too many in all, the one whose client owes
    something longest makes room: who sends nothing keeps nobody out.
    """

    def __init__(self, limits: ConnectionLimits, proxies: TrustedProxies) -> None:
        self.limits = limits
        self._proxies = proxies
        self._places: dict[asyncio.Transport, str | None] = {}
        self._by_place: Counter[str] = Counter()
        self._awaited: OrderedDict[asyncio.Transport, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    def enter(self, transport: asyncio.Transport, host: str) -> Refusal | None:
        """Count a connection in; returns why it may not stay, if it may not."""
        if transport in self._places:
            return None
        place = self._place(host)
        if place is not None and self._by_place[place] >= self.limits.per_address:
            return "address"
        if len(self._places) >= self.limits.in_all and not self._make_room():
            return "all"
        self._places[transport] = place
        if place is not None:
            self._by_place[place] += 1
        self.awaits(transport)
        return None

    def leave(self, transport: asyncio.Transport) -> None:
        """Count a connection out; again is nothing."""
        self._awaited.pop(transport, None)
        place = self._places.pop(transport, None)
        if place is not None:
            self._by_place[place] -= 1
            if not self._by_place[place]:
                del self._by_place[place]

    def awaits(self, transport: asyncio.Transport) -> None:
        """The client has to send something next; from now on it is the newest of those."""
        self._awaited[transport] = None
        self._awaited.move_to_end(transport)

    def awaits_nothing(self, transport: asyncio.Transport) -> None:
        """The client has sent what it had to."""
        self._awaited.pop(transport, None)

    def goes_first(self, transport: asyncio.Transport) -> None:
        """It only has to be told that it may not stay; whoever comes next may take its handle."""
        self._places.setdefault(transport, None)
        self._awaited[transport] = None
        self._awaited.move_to_end(transport, last=False)

    def _make_room(self) -> bool:
        if not self._awaited:
            return False
        transport, _ = self._awaited.popitem(last=False)
        self.leave(transport)
        transport.abort()
        return True

    def _place(self, host: str) -> str | None:
        """What counts as one address; None for where everybody comes from."""
        address = read_address(host)
        if address is None or address.is_loopback or self._proxies.include(address):
            return None
        return place_of(host)
