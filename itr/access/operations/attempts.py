"""Attempts to get in: counted before they are looked at, so that many at once are no way around."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv4Address, ip_address, ip_network
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from itr.access.models import SignInAttempts
from itr.access.rules import PER_ACCOUNT, PER_ADDRESS, LockOut
from itr.errors import DomainError
from itr.transactions import in_transaction


class TooManyAttempts(DomainError):
    """Too many failures in a row; also the right password has to wait."""

    code = "TOO_MANY_ATTEMPTS"
    zh = "尝试次数过多，请在 {seconds} 秒后再试。"
    en = "Too many attempts; try again in {seconds} seconds."


def place_of(address: str) -> str:
    """What counts as one address: of IPv6 the network a customer of a provider has (/64)."""
    try:
        where = ip_address(address)
    except ValueError:
        return address
    if isinstance(where, IPv4Address):
        return address
    return str(where.ipv4_mapped or ip_network((where, 64), strict=False))


def attempts_of(name: str, address: str, browser: str = "") -> dict[str, LockOut]:
    """The locks of whoever signs in by this name from there, at a browser that is known or not."""
    account = f"{name}\0{browser}" if browser else name
    return {_key("account", account): PER_ACCOUNT, _key("address", place_of(address)): PER_ADDRESS}


def attempts_at_password(person_id: UUID, address: str) -> dict[str, LockOut]:
    """The locks of somebody signed in who has to show their password: not of their account.

    Who only knows a name can lock the account; that must not keep its owner from a new password.
    """
    return {
        _key("password of", str(person_id)): PER_ACCOUNT,
        _key("address", place_of(address)): PER_ADDRESS,
    }


def attempts_at_codes(person_id: UUID, address: str) -> dict[str, LockOut]:
    """The locks of somebody who types codes of devices."""
    return {
        _key("codes of", str(person_id)): PER_ACCOUNT,
        _key("address", place_of(address)): PER_ADDRESS,
    }


async def count_attempt(locks: Mapping[str, LockOut], *, now: datetime) -> None:
    """Count one more attempt under each key, as if it had failed.

    Raises TooManyAttempts where one of them is locked; then it counts under none.
    """
    async with in_transaction() as connection:
        rows = [await _locked(connection, key, now) for key in sorted(locks)]
        until = max((row.locked_until for row in rows if row.locked_until), default=now)
        if until > now:
            raise TooManyAttempts(seconds=max(1, round((until - now).total_seconds())))
        for row in rows:
            lock = locks[row.key]
            failures, row.last_at = lock.remembered(row.failures, row.last_at, now)
            row.failures = failures + 1
            waits = lock.after(row.failures)
            row.locked_until = now + waits if waits else None
            await row.save(update_fields=["failures", "locked_until", "last_at"])


async def forgive_attempts(locks: Mapping[str, LockOut]) -> None:
    """Forget the failures of the account, and the one just counted for its address."""
    for key, lock in locks.items():
        if lock is PER_ACCOUNT:
            await SignInAttempts.filter(key=key).delete()
        else:
            await get_connection("default").execute_query(_FORGIVEN, [key, lock.free])


_FORGIVEN = """
update sign_in_attempts set failures = greatest(failures - 1, 0),
    locked_until = case when failures > $2 then locked_until end
where key = $1
"""


async def _locked(connection: BaseDBAsyncClient, key: str, now: datetime) -> SignInAttempts:
    """The count of a key, held until the transaction ends."""
    await connection.execute_query(
        "insert into sign_in_attempts (key, failures, last_at) values ($1, 0, $2)"
        " on conflict do nothing",
        [key, now],
    )
    return await SignInAttempts.filter(key=key).select_for_update().get()


def _key(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}\0{value}".encode("utf-8", "replace")).hexdigest()
