"""A worker that is in the middle of a batch for ever: rows taken, facts written, no commit."""

import asyncio
import sys
from datetime import datetime
from typing import Any

from itr.database import connected
from itr.events import work
from itr.settings import Settings
from itr.tickets.firing import fire_due


async def fire_and_stay(now: datetime) -> None:
    """Fire what is due, say so when everything is written, and never commit."""
    write = work.append

    async def write_and_stay(*given: Any, **named: Any) -> None:
        await write(*given, **named)
        sys.stdout.write("written\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    work.append = write_and_stay
    async with connected(Settings.read()):
        await fire_due(now)


if __name__ == "__main__":
    asyncio.run(fire_and_stay(datetime.fromisoformat(sys.argv[1])))
