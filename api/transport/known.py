"""What the subscribers of a live source have been shown, so that leaving can be told."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from api.transport.watch import Look
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
        self._looking = 0
        self._looked: Taken | None = None
        self._ahead: OrderedDict[UUID, Taken] = OrderedDict()

    @contextmanager
    def in_doubt(self) -> Iterator[Callable[[Taken], None]]:
        """Doubt everything during the block, and afterwards all that its look already held."""
        self._looking += 1
        try:
            yield self._doubt
        finally:
            self._looking -= 1

    def add_all(self, look: Look) -> None:
        """Take note of everything there is to see."""
        self._shown |= look.versions.keys()
        self._complete = look.complete

    def among(self, gone: Collection[UUID]) -> set[UUID]:
        """Which of the things out of sight were shown."""
        return self._shown.intersection(gone)

    def unsure(self, key: UUID, events: Iterable[Event]) -> bool:
        """Whether a thing that is not known may have been shown nevertheless."""
        if key in self._shown:
            return False
        if self._looking or not self._complete:
            return True
        looks = [look for look in (self._looked, self._ahead.get(key)) if look is not None]
        return any(look.holds(event.position) for look in looks for event in events)

    def saw(self, happened: Mapping[UUID, list[Event]], look: Look, *, passed: Position) -> None:
        """Take note of a look at what happened."""
        self._shown.difference_update(happened)
        self._shown.update(look.versions)
        for key in happened:
            self._ahead[key] = look.taken
            self._ahead.move_to_end(key)
        while self._ahead and next(iter(self._ahead.values())).beyond <= passed.tx:
            self._ahead.popitem(last=False)

    def _doubt(self, taken: Taken) -> None:
        if self._looked is None or taken.beyond >= self._looked.beyond:
            self._looked = taken
