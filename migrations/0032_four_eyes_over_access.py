"""What a second person approves, and passwords that are changed at the first sign-in (S18).

An issuer's older tokens no longer undo what newer ones said.
"""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from itr.access.terms import ApprovalKind, ApprovalState
from itr.actors.roles import Role
from itr.notifications.terms import NotificationKind

NEW = """
create index access_approval_pending on access_approval (person_id) where state = 'PENDING';
"""
OLD = "drop index access_approval_pending;"


class Migration(migrations.Migration):
    dependencies = [("itr", "0031_journeys_of_requests")]

    initial = False

    operations = [
        ops.CreateModel(
            name="AccessApproval",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="ROLE: ROLE\nCLIENT: CLIENT\nCLIENT_SECRET: CLIENT_SECRET\nFIRST_PARTY: FIRST_PARTY\nPASSWORD: PASSWORD\nEMAIL: EMAIL\nREACTIVATION: REACTIVATION",
                        enum_type=ApprovalKind,
                        max_length=14,
                    ),
                ),
                (
                    "state",
                    fields.CharEnumField(
                        description="PENDING: PENDING\nAPPROVED: APPROVED\nREFUSED: REFUSED\nWITHDRAWN: WITHDRAWN\nLAPSED: LAPSED",
                        enum_type=ApprovalState,
                        max_length=10,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="approvals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "role",
                    fields.CharEnumField(
                        null=True,
                        description="CUSTOMER: CUSTOMER\nPARTNER: PARTNER\nLINE1: LINE1\nLINE2: LINE2\nLINE3: LINE3\nLINE_LEAD: LINE_LEAD\nFIELD_ENGINEER: FIELD_ENGINEER\nDISPATCH_MANAGER: DISPATCH_MANAGER\nSPARES_MANAGER: SPARES_MANAGER\nQUALITY_CONTROLLER: QUALITY_CONTROLLER\nCOMPLAINT_HANDLER: COMPLAINT_HANDLER\nPROJECT_MANAGER: PROJECT_MANAGER\nCATALOGUE_MANAGER: CATALOGUE_MANAGER\nSALES_SUPPORT: SALES_SUPPORT\nBRANCH_MANAGER: BRANCH_MANAGER\nANALYST: ANALYST\nPROCESS_MANAGER: PROCESS_MANAGER\nOPERATIONS_DIRECTOR: OPERATIONS_DIRECTOR\nWALLBOARD: WALLBOARD\nADMIN: ADMIN",
                        enum_type=Role,
                        max_length=24,
                    ),
                ),
                (
                    "client",
                    fields.ForeignKeyField(
                        "itr.OAuthClient",
                        source_field="client_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="approvals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("email", fields.CharField(null=True, max_length=200)),
                ("secret_hash", fields.CharField(null=True, max_length=200)),
                (
                    "asked_by",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="asked_by_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="asked_approvals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("asked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "decided_by",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="decided_by_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="decided_approvals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "access_approval",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "What somebody asked for and a second person has yet to approve: a role, a password, a client.",
            },
            bases=["Table"],
        ),
        ops.AddField(
            model_name="ExternalIdentity",
            name="vouched_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AlterField(
            model_name="Notification",
            name="kind",
            field=fields.CharEnumField(
                description="ALARM: ALARM\nESCALATION: ESCALATION\nCONTROL_POINT: CONTROL_POINT\nBULLETIN: BULLETIN\nCONFIRMATION: CONFIRMATION\nTASK: TASK\nASSIGNMENT: ASSIGNMENT\nCHARGE: CHARGE\nACCESS: ACCESS",
                enum_type=NotificationKind,
                max_length=14,
            ),
        ),
        ops.AddField(
            model_name="OAuthClient",
            name="waiting",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name="Person",
            name="must_change_password",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.RunSQL(NEW, OLD),
    ]
