"""What the subscribers of a live source have been shown, so that leaving can be told."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from api.transport.watch import Snapshot
from itr.events.cursor import Position
from itr.events.feed import Event, Taken


class Known:
    """What subscribers have been shown, as far as it can be told, so that leaving can be.

    What a statement sees runs ahead of the feed: a thing may come and go before its events are
    read, and a subscriber may have seen it in between. Where that can be, there is doubt, and
    the watch is asked for the thing's history instead.
    """

    def __init__(self) -> None:
        self._shown: set[UUID] = set()
        self._complete = True
        self._snapping = 0
        self._snapped: Taken | None = None
        self._ahead: OrderedDict[UUID, Taken] = OrderedDict()

    @contextmanager
    def in_doubt(self) -> Iterator[Callable[[Taken], None]]:
        """Doubt everything during the block, and afterwards all that its snapshot already held."""
        self._snapping += 1
        try:
            yield self._doubt
        finally:
            self._snapping -= 1

    def add_all(self, snapshot: Snapshot) -> None:
        """Take note of everything there is to see."""
        self._shown |= snapshot.versions.keys()
        self._complete = snapshot.complete

    def among(self, gone: Collection[UUID]) -> set[UUID]:
        """Which of the things out of sight were shown."""
        return self._shown.intersection(gone)

    def unsure(self, key: UUID, events: Iterable[Event]) -> bool:
        """Whether a thing that is not known may have been shown nevertheless."""
        if key in self._shown:
            return False
        if self._snapping or not self._complete:
            return True
        states = [taken for taken in (self._snapped, self._ahead.get(key)) if taken is not None]
        return any(taken.holds(event.position) for taken in states for event in events)

    def saw(
        self, happened: Mapping[UUID, list[Event]], snapshot: Snapshot, *, passed: Position
    ) -> None:
        """Take note of a snapshot of what happened."""
        self._shown.difference_update(happened)
        self._shown.update(snapshot.versions)
        for key in happened:
            self._ahead[key] = snapshot.taken
            self._ahead.move_to_end(key)
        while self._ahead and next(iter(self._ahead.values())).beyond <= passed.tx:
            self._ahead.popitem(last=False)

    def _doubt(self, taken: Taken) -> None:
        if self._snapped is None or taken.beyond >= self._snapped.beyond:
            self._snapped = taken
