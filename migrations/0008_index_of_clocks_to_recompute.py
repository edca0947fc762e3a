"""Finding the clocks that a calendar's edit leaves behind costs nothing when there are none."""

from tortoise import migrations
from tortoise.migrations import operations as ops

NEW = """
drop index clock_uncompleted;
create index clock_uncompleted on clock (calendar_version_id)
    where completed_at is null and state <> 'CANCELLED';
"""
OLD = """
drop index clock_uncompleted;
create index clock_uncompleted on clock (calendar_version_id) where completed_at is null;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0007_epochs_know_their_database")]

    operations = [ops.RunSQL(NEW, OLD)]
