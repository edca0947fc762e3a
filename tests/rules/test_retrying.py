"""What another server's absence stops is done again, and nothing else is."""

import asyncio
from collections.abc import Iterator

import pytest

from itr.retrying import for_ever, until_done


class Away:
    """Work that fails so many times, then succeeds."""

    def __init__(self, times: int, error: type[Exception] = OSError) -> None:
        self.left, self.error, self.begun = times, error, 0

    async def __call__(self) -> str:
        self.begun += 1
        if self.left:
            self.left -= 1
            raise self.error(self.left)
        return "done"


async def test_what_fails_is_done_again_until_it_succeeds_and_each_failure_is_told():
    work, told = Away(3), []

    result = await until_done(work, on=OSError, tell=told.append, first=0.001)

    assert result == "done"
    assert [error.args for error in told] == [(2,), (1,), (0,)]


async def test_what_is_not_waited_for_is_raised_at_once():
    work, told = Away(1, ValueError), []

    with pytest.raises(ValueError, match="0"):
        await until_done(work, on=OSError, tell=told.append, first=0.001)

    assert (work.begun, told) == (1, [])


async def test_being_cancelled_ends_the_waiting_at_once():
    failed = asyncio.Event()
    waiting = asyncio.create_task(
        until_done(Away(9), on=OSError, tell=lambda _: failed.set(), first=600, longest=600)
    )
    await failed.wait()

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 5)


async def test_what_should_never_end_is_begun_anew_whether_it_fails_or_ends():
    ends: Iterator[Exception | None] = iter([None, OSError(), None, OSError(), ValueError()])
    told = []

    async def work() -> None:
        if error := next(ends):
            raise error

    with pytest.raises(ValueError):
        await for_ever(work, on=OSError, tell=told.append, first=0.001, longest=0.002, settled=600)

    assert [type(error) for error in told] == [OSError, OSError]


async def test_what_lasted_is_begun_anew_without_waiting():
    times = iter(range(3))

    async def work() -> None:
        if next(times, None) is None:
            raise ValueError

    async with asyncio.timeout(5):
        with pytest.raises(ValueError):
            await for_ever(work, on=OSError, tell=lambda _: None, first=600, longest=600, settled=0)
