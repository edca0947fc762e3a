"""Tables of access: clients, what people granted them, codes, tokens, sessions, attempts.

No token, code or secret is kept, only its digest (S15).
"""

from datetime import datetime
from uuid import UUID

from tortoise import fields

from itr.access.terms import (
    ApprovalKind,
    ApprovalState,
    ClientKind,
    DeviceStatus,
    EndReason,
    IdTokenAlgorithm,
)
from itr.actors.roles import Role
from itr.columns import enum_or_null, text_or_null
from itr.people.models import Person
from itr.tables import Table


class OAuthClient(Table):
    """A program that may ask for tokens; `actor` is whom a machine or wallboard acts as."""

    id = fields.UUIDField(primary_key=True)
    client_id = fields.CharField(max_length=64, unique=True)
    name = fields.CharField(max_length=200)
    kind = fields.CharEnumField(ClientKind, max_length=12)
    first_party = fields.BooleanField(default=False)
    secret_hash: str | None = text_or_null(64)
    redirect_uris: fields.JSONField[list[str]] = fields.JSONField(default=list)
    sign_out_uris: fields.JSONField[list[str] | None] = fields.JSONField(null=True)
    id_token_algorithm: IdTokenAlgorithm | None = enum_or_null(IdTokenAlgorithm, 10)
    scope = fields.CharField(max_length=200)
    actor: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="oauth_clients", null=True, on_delete=fields.RESTRICT
    )
    actor_id: UUID | None
    active = fields.BooleanField(default=True)
    waiting = fields.BooleanField(default=False, db_default=False)
    version = fields.IntField(default=0, db_default=0)
    created_at = fields.DatetimeField()

    class Meta:
        table = "oauth_client"


class Grant(Table):
    """What a person allowed a client; when it ends, everything issued under it has ended."""

    id = fields.UUIDField(primary_key=True)
    client: fields.ForeignKeyRelation[OAuthClient] = fields.ForeignKeyField(
        "itr.OAuthClient", related_name="grants", on_delete=fields.CASCADE
    )
    client_id: UUID
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="grants", on_delete=fields.CASCADE
    )
    person_id: UUID
    scope = fields.CharField(max_length=200)
    created_at = fields.DatetimeField()
    expires_at: datetime | None = fields.DatetimeField(null=True)
    ended_at: datetime | None = fields.DatetimeField(null=True)
    end_reason: EndReason | None = enum_or_null(EndReason, 20)

    class Meta:
        table = "oauth_grant"


class Consent(Table):
    """What a person once agreed that a client may do for them, and is not asked again."""

    id = fields.UUIDField(primary_key=True)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="consents", on_delete=fields.CASCADE
    )
    person_id: UUID
    client: fields.ForeignKeyRelation[OAuthClient] = fields.ForeignKeyField(
        "itr.OAuthClient", related_name="consents", on_delete=fields.CASCADE
    )
    client_id: UUID
    scope = fields.CharField(max_length=200)
    given_at = fields.DatetimeField()

    class Meta:
        table = "consent"
        unique_together = (("person_id", "client_id"),)


class AuthorizationCode(Table):
    """A code on its way through a browser; presented once, right or wrong, it is spent."""

    id = fields.UUIDField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    grant: fields.ForeignKeyRelation[Grant] = fields.ForeignKeyField(
        "itr.Grant", related_name="codes", on_delete=fields.CASCADE
    )
    grant_id: UUID
    redirect_uri = fields.CharField(max_length=2000)
    code_challenge = fields.CharField(max_length=128)
    nonce: str | None = text_or_null(500)
    auth_time: datetime | None = fields.DatetimeField(null=True)
    amr: str | None = text_or_null(200)
    acr: str | None = text_or_null(200)
    expires_at = fields.DatetimeField()
    used_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "authorization_code"


class RefreshToken(Table):
    """A refresh token; used once, then it is a trap for whoever uses it again."""

    id = fields.UUIDField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    grant: fields.ForeignKeyRelation[Grant] = fields.ForeignKeyField(
        "itr.Grant", related_name="refresh_tokens", on_delete=fields.CASCADE
    )
    grant_id: UUID
    issued_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    used_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "refresh_token"


