"""A partner firm's own clock on what was handed to it; versions of problems."""

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

from itr.sla.terms import ClockState


class Migration(migrations.Migration):
    dependencies = [("itr", "0004_indexes_of_what_the_sla_engine_keeps")]

    initial = False

    operations = [
        ops.AddField(
            model_name="HandOver",
            name="base_us",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="HandOver",
            name="breached_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="HandOver",
            name="calendar_version",
            field=fields.ForeignKeyField(
                "itr.CalendarVersion",
                source_field="calendar_version_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="hand_overs",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="HandOver",
            name="clock_words",
            field=fields.JSONField(default=list, db_default=[], encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AddField(
            model_name="HandOver",
            name="completed_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="HandOver",
            name="deadline",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="HandOver",
            name="deadline_us",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="HandOver",
            name="elapsed_us",
            field=fields.BigIntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name="HandOver",
            name="remaining_us",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="HandOver",
            name="state",
            field=fields.CharEnumField(
                null=True,
                description="RUNNING: RUNNING\nPAUSED: PAUSED\nMET: MET\nBREACHED: BREACHED\nCANCELLED: CANCELLED",
                enum_type=ClockState,
                max_length=10,
            ),
        ),
        ops.AddField(
            model_name="HandOver",
            name="target_days",
            field=fields.DecimalField(null=True, max_digits=9, decimal_places=3),
        ),
        ops.AddField(
            model_name="HandOver",
            name="target_us",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="Problem",
            name="version",
            field=fields.IntField(default=0, db_default=0),
        ),
    ]
