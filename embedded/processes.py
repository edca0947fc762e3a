"""Child processes: started in a session of their own, recognised again, stopped with patience."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.account import Account
from embedded.errors import ServersFailed

_PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    """What tells one process from a later one under the same pid: when it began, what it runs."""

    pid: int
    began: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class StopStep:
    """One attempt to stop a process: the signal and how long to wait for its end."""

    signal: signal.Signals
    seconds: float


POLITE = (StopStep(signal.SIGTERM, 20), StopStep(signal.SIGKILL, 5))


def identity_of(pid: int) -> Identity | None:
    """Tell who runs under `pid` now; None when nobody does (a zombie is nobody)."""
    if _PROC.joinpath("self/stat").exists():
        return _identity_in_proc(pid)
    return _identity_by_ps(pid)


def _identity_in_proc(pid: int) -> Identity | None:
    folder = _PROC / str(pid)
    try:
        fields = folder.joinpath("stat").read_text().rpartition(")")[2].split()
        command = folder.joinpath("cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return None
    if fields[0] in {"Z", "X"}:
        return None
    began = f"{_boot_id()}:{fields[19]}"
    return Identity(pid, began, tuple(os.fsdecode(part) for part in command))


def _boot_id() -> str:
    return _PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()


def _identity_by_ps(pid: int) -> Identity | None:
    ps = shutil.which("ps") or "/bin/ps"
    columns = ["-o", "stat=", "-o", "lstart=", "-o", "command="]
    answer = subprocess.run(
        [ps, "-ww", *columns, "-p", str(pid)], capture_output=True, text=True, check=False
    )
    words = answer.stdout.split(maxsplit=6)
    if len(words) < 7 or words[0].startswith("Z"):
        return None
    return Identity(pid, " ".join(words[1:6]), (words[6].strip(),))


def is_same(known: Identity) -> bool:
    """Tell whether the process we knew still runs: pid, beginning and command line all agree."""
    return identity_of(known.pid) == known


def stop_leftover(known: Identity, *, steps: Sequence[StopStep] = POLITE) -> None:
    """Stop a process an earlier, killed supervisor left behind; anybody else is left alone."""
    for step in steps:
        if not is_same(known):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(known.pid, step.signal)
        _wait_until_gone(known, seconds=step.seconds)
    if is_same(known):
        raise ServersFailed(
            f"上次遗留的进程 {known.pid} 无法停止", f"leftover process {known.pid} does not stop"
        )


def _wait_until_gone(known: Identity, *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while is_same(known) and time.monotonic() < end:
        time.sleep(0.02)


@dataclass(frozen=True)
class Child:
    """A process we started and answer for."""

    name: str
    process: "subprocess.Popen[bytes]"
    identity: Identity
    log: Path
    steps: Sequence[StopStep]

    def is_running(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Stop it, first politely, in the end by force, and wait until it is gone."""
        for step in self.steps:
            if not self.is_running():
                return
            self.process.send_signal(step.signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(step.seconds)

    def last_words(self, *, lines: int = 12) -> str:
        """Return the end of its log, for the sentence that says why it ended."""
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def death(self) -> ServersFailed:
        """Say that it ended, with which code, and its last words."""
        code = self.process.poll()
        words = self.last_words()
        return ServersFailed(
            f"{self.name} 已意外退出（代码 {code}），日志：{self.log}",
            f"{self.name} ended unexpectedly (code {code}), log: {self.log}\n{words}",
        )


def start_child(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    account: Account | None = None,
    steps: Sequence[StopStep] = POLITE,
) -> Child:
    """Start a child in its own session with nothing inherited but its log."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
            umask=0o077,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else (),
        )
    identity = _identity_of_new(process) or Identity(process.pid, "", tuple(command))
    return Child(name, process, identity, log, steps)


def _identity_of_new(process: "subprocess.Popen[bytes]") -> Identity | None:
    """Tell who has just been started: for a moment the system shows no command line of it."""
    end = time.monotonic() + 1
    found = identity_of(process.pid)
    while found is not None and not found.command and time.monotonic() < end:
        time.sleep(0.001)
        found = identity_of(process.pid)
    return found
