"""Administering OAuth clients and wallboards; a secret is returned once and never kept."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from itr.access.models import OAuthClient
from itr.access.operations.approvals import (
    Asked,
    ask,
    decides,
    waits_for_trust,
    withdraw_trust,
)
from itr.access.operations.consents import forget_consents
from itr.access.operations.recording import CLIENT, record
from itr.access.rules import (
    CONFIDENTIAL,
    ensure_first_party,
    ensure_redirect_uris,
    ensure_scope,
    ensure_sign_out_uris,
)
from itr.access.scopes import BOARD, in_order
from itr.access.secrets import digest, new_secret
from itr.access.terms import ApprovalKind, ClientKind, IdTokenAlgorithm
from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import OrganisationKind, Permission, Role
from itr.errors import DomainError, NotFound, Required, Stale
from itr.events.work import Work, transaction
from itr.people.models import Organisation, Person, RoleAssignment
from itr.people.rules import ensure_kind
from itr.texts import ensure_name

_ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


class NotAMachine(DomainError):
    """A client's own actor is a machine, so that no person's name stands under what it does."""

    code = "NOT_A_MACHINE"
    zh = "此客户端须以机器账号（大屏须有 WALLBOARD 角色）行事。"
    en = "This client acts as a machine (a wallboard as one with the role WALLBOARD)."


class ClientInactive(DomainError):
    """A deactivated client stays so."""

    code = "CLIENT_INACTIVE"
    zh = "该客户端已停用。"
    en = "The client has been deactivated."


class HasNoSecret(DomainError):
    """A client that cannot keep a secret has none."""

    code = "HAS_NO_SECRET"
    zh = "此类客户端没有密钥。"
    en = "A client of this kind has no secret."


async def create_client(
    actor: Actor,
    *,
    name: str,
    kind: ClientKind,
    scopes: Collection[str],
    now: datetime,
    redirect_uris: Collection[str] = (),
    sign_out_uris: Collection[str] = (),
    id_token_algorithm: IdTokenAlgorithm = IdTokenAlgorithm.ED25519,
    first_party: bool = False,
    actor_id: UUID | None = None,
) -> tuple[UUID, str | None]:
    """Add a client; returns its id and, where it has one, its secret: the only time it is told.

    One for a machine that decides waits for a second person and gets no token until then (S18).
    A machine and a wallboard act as `actor_id`, the others as whoever signs in. Raises Forbidden,
    BadRedirectAddress, NoRedirectAddress, UnknownScope, NotAMachine, Required, InvalidInput.
    """
    ensure_may(actor, Permission.MANAGE_CLIENTS)
    name = ensure_name(name, "name")
    words = ensure_scope(kind, scopes, "scopes")
    client = _new(name, kind, scopes=words, actor_id=actor_id, now=now)
    client.redirect_uris = ensure_redirect_uris(kind, redirect_uris, "redirectAddresses")
    client.sign_out_uris = ensure_sign_out_uris(kind, sign_out_uris, "signOutAddresses")
    client.first_party = ensure_first_party(kind, first_party, "firstParty")
    client.id_token_algorithm = id_token_algorithm
    async with transaction() as work:
        await _ensure_actor(kind, actor_id)
        return await _add(work, actor, client, now=now)


async def create_wallboard(
    actor: Actor, *, name: str, branch_id: UUID, now: datetime
) -> tuple[UUID, None]:
    """Add a wallboard of a branch: a machine that may read the board, and the client it is."""
    ensure_may(actor, Permission.MANAGE_CLIENTS)
    name = ensure_name(name, "name")
    async with transaction() as work:
        branch = await Organisation.get_or_none(id=branch_id)
        if branch is None:
            raise NotFound(path=["branchId"])
        ensure_kind(branch.kind, OrganisationKind.BRANCH, "branchId")
        person = await Person.create(id=uuid4(), organisation=branch, name=name, machine=True)
        await RoleAssignment.create(id=uuid4(), person=person, role=Role.WALLBOARD)
        told = {"change": "CREATED", "roles": [Role.WALLBOARD.value]}
        await record(
            work, actor, "PersonChanged", about="person", subject=person.id, now=now, told=told
        )
        client = _new(name, ClientKind.WALLBOARD, scopes=[BOARD], actor_id=person.id, now=now)
        await _add(work, actor, client, now=now)
    return client.id, None


async def change_client(
    actor: Actor,
    client_id: UUID,
    *,
    now: datetime,
    name: str | None = None,
    redirect_uris: Collection[str] | None = None,
    sign_out_uris: Collection[str] | None = None,
    id_token_algorithm: IdTokenAlgorithm | None = None,
    first_party: bool | None = None,
    expected_version: int | None = None,
) -> UUID:
    """Change what a client is called, where it is and how it is treated; what is None stays.

    Where it has another name or other addresses, people are asked for their consent anew. That
    they are not asked, and where they are sent then, a second person approves (S18).
    """
    ensure_may(actor, Permission.MANAGE_CLIENTS)
    async with transaction() as work:
        client = await _lock(client_id, expected_version)
        before = (client.name, list(client.redirect_uris))
        trusted = client.first_party
        waiting = await waits_for_trust(client_id, now)
        if name is not None:
            client.name = ensure_name(name, "name")
        if redirect_uris is not None:
            given = ensure_redirect_uris(client.kind, redirect_uris, "redirectAddresses")
            client.redirect_uris = given
        if sign_out_uris is not None:
            after = ensure_sign_out_uris(client.kind, sign_out_uris, "signOutAddresses")
            client.sign_out_uris = after
        if first_party is not None:
            client.first_party = ensure_first_party(client.kind, first_party, "firstParty")
        client.id_token_algorithm = id_token_algorithm or client.id_token_algorithm
        moved = before[1] != list(client.redirect_uris)
        if before != (client.name, list(client.redirect_uris)):
            await forget_consents(client.id)
        anew = (client.first_party and (moved or not trusted)) or (moved and waiting)
        asks = anew and actor.in_person and first_party is not False
        if asks:
            client.first_party = False
        await _save(work, actor, client, "ClientChanged", now, _told(client))
        if asks:
            await _ask_for_trust(work, actor, client, now)
        elif waiting and (moved or first_party is False):
            await withdraw_trust(work, actor, client_id, now)
    return client_id


async def rotate_client_secret(
    actor: Actor, client_id: UUID, *, now: datetime, expected_version: int | None = None
) -> tuple[UUID, str]:
    """Give a client another secret; the old one is no longer good, its tokens expire in minutes.

    That of a machine which decides takes the old one's place when a second person approves (S18).

    Raises Forbidden, NotFound, HasNoSecret, ClientInactive, Stale.
    """
    ensure_may(actor, Permission.MANAGE_CLIENTS)
    async with transaction() as work:
        client = await _lock(client_id, expected_version)
        if client.kind not in CONFIDENTIAL:
            raise HasNoSecret(path=["id"])
        secret = new_secret("itr_cs_")
        if await _decides_by(work, actor, client, now):
            assert client.actor_id is not None
            wanted = Asked(
                ApprovalKind.CLIENT_SECRET,
                client.actor_id,
                client_id=client_id,
                secret_hash=digest(secret),
            )
            work.subject_id = client_id
            await ask(work, actor, wanted, now)
        else:
            client.secret_hash = digest(secret)
            await _save(work, actor, client, "ClientSecretRotated", now, {})
    return client_id, secret


async def deactivate_client(
    actor: Actor, client_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """End a client for good: its tokens are refused within two seconds, everywhere (S9)."""
    ensure_may(actor, Permission.MANAGE_CLIENTS)
    async with transaction() as work:
        client = await _lock(client_id, expected_version)
        client.active = False
        await forget_consents(client.id)
        told = {"clientId": client.client_id}
        await _save(work, actor, client, "ClientDeactivated", now, told)
    return client_id


def _new(
    name: str,
    kind: ClientKind,
    *,
    scopes: Collection[str],
    actor_id: UUID | None,
    now: datetime,
) -> OAuthClient:
    return OAuthClient(
        id=uuid4(),
        client_id="itr-" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(16)),
        name=name,
        kind=kind,
        redirect_uris=[],
        scope=in_order(scopes),
        actor_id=actor_id,
        created_at=now,
    )


async def _add(
    work: Work, actor: Actor, client: OAuthClient, *, now: datetime
) -> tuple[UUID, str | None]:
    secret = new_secret("itr_cs_") if client.kind in CONFIDENTIAL else None
    client.secret_hash = digest(secret) if secret else None
    client.waiting = await _decides_by(work, actor, client, now)
    trusted = _distrusted(actor, client)
    told = {"kind": client.kind.value, "clientId": client.client_id, "scope": client.scope}
    await _save(work, actor, client, "ClientCreated", now, _told(client) | told)
    if client.waiting and client.actor_id is not None:
        wanted = Asked(ApprovalKind.CLIENT, client.actor_id, client_id=client.id)
        await ask(work, actor, wanted, now)
    if trusted:
        await _ask_for_trust(work, actor, client, now)
    return client.id, secret


def _distrusted(actor: Actor, client: OAuthClient) -> bool:
    """Have people asked for their consent until a second person approves that they are not.

    Who sends a director to a client without one has the director's tokens (S18). Returns whether
    the client was to do without.
    """
    if not (client.first_party and actor.in_person):
        return False
    client.first_party = False
    return True


async def _ask_for_trust(work: Work, actor: Actor, client: OAuthClient, now: datetime) -> None:
    wanted = Asked(ApprovalKind.FIRST_PARTY, actor.id, client_id=client.id)
    await ask(work, actor, wanted, now)


def _told(client: OAuthClient) -> dict[str, Any]:
    """What the log says of a client."""
    return {
        "name": client.name,
        "redirectAddresses": list(client.redirect_uris),
        "signOutAddresses": list(client.sign_out_uris or ()),
        "firstParty": client.first_party,
    }


async def _decides_by(work: Work, actor: Actor, client: OAuthClient, now: datetime) -> bool:
    """Whether whoever has the client's secret decides, which nobody arranges alone."""
    if client.actor_id is None or not actor.in_person:
        return False
    await Person.filter(id=client.actor_id).select_for_update(no_key=True).get()
    return await decides(work, client.actor_id, now)


