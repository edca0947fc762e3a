"""Being asked to stop: SIGINT, SIGTERM and SIGHUP end the main thread's work in good order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self


class StopAsked(KeyboardInterrupt):
    """Somebody asked this process to stop."""


class StopSignals:
    """While entered, the first signal raises `StopAsked` in the main thread; later ones do nothing.

    Inside `shield` it is raised at the end of the block instead. A SIGHUP that was ignored when
    we came (nohup) stays ignored.
    """

    def __init__(self) -> None:
        self._asked = False
        self._raised = False
        self._shields = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before = signal.getsignal(number)
            if number is signal.SIGHUP and before is signal.SIG_IGN:
                continue
            self._before[number] = before
            signal.signal(number, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        self._raise_once()

    def _raise_once(self) -> None:
        if self._asked and not self._raised and not self._shields:
            self._raised = True
            raise StopAsked

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Let this block finish before a signal is heard."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        self._raise_once()

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Let this block finish and hear no signal any more: things are being stopped already."""
        self._raised = True
        yield
