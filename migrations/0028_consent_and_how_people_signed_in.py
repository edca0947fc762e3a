"""Consent that is remembered; how and when people signed in; where they are sent after leaving."""

from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

from itr.access.terms import IdTokenAlgorithm


class Migration(migrations.Migration):
    dependencies = [("itr", "0027_control_points_passed_without_an_act")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="consents",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "client",
                    fields.ForeignKeyField(
                        "itr.OAuthClient",
                        source_field="client_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="consents",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("scope", fields.CharField(max_length=200)),
                ("given_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "consent",
                "app": "itr",
                "unique_together": (("person_id", "client_id"),),
                "pk_attr": "id",
                "table_description": "What a person once agreed that a client may do for them, and is not asked again.",
            },
            bases=["Model"],
        ),
        ops.AlterField(
            model_name="AuthorizationCode",
            name="auth_time",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="AuthorizationCode",
            name="acr",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.AddField(
            model_name="AuthorizationCode",
            name="amr",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.AddField(
            model_name="BrowserSession",
            name="acr",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.AddField(
            model_name="BrowserSession",
            name="amr",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.AddField(
            model_name="BrowserSession",
            name="auth_time",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="OAuthClient",
            name="id_token_algorithm",
            field=fields.CharEnumField(
                null=True,
                description="ED25519: ED25519\nRS256: RS256",
                enum_type=IdTokenAlgorithm,
                max_length=10,
            ),
        ),
        ops.AddField(
            model_name="OAuthClient",
            name="sign_out_uris",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
    ]
