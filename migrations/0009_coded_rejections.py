from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from itr.requests.terms import RejectionCode


class Migration(migrations.Migration):
    dependencies = [("itr", "0008_index_of_clocks_to_recompute")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Request",
            name="rejection_code",
            field=fields.CharEnumField(
                null=True,
                description="NOT_SERVED: NOT_SERVED\nOUT_OF_SCOPE: OUT_OF_SCOPE\nNOT_AUTHORISED: NOT_AUTHORISED\nCHARGE_DECLINED: CHARGE_DECLINED\nINCOMPLETE: INCOMPLETE\nDUPLICATE: DUPLICATE\nNO_ISSUE: NO_ISSUE",
                enum_type=RejectionCode,
                max_length=16,
            ),
        ),
    ]
