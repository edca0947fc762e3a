"""Reasons of breaches: given, then decided on by somebody else."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from itr.sla.terms import BreachReason, BreachReasonState

RULES = """
alter table clock add constraint clock_breach_reason_is_whole
    check (num_nulls(breach_reason, breach_reason_state, breach_reason_by, breach_reason_at)
        in (0, 4));
alter table clock add constraint clock_breach_reason_is_decided_by_another
    check (breach_decided_by <> breach_reason_by);
create index clock_breached on clock (request_id) where breached_at is not null;
"""
BACK = """
drop index clock_breached;
alter table clock drop constraint clock_breach_reason_is_decided_by_another;
alter table clock drop constraint clock_breach_reason_is_whole;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0013_steps_of_management_escalations")]

    initial = False

    operations = [
        ops.RenameField(
            model_name="Clock",
            old_name="breach_reason_approved_by",
            new_name="breach_decided_by",
        ),
        ops.AlterField(
            model_name="Clock",
            name="breach_reason",
            field=fields.CharEnumField(
                null=True,
                description="CUSTOMER_WAIT: CUSTOMER_WAIT\nTHIRD_PARTY: THIRD_PARTY\nSPARE_PART: SPARE_PART\nCHANGE_WINDOW: CHANGE_WINDOW\nSTAFFING: STAFFING\nSKILL: SKILL\nWRONG_CLASSIFICATION: WRONG_CLASSIFICATION\nWRONG_DISPATCH: WRONG_DISPATCH\nTOOL_FAILURE: TOOL_FAILURE\nFORCE_MAJEURE: FORCE_MAJEURE\nOTHER: OTHER",
                enum_type=BreachReason,
                max_length=40,
            ),
        ),
        ops.AddField(
            model_name="Clock",
            name="breach_decided_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Clock",
            name="breach_note",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name="Clock",
            name="breach_reason_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Clock",
            name="breach_reason_state",
            field=fields.CharEnumField(
                null=True,
                description="GIVEN: GIVEN\nAPPROVED: APPROVED\nREFUSED: REFUSED",
                enum_type=BreachReasonState,
                max_length=8,
            ),
        ),
        ops.RunSQL(RULES, BACK),
    ]
