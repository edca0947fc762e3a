"""Facts of access, written as every other change is (S16)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from itr.actors.actor import Actor
from itr.events.log import Fact
from itr.events.work import Work
from itr.people.history import next_version

APPROVAL = "access_approval"
CLIENT, GRANT, CONSENT, TOKEN, KEY, SESSION = (
    "oauth_client",
    "oauth_grant",
    "oauth_consent",
    "access_token",
    "signing_key",
    "browser_session",
)
"""Subject types that tell API processes what has ended."""


async def record(
    work: Work,
    by: Actor,
    type: str,
    *,
    about: str,
    subject: UUID,
    now: datetime,
    told: Mapping[str, Any],
) -> None:
    """Write that something happened to a client, grant, token, key or session; no secret in it."""
    work.record(
        Fact(
            type=type,
            subject_type=about,
            subject=subject,
            subject_version=await next_version(work, subject),
            stream=subject,
            by=by,
            occurred_at=now,
            payload=told,
        )
    )
