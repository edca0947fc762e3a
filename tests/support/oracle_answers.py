"""Comparing an answer with the oracle's: the same JSON, the same null rules, the same refusals."""

from __future__ import annotations

import base64
from collections.abc import Sequence, Set
from typing import Any

import orjson


def differences(
    expected: Any,
    data: Any,
    errors: Sequence[dict[str, Any]],
    missing: Set[tuple[tuple[str, ...], str]] = frozenset(),
    withheld: Sequence[dict[str, Any]] = (),
) -> list[str]:
    """Return what differs between graphql-core's result and a client's answer; [] when nothing.

    Cursors are compared by the row they stand for. The planner tells what is withheld also where
    no row was there to need it; so it must tell at least what the oracle met (`missing`).
    """
    found: list[str] = []
    _compare(expected.data, data, "data", found)
    kept = {(tuple(each["path"]), each["permission"]) for each in withheld}
    if data is not None and missing - kept:
        found.append(f"withheld and not told: {missing - kept}; told {kept}")
    told = {(tuple(each["path"] or ()), each["extensions"].get("code")) for each in errors}
    for error in expected.errors or ():
        path = tuple(error.path or ())
        code = (error.extensions or {}).get("code")
        if code is None:
            found.append(f"the oracle failed at {path}: {error.message}")
        elif not _above_null(expected.data, path) and (path[:1], code) not in told:
            found.append(f"not told: {code} at {path}; told {sorted(told, key=str)}")
    if any(code is None for _, code in told):
        found.append(f"unexpected errors: {errors}")
    if errors and not expected.errors and any(code != "FORBIDDEN" for _, code in told):
        found.append(f"refused without need: {errors}")
    return found


def _compare(expected: Any, data: Any, place: str, found: list[str]) -> None:
    if isinstance(expected, dict) and isinstance(data, dict):
        if list(expected) != list(data):
            found.append(f"{place}: keys {list(expected)} became {list(data)}")
        for key in expected.keys() & data.keys():
            _compare(expected[key], data[key], f"{place}.{key}", found)
    elif isinstance(expected, list) and isinstance(data, list):
        if len(expected) != len(data):
            found.append(f"{place}: {len(expected)} items became {len(data)}")
        for number, (one, other) in enumerate(zip(expected, data, strict=False)):
            _compare(one, other, f"{place}.{number}", found)
    elif isinstance(expected, str) and expected.startswith("cursor:"):
        if not isinstance(data, str) or not _stands_for(data, expected):
            found.append(f"{place}: {expected} became {data}")
    elif expected != data or type(expected) is not type(data):
        found.append(f"{place}: {expected!r} became {data!r}")


def _stands_for(cursor: str, expected: str) -> bool:
    payload = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[16:]
    unique = expected.removeprefix("cursor:").split("|")
    keys: list[str] = orjson.loads(payload)
    return keys[-len(unique) :] == unique


def _above_null(data: Any, path: Sequence[str | int]) -> bool:
    """Tell whether something above a path became null, so that the path was never reached."""
    for key in path[:-1]:
        if data is None:
            return True
        data = data[key]
    return data is None
