"""What people have agreed that programs may do for them: remembered, shown to them, withdrawn."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from itr.access.models import Consent, Grant, OAuthClient
from itr.access.operations.grants import end_grant
from itr.access.operations.recording import CONSENT, record
from itr.access.scopes import in_order
from itr.access.terms import EndReason
from itr.actors.actor import Actor
from itr.errors import NotFound
from itr.events.work import Work, transaction


@dataclass(frozen=True)
class Agreed:
    """A program somebody has agreed to, and what it may do for them."""

    client_id: str
    name: str
    scope: str
    given_at: datetime


async def has_consent(person_id: UUID, client: OAuthClient, scope: str) -> bool:
    """Whether the person has agreed to all of this before, and the client is still the same."""
    found = await Consent.get_or_none(person_id=person_id, client_id=client.id)
    return found is not None and set(scope.split()) <= set(found.scope.split())


async def remember_consent(
    work: Work, by: Actor, client: OAuthClient, *, scope: str, now: datetime
) -> None:
    """Remember what somebody agreed to just now, beside what they agreed to before."""
    await OAuthClient.filter(id=client.id).select_for_update(no_key=True).get()  # one at a time
    found = await Consent.get_or_none(person_id=by.id, client_id=client.id)
    if found is None:
        found = Consent(id=uuid4(), person_id=by.id, client_id=client.id, scope="")
    agreed = in_order([*found.scope.split(), *scope.split()])
    if agreed == found.scope:
        return
    found.scope, found.given_at = agreed, now
    await found.save(force_create=not found._saved_in_db)
    await _record(work, by, found, "ConsentGiven", client=client.client_id, now=now)


async def consents_of(actor: Actor) -> list[Agreed]:
    """The programs somebody has agreed to, by name."""
    rows = await Consent.filter(person_id=actor.id, client__active=True).select_related("client")
    found = [Agreed(row.client.client_id, row.client.name, row.scope, row.given_at) for row in rows]
    return sorted(found, key=lambda each: (each.name, each.client_id))


async def withdraw_consent(actor: Actor, client_id: str, *, now: datetime) -> None:
    """Be asked again from now on, and end what the client still has of one (S9).

    Raises NotFound where there is nothing to withdraw.
    """
    async with transaction() as work:
        mine = Consent.filter(person_id=actor.id, client__client_id=client_id)
        found = await mine.select_for_update(of=("consent",)).first()
        if found is None:
            raise NotFound(path=["clientId"])
        await found.delete()
        open_ones = Grant.filter(
            person_id=actor.id, client_id=found.client_id, ended_at=None
        ).order_by("id")
        for grant in await open_ones.select_for_update(no_key=True):
            await end_grant(work, grant, EndReason.REVOKED, now=now, by=actor)
        await _record(work, actor, found, "ConsentWithdrawn", client=client_id, now=now)


async def forget_consents(client_id: UUID) -> None:
    """Have everybody asked again: the client is not what they agreed to any more."""
    await Consent.filter(client_id=client_id).delete()


async def _record(
    work: Work, by: Actor, consent: Consent, type: str, *, client: str, now: datetime
) -> None:
    told = {"client": client, "person": str(by.id), "scope": consent.scope}
    await record(work, by, type, about=CONSENT, subject=consent.id, now=now, told=told)
