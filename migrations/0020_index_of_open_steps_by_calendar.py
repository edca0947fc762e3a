"""Finding the open steps that a calendar's edit leaves behind costs nothing when there are none."""

from tortoise import migrations
from tortoise.migrations import operations as ops

NEW = """
create index control_point_uncompleted on control_point (calendar_version_id)
    where completed_at is null;
"""
OLD = "drop index control_point_uncompleted;"


class Migration(migrations.Migration):
    dependencies = [("itr", "0019_the_product_owns_nothing")]

    operations = [ops.RunSQL(NEW, OLD)]
