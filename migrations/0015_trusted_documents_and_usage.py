"""Documents that clients registered, and how much of the schema is used by whom."""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("itr", "0014_reasons_of_breaches")]

    initial = False

    operations = [
        ops.CreateModel(
            name="DocumentUse",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("day", fields.DateField()),
                ("client_id", fields.CharField(max_length=100)),
                ("sha256", fields.CharField(max_length=64)),
                ("name", fields.CharField(max_length=200)),
                ("uses", fields.BigIntField()),
                ("last_used_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "document_use",
                "app": "itr",
                "unique_together": (("day", "client_id", "sha256", "name"),),
                "pk_attr": "id",
                "table_description": "How often a client ran a document on a day.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FieldUse",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("day", fields.DateField()),
                ("client_id", fields.CharField(max_length=100)),
                ("coordinate", fields.CharField(max_length=200)),
                ("uses", fields.BigIntField()),
                ("last_used_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "field_use",
                "app": "itr",
                "unique_together": (("day", "client_id", "coordinate"),),
                "pk_attr": "id",
                "table_description": "How often a client's documents asked for a field or an argument on a day.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="TrustedDocument",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("client_id", fields.CharField(max_length=100)),
                ("sha256", fields.CharField(max_length=64)),
                ("alias", fields.CharField(max_length=200)),
                ("name", fields.CharField(max_length=200)),
                ("body", fields.TextField(unique=False)),
                ("added_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "trusted_document",
                "app": "itr",
                "unique_together": (("client_id", "sha256"), ("client_id", "alias")),
                "pk_attr": "id",
                "table_description": "A document a client may run by its SHA-256, or by the id its build gave it.",
            },
            bases=["Model"],
        ),
    ]
