"""Forgetting what has expired."""

from datetime import datetime, timedelta

from tortoise.connection import get_connection

from itr.access.rules import FORGOTTEN_AFTER

_KEPT = timedelta(days=1)
"""Expired rows stay a while, so that a replay is still recognised as one."""
_EXPIRED = ("authorization_code", "device_code", "refresh_token", "revoked_token")
_SPENT_GRANTS = """
delete from oauth_grant g where g.created_at < $1
  and (g.ended_at < $1 or g.ended_at is null)
  and not exists (select 1 from refresh_token r where r.grant_id = g.id)
  and not exists (select 1 from authorization_code a where a.grant_id = g.id)
  and not exists (select 1 from device_code d where d.grant_id = g.id)
"""


async def forget_expired_access(now: datetime) -> None:
    """Delete codes, tokens and sessions that expired a day ago, and grants nothing is left of."""
    connection = get_connection("default")
    for table in _EXPIRED:
        await connection.execute_query(f"delete from {table} where expires_at < $1", [now - _KEPT])
    await connection.execute_query(
        "delete from browser_session where expires_at < $1", [now - _KEPT]
    )
    await connection.execute_query("delete from sign_in_elsewhere where expires_at < $1", [now])
    await connection.execute_query(_SPENT_GRANTS, [now - _KEPT])
    await connection.execute_query(
        "delete from sign_in_attempts where last_at < $1", [now - FORGOTTEN_AFTER]
    )
