"""Devices without a keyboard: a code on their screen, allowed on another (RFC 8628)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from tortoise.connection import get_connection

from itr.access.models import DeviceCode, Grant, OAuthClient
from itr.access.operations.attempts import place_of
from itr.access.operations.grants import open_grant
from itr.access.rules import DEVICE_INTERVAL, DEVICE_LIFETIME, SLOWER_BY
from itr.access.secrets import digest
from itr.access.terms import DeviceStatus
from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import Permission
from itr.errors import DomainError
from itr.events.work import Work, transaction

MOST_WAITING = 20
"""Codes one address may wait with for one client: a hall full of screens, not a full disk."""


class NoSuchCode(DomainError):
    """No device waits with this code, or no longer."""

    code = "NO_SUCH_CODE"
    zh = "没有设备在等待此代码，或代码已过期。请核对屏幕上的代码。"
    en = "No device waits with this code, or it has expired. Check the code on the screen."


class TooManyWaiting(Exception):
    """From this address so many devices wait already."""


_WAITING = """
select count(*) as number from device_code
where client_id = $1 and status = 'PENDING' and expires_at > $2
    and (address = $3 or case when address like '%:%' then address::inet <<= $4::inet end)
"""


@dataclass(frozen=True)
class Waiting:
    """A device that waits: what it calls itself, where it asked from."""

    name: str
    scope: str
    address: str
    since: datetime


async def keep_device(
    client: OAuthClient,
    device_code: str,
    user_code: str,
    *,
    scope: str,
    address: str,
    now: datetime,
) -> None:
    """Keep what a device was given to wait with; raises TooManyWaiting.

    Whoever waits is not pushed out by others of their address: those have to come again.
    """
    await OAuthClient.filter(id=client.id).select_for_update(no_key=True).get()  # one at a time
    (waiting,) = await get_connection("default").execute_query_dict(
        _WAITING, [client.id, now, address[:80], _network(address)]
    )
    if waiting["number"] >= MOST_WAITING:
        raise TooManyWaiting()
    await DeviceCode.create(
        id=uuid4(),
        digest=digest(device_code),
        user_code=user_code,
        client=client,
        scope=scope,
        address=address[:80],
        status=DeviceStatus.PENDING,
        interval=DEVICE_INTERVAL,
        created_at=now,
        expires_at=now + DEVICE_LIFETIME,
    )


def _network(address: str) -> str | None:
    """The network that counts as one address, if this is of one (IPv6)."""
    place = place_of(address)
    return place if "/" in place else None


async def device_asking(device_code: str) -> DeviceCode | None:
    """The device that asks with its secret, locked, with its grant if it has one."""
    found = await DeviceCode.filter(digest=digest(device_code)).select_for_update().first()
    if found is not None and found.grant_id is not None:
        found.grant = await Grant.filter(id=found.grant_id).select_for_update(no_key=True).get()
    return found


async def asks_too_often(device: DeviceCode, *, now: datetime) -> bool:
    """Note that the device asked; asking sooner than told makes its interval longer."""
    last, device.polled_at = device.polled_at, now
    too_soon = last is not None and now - last < timedelta(seconds=device.interval)
    if too_soon:
        device.interval = min(device.interval + SLOWER_BY, 60)
    await device.save(update_fields=["polled_at", "interval"])
    return too_soon


async def use_device(device: DeviceCode) -> None:
    """Mark an allowed device's code as used: it brings tokens once."""
    device.status = DeviceStatus.USED
    await device.save(update_fields=["status"])


async def waiting_device(actor: Actor, user_code: str, *, now: datetime) -> Waiting:
    """What waits with this code. Raises Forbidden, NoSuchCode."""
    ensure_may(actor, Permission.APPROVE_DEVICES)
    device = await DeviceCode.get_or_none(
        user_code=user_code, status=DeviceStatus.PENDING, expires_at__gt=now
    ).select_related("client")
    if device is None or not device.client.active:
        raise NoSuchCode()
    return Waiting(device.client.name, device.scope, device.address, device.created_at)


async def decide_device(actor: Actor, user_code: str, *, allow: bool, now: datetime) -> UUID | None:
    """Let a waiting device in, or not; returns the grant. Raises Forbidden, NoSuchCode."""
    ensure_may(actor, Permission.APPROVE_DEVICES)
    async with transaction() as work:
        device = await DeviceCode.filter(user_code=user_code).select_for_update().first()
        if device is None or device.status is not DeviceStatus.PENDING or now >= device.expires_at:
            raise NoSuchCode()
        device.status = DeviceStatus.APPROVED if allow else DeviceStatus.DENIED
        if allow:
            device.grant = await _granted(work, actor, device, now)
        await device.save()
        return device.grant_id


async def _granted(work: Work, actor: Actor, device: DeviceCode, now: datetime) -> Grant:
    client = await OAuthClient.filter(id=device.client_id, active=True).first()
    if client is None or client.actor_id is None:
        raise NoSuchCode()
    return await open_grant(work, actor, client, client.actor_id, scope=device.scope, now=now)
