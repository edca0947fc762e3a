"""A worker that is in the middle of a batch for ever: rows taken, facts written, no commit."""

import asyncio
import sys
from datetime import datetime

from itr.database import connected
from itr.events.work import Work
from itr.settings import Settings
from itr.tickets.firing import fire_due


async def fire_and_stay(now: datetime) -> None:
    """Fire what is due, say so when everything is written, and never commit."""
    write = Work.flush

    async def write_and_stay(work: Work) -> None:
        await write(work)
        sys.stdout.write("written\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    Work.flush = write_and_stay  # type: ignore[method-assign]
    async with connected(Settings.read()):
        await fire_due(now)


if __name__ == "__main__":
    asyncio.run(fire_and_stay(datetime.fromisoformat(sys.argv[1])))
