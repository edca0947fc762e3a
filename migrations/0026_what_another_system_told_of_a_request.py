"""Which lines of another system's export are in, and whether it says its promise was met."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("itr", "0025_breaches_that_were_undone")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Request",
            name="import_traces",
            field=fields.BinaryField(null=True),
        ),
        ops.AddField(
            model_name="Request",
            name="source_met",
            field=fields.BooleanField(null=True),
        ),
    ]
