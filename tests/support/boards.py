"""A display in tests: follows `slaBoard` as a client does and folds what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from itr.tickets.firing import fire_due
from tests.support.client import Served, Socket

STANDING = """id requestId number version priority line risk status customerId
    clocks { thread state deadline nextAlarmAt alarmLevel version }"""
TICKING = "thread state deadline remaining counting countingChangesAt nextAlarmAt version"


def board(entry: str = STANDING) -> str:
    """The subscription, with what is wanted of each entry."""
    return f"""subscription Board($filter: SlaBoardFilter, $after: String) {{
      slaBoard(filter: $filter, after: $after) {{ __typename
        ... on SlaBoardSnapshot {{ cursor complete serverTime entries {{ {entry} }} }}
        ... on SlaBoardChanged {{ cursor version serverTime entry {{ {entry} }} }}
        ... on SlaBoardRemoved {{ cursor entryId }}
        ... on SlaBoardResync {{ cursor }} }} }}"""


BOARD = board()
SHORT = board("number risk")


@dataclass
class Display:
    """What a display knows: its entries by id, each in its highest version, and its cursor."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    cursor: str | None = None
    kinds: list[str] = field(default_factory=list)

    def take(self, message: Mapping[str, Any]) -> None:
        """Fold one message in, as docs/front-end.md tells clients to."""
        self.cursor = message["cursor"]
        self.kinds.append(message["__typename"].removeprefix("SlaBoard"))
        match self.kinds[-1]:
            case "Snapshot":
                self.entries = {each["id"]: each for each in message["entries"]}
                self.versions = {each["id"]: each["version"] for each in message["entries"]}
            case "Changed":
                entry = message["entry"]
                if message["version"] >= self.versions.get(entry["id"], 0):
                    self.entries[entry["id"]] = entry
                    self.versions[entry["id"]] = message["version"]
            case "Removed":
                self.entries.pop(message["entryId"], None)
                self.versions.pop(message["entryId"], None)


async def told(socket: Socket, *, timeout: float = 10) -> dict[str, Any]:
    """The next message of the only subscription of a socket."""
    frame = await socket.receive(timeout=timeout)
    assert frame["type"] == "next", frame
    assert "errors" not in frame["payload"], frame["payload"]["errors"]
    (message,) = frame["payload"]["data"].values()
    found: dict[str, Any] = message
    return found


@asynccontextmanager
async def following(
    server: Served,
    token: str,
    document: str = BOARD,
    *,
    filter: Mapping[str, Any] | None = None,
    after: str | None = None,
) -> AsyncIterator[Socket]:
    """A socket with one subscription of this document."""
    async with server.socket(token) as socket:
        await socket.subscribe(document, {"filter": filter, "after": after})
        yield socket


def entry_id(request: Mapping[str, Any]) -> str:
    """The id of a request's entry."""
    return str(request["id"]).replace("req_", "brd_", 1)


async def fire_all(now: datetime) -> None:
    """Let every alarm that is due by now fire."""
    while (await fire_due(now)).clocks:
        pass