async def _save(
    work: Work,
    actor: Actor,
    client: OAuthClient,
    type: str,
    now: datetime,
    told: Mapping[str, Any],
) -> None:
    client.version += 1
    await client.save(force_create=not client._saved_in_db)
    work.subject_id = client.id
    await record(work, actor, type, about=CLIENT, subject=client.id, now=now, told=told)


async def _lock(client_id: UUID, expected_version: int | None) -> OAuthClient:
    client = await OAuthClient.filter(id=client_id).select_for_update(no_key=True).first()
    if client is None:
        raise NotFound(path=["id"])
    if expected_version is not None and expected_version != client.version:
        raise Stale(current=client.version, path=["expectedVersion"])
    if not client.active:
        raise ClientInactive(path=["id"])
    return client


async def _ensure_actor(kind: ClientKind, actor_id: UUID | None) -> None:
    if kind not in (ClientKind.MACHINE, ClientKind.WALLBOARD):
        if actor_id is not None:
            raise NotAMachine(path=["actorId"])
        return
    if actor_id is None:
        raise Required(path=["actorId"])
    person = await Person.get_or_none(id=actor_id, active=True)
    if person is None:
        raise NotFound(path=["actorId"])
    boards = await RoleAssignment.exists(person_id=actor_id, role=Role.WALLBOARD)
    if not person.machine or (kind is ClientKind.WALLBOARD) is not boards:
        raise NotAMachine(path=["actorId"])
