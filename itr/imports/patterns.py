"""Patterns of values: a star stands for any letters."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated

from pydantic import StringConstraints

ANY = "*"
Pattern = Annotated[str, StringConstraints(max_length=200)]


def fits_any(patterns: Iterable[str], text: str) -> bool:
    """Whether a text fits one of the patterns."""
    return any(_fits(_parts(pattern), text) for pattern in patterns)


@lru_cache(maxsize=10_000)
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split(ANY))


def _fits(pattern: tuple[str, ...], text: str) -> bool:
    """Whether a text has these parts in this order, from its beginning to its end."""
    if len(pattern) == 1:
        return pattern[0] == text
    first, *middle, last = pattern
    if len(text) < len(first) + len(last) or not text.startswith(first):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return text.endswith(last)
