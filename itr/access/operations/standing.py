"""Whether a token still stands, asked when a process first sees it; and ending one by itself."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tortoise.connection import get_connection

from itr.access.models import RevokedToken
from itr.access.operations.recording import TOKEN
from itr.actors.actor import SYSTEM
from itr.events.log import Fact
from itr.events.work import Work

_STANDS = """
select not exists (select 1 from revoked_token t where t.id = $1)
   and not exists (select 1 from oauth_grant g where g.id = $2 and g.ended_at is not null)
   and not exists (select 1 from oauth_client c where c.client_id = $3 and not c.active) as stands
"""


@dataclass(frozen=True, slots=True)
class Credential:
    """What of a token can come to an end before its time."""

    token_id: str
    grant_id: UUID | None
    client_id: str


async def stands(credential: Credential) -> bool:
    """Whether neither the token, nor its grant, nor its client has been ended."""
    token_id = _id_in(credential.token_id)
    rows = await get_connection("default").execute_query_dict(
        _STANDS, [token_id, credential.grant_id, credential.client_id]
    )
    return bool(rows[0]["stands"])


async def revoke_token(
    work: Work, token_id: UUID, *, person_id: UUID, expires_at: datetime, now: datetime
) -> None:
    """End one access token; every process drops it when it hears of it (S9)."""
    _, created = await RevokedToken.get_or_create(id=token_id, defaults={"expires_at": expires_at})
    if created:
        work.record(
            Fact(
                type="TokenRevoked",
                subject_type=TOKEN,
                subject=token_id,
                subject_version=1,
                stream=token_id,
                by=SYSTEM,
                occurred_at=now,
                payload={"person": str(person_id)},
            )
        )


def _id_in(token_id: str) -> UUID | None:
    try:
        return UUID(hex=token_id)
    except ValueError:
        return None
