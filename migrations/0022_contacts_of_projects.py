"""Projects name whom to talk to at the customer (R-ORG-01); people are told what is passed on."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from itr.notifications.terms import NotificationKind


class Migration(migrations.Migration):
    dependencies = [("itr", "0021_index_of_who_stands_on_a_customers_requests")]

    initial = False

    operations = [
        ops.AlterModelOptions(
            name="Project",
            options={
                "table": "project",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A customer's project: joins customer, contract, manager,"
                " team and contact (R-ORG-01).",
            },
        ),
        ops.AddField(
            model_name="Project",
            name="contact",
            field=fields.ForeignKeyField(
                "itr.Person",
                source_field="contact_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="contact_projects",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AlterField(
            model_name="Notification",
            name="kind",
            field=fields.CharEnumField(
                description="ALARM: ALARM\nESCALATION: ESCALATION\nCONTROL_POINT: CONTROL_POINT\n"
                "BULLETIN: BULLETIN\nCONFIRMATION: CONFIRMATION\nTASK: TASK\n"
                "ASSIGNMENT: ASSIGNMENT",
                enum_type=NotificationKind,
                max_length=14,
            ),
        ),
    ]
