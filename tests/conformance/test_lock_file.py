"""The lock files name packages and their checksums, never where somebody got them."""

import json
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
EXACT = re.compile(r"\d+\.\d+\.\d+")
FOLDERS = pytest.mark.parametrize("folder", ["tests/conformance", "tests/browser", "bench/peers"])


@FOLDERS
def test_a_lock_file_has_no_download_addresses(folder: str) -> None:
    text = (HOUSE / folder / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]

    assert len(packages) > 20
    assert [name for name, each in packages.items() if "resolved" in each] == []
    assert [name for name, each in packages.items() if name and "integrity" not in each] == []
    assert "registry" not in text


@FOLDERS
def test_packages_are_pinned_and_as_locked(folder: str) -> None:
    wanted = json.loads((HOUSE / folder / "package.json").read_text("utf-8"))["dependencies"]
    locked = json.loads((HOUSE / folder / "package-lock.json").read_text("utf-8"))["packages"]

    assert [name for name, version in wanted.items() if not EXACT.fullmatch(version)] == []
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
