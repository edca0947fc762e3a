"""Generations of the signing key: published, then used, then retired."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid5

from itr.access.models import SigningKey
from itr.access.operations.recording import KEY, record
from itr.actors.actor import SYSTEM
from itr.events.work import transaction

PUBLISHED_AHEAD = timedelta(minutes=1)
"""How long a key is published before the first token is signed with it."""
LONGEST_TOKEN = timedelta(hours=12, minutes=5)
"""How long after its last signature a key may still be needed."""
_KEYS = UUID("0f6a1c7e-4b0e-4f0a-8f57-3b8f4c1d2a90")


@dataclass(frozen=True)
class Generation:
    """One generation that is still good: from when it signs."""

    number: int
    signs_from: datetime


async def generations() -> list[Generation]:
    """The generations tokens may be signed by, oldest first."""
    rows = await SigningKey.filter(retired_at=None).order_by("generation")
    return [Generation(row.generation, row.signs_from) for row in rows]


async def rotate_signing_key(*, now: datetime, compromised: bool = False) -> int:
    """Publish the next generation, signing a minute from now; returns its number.

    Older generations stay good until their last tokens have expired and somebody retires them.
    Where a key is `compromised`, the next one signs at once and all older ones are retired now:
    everybody signs in again with their refresh token.
    """
    async with transaction() as work:
        newest = await SigningKey.all().order_by("-generation").select_for_update().first()
        number = newest.generation + 1 if newest else 1
        if compromised:
            await SigningKey.filter(retired_at=None).update(retired_at=now)
        await SigningKey.create(
            generation=number,
            published_at=now,
            signs_from=now if compromised else now + PUBLISHED_AHEAD,
        )
        subject = uuid5(_KEYS, str(number))
        told = {"generation": number, "compromised": compromised}
        await record(work, SYSTEM, "KeyRotated", about=KEY, subject=subject, now=now, told=told)
    return number


async def retire_older_keys(now: datetime) -> int:
    """Retire generations whose last token has expired; returns how many."""
    async with transaction() as work:
        rows = await SigningKey.filter(retired_at=None).order_by("generation").select_for_update()
        over = [
            row for row, successor in pairwise(rows) if successor.signs_from + LONGEST_TOKEN < now
        ]
        for row in over:
            row.retired_at = now
            await row.save(update_fields=["retired_at"])
            subject = uuid5(_KEYS, str(row.generation))
            told = {"generation": row.generation}
            await record(work, SYSTEM, "KeyRetired", about=KEY, subject=subject, now=now, told=told)
    return len(over)
