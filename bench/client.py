"""The load generator: a process of its own that keeps some connections busy and times answers.

    echo '{"port": 8000, "token": "…", "bodies": ["…"], "seconds": 5}' | python -m bench.client

Plain sockets and epoll, so that it takes a few per cent of what a server takes: an answer costs it
a receive, a search for its length, and two readings of the clock.
"""

from __future__ import annotations

import re
import selectors
import socket
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any

import orjson

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WAIT_SECONDS = 30.0


@dataclass
class Result:
    """What came of a run."""

    seconds: float
    latencies: list[float]
    bad: int
    sample: str
    cpu_seconds: float
    bytes_each: float

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds


@dataclass
class _Connection:
    socket: socket.socket
    buffer: bytearray = field(default_factory=bytearray)
    wanted: int = 0
    begun: float = 0.0


class Load:
    """Keeps connections busy: one body for some seconds, or each of several bodies once."""

    def __init__(
        self,
        *,
        port: int,
        token: str,
        bodies: Sequence[str],
        seconds: float | None = None,
        connections: int = 8,
        good: str = "",
    ) -> None:
        self.port = port
        self.requests = deque(self._request(body, token) for body in bodies)
        self.repeated = self.requests[0] if seconds is not None else None
        self.seconds = seconds
        self.connections = connections
        self.good = good.encode()
        self.latencies: list[float] = []
        self.bad = 0
        self.sample = b""
        self.received = 0

    def _request(self, body: str, token: str) -> bytes:
        content = body.encode()
        head = (
            "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            f"authorization: Bearer {token}\r\ncontent-type: application/json\r\n"
            f"accept: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content

    def run(self) -> Result:
        """Run until the time is over or the bodies are used up."""
        selector = selectors.DefaultSelector()
        opened = [self._open() for _ in range(self.connections)]
        cpu, begun = process_time(), perf_counter()
        self.end = begun + (self.seconds or 1e9)
        busy = 0
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            busy += self._send(connection)
        while busy:
            ready = selector.select(_WAIT_SECONDS)
            if not ready:
                raise TimeoutError("the server does not answer")
            for key, _ in ready:
                if self._receive(key.data):
                    busy -= not self._send(key.data)
        seconds = perf_counter() - begun
        for connection in opened:
            connection.socket.close()
        return Result(
            seconds,
            self.latencies,
            self.bad,
            self.sample.decode(errors="replace"),
            process_time() - cpu,
            self.received / max(len(self.latencies), 1),
        )

    def _open(self) -> _Connection:
        opened = socket.create_connection(("127.0.0.1", self.port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Connection(opened)

    def _send(self, connection: _Connection) -> bool:
        """Send the next request; False when there is none."""
        now = perf_counter()
        if self.repeated is not None:
            if now >= self.end:
                return False
            request = self.repeated
        elif self.requests:
            request = self.requests.popleft()
        else:
            return False
        connection.begun = now
        connection.socket.sendall(request)
        return True

    def _receive(self, connection: _Connection) -> bool:
        """Take what has come; True when the answer is complete."""
        part = connection.socket.recv(262_144)
        if not part:
            raise ConnectionError("the server closed a connection")
        buffer = connection.buffer
        buffer += part
        if not connection.wanted:
            head = buffer.find(b"\r\n\r\n")
            if head < 0:
                return False
            length = _LENGTH.search(buffer, 0, head + 2)
            if length is None:
                raise ConnectionError("an answer without content-length")
            connection.wanted = head + 4 + int(length.group(1))
        if len(buffer) < connection.wanted:
            return False
        self.latencies.append(perf_counter() - connection.begun)
        self._judge(buffer)
        buffer.clear()
        connection.wanted = 0
        return True

    def _judge(self, answer: bytearray) -> None:
        self.received += len(answer)
        if not answer.startswith(b"HTTP/1.1 200") or self.good not in answer:
            self.bad += 1
            self.sample = bytes(answer[:2_000])
        elif not self.sample:
            self.sample = bytes(answer[:2_000])


def main() -> None:
    """Read what to do from the standard input, write the result to the standard output."""
    wanted: dict[str, Any] = orjson.loads(sys.stdin.buffer.read())
    result = Load(**wanted).run()
    sys.stdout.buffer.write(orjson.dumps(result))


def run_client(**wanted: Any) -> Result:
    """Run the load generator in a process of its own."""
    import subprocess

    from bench.servers import ROOT

    answer = subprocess.run(
        [sys.executable, "-m", "bench.client"],
        input=orjson.dumps(wanted),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        check=True,
        timeout=(wanted.get("seconds") or 300) + 60,
    )
    return Result(**orjson.loads(answer.stdout))


if __name__ == "__main__":
    main()
