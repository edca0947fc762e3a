"""Whether a person stands on one of a customer's requests is a look-up, however many there are."""

from tortoise import migrations
from tortoise.migrations import operations as ops

NEW = """
create index request_customer_assignee on request (customer_id, assignee_id);
create index request_customer_contact on request (customer_id, contact_id);
"""
OLD = """
drop index request_customer_contact;
drop index request_customer_assignee;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0020_index_of_open_steps_by_calendar")]

    operations = [ops.RunSQL(NEW, OLD)]
