"""A management escalation step by step: to whom, why, and each step stands once; unread lists."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from itr.sla.terms import Thread
from itr.tickets.terms import EscalationCause

RULES = """
create unique index escalation_standing on escalation (request_id, step) where ended_at is null;
create index notification_unread on notification (person_id) where read_at is null;
drop index escalation_due;
"""
RULES_BACK = """
create index escalation_due on escalation (due_at)
    where acknowledged_at is null and due_at is not null;
drop index notification_unread, escalation_standing;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0012_recalculations_and_calendars_without_make_up_days")]

    initial = False

    operations = [
        ops.AlterModelOptions(
            name="Escalation",
            options={
                "table": "escalation",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "One step of a request's management escalation: to whom, why, who has taken note (R-ESC).",
            },
        ),
        ops.AlterField(
            model_name="Escalation",
            name="reason",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name="Escalation",
            name="cause",
            field=fields.CharEnumField(
                description="ALARM: ALARM\nBY_HAND: BY_HAND\nTIMEOUT: TIMEOUT",
                enum_type=EscalationCause,
                max_length=8,
            ),
        ),
        ops.AddField(
            model_name="Escalation",
            name="ended_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Escalation",
            name="percent",
            field=fields.SmallIntField(null=True),
        ),
        ops.AddField(
            model_name="Escalation",
            name="person",
            field=fields.ForeignKeyField(
                "itr.Person",
                source_field="person_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="escalations",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="Escalation",
            name="revision",
            field=fields.IntField(default=1, db_default=1),
        ),
        ops.AddField(
            model_name="Escalation",
            name="thread",
            field=fields.CharEnumField(
                null=True,
                description="RESPONSE: RESPONSE\nRESTORATION: RESTORATION\nRESOLUTION: RESOLUTION\nCLOSURE: CLOSURE",
                enum_type=Thread,
                max_length=12,
            ),
        ),
        ops.AddField(
            model_name="Escalation",
            name="told_again",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.RunSQL(RULES, RULES_BACK),
    ]
