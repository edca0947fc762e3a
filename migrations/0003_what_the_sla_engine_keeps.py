from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

from itr.notifications.terms import MessageStatus, NotificationKind
from itr.people.terms import Channel
from itr.problems.terms import ProblemStatus
from itr.sla.terms import Thread


class Migration(migrations.Migration):
    dependencies = [("itr", "0002_event_log_and_rules_of_the_tables")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Bulletin",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "request",
                    fields.ForeignKeyField(
                        "itr.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="bulletins",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(max_length=10)),
                ("text", fields.TextField(unique=False)),
                ("published_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "published_by",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="published_by_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="bulletins",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "bulletin",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A status bulletin of an emergency (R-REQ-11): first, progress, recovery or cause.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ControlPoint",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "request",
                    fields.ForeignKeyField(
                        "itr.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="control_points",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.SmallIntField()),
                (
                    "thread",
                    fields.CharEnumField(
                        description="RESPONSE: RESPONSE\nRESTORATION: RESTORATION\nRESOLUTION: RESOLUTION\nCLOSURE: CLOSURE",
                        enum_type=Thread,
                        max_length=12,
                    ),
                ),
                ("revision", fields.IntField(default=1)),
                ("owner_id", fields.UUIDField(null=True)),
                ("owner_role", fields.CharField(max_length=24)),
                ("line", fields.SmallIntField()),
                ("partner_id", fields.UUIDField(null=True)),
                (
                    "calendar_version",
                    fields.ForeignKeyField(
                        "itr.CalendarVersion",
                        source_field="calendar_version_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="control_points",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("budget_us", fields.BigIntField(null=True)),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("deadline", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("base_us", fields.BigIntField(null=True)),
                ("elapsed_us", fields.BigIntField(default=0)),
                (
                    "completed_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("on_time", fields.BooleanField(null=True)),
                ("reminded", fields.SmallIntField(default=0)),
                (
                    "next_reminder_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "control_point",
                "app": "itr",
                "unique_together": (("request", "number"),),
                "pk_attr": "id",
                "table_description": "One of the thirty steps of a request: whose, by when, and how it ended (R-CP-01, R-CP-02).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Escalation",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "request",
                    fields.ForeignKeyField(
                        "itr.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="escalations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("step", fields.SmallIntField()),
                ("reason", fields.TextField(unique=False)),
                ("opened_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "acknowledged_by",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="acknowledged_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="acknowledgements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "acknowledged_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "escalation",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A management escalation and who has taken note of it (R-ESC-01, R-ESC-02).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Notification",
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
                        related_name="notifications",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="ALARM: ALARM\nESCALATION: ESCALATION\nCONTROL_POINT: CONTROL_POINT\nBULLETIN: BULLETIN\nCONFIRMATION: CONFIRMATION\nTASK: TASK",
                        enum_type=NotificationKind,
                        max_length=14,
                    ),
                ),
                (
                    "request",
                    fields.ForeignKeyField(
                        "itr.Request",
                        source_field="request_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="notifications",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("cause", fields.CharField(max_length=120)),
                ("facts", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("read_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notification",
                "app": "itr",
                "unique_together": (("person", "cause"),),
                "pk_attr": "id",
                "table_description": "One entry of a person's list; `cause` makes it come once.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutgoingMessage",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "channel",
                    fields.CharEnumField(
                        description="LIST: LIST\nSMS: SMS\nEMAIL: EMAIL",
                        enum_type=Channel,
                        max_length=6,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="messages",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("address", fields.CharField(max_length=200)),
                ("text", fields.TextField(unique=False)),
                ("key", fields.CharField(unique=True, max_length=160)),
                (
                    "status",
                    fields.CharEnumField(
                        description="WAITING: WAITING\nSENT: SENT\nDEAD: DEAD",
                        enum_type=MessageStatus,
                        max_length=8,
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                (
                    "next_attempt_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "outgoing_message",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A message that leaves the system at least once; `key` lets the receiver drop repeats.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Problem",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("number", fields.CharField(unique=True, max_length=24)),
                ("title", fields.CharField(max_length=400)),
                (
                    "status",
                    fields.CharEnumField(
                        description="OPEN: OPEN\nROOT_CAUSE: ROOT_CAUSE\nKNOWN_ERROR: KNOWN_ERROR\nSOLVED: SOLVED\nCLOSED: CLOSED",
                        enum_type=ProblemStatus,
                        max_length=12,
                    ),
                ),
                ("root_cause", fields.TextField(null=True, unique=False)),
                ("created_by", fields.UUIDField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "problem",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "The cause behind one or more requests.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Recalculation",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("kind", fields.CharField(max_length=20)),
                ("status", fields.CharField(max_length=10)),
                ("wanted", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("position", fields.UUIDField(null=True)),
                ("done", fields.IntField(default=0)),
                ("total", fields.IntField(null=True)),
                ("result", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("created_by", fields.UUIDField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "finished_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "recalculation",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "A long computation over many clocks: a calendar's edit, a migration, a what-if.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UnderpinningContract",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "partner",
                    fields.ForeignKeyField(
                        "itr.Organisation",
                        source_field="partner_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="underpinning_contracts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "service_level",
                    fields.ForeignKeyField(
                        "itr.ServiceLevel",
                        source_field="service_level_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="underpinning_contracts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("point", fields.SmallIntField()),
                ("priority", fields.CharField(max_length=2)),
                ("target_us", fields.BigIntField(null=True)),
                ("target_days", fields.DecimalField(null=True, max_digits=9, decimal_places=3)),
                ("risk_accepted_by", fields.UUIDField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "underpinning_contract",
                "app": "itr",
                "unique_together": (("partner", "service_level", "point", "priority"),),
                "pk_attr": "id",
                "table_description": "What a partner firm promised for one control point at one priority (R-OLA-02).",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Request",
            name="bulletin_due_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Request",
            name="emergency_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Request",
            name="merged_into",
            field=fields.ForeignKeyField(
                "itr.Request",
                source_field="merged_into_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="duplicates",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="Request",
            name="parent",
            field=fields.ForeignKeyField(
                "itr.Request",
                source_field="parent_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="children",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="Request",
            name="problem",
            field=fields.ForeignKeyField(
                "itr.Problem",
                source_field="problem_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="requests",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="ServiceLevel",
            name="active",
            field=fields.BooleanField(default=True),
        ),
        ops.AddField(
            model_name="ServiceLevelVersion",
            name="alarm_rules",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AddField(
            model_name="ServiceLevelVersion",
            name="ola_shares",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
    ]
