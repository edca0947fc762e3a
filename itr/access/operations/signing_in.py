"""Signing in at this server's own pages: passwords, attempts, sessions."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from anyio import CapacityLimiter, to_thread
from tortoise.backends.base.client import BaseDBAsyncClient

from itr.access.models import BrowserSession, SignInAttempts
from itr.access.operations.recording import SESSION, record
from itr.access.rules import (
    PER_ACCOUNT,
    PER_ADDRESS,
    SESSION_LIFETIME,
    LockOut,
    failures_now,
)
from itr.access.secrets import digest, is_password, new_secret
from itr.actor import Actor
from itr.errors import DomainError
from itr.events.work import transaction
from itr.people.models import Person
from itr.people.operations import load_actor
from itr.transactions import in_transaction

HASHING = CapacityLimiter(2)
"""Each hash takes 64 MB: more at once would be a way to fill the memory."""


class SignInFailed(DomainError):
    """Unknown name, wrong password or inactive account; which of these is not told."""

    code = "SIGN_IN_FAILED"
    zh = "邮箱或密码不正确。"
    en = "The e-mail address or the password is not right."


class TooManyAttempts(DomainError):
    """Too many failures in a row; also the right password has to wait."""

    code = "TOO_MANY_ATTEMPTS"
    zh = "尝试次数过多，请在 {seconds} 秒后再试。"
    en = "Too many attempts; try again in {seconds} seconds."


@dataclass(frozen=True)
class SignedIn:
    """A session at a browser: whose, and since when."""

    id: UUID
    actor: Actor
    signed_in_at: datetime


async def sign_in(email: str, password: str, *, address: str, now: datetime) -> tuple[str, UUID]:
    """Check a password and begin a session; returns its secret, for a cookie, and the person's id.

    Every attempt is counted before the password is looked at, so that many at once are no way
    around the lock. Raises TooManyAttempts, SignInFailed.
    """
    name = email.strip().lower()
    locks = attempts_of(name, address)
    await count_attempt(locks, now=now)
    person = await _person_named(name)
    kept = person.password_hash if person is not None else None
    good = await to_thread.run_sync(is_password, password, kept, limiter=HASHING)
    actor = await load_actor(person.id) if good and person is not None else None
    if actor is None:
        raise SignInFailed()
    await forgive_attempts(locks)
    return await begin_session(actor, address=address, now=now), actor.id


async def begin_session(actor: Actor, *, address: str, now: datetime) -> str:
    """Begin a session for somebody who has shown who they are; returns its secret."""
    token = new_secret()
    async with transaction() as work:
        session = await BrowserSession.create(
            id=uuid4(),
            digest=digest(token),
            person_id=actor.id,
            signed_in_at=now,
            expires_at=now + SESSION_LIFETIME,
            address=address[:80],
        )
        told = {"person": str(actor.id), "address": address}
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
    return SignedIn(found.id, actor, found.signed_in_at)


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


async def count_attempt(locks: Mapping[str, LockOut], *, now: datetime) -> None:
    """Count one more attempt under each key, as if it had failed. Raises TooManyAttempts."""
    async with in_transaction() as connection:
        wait = timedelta(0)
        for key in sorted(locks):
            wait = max(wait, await _counted(connection, key, locks[key], now))
    if wait:
        raise TooManyAttempts(seconds=max(1, round(wait.total_seconds())))


async def forgive_attempts(locks: Mapping[str, LockOut]) -> None:
    """Forget the failures of the account, and the one just counted for its address."""
    for key, lock in locks.items():
        if lock is PER_ACCOUNT:
            await SignInAttempts.filter(key=key).delete()
        else:
            row = await SignInAttempts.get_or_none(key=key)
            if row is not None and row.failures:
                await SignInAttempts.filter(key=key).update(failures=row.failures - 1)


def attempts_of(name: str, address: str) -> dict[str, LockOut]:
    """The locks of whoever signs in by this name from there."""
    return {_key("account", name): PER_ACCOUNT, _key("address", address): PER_ADDRESS}


def attempts_at_codes(person_id: UUID, address: str) -> dict[str, LockOut]:
    """The locks of somebody who types codes of devices."""
    return {
        _key("codes of", str(person_id)): PER_ACCOUNT,
        _key("address", address): PER_ADDRESS,
    }


async def _counted(
    connection: BaseDBAsyncClient, key: str, lock: LockOut, now: datetime
) -> timedelta:
    """Count one more; returns how long to wait, which is nothing while the lock is open."""
    await connection.execute_query(
        "insert into sign_in_attempts (key, failures, last_at) values ($1, 0, $2)"
        " on conflict do nothing",
        [key, now],
    )
    row = await SignInAttempts.filter(key=key).select_for_update().get()
    if row.locked_until is not None and now < row.locked_until:
        return row.locked_until - now
    row.failures = failures_now(row.failures, row.last_at, now) + 1
    locked_for = lock.after(row.failures)
    row.locked_until = now + locked_for if locked_for else None
    row.last_at = now
    await row.save(update_fields=["failures", "locked_until", "last_at"])
    return timedelta(0)


async def _person_named(name: str) -> Person | None:
    if not name or "\0" in name:
        return None
    return await Person.filter(email__iexact=name, password_hash__not_isnull=True).first()


def _key(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}\0{value}".encode("utf-8", "replace")).hexdigest()
