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

import pytest

HERE = Path(__file__).parent
HOUSE = HERE.parents[1]
SCHEMA = HOUSE / "api" / "schema" / "schema.graphql"
LOCK = HERE / "package-lock.json"
PROGRAMS = HERE / "node_modules"
OLDEST = 20
_INSTALL_SECONDS = 300
_RUN_SECONDS = 120


@dataclass(frozen=True)
class Node:
    """Node and the packages of this folder."""

    path: str

    async def run(
        self, script: str | Path, *arguments: str | Path, cwd: Path = HOUSE, **environment: str
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
            str(HERE / script),
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


def installed() -> Node:
    """Node with the packages of the lock file; skips the test where there is no Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("没有 node 和 npm，略过 / skipped: there is no node and npm here")
    version = _output(node, "--version").strip()
    if int(version.removeprefix("v").split(".")[0]) < OLDEST:
        pytest.skip(f"node {version} 过旧 / node {version} is too old, {OLDEST} is needed")
    with (HERE / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(npm, f"{version} {hashlib.sha256(LOCK.read_bytes()).hexdigest()}")
    return Node(node)


def _install(npm: str, wanted: str) -> None:
    """Install what the lock file says, unless that is what is there."""
    stamp = PROGRAMS / ".installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    _output(npm, "ci", "--ignore-scripts", "--prefer-offline", "--no-progress")
    stamp.write_text(wanted)


def _output(*command: str) -> str:
    done = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
