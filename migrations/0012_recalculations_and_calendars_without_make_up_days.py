from uuid import uuid4

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from itr.sla.terms import ClockState, RecalculationKind, RecalculationStatus, Thread

RULES = """
create unique index calendar_one_twin on calendar (base_id) where base_id is not null;
create index recalculation_line_of on recalculation_line (recalculation_id, id);
create index recalculation_line_request on recalculation_line (request_id);
create index request_open_level on request (service_level_version_id, id)
    where status not in ('CLOSED', 'CANCELLED', 'REJECTED');
alter table recalculation_line add constraint recalculation_line_differs check (
    flips or state_before is distinct from state_after
    or deadline_before is distinct from deadline_after);
"""

BACK = """
alter table recalculation_line drop constraint recalculation_line_differs;
drop index request_open_level, recalculation_line_request, recalculation_line_of,
    calendar_one_twin;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0011_access")]

    initial = False

    operations = [
        ops.CreateModel(
            name="RecalculationLine",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "recalculation",
                    fields.ForeignKeyField(
                        "itr.Recalculation",
                        source_field="recalculation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="lines",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "request",
                    fields.ForeignKeyField(
                        "itr.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="recalculation_lines",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "thread",
                    fields.CharEnumField(
                        description="RESPONSE: RESPONSE\nRESTORATION: RESTORATION\nRESOLUTION: RESOLUTION\nCLOSURE: CLOSURE",
                        enum_type=Thread,
                        max_length=12,
                    ),
                ),
                ("priority", fields.CharField(max_length=2)),
                (
                    "state_before",
                    fields.CharEnumField(
                        null=True,
                        description="RUNNING: RUNNING\nPAUSED: PAUSED\nMET: MET\nBREACHED: BREACHED\nCANCELLED: CANCELLED",
                        enum_type=ClockState,
                        max_length=10,
                    ),
                ),
                (
                    "state_after",
                    fields.CharEnumField(
                        null=True,
                        description="RUNNING: RUNNING\nPAUSED: PAUSED\nMET: MET\nBREACHED: BREACHED\nCANCELLED: CANCELLED",
                        enum_type=ClockState,
                        max_length=10,
                    ),
                ),
                (
                    "deadline_before",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                (
                    "deadline_after",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("flips", fields.BooleanField()),
            ],
            options={
                "table": "recalculation_line",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A clock that a recalculation finds otherwise than it is: state and deadline, both ways.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Calendar",
            name="base",
            field=fields.ForeignKeyField(
                "itr.Calendar",
                source_field="base_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="twins",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AlterModelOptions(
            name="Recalculation",
            options={
                "table": "recalculation",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A long computation over many requests: a what-if, a migration, what a switch brings about.",
            },
        ),
        ops.AlterField(
            model_name="Recalculation",
            name="kind",
            field=fields.CharEnumField(
                description="WHAT_IF: WHAT_IF\nMIGRATION_PREVIEW: MIGRATION_PREVIEW\nMIGRATION: MIGRATION\nSWITCH_OFF: SWITCH_OFF\nMAKE_UP_DAYS: MAKE_UP_DAYS",
                enum_type=RecalculationKind,
                max_length=20,
            ),
        ),
        ops.AlterField(
            model_name="Recalculation",
            name="status",
            field=fields.CharEnumField(
                description="WAITING: WAITING\nRUNNING: RUNNING\nDONE: DONE\nCANCELLED: CANCELLED\nFAILED: FAILED",
                enum_type=RecalculationStatus,
                max_length=10,
            ),
        ),
        ops.AddField(
            model_name="Recalculation",
            name="version",
            field=fields.IntField(default=1, db_default=1),
        ),
        ops.RunSQL(RULES, BACK),
    ]
