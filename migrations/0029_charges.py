"""Charges: the item a request is charged by, pinned once decided; the tax on catalogue items."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from itr.notifications.terms import NotificationKind
from itr.requests.terms import Charge

NEW = """
create index request_charge_item on request (charge_item_id, customer_id)
    where charge_item_id is not null;
"""
OLD = "drop index request_charge_item;"


class Migration(migrations.Migration):
    dependencies = [("itr", "0028_consent_and_how_people_signed_in")]

    initial = False

    operations = [
        ops.AddField(
            model_name="CatalogueItem",
            name="tax_percent",
            field=fields.DecimalField(default=0, db_default=0, max_digits=6, decimal_places=3),
        ),
        ops.AlterField(
            model_name="Notification",
            name="kind",
            field=fields.CharEnumField(
                description="ALARM: ALARM\nESCALATION: ESCALATION\nCONTROL_POINT: CONTROL_POINT\n"
                "BULLETIN: BULLETIN\nCONFIRMATION: CONFIRMATION\nTASK: TASK\n"
                "ASSIGNMENT: ASSIGNMENT\nCHARGE: CHARGE",
                enum_type=NotificationKind,
                max_length=14,
            ),
        ),
        ops.AlterField(
            model_name="Request",
            name="charge",
            field=fields.CharEnumField(
                null=True,
                description="PENDING: PENDING\nACCEPTED: ACCEPTED\nWAIVED: WAIVED\n"
                "WITHDRAWN: WITHDRAWN",
                enum_type=Charge,
                max_length=10,
            ),
        ),
        ops.AddField(
            model_name="Request",
            name="charge_currency",
            field=fields.CharField(null=True, max_length=3),
        ),
        ops.AddField(
            model_name="Request",
            name="charge_item",
            field=fields.ForeignKeyField(
                "itr.CatalogueItem",
                source_field="charge_item_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="requests",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="Request",
            name="charge_price",
            field=fields.DecimalField(null=True, max_digits=14, decimal_places=2),
        ),
        ops.AddField(
            model_name="Request",
            name="charge_tax_percent",
            field=fields.DecimalField(null=True, max_digits=6, decimal_places=3),
        ),
        ops.RunSQL(NEW, OLD),
    ]
