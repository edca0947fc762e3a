"""Signing in at this server's own pages: passwords, attempts, sessions."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from anyio import CapacityLimiter, to_thread
from tortoise.connection import get_connection

from itr.access.models import BrowserSession
from itr.access.operations.attempts import attempts_of, count_attempt, forgive_attempts
from itr.access.operations.recording import SESSION, record
from itr.access.rules import SESSION_LIFETIME, HowSignedIn, account_name
from itr.access.secrets import digest, is_password, new_secret
from itr.actors.actor import Actor
from itr.errors import DomainError
from itr.events.work import transaction
from itr.people.models import Person
from itr.people.operations import load_actor

PASSWORD = "pwd"
HASHING = CapacityLimiter(2)
"""Each hash takes 64 MB: more at once would be a way to fill the memory."""


class SignInFailed(DomainError):
    """Unknown name, wrong password or inactive account; which of these is not told."""

    code = "SIGN_IN_FAILED"
    zh = "邮箱或密码不正确。"
    en = "The e-mail address or the password is not right."


@dataclass(frozen=True)
class SignedIn:
    """A session at a browser: whose, and since when.

    Where another issuer vouched for the person, it does so `vouched_until` the session's end.
    """

    id: UUID
    actor: Actor
    signed_in_at: datetime
    how: HowSignedIn
    vouched_until: datetime | None = None
    must_change_password: bool = False
    """Whether it is good for nothing but changing the password that somebody else made."""

    @property
    def showed_at(self) -> datetime:
        """When they showed who they are, to us or to another issuer, as far as is known."""
        return self.how.at or self.signed_in_at


async def sign_in(
    email: str, password: str, *, address: str, now: datetime, browser: str = ""
) -> tuple[str, UUID]:
    """Check a password and begin a session; returns its secret, for a cookie, and the person's id.

    A `browser` at which they signed in before has a lock of its own: strangers who guess elsewhere
    do not lock somebody out of it.
    Every attempt is counted before the password is looked at, so that many at once are no way
    around the lock. Raises TooManyAttempts, SignInFailed.
    """
    name = account_name(email)
    locks = attempts_of(name, address, browser)
    await count_attempt(locks, now=now)
    person_id, kept = await _person_named(name) or (None, None)
    good = await to_thread.run_sync(is_password, password, kept, limiter=HASHING)
    actor = await load_actor(person_id) if good and person_id is not None else None
    if actor is None:
        raise SignInFailed()
    await forgive_attempts(locks)
    return await begin_session(actor, address=address, now=now), actor.id


async def begin_session(
    actor: Actor,
    *,
    address: str,
    now: datetime,
    issuer: str | None = None,
    how: HowSignedIn | None = None,
) -> str:
    """Begin a session for somebody who has shown who they are, here or to an issuer.

    `how` is what the issuer says of it; here it is by password, now. Returns its secret.
    """
    how = how or HowSignedIn(at=now, amr=PASSWORD)
    token = new_secret()
    async with transaction() as work:
        session = await BrowserSession.create(
            id=uuid4(),
            digest=digest(token),
            person_id=actor.id,
            signed_in_at=now,
            expires_at=now + SESSION_LIFETIME,
            address=address[:80],
            issuer=issuer,
            auth_time=how.at,
            amr=how.amr or None,
            acr=how.acr,
        )
        told = {"person": str(actor.id), "address": address}
        if issuer is not None:
            told["issuer"] = issuer
        await record(work, actor, "SignedIn", about=SESSION, subject=session.id, now=now, told=told)
    return token


async def session_of(token: str, *, now: datetime) -> SignedIn | None:
    """Who is signed in with this secret; None when the session or the person has ended."""
    found = await BrowserSession.get_or_none(
        digest=digest(token), ended_at=None, expires_at__gt=now
    )
    actor = await load_actor(found.person_id) if found is not None else None
    if found is None or actor is None:
        return None
    vouched_until = found.expires_at if found.issuer is not None else None
    how = HowSignedIn(found.auth_time, found.amr or "", found.acr)
    must_change = found.issuer is None and await Person.exists(
        id=found.person_id, must_change_password=True
    )
    return SignedIn(found.id, actor, found.signed_in_at, how, vouched_until, must_change)


async def sign_out(session: SignedIn, *, now: datetime) -> None:
    """End a session; again is nothing."""
    async with transaction() as work:
        ended = await BrowserSession.filter(id=session.id, ended_at=None).update(ended_at=now)
        if ended:
            by = session.actor
            told = {"person": str(by.id)}
            await record(
                work, by, "SignedOut", about=SESSION, subject=session.id, now=now, told=told
            )


_NAMED = """
select id, password_hash from person where lower(email) = $1 and password_hash is not null
"""


async def _person_named(name: str) -> tuple[UUID, str] | None:
    """Whose name it is: letter by letter, so that an account has one name and one lock."""
    if not name or "\0" in name:
        return None
    found = await get_connection("default").execute_query_dict(_NAMED, [name])
    return (found[0]["id"], found[0]["password_hash"]) if found else None
