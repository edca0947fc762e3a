"""A clock's place among those of its request, so that lists are read in its order, not sorted.

What an earlier version still writes meanwhile has none and comes last, until it is written again.
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

NEW = """
update clock set thread_no =
    array_position(array['RESPONSE', 'RESTORATION', 'RESOLUTION', 'CLOSURE'], thread::text);
create unique index clock_thread_no on clock (request_id, thread_no);
"""
OLD = "drop index clock_thread_no;"


class Migration(migrations.Migration):
    dependencies = [("itr", "0032_four_eyes_over_access")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Clock",
            name="thread_no",
            field=fields.SmallIntField(null=True),
        ),
        ops.RunSQL(NEW, OLD),
    ]
