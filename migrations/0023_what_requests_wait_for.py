"""A request waits for several things at once, each of which opens and ends by itself."""

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

KEPT_SO_FAR = """
alter table request add constraint request_waits_are_listed
    check (jsonb_typeof(waits) = 'array');
update request set waits = jsonb_build_array(jsonb_build_object(
    'reason', waiting_reason,
    'since', to_char(coalesce(
        (select max(e.occurred_at) from event e
            where e.subject = request.id and e.type = 'RequestWaiting'), updated_at)
        at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')))
where waiting_reason is not null;
"""
BACK = "alter table request drop constraint request_waits_are_listed"


class Migration(migrations.Migration):
    dependencies = [("itr", "0022_contacts_of_projects")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Request",
            name="waits",
            field=fields.JSONField(default=list, db_default=[], encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.RunSQL(KEPT_SO_FAR, BACK),
    ]
