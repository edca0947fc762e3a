"""Signing in at another issuer: who is awaited back, and which sessions an issuer vouched for."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("itr", "0017_what_clocks_waited_for")]

    initial = False

    operations = [
        ops.CreateModel(
            name="SignInElsewhere",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("digest", fields.CharField(unique=True, max_length=64)),
                ("browser", fields.CharField(max_length=64)),
                ("issuer", fields.CharField(max_length=300)),
                ("came_from", fields.TextField()),
                (
                    "expires_at",
                    fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "sign_in_elsewhere",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "Somebody who left a browser's page to sign in at another issuer, and is awaited back.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="BrowserSession",
            name="issuer",
            field=fields.CharField(null=True, max_length=300),
        ),
    ]
