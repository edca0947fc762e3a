"""Erasing a person: the row is masked at once, texts of others follow (R-ROLE-09, Decision 17).

`erase` is a step of a transaction somebody else opened; the worker does the texts, block by block,
by `erase_texts`.
"""

from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid4

from itr.access.models import (
    AccessApproval,
    BrowserSession,
    Consent,
    Erasure,
    ExternalIdentity,
)
from itr.access.operations.grants import end_access_of
from itr.access.operations.leaving import leave
from itr.access.operations.recording import record
from itr.access.terms import ApprovalState, EndReason
from itr.actors.actor import Actor
from itr.catalogue.models import ProjectMember
from itr.events.work import Work
from itr.notifications.models import OutboxMessage
from itr.notifications.terms import MessageStatus
from itr.people.models import FormerDetail, Person, QueueMember, RoleAssignment
from itr.people.operations.recording import (
    ensure_another_administers,
    lock_person,
    record_change,
)


def erased_name(person_id: UUID) -> str:
    """What an erased person is called: two that are erased can be told apart."""
    return f"已删除 erased {person_id.hex[:6]}"


def erased_subject(issuer: str, subject: str) -> str:
    """By what an issuer's subject is known once the person was erased: it cannot be read back."""
    return f"erased:{sha256(chr(0).join((issuer, subject)).encode()).hexdigest()}"


async def erase(
    work: Work, by: Actor, person_id: UUID, now: datetime, *, approval: UUID | None = None
) -> None:
    """Take away who a person is, and all their access; what they have open passes on (R-ROLE-07).

    What they did stays, as done by somebody erased. The caller has locked their work; `approval`
    is the one that lets it be. Raises LastAdmin, PersonErased.
    """
    await ensure_another_administers(work, person_id)
    person = await lock_person(work, person_id)
    words = await _words_of(person)
    await end_access_of(work, person_id, EndReason.REVOKED, now=now, by=by)
    await _forget_access(person_id, now, approval)
    if person.active:
        await record_change(work, by, "Person", person_id, now, {"change": "DEACTIVATED"})
    await _mask(person, now)
    await leave(work, by, person_id, (), now)
    await _forget_messages(person_id)
    await Erasure.create(id=uuid4(), person=person, words=words, erased_at=now, due_at=now)
    await record(work, by, "PersonErased", about="person", subject=person_id, now=now, told={})


async def _words_of(person: Person) -> list[str]:
    """What a person was known by, now and before, as it may stand in texts."""
    known = [person.name, person.email, person.phone]
    known += [each.value for each in await FormerDetail.filter(person_id=person.id)]
    known += [each.email for each in await AccessApproval.filter(person_id=person.id)]
    identities = await ExternalIdentity.filter(person_id=person.id)
    known += [each.subject for each in identities if "@" in each.subject]
    return sorted({word.strip() for word in known if word and word.strip()})


async def _mask(person: Person, now: datetime) -> None:
    person.name, person.email, person.phone = erased_name(person.id), None, None
    person.password_hash, person.must_change_password = None, False
    person.active, person.erased_at = False, now
    await person.save()
    await FormerDetail.filter(person_id=person.id).delete()
    for each in (RoleAssignment, QueueMember, ProjectMember):
        await each.filter(person_id=person.id).delete()


async def _forget_messages(person_id: UUID) -> None:
    """What was sent to them, and what waits to be: it goes to nobody."""
    theirs = OutboxMessage.filter(person_id=person_id)
    waiting = theirs.filter(status=MessageStatus.WAITING)
    await waiting.update(status=MessageStatus.DEAD, next_attempt_at=None)
    await theirs.update(address="", text="")


async def _forget_access(person_id: UUID, now: datetime, approval: UUID | None) -> None:
    """Sessions, consents, what waits for approval, and who they are at other issuers."""
    await BrowserSession.filter(person_id=person_id).delete()
    await Consent.filter(person_id=person_id).delete()
    asked = AccessApproval.filter(person_id=person_id)
    waiting = asked.filter(state=ApprovalState.PENDING)
    if approval is not None:
        waiting = waiting.exclude(id=approval)
    await waiting.update(state=ApprovalState.WITHDRAWN, decided_at=now, secret_hash=None)
    await asked.update(email=None)
    for identity in await ExternalIdentity.filter(person_id=person_id):
        identity.subject = erased_subject(identity.issuer, identity.subject)
        await identity.save(update_fields=["subject"])
