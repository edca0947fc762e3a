"""A real Chromium: this machine's, or the one that comes as an npm package."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.node import Node, installed

HERE = Path(__file__).parent
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_NO_FONTS = not Path("/etc/fonts/fonts.conf").exists()


@dataclass(frozen=True)
class Chromium:
    """Where a browser is, and what it needs around it."""

    path: str
    surroundings: dict[str, str] = field(default_factory=dict)

    def starts(self) -> bool:
        """Whether it runs here at all."""
        try:
            told = subprocess.run(
                [self.path, "--version"],
                env=os.environ | self.surroundings,
                capture_output=True,
                timeout=60,
                check=False,
            )
        except OSError:
            return False
        return told.returncode == 0


async def found() -> Chromium:
    """A browser that runs here; skips the test where there is none."""
    for name in _NAMES:
        path = shutil.which(name)
        if path is not None and Chromium(path).starts():
            return Chromium(path)
    for browser in await _packaged(installed(HERE)):
        if browser.starts():
            return browser
    pytest.skip("没有可运行的 Chromium，略过 / skipped: no Chromium runs on this machine")


async def _packaged(node: Node) -> list[Chromium]:
    """The package's browser: with this machine's libraries, and with those it brings along."""
    folder = HERE / "node_modules" / ".chromium"
    with (HERE / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "chromium").exists():
            folder.mkdir(exist_ok=True)
            await node.run("unpack.mjs", folder)
    fonts = {"FONTCONFIG_PATH": str(folder)} if _NO_FONTS else {}
    libraries = {"LD_LIBRARY_PATH": str(folder / "lib")}
    path = str(folder / "chromium")
    return [Chromium(path, fonts), Chromium(path, fonts | libraries)]
