"""How often a breach of a clock was undone: each is a version of its own, that warns again."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("itr", "0024_what_firms_read_on")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Clock",
            name="overturns",
            field=fields.IntField(default=0, db_default=0),
        ),
    ]
