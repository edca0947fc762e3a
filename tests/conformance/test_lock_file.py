"""The lock file names packages and their checksums, never where somebody got them."""

import json
import re

from tests.conformance.node import HERE, LOCK

EXACT = re.compile(r"\d+\.\d+\.\d+")


def test_the_lock_file_has_no_download_addresses() -> None:
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]

    assert len(packages) > 100
    assert [name for name, each in packages.items() if "resolved" in each] == []
    assert [name for name, each in packages.items() if name and "integrity" not in each] == []
    assert "registry" not in LOCK.read_text(encoding="utf-8")


def test_packages_are_pinned_and_as_locked() -> None:
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]

    assert [name for name, version in wanted.items() if not EXACT.fullmatch(version)] == []
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
