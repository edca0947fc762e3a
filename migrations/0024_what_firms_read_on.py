"""A firm that gave a request back reads what it could read then; its staff stand as the firm.

What is in the log of partners' staff is rewritten once, by the owner: from now on the log holds the
name of the firm, which is all that customers and other firms may read (R-ROLE-08).
"""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

NEW = """
update hand_over set follows = true where handed_at = returned_at;
create index request_partner on request (partner_id, customer_id) where partner_id is not null;
alter table event disable trigger event_is_append_only;
update event set actor_name = firm.name
from person staff join organisation firm on firm.id = staff.organisation_id
where firm.kind = 'PARTNER' and event.actor_id = staff.id and event.actor_name <> firm.name;
alter table event enable trigger event_is_append_only;
"""
OLD = "drop index request_partner;"


class Migration(migrations.Migration):
    dependencies = [("itr", "0023_what_requests_wait_for")]

    initial = False

    operations = [
        ops.AddField(
            model_name="HandOver",
            name="follows",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name="HandOver",
            name="returned_version",
            field=fields.IntField(null=True),
        ),
        ops.RunSQL(NEW, OLD),
    ]
