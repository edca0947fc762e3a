"""Clients, what people granted them, codes, tokens, sessions, passwords."""

from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

from itr.access.terms import ClientKind, DeviceStatus, EndReason

RULES = """
create unique index person_sign_in_name on person (lower(email)) where password_hash is not null;
alter table oauth_client add constraint oauth_client_machines_act_as_somebody
    check ((kind in ('MACHINE', 'WALLBOARD')) = (actor_id is not null));
alter table oauth_client add constraint oauth_client_secret_by_kind
    check ((kind in ('WEB', 'MACHINE')) = (secret_hash is not null));
alter table oauth_grant add constraint oauth_grant_ends_for_a_reason
    check ((ended_at is null) = (end_reason is null));
create index oauth_grant_client on oauth_grant (client_id) where ended_at is null;
create index oauth_grant_person on oauth_grant (person_id);
create index authorization_code_age on authorization_code (expires_at);
create index refresh_token_age on refresh_token (expires_at);
create index refresh_token_grant on refresh_token (grant_id);
create index device_code_age on device_code (expires_at);
create index revoked_token_age on revoked_token (expires_at);
create index browser_session_age on browser_session (expires_at);
create index browser_session_person on browser_session (person_id) where ended_at is null;
insert into signing_key (generation, published_at, signs_from)
    values (1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');
insert into oauth_client (id, client_id, name, kind, first_party, active, redirect_uris, scope,
    created_at)
    values ('6f0f7d5e-3a55-4d0c-9a53-3f6b54f3c001', 'itr-graphiql', 'GraphiQL', 'DASHBOARD', true, true,
        '["/graphql/signed-in"]', 'itr itr:read itr:board openid profile email',
        '2026-01-01T00:00:00Z');
"""

BACK = """
delete from oauth_client;
delete from signing_key;
drop index browser_session_person, browser_session_age, revoked_token_age, device_code_age,
    refresh_token_grant, refresh_token_age, authorization_code_age, oauth_grant_person,
    oauth_grant_client, person_sign_in_name;
alter table oauth_grant drop constraint oauth_grant_ends_for_a_reason;
alter table oauth_client drop constraint oauth_client_secret_by_kind;
alter table oauth_client drop constraint oauth_client_machines_act_as_somebody;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0010_indexes_of_boards")]

    initial = False

    operations = [
        ops.CreateModel(
            name="BrowserSession",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("digest", fields.CharField(unique=True, max_length=64)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="browser_sessions",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("signed_in_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("address", fields.CharField(default="", max_length=80)),
            ],
            options={
                "table": "browser_session",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "Somebody signed in at a browser, on this server's own pages.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ExternalIdentity",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("issuer", fields.CharField(max_length=300)),
                ("subject", fields.CharField(max_length=300)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="external_identities",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
            ],
            options={
                "table": "external_identity",
                "app": "itr",
                "unique_together": (("issuer", "subject"),),
                "pk_attr": "id",
                "table_description": "Who a person is at another issuer.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OAuthClient",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("client_id", fields.CharField(unique=True, max_length=64)),
                ("name", fields.CharField(max_length=200)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="DASHBOARD: DASHBOARD\nWEB: WEB\nMACHINE: MACHINE\nWALLBOARD: WALLBOARD",
                        enum_type=ClientKind,
                        max_length=12,
                    ),
                ),
                ("first_party", fields.BooleanField(default=False)),
                ("secret_hash", fields.CharField(null=True, max_length=64)),
                (
                    "redirect_uris",
                    fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads),
                ),
                ("scope", fields.CharField(max_length=200)),
                (
                    "actor",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="actor_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="oauth_clients",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("active", fields.BooleanField(default=True)),
                ("version", fields.IntField(default=0, db_default=0)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "oauth_client",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A program that may ask for tokens; `actor` is whom a machine or wallboard acts as.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Grant",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "client",
                    fields.ForeignKeyField(
                        "itr.OAuthClient",
                        source_field="client_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="grants",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="grants",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("scope", fields.CharField(max_length=200)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "end_reason",
                    fields.CharEnumField(
                        null=True,
                        description="REVOKED: REVOKED\nCODE_REPLAYED: CODE_REPLAYED\nTOKEN_REUSED: TOKEN_REUSED\nPASSWORD_SET: PASSWORD_SET",
                        enum_type=EndReason,
                        max_length=20,
                    ),
                ),
            ],
            options={
                "table": "oauth_grant",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "What a person allowed a client; when it ends, everything issued under it has ended.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuthorizationCode",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("digest", fields.CharField(unique=True, max_length=64)),
                (
                    "grant",
                    fields.ForeignKeyField(
                        "itr.Grant",
                        source_field="grant_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="codes",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("redirect_uri", fields.CharField(max_length=2000)),
                ("code_challenge", fields.CharField(max_length=128)),
                ("nonce", fields.CharField(null=True, max_length=500)),
                ("auth_time", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "authorization_code",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A code on its way through a browser; presented once, right or wrong, it is spent.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DeviceCode",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("digest", fields.CharField(unique=True, max_length=64)),
                ("user_code", fields.CharField(unique=True, max_length=8)),
                (
                    "client",
                    fields.ForeignKeyField(
                        "itr.OAuthClient",
                        source_field="client_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="device_codes",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "grant",
                    fields.ForeignKeyField(
                        "itr.Grant",
                        source_field="grant_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="device_codes",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("scope", fields.CharField(max_length=200)),
                ("address", fields.CharField(default="", max_length=80)),
                (
                    "status",
                    fields.CharEnumField(
                        description="PENDING: PENDING\nAPPROVED: APPROVED\nDENIED: DENIED\nUSED: USED",
                        enum_type=DeviceStatus,
                        max_length=10,
                    ),
                ),
                ("interval", fields.SmallIntField()),
                ("polled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "device_code",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A device that waits for somebody to allow it in on another screen (RFC 8628).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RefreshToken",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("digest", fields.CharField(unique=True, max_length=64)),
                (
                    "grant",
                    fields.ForeignKeyField(
                        "itr.Grant",
                        source_field="grant_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="refresh_tokens",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("issued_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "refresh_token",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A refresh token; used once, then it is a trap for whoever uses it again.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RevokedToken",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "revoked_token",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "An access token that was ended by itself, by its `jti`; kept until it would have expired.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SignInAttempts",
            fields=[
                (
                    "key",
                    fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64),
                ),
                ("failures", fields.IntField(default=0)),
                ("last_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "locked_until",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "sign_in_attempts",
                "app": "itr",
                "pk_attr": "key",
                "table_description": "Failed attempts in a row, by what was tried or from where; `locked_until` grows with them.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SigningKey",
            fields=[
                ("generation", fields.SmallIntField(primary_key=True, unique=True, db_index=True)),
                ("published_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("signs_from", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("retired_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "signing_key",
                "app": "itr",
                "pk_attr": "generation",
                "table_description": "A generation of the signing key; the key itself is derived from the server's secret.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Person",
            name="password_hash",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.RunSQL(RULES, BACK),
    ]
