"""Asking for what a second person approves, approving and refusing it (S18).

`ask` and `decides` are steps of a transaction somebody else opened, with the person locked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from tortoise.connection import get_connection

from itr.access.approval_rules import (
    APPROVAL_LIFETIME,
    SomebodyElseCan,
    ensure_pending,
    ensure_second,
)
from itr.access.models import AccessApproval, OAuthClient
from itr.access.operations.erasing import erase
from itr.access.operations.grants import end_access_of
from itr.access.operations.recording import APPROVAL, CLIENT, record
from itr.access.terms import ApprovalKind, ApprovalState, EndReason
from itr.actors.actor import SYSTEM, Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import DECIDING, Permission, Role
from itr.errors import NotFound
from itr.events.log import NOTIFIED
from itr.events.work import Work, transaction
from itr.notifications.personal import notify_persons
from itr.people.details import keep_former
from itr.people.models import Person, RoleAssignment
from itr.people.names import kept_whole
from itr.people.operations.recording import active_admins
from itr.people.rules import ensure_roles_fit
from itr.requests.succession import lock_work_of

K, S = ApprovalKind, ApprovalState


@dataclass(frozen=True)
class Asked:
    """What somebody wants for a person: of each kind what belongs to it."""

    kind: ApprovalKind
    person_id: UUID
    role: Role | None = None
    client_id: UUID | None = None
    email: str | None = None
    secret_hash: str | None = None


_DECIDES = """
select exists (select 1 from role_assignment r where r.person_id = $1 and r.role = any($2))
    or exists (select 1 from access_approval a where a.person_id = $1 and a.kind = 'ROLE'
        and a.state = 'PENDING' and a.expires_at > $3) as decides
"""
_APPROVERS = """
select distinct p.id, p.name from person p join role_assignment r on r.person_id = p.id
where p.active and not p.machine and r.role in ('OPERATIONS_DIRECTOR', 'ADMIN')
    and p.id <> $1 and p.id <> $2 order by p.name
"""
_WHO_SIGN_IN = _APPROVERS.replace(
    "order by",
    "and (p.password_hash is not null"
    " or exists (select 1 from external_identity e where e.person_id = p.id)) order by",
)
_WAITS = """
select exists (select 1 from access_approval a where (a.person_id = $1 or a.client_id = $1)
    and a.state = 'PENDING' and a.expires_at > $2) as waits
