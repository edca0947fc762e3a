"""Doing again what another server's absence stopped: ever more slowly, for as long as it takes.

The waits are stamina's: doubled each time up to a longest one, with some chance in them so that
processes do not all come back at once. Being cancelled ends everything at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import stamina
from stamina.instrumentation import set_on_retry_hooks

T = TypeVar("T")
Kinds = type[Exception] | tuple[type[Exception], ...]
Tell = Callable[[Exception], object]

set_on_retry_hooks([])  # each caller says what failed, in its own words and without its arguments


async def until_done(
    work: Callable[[], Awaitable[T]],
    *,
    on: Kinds,
    tell: Tell,
    first: float = 0.1,
    longest: float = 2.0,
) -> T:
    """Do it until it succeeds, and return what it returns; other errors than `on` are raised.

    `tell` gets each failure. The second attempt comes at once, so that what succeeds costs nothing;
    `first` and `longest` are the seconds between later ones.
    """
    try:
        return await work()
    except on as error:
        tell(error)

    def is_waited_for(error: Exception) -> bool:
        if waited_for := isinstance(error, on):
            tell(error)
        return waited_for

    async for attempt in _attempts(is_waited_for, first, longest):
        with attempt:
            return await work()
    raise AssertionError("attempts have no end")


async def for_ever(
    work: Callable[[], Awaitable[object]],
    *,
    on: Kinds,
    tell: Tell,
    first: float,
    longest: float,
    settled: float,
) -> None:
    """Begin it anew whenever it ends or fails; soon, if it lasted for `settled` seconds.

    `tell` gets each failure; other errors than `on` are raised.
    """
    while True:
        async for attempt in _attempts(_EndedSoon, first, longest):
            with attempt:
                began = asyncio.get_running_loop().time()
                try:
                    await work()
                except on as error:
                    tell(error)
                if asyncio.get_running_loop().time() - began < settled:
                    raise _EndedSoon


class _EndedSoon(Exception):
    """The work has ended so soon that beginning it anew has to wait."""


def _attempts(
    on: type[Exception] | Callable[[Exception], bool], first: float, longest: float
) -> AsyncIterator[stamina.Attempt]:
    return aiter(
        stamina.retry_context(
            on=on,
            attempts=None,
            timeout=None,
            wait_initial=first,
            wait_max=longest,
            wait_jitter=first,
        )
    )
