"""Grants and what is issued under them: codes, refresh tokens, and their end.

Functions that take a `Work` are steps of a transaction somebody else opened.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from itr.access.models import (
    AuthorizationCode,
    BrowserSession,
    Grant,
    OAuthClient,
    RefreshToken,
)
from itr.access.operations.recording import GRANT, record
from itr.access.rules import CODE_LIFETIME, GRANT_LIFETIME, REFRESH_LIFETIME, HowSignedIn
from itr.access.secrets import digest, new_secret
from itr.access.terms import EndReason, IdTokenAlgorithm
from itr.actors.actor import SYSTEM, Actor
from itr.events.work import Work


@dataclass(frozen=True)
class CodeWish:
    """What the authorization request asked to be bound to its code."""

    redirect_uri: str
    code_challenge: str
    nonce: str | None
    how: HowSignedIn


async def client_named(client_id: str) -> OAuthClient | None:
    """The active client of this public id; one that waits for approval is none yet."""
    return await OAuthClient.get_or_none(client_id=client_id, active=True, waiting=False)


async def any_needs_rs256() -> bool:
    """Whether there is a client whose ID tokens are signed by an RSA key."""
    return await OAuthClient.exists(id_token_algorithm=IdTokenAlgorithm.RS256, active=True)


async def open_grant(
    work: Work,
    by: Actor,
    client: OAuthClient,
    person_id: UUID,
    *,
    scope: str,
    now: datetime,
    vouched_until: datetime | None = None,
) -> Grant:
    """Let a client act for a person, within a scope.

    Where another issuer vouched for the person, no longer than until it is asked again.
    """
    lasts = GRANT_LIFETIME.get(client.kind)
    expires_at = now + lasts if lasts else None
    grant = await Grant.create(
        id=uuid4(),
        client=client,
        person_id=person_id,
        scope=scope,
        created_at=now,
        expires_at=min(filter(None, (expires_at, vouched_until)), default=None),
    )
    told = {"client": client.client_id, "scope": scope, "person": str(person_id)}
    await record(work, by, "GrantGiven", about=GRANT, subject=grant.id, now=now, told=told)
    return grant


async def keep_code(grant: Grant, code: str, wish: CodeWish, *, now: datetime) -> None:
    """Keep an authorization code, by its digest."""
    await AuthorizationCode.create(
        id=uuid4(),
        digest=digest(code),
        grant=grant,
        redirect_uri=wish.redirect_uri,
        code_challenge=wish.code_challenge,
        nonce=wish.nonce,
        auth_time=wish.how.at,
        amr=wish.how.amr or None,
        acr=wish.how.acr,
        expires_at=now + CODE_LIFETIME,
    )


async def take_code(
    work: Work, code: str, client: OAuthClient, *, now: datetime
) -> AuthorizationCode | None:
    """Spend a code, right or wrong; a second time ends all that came of the first."""
    found = await AuthorizationCode.filter(digest=digest(code)).select_for_update().first()
    if found is None:
        return None
    grant = await _lock(found.grant_id)
    if grant.client_id != client.id:
        return None
    found.grant = grant
    if found.used_at is not None:
        await end_grant(work, grant, EndReason.CODE_REPLAYED, now=now)
        return None
    found.used_at = now
    await found.save(update_fields=["used_at"])
    usable = grant.ended_at is None and now < found.expires_at
    return found if usable else None


async def issue_refresh_token(grant: Grant, client: OAuthClient, *, now: datetime) -> str:
    """Make a refresh token for a grant."""
    token = new_secret("itr_rt_")
    expires_at = now + REFRESH_LIFETIME[client.kind]
    await RefreshToken.create(
        id=uuid4(),
        digest=digest(token),
        grant=grant,
        issued_at=now,
        expires_at=min(expires_at, grant.expires_at or expires_at),
    )
    return token


async def take_refresh_token(work: Work, token: str, *, now: datetime) -> RefreshToken | None:
    """The unused refresh token, locked; one that was used before ends its whole family."""
    found = await RefreshToken.filter(digest=digest(token)).select_for_update().first()
    if found is None:
        return None
    grant = await _lock(found.grant_id)
    found.grant = grant
    if found.used_at is not None:
        await end_grant(work, grant, EndReason.TOKEN_REUSED, now=now)
        return None
    usable = grant.ended_at is None and now < found.expires_at
    return found if usable else None


async def spend_refresh_token(token: RefreshToken, *, now: datetime) -> None:
    """Mark a refresh token as used."""
    token.used_at = now
    await token.save(update_fields=["used_at"])


async def refresh_token_of(token: str) -> RefreshToken | None:
    """A refresh token with its grant, whatever has become of it."""
    found = await RefreshToken.get_or_none(digest=digest(token))
    if found is not None:
        found.grant = await _lock(found.grant_id)
    return found


async def end_grant(
    work: Work, grant: Grant, reason: EndReason, *, now: datetime, by: Actor = SYSTEM
) -> None:
    """End a grant: every process drops its tokens when it hears of it (S9); again is nothing."""
    if grant.ended_at is not None:
        return
    grant.ended_at, grant.end_reason = now, reason
    await grant.save(update_fields=["ended_at", "end_reason"])
    told = {"reason": reason.value, "person": str(grant.person_id)}
    await record(work, by, "GrantEnded", about=GRANT, subject=grant.id, now=now, told=told)


async def end_access_of(
    work: Work, person_id: UUID, reason: EndReason, *, now: datetime, by: Actor
) -> None:
    """End a person's sessions and grants, for good: whoever has them signs in anew (S9)."""
    await BrowserSession.filter(person_id=person_id, ended_at=None).update(ended_at=now)
    open_ones = Grant.filter(person_id=person_id, ended_at=None).order_by("id")
    for grant in await open_ones.select_for_update(no_key=True):
        await end_grant(work, grant, reason, now=now, by=by)


async def _lock(grant_id: UUID) -> Grant:
    return await Grant.filter(id=grant_id).select_for_update(no_key=True).get()