"""


async def decides(work: Work, person_id: UUID, now: datetime) -> bool:
    """Whether the person holds a role that decides, or is about to."""
    roles = sorted(role.value for role in DECIDING)
    rows = await work.connection.execute_query_dict(_DECIDES, [person_id, roles, now])
    return bool(rows[0]["decides"])


async def is_waiting(key: UUID, now: datetime) -> bool:
    """Whether something of this person or client waits for approval."""
    rows = await get_connection("default").execute_query_dict(_WAITS, [key, now])
    return bool(rows[0]["waits"])


async def waits_for_trust(client_id: UUID, now: datetime) -> bool:
    """Whether it waits for approval that people are not asked for their consent to a client."""
    return await AccessApproval.exists(
        client_id=client_id, kind=K.FIRST_PARTY, state=S.PENDING, expires_at__gt=now
    )


async def ask(work: Work, actor: Actor, asked: Asked, now: datetime) -> None:
    """Have it wait for a second person, who is told, as is whom it is for.

    Asked again it waits on, but where there is something newer to be judged, that counts.
    """
    same = AccessApproval.filter(
        kind=asked.kind,
        person_id=asked.person_id,
        role=asked.role,
        client_id=asked.client_id,
        state=S.PENDING,
        expires_at__gt=now,
    )
    if asked.kind in (K.PASSWORD, K.CLIENT_SECRET, K.FIRST_PARTY, K.EMAIL):
        await same.update(state=S.WITHDRAWN, decided_at=now, secret_hash=None)
    elif await same.exists():
        return
    row = await AccessApproval.create(
        id=uuid4(),
        kind=asked.kind,
        state=S.PENDING,
        person_id=asked.person_id,
        role=asked.role,
        client_id=asked.client_id,
        email=asked.email,
        secret_hash=asked.secret_hash,
        asked_by_id=actor.id,
        asked_at=now,
        expires_at=now + APPROVAL_LIFETIME,
    )
    others = await work.connection.execute_query_dict(_APPROVERS, [actor.id, asked.person_id])
    told = {asked.person_id, *(each["id"] for each in others)} - {actor.id}
    await _notify(work, row, actor, "ApprovalAsked", told, now)


async def withdraw_role(
    work: Work, actor: Actor, person_id: UUID, role: Role, now: datetime
) -> None:
    """Let a role nobody has approved yet wait no longer: it was taken back."""
    for row in await AccessApproval.filter(
        kind=K.ROLE, person_id=person_id, role=role, state=S.PENDING
    ).select_for_update(no_key=True):
        await _decide(work, row, actor, S.WITHDRAWN, now)


async def withdraw_trust(work: Work, actor: Actor, client_id: UUID, now: datetime) -> None:
    """Let it wait no longer that people are not asked: who judges it would judge another client."""
    for row in await AccessApproval.filter(
        kind=K.FIRST_PARTY, client_id=client_id, state=S.PENDING
    ).select_for_update(no_key=True):
        await _decide(work, row, actor, S.WITHDRAWN, now)


async def waiting_approvals(now: datetime) -> list[AccessApproval]:
    """What waits for a second person, oldest first, with whom it is for and who asked."""
    waiting = AccessApproval.filter(state=S.PENDING, expires_at__gt=now).order_by("asked_at", "id")
    return await waiting.select_related("person", "asked_by")


async def approve(actor: Actor, approval_id: UUID, *, now: datetime) -> UUID:
    """Let what was asked take effect, as a second person (S18).

    Raises Forbidden, NotFound, NotPending, SecondPersonNeeded, EmailTaken, LastAdmin.
    """
    ensure_may(actor, Permission.APPROVE_ACCESS)
    with kept_whole("id"):
        async with transaction() as work:
            row = await _lock(work, approval_id, now)
            ensure_second(actor, row.asked_by_id, row.person_id)
            await _take_effect(work, actor, row, now)
            await _decide(work, row, actor, S.APPROVED, now)
            work.subject_id = approval_id
    return approval_id


async def approve_here(approval_id: UUID, *, now: datetime) -> UUID:
    """Let it take effect by whoever runs the server, while there is no second person.

    Raises NotFound, NotPending, SomebodyElseCan, EmailTaken.
    """
    with kept_whole("id"):
        async with transaction() as work:
            row = await _lock(work, approval_id, now)
            others = await work.connection.execute_query_dict(
                _WHO_SIGN_IN, [row.asked_by_id, row.person_id]
            )
            if others:
                raise SomebodyElseCan(names=", ".join(each["name"] for each in others[:5]))
            await _take_effect(work, SYSTEM, row, now)
            await _decide(work, row, SYSTEM, S.APPROVED, now)
    return approval_id


async def refuse(actor: Actor, approval_id: UUID, *, now: datetime) -> UUID:
    """Let what was asked never take effect; who asked may take it back.

    Raises Forbidden, NotFound, NotPending.
    """
    ensure_may(actor, Permission.APPROVE_ACCESS)
    async with transaction() as work:
        row = await _lock(work, approval_id, now)
        if row.kind is K.CLIENT:
            client = await OAuthClient.filter(id=row.client_id).select_for_update().get()
            client.active = False
            told = {"clientId": client.client_id}
            await _save_client(work, actor, client, "ClientDeactivated", now, told)
        state = S.WITHDRAWN if actor.id == row.asked_by_id else S.REFUSED
        await _decide(work, row, actor, state, now)
        work.subject_id = approval_id
    return approval_id


async def _lock(work: Work, approval_id: UUID, now: datetime) -> AccessApproval:
    found = await AccessApproval.get_or_none(id=approval_id)
    if found is None:
        raise NotFound(path=["id"])
    if found.kind is K.ERASURE:
        await lock_work_of(work, found.person_id)
        await active_admins(work)
    await Person.filter(id=found.person_id).select_for_update(no_key=True).get()
    row = await AccessApproval.filter(id=approval_id).select_for_update().get()
    ensure_pending(row.state, row.expires_at, now)
    return row


async def _take_effect(work: Work, by: Actor, row: AccessApproval, now: datetime) -> None:
    if row.client_id is not None:
        await _of_client(work, by, row, now)
        return
    if row.kind is K.ERASURE:
        await erase(work, by, row.person_id, now, approval=row.id)
        return
    person = await Person.get(id=row.person_id).select_related("organisation")
    told: dict[str, Any] = {"askedBy": str(row.asked_by_id)}
    match row.kind:
        case K.ROLE:
            assert row.role is not None
            ensure_roles_fit(person.organisation.kind, [row.role], "id")
            if not await RoleAssignment.exists(person_id=person.id, role=row.role):
                await RoleAssignment.create(id=uuid4(), person=person, role=row.role)
            told |= {"change": "ROLE_ASSIGNED", "role": row.role.value}
        case K.PASSWORD:
            person.password_hash, person.must_change_password = row.secret_hash, True
            await end_access_of(work, person.id, EndReason.PASSWORD_SET, now=now, by=by)
            told |= {"change": "PASSWORD_SET"}
        case K.EMAIL:
            await keep_former(work, person.id, {"email": person.email}, now)
            person.email = row.email
            told |= {"change": "CHANGED", "fields": {"email": {}}}
        case K.REACTIVATION:
            person.active = True
            told |= {"change": "REACTIVATED"}
    await person.save(update_fields=["password_hash", "must_change_password", "email", "active"])
    await record(work, by, "PersonChanged", about="person", subject=person.id, now=now, told=told)


async def _of_client(work: Work, by: Actor, row: AccessApproval, now: datetime) -> None:
    client = await OAuthClient.filter(id=row.client_id).select_for_update().get()
    if row.kind is K.CLIENT:
        client.waiting = False
        told = {"askedBy": str(row.asked_by_id), "approved": True}
        await _save_client(work, by, client, "ClientChanged", now, told)
    elif row.kind is K.FIRST_PARTY:
        client.first_party = True
        told = {"askedBy": str(row.asked_by_id), "firstParty": True}
        await _save_client(work, by, client, "ClientChanged", now, told)
    else:
        client.secret_hash = row.secret_hash
        told = {"askedBy": str(row.asked_by_id)}
        await _save_client(work, by, client, "ClientSecretRotated", now, told)


async def _save_client(
    work: Work, by: Actor, client: OAuthClient, type: str, now: datetime, told: Mapping[str, Any]
) -> None:
    client.version += 1
    await client.save()
    await record(work, by, type, about=CLIENT, subject=client.id, now=now, told=told)


async def _decide(
    work: Work, row: AccessApproval, by: Actor, state: ApprovalState, now: datetime
) -> None:
    row.state, row.decided_at, row.secret_hash = state, now, None
    row.decided_by_id = by.id if by.in_person else None
    await row.save(update_fields=["state", "decided_at", "decided_by_id", "secret_hash"])
    told = {row.asked_by_id, row.person_id} - {by.id}
    await _notify(work, row, by, f"Approval{state.value.title()}", told, now)


async def _notify(
    work: Work, row: AccessApproval, by: Actor, type: str, told: set[UUID], now: datetime
) -> None:
    """Write it to the log, and to the lists of those whom it concerns."""
    subject = work.subject_id
    person = await Person.get(id=row.person_id)
    words = {
        "state": row.state.value,
        "by": str(by.id),
        "whom": str(person.id),
        "what": row.kind.value,
        "role": row.role.value if row.role else None,
    }
    cause, names = f"{type}:{row.id.hex}", {"by": by.name, "whom": person.name}
    entries = await notify_persons(work, told, cause, words, names=names, now=now)
    said = {
        "kind": row.kind.value,
        "person": str(row.person_id),
        "role": words["role"],
        "client": str(row.client_id) if row.client_id else None,
        "askedBy": str(row.asked_by_id),
        **({NOTIFIED: entries} if entries else {}),
    }
    await record(work, by, type, about=APPROVAL, subject=row.id, now=now, told=said)
    work.subject_id = subject
