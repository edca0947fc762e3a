"""Passwords: the first one from an administrator, every other from the person themselves."""

import secrets
from datetime import datetime
from uuid import UUID

from anyio import to_thread

from itr.access.operations.approvals import Asked, ask, decides
from itr.access.operations.attempts import (
    attempts_at_password,
    count_attempt,
    forgive_attempts,
)
from itr.access.operations.grants import end_access_of
from itr.access.operations.recording import record
from itr.access.operations.signing_in import HASHING, begin_session
from itr.access.rules import ensure_password
from itr.access.secrets import hash_password, is_password
from itr.access.terms import ApprovalKind, EndReason
from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import Permission
from itr.errors import DomainError, NotFound, Required
from itr.events.work import Work, transaction
from itr.people.models import Person
from itr.people.names import kept_whole

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class MachineHasNoPassword(DomainError):
    """Machines sign in as clients, not as people."""

    code = "MACHINE_HAS_NO_PASSWORD"
    zh = "机器账号没有密码，请为它添加 OAuth 客户端。"
    en = "A machine has no password; add an OAuth client for it."


class WrongPassword(DomainError):
    """The current password was not given."""

    code = "WRONG_PASSWORD"
    zh = "当前密码不正确。"
    en = "The current password is not right."


class NotTheSame(DomainError):
    """The new password was typed in two different ways."""

    code = "NOT_THE_SAME"
    zh = "两次输入的新密码不一致。"
    en = "The new password is not the same both times."


class SamePassword(DomainError):
    """A password that somebody else made is changed into another one."""

    code = "SAME_PASSWORD"
    zh = "新密码不能与当前密码相同。"
    en = "The new password is the current one."


async def reset_password(actor: Actor, person_id: UUID, *, now: datetime) -> tuple[UUID, str]:
    """Give a person a password made at random; returns it, the only time it is told.

    It is good for being changed at the next sign-in. That of somebody who decides is good once a
    second person has approved it (S18).

    Raises Forbidden, NotFound, Required (no e-mail address), MachineHasNoPassword, EmailTaken
    (somebody else signs in with that address).
    """
    ensure_may(actor, Permission.MANAGE_PEOPLE)
    person = await Person.get_or_none(id=person_id, active=True)
    if person is None:
        raise NotFound(path=["id"])
    if person.machine:
        raise MachineHasNoPassword(path=["id"])
    if not person.email:
        raise Required(path=["id"])
    letters = "".join(secrets.choice(_LETTERS) for _ in range(20))
    password = "-".join(letters[start : start + 5] for start in range(0, 20, 5))
    kept = await to_thread.run_sync(hash_password, password, limiter=HASHING)
    with kept_whole("id"):
        async with transaction() as work:
            work.subject_id = person_id
            await Person.filter(id=person_id).select_for_update(no_key=True).get()
            if actor.in_person and await decides(work, person_id, now):
                wanted = Asked(ApprovalKind.PASSWORD, person_id, secret_hash=kept)
                await ask(work, actor, wanted, now)
            else:
                await _keep(work, actor, person_id, kept, now, must_change=True)
    return person_id, password


async def change_password(
    actor: Actor, *, old: str, new: str, again: str, address: str, now: datetime
) -> str:
    """Change one's own password; returns a new session's secret, all others have ended.

    Raises WrongPassword, TooManyAttempts, WeakPassword, NotTheSame, SamePassword.
    """
    ensure_password(new, "new")
    if new != again:
        raise NotTheSame(path=["again"])
    person = await Person.get(id=actor.id)
    if person.must_change_password and new == old:
        raise SamePassword(path=["new"])
    locks = attempts_at_password(actor.id, address)
    await count_attempt(locks, now=now)
    if not await to_thread.run_sync(is_password, old, person.password_hash, limiter=HASHING):
        raise WrongPassword(path=["old"])
    await forgive_attempts(locks)
    await set_password(actor, actor.id, new, now=now)
    return await begin_session(actor, address=address, now=now)


async def set_password(actor: Actor, person_id: UUID, password: str, *, now: datetime) -> None:
    """Set a password and end the person's sessions and grants: whoever has them signs in anew.

    Whoever calls has made sure that `actor` may do this. Raises WeakPassword, NotFound.
    """
    ensure_password(password, "password")
    kept = await to_thread.run_sync(hash_password, password, limiter=HASHING)
    async with transaction() as work:
        await _keep(work, actor, person_id, kept, now)


async def _keep(
    work: Work,
    actor: Actor,
    person_id: UUID,
    kept: str,
    now: datetime,
    *,
    must_change: bool = False,
) -> None:
    person = await Person.filter(id=person_id).select_for_update(no_key=True).first()
    if person is None:
        raise NotFound(path=["id"])
    person.password_hash, person.must_change_password = kept, must_change
    await person.save(update_fields=["password_hash", "must_change_password"])
    await end_access_of(work, person_id, EndReason.PASSWORD_SET, now=now, by=actor)
    work.subject_id = person_id
    told = {"change": "PASSWORD_SET"}
    await record(
        work, actor, "PersonChanged", about="person", subject=person_id, now=now, told=told
    )