class DeviceCode(Table):
    """A device that waits for somebody to allow it in on another screen (RFC 8628)."""

    id = fields.UUIDField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    user_code = fields.CharField(max_length=8, unique=True)
    client: fields.ForeignKeyRelation[OAuthClient] = fields.ForeignKeyField(
        "itr.OAuthClient", related_name="device_codes", on_delete=fields.CASCADE
    )
    client_id: UUID
    grant: fields.ForeignKeyNullableRelation[Grant] = fields.ForeignKeyField(
        "itr.Grant", related_name="device_codes", null=True, on_delete=fields.CASCADE
    )
    grant_id: UUID | None
    scope = fields.CharField(max_length=200)
    address = fields.CharField(max_length=80, default="")
    status = fields.CharEnumField(DeviceStatus, max_length=10)
    interval = fields.SmallIntField()
    polled_at: datetime | None = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "device_code"


class RevokedToken(Table):
    """An access token that was ended by itself, by its `jti`; kept until it would have expired."""

    id = fields.UUIDField(primary_key=True)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "revoked_token"


class SigningKey(Table):
    """A generation of the signing key; the key itself is derived from the server's secret."""

    generation = fields.SmallIntField(primary_key=True)
    published_at = fields.DatetimeField()
    signs_from = fields.DatetimeField()
    retired_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "signing_key"


class BrowserSession(Table):
    """Somebody signed in at a browser, on this server's own pages."""

    id = fields.UUIDField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="browser_sessions", on_delete=fields.CASCADE
    )
    person_id: UUID
    signed_in_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True)
    address = fields.CharField(max_length=80, default="")
    issuer: str | None = text_or_null(300)
    auth_time: datetime | None = fields.DatetimeField(null=True)
    amr: str | None = text_or_null(200)
    acr: str | None = text_or_null(200)

    class Meta:
        table = "browser_session"


class SignInElsewhere(Table):
    """Somebody who left a browser's page to sign in at another issuer, and is awaited back."""

    id = fields.UUIDField(primary_key=True)
    digest = fields.CharField(max_length=64, unique=True)
    browser = fields.CharField(max_length=64)
    issuer = fields.CharField(max_length=300)
    came_from = fields.TextField()
    expires_at = fields.DatetimeField(db_index=True)

    class Meta:
        table = "sign_in_elsewhere"


class SignInAttempts(Table):
    """Failed attempts in a row, by what was tried or from where; `locked_until` grows with them."""

    key = fields.CharField(max_length=64, primary_key=True)
    failures = fields.IntField(default=0)
    last_at = fields.DatetimeField()
    locked_until: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "sign_in_attempts"


class ExternalIdentity(Table):
    """Who a person is at another issuer."""

    id = fields.UUIDField(primary_key=True)
    issuer = fields.CharField(max_length=300)
    subject = fields.CharField(max_length=300)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="external_identities", on_delete=fields.CASCADE
    )
    person_id: UUID
    vouched_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "external_identity"
        unique_together = (("issuer", "subject"),)


class Erasure(Table):
    """That a person was erased, and how far the texts of others are without their name (R-ROLE-09).

    `words` are what is looked for, none any more when it is done. Each pass goes through all tables
    and the log, block by block; `found` is what this one came upon.
    """

    id = fields.UUIDField(primary_key=True)
    person: fields.OneToOneRelation[Person] = fields.OneToOneField(
        "itr.Person", related_name="erasure", on_delete=fields.RESTRICT
    )
    person_id: UUID
    words: fields.JSONField[list[str]] = fields.JSONField(default=list)
    erased_at = fields.DatetimeField()
    due_at = fields.DatetimeField()
    began_at: datetime | None = fields.DatetimeField(null=True)
    place = fields.IntField(default=0, db_default=0)
    block = fields.BigIntField(default=0, db_default=0)
    found = fields.IntField(default=0, db_default=0)
    rows = fields.IntField(default=0, db_default=0)
    events = fields.IntField(default=0, db_default=0)
    finished_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "erasure"


class AccessApproval(Table):
    """What somebody asked for and a second person has yet to approve: a role, a password, a client.

    A password or secret that waits is kept as its hash, and forgotten once it was decided.
    """

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharEnumField(ApprovalKind, max_length=14)
    state = fields.CharEnumField(ApprovalState, max_length=10)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="approvals", on_delete=fields.RESTRICT
    )
    person_id: UUID
    role: Role | None = enum_or_null(Role, 24)
    client: fields.ForeignKeyNullableRelation[OAuthClient] = fields.ForeignKeyField(
        "itr.OAuthClient", related_name="approvals", null=True, on_delete=fields.RESTRICT
    )
    client_id: UUID | None
    email: str | None = text_or_null(200)
    secret_hash: str | None = text_or_null(200)
    asked_by: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="asked_approvals", on_delete=fields.RESTRICT
    )
    asked_by_id: UUID
    asked_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    decided_by: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="decided_approvals", null=True, on_delete=fields.RESTRICT
    )
    decided_by_id: UUID | None
    decided_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "access_approval"
