"""Data that change rarely, held in memory for as long as the database says that they are the same.

Who changes people, calendars or levels leaves a mark in the same transaction. A transaction reads
the marks after it has locked what it works on; what was remembered under others is read anew. So
nothing is older than what is locked, and nothing is read twice without need.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")
References = Mapping[str, str]
"""The marks of each area, as one transaction sees them."""


class Remembered(Generic[T]):
    """What is worked out of the tables of some areas, read again when one of them has changed."""

    def __init__(self, *areas: str, load: Callable[[], Awaitable[T]]) -> None:
        self._areas = areas
        self._load = load
        self._kept: tuple[tuple[str, ...], T] | None = None

    async def under(self, references: References | None) -> T:
        """The value as it is under these marks, or newer: what is read now is never older.

        Without marks it is read.
        """
        if references is None:
            return await self._load()
        marks = tuple(references.get(area, "") for area in self._areas)
        if self._kept is not None and self._kept[0] == marks:
            return self._kept[1]
        value = await self._load()
        self._kept = marks, value
        return value
