from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("itr", "0006_indexes_of_related_requests")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Epoch",
            name="life",
            field=fields.CharField(null=True, max_length=80),
        ),
    ]
