"""Going to another issuer to sign in, and coming back once, in the same browser."""

from datetime import datetime
from uuid import uuid4

from tortoise.connection import get_connection

from itr.access.models import SignInElsewhere
from itr.access.rules import FEDERATED_SIGN_IN_LIFETIME
from itr.access.secrets import digest, new_secret
from itr.errors import DomainError

_CAME_BACK = """
delete from sign_in_elsewhere
where digest = $1 and browser = $2 and issuer = $3 and expires_at > $4
returning came_from
"""


class NotAwaited(DomainError):
    """Nobody is awaited with this state: never, no longer, already back, or at another browser."""

    code = "NOT_AWAITED"
    zh = "本次登录已过期、已完成，或是在另一个浏览器里开始的，请重新登录。"
    en = "This sign-in has expired, is over, or began in another browser; please sign in again."


async def begin_federated_sign_in(
    issuer: str, *, browser: str, came_from: str, now: datetime
) -> str:
    """Note that this browser leaves for an issuer; returns the state it has to come back with."""
    state = new_secret()
    await SignInElsewhere.create(
        id=uuid4(),
        digest=digest(state),
        browser=digest(browser),
        issuer=issuer,
        came_from=came_from,
        expires_at=now + FEDERATED_SIGN_IN_LIFETIME,
    )
    return state


async def come_back(state: str, *, issuer: str, browser: str, now: datetime) -> str:
    """Where the browser that left with this state came from, told once. Raises NotAwaited."""
    rows = await get_connection("default").execute_query_dict(
        _CAME_BACK, [digest(state), digest(browser), issuer, now]
    )
    if not rows:
        raise NotAwaited()
    return str(rows[0]["came_from"])
