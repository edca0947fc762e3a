"""Valkey: on a unix socket only, without a file on disk; what must last is in PostgreSQL."""

import socket
import time
from pathlib import Path

from embedded.account import Account
from embedded.errors import ServersFailed
from embedded.postgres import environment
from embedded.processes import Child, start_child

_READY_SECONDS = 20
_NAME = "valkey.sock"


def start_valkey(program: Path, *, sockets: Path, log: Path, account: Account | None) -> Child:
    """Start the server; it is not ready yet."""
    settings = {
        "port": "0",
        "unixsocket": str(sockets / _NAME),
        "unixsocketperm": "700",
        "protected-mode": "yes",
        "dir": str(sockets),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "set-proc-title": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    return start_child(
        "Valkey", [str(program), *options], log=log, environment=environment(), account=account
    )


def valkey_url(sockets: Path) -> str:
    """Return the address of the server on its unix socket."""
    return f"unix://{sockets / _NAME}"


def wait_until_ready(child: Child, *, sockets: Path) -> None:
    """Wait until the server answers a PING."""
    end = time.monotonic() + _READY_SECONDS
    while not _answers(sockets / _NAME):
        if not child.is_running():
            raise child.death()
        if time.monotonic() > end:
            raise ServersFailed(
                f"Valkey {_READY_SECONDS} 秒内未就绪，日志：{child.log}",
                f"Valkey is not ready after {_READY_SECONDS} s, log: {child.log}",
            )
        time.sleep(0.02)


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(7).startswith(b"+PONG")
    except OSError:
        return False
