"""Many subscribers in a process of their own: one socket each, every message timed on arrival.

    echo '{"port": 8000, "groups": [{"tokens": ["…"], "query": "…", "number": 1000}]}' \\
        | python -m bench.subscribers

Says `ready` on the standard output when every subscription has told its first message, listens
until the standard input ends, and then writes what it heard. Plain sockets and epoll: hearing a
message costs it a receive, a look at its head, and a reading of the clock.
"""

from __future__ import annotations

import base64
import os
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

_READY_SECONDS = 120.0
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_KEY = re.compile(rb'"number":"([^"]+)"[^{}]*?"version":(\d+)')
_AT_ONCE = 50
"""Handshakes under way at one time."""


@dataclass
class Heard:
    """What came to the subscribers after their first messages."""

    messages: int
    errors: int
    closed: int
    sample: str
    cpu_seconds: float
    arrivals: dict[str, list[float]]
    """By `number version` of what a message is about: when it came, to each that heard it."""


@dataclass
class _Subscriber:
    socket: socket.socket
    name: int
    first: bool = True
    buffer: bytearray = field(default_factory=bytearray)


class Subscribers:
    """All sockets of one process."""

    def __init__(self, *, port: int, groups: Sequence[dict[str, Any]]) -> None:
        self._port = port
        self._groups = groups
        self._selector = selectors.DefaultSelector()
        self._waiting = 0
        self._opened: list[socket.socket] = []
        self.heard = Heard(0, 0, 0, "", 0.0, {})

    def open(self) -> None:
        """Open everything and wait for every first message."""
        end = time.monotonic() + _READY_SECONDS
        for query, variables, token in self._wanted():
            self._subscribe(query, variables, token)
            while self._waiting >= _AT_ONCE:
                self._hear(end)
        while self._waiting:
            self._hear(end)

    def listen(self) -> Heard:
        """Listen until the standard input ends."""
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        cpu = time.process_time()
        while self._hear(None):
            pass
        self.heard.cpu_seconds = time.process_time() - cpu
        for each in self._opened:
            each.close()
        return self.heard

    def _wanted(self) -> Iterator[tuple[str, dict[str, Any], str]]:
        for group in self._groups:
            tokens = group["tokens"]
            variables = group.get("variables") or [{}]
            for place in range(group["number"]):
                yield group["query"], variables[place % len(variables)], tokens[place % len(tokens)]

    def _subscribe(self, query: str, variables: dict[str, Any], token: str) -> None:
        opened = socket.create_connection(("127.0.0.1", self._port), timeout=_READY_SECONDS)
        opened.sendall(
            b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
            b"Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
        )
        head = bytearray()
        while b"\r\n\r\n" not in head:
            head += _received(opened)
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(bytes(head[:200]).decode(errors="replace"))
        subscriber = _Subscriber(opened, len(self._opened))
        subscriber.buffer += head.partition(b"\r\n\r\n")[2]
        self._opened.append(opened)
        _send(opened, {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
        payload = {"query": query, "variables": variables}
        while not subscriber.buffer.count(b"connection_ack"):
            subscriber.buffer += _received(opened)
        _send(opened, {"type": "subscribe", "id": "1", "payload": payload})
        opened.setblocking(False)
        self._selector.register(opened, selectors.EVENT_READ, subscriber)
        self._waiting += 1
        self._take(subscriber, time.time())

    def _hear(self, end: float | None) -> bool:
        """Take in what has come; False when the standard input has ended."""
        ready = self._selector.select(None if end is None else 1.0)
        if end is not None and time.monotonic() > end:
            raise TimeoutError(f"{self._waiting} subscriptions have told nothing")
        now = time.time()
        for key, _ in ready:
            if key.data is None:
                return False
            subscriber: _Subscriber = key.data
            try:
                part = subscriber.socket.recv(262_144)
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            if part:
                subscriber.buffer += part
                self._take(subscriber, now)
            else:
                self._lose(subscriber)
        return True

    def _lose(self, subscriber: _Subscriber) -> None:
        self.heard.closed += 1
        self._selector.unregister(subscriber.socket)
        if subscriber.first:
            raise ConnectionError("the server closed a socket before its first message")

    def _take(self, subscriber: _Subscriber, now: float) -> None:
        for opcode, payload in _frames(subscriber.buffer):
            if opcode == _TEXT:
                self._note(subscriber, payload, now)
            elif opcode == _PING:
                with suppress(BlockingIOError):
                    subscriber.socket.send(_frame(_PONG, payload))

    def _note(self, subscriber: _Subscriber, payload: bytes, now: float) -> None:
        if b'"type":"connection_ack"' in payload[:40] or b'"type":"ping"' in payload[:40]:
            return
        if b'"type":"next"' not in payload[:60] or b'"errors":' in payload:
            self.heard.errors += 1
            self.heard.sample = self.heard.sample or payload[:1000].decode()
        if subscriber.first:
            subscriber.first = False
            self._waiting -= 1
            return
        self.heard.messages += 1
        found = _KEY.search(payload)
        if found:
            about = f"{found[1].decode()} {found[2].decode()}"
            self.heard.arrivals.setdefault(about, []).append(now)


def _received(opened: socket.socket) -> bytes:
    part = opened.recv(65_536)
    if not part:
        raise ConnectionError("the server closed a socket")
    return part


def _frames(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield the whole frames of a server (never masked, never split) and take them out."""
    while len(buffer) >= 2:
        length, start = buffer[1], 2
        if length == 126:
            start = 4
        elif length == 127:
            start = 10
        if start > 2:
            length = int.from_bytes(buffer[2:start])
        if len(buffer) < start + length:
            return
        opcode, payload = buffer[0] & 15, bytes(buffer[start : start + length])
        del buffer[: start + length]
        yield opcode, payload


def _frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    size = len(payload)
    length = bytes([128 | size]) if size < 126 else bytes([128 | 126]) + size.to_bytes(2)
    return bytes([128 | opcode]) + length + bytes(4) + payload


def _send(opened: socket.socket, message: dict[str, Any]) -> None:
    opened.sendall(_frame(_TEXT, orjson.dumps(message)))


@contextmanager
def subscribed(*, port: int, groups: Sequence[dict[str, Any]]) -> Iterator[list[Heard]]:
    """Keep subscribers open during the block; what they heard is in the list afterwards."""
    from bench.servers import ROOT

    found: list[Heard] = []
    with subprocess.Popen(
        [sys.executable, "-m", "bench.subscribers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(orjson.dumps({"port": port, "groups": list(groups)}) + b"\n")
            process.stdin.flush()
            if process.stdout.readline() != b"ready\n":
                raise ConnectionError("the subscribers could not subscribe")
            yield found
            process.stdin.close()
            found.append(Heard(**orjson.loads(process.stdout.read())))
        finally:
            process.kill()


def main() -> None:
    """Read what to follow from the first line, write what was heard when the input ends."""
    wanted: dict[str, Any] = orjson.loads(sys.stdin.buffer.readline())
    subscribers = Subscribers(**wanted)
    subscribers.open()
    sys.stdout.buffer.write(b"ready\n")
    sys.stdout.buffer.flush()
    sys.stdout.buffer.write(orjson.dumps(subscribers.listen()))


if __name__ == "__main__":
    main()
