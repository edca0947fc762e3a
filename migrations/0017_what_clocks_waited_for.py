"""How long clocks stood still and for what; those there are, a worker works out by and by."""

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

from itr.sla.terms import WaitingReason

RULES = """
alter table clock add constraint clock_waits_from_somewhere
    check (num_nulls(waiting_for, waiting_since_us) in (0, 2));
create index clock_waits_unknown on clock (id) where waited_us is null;
"""
BACK = """
drop index clock_waits_unknown;
alter table clock drop constraint clock_waits_from_somewhere;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0016_no_part_of_the_log_is_emptied")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Clock",
            name="waited_us",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AddField(
            model_name="Clock",
            name="waiting_for",
            field=fields.CharEnumField(
                null=True,
                description="CUSTOMER: CUSTOMER\nTHIRD_PARTY: THIRD_PARTY\nSPARE_PART: SPARE_PART\nCHANGE_WINDOW: CHANGE_WINDOW",
                enum_type=WaitingReason,
                max_length=16,
            ),
        ),
        ops.AddField(
            model_name="Clock",
            name="waiting_since_us",
            field=fields.BigIntField(null=True),
        ),
        ops.RunSQL(RULES, BACK),
    ]
