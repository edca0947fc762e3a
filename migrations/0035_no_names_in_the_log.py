"""Names and contacts of persons come out of the log: in small transactions, begun again if killed.

Nothing waits for it: servers read and write the log meanwhile (Decision 17).
"""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("itr", "0034_what_people_were_called")]

    atomic = False

    operations = [ops.RunSQL("call take_names_out_of_the_log()", "")]
