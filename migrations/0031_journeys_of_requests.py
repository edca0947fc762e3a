"""Whether a request came back to a queue, or was resolved at first contact, stands on its row.

What requests have been through so far is read from the log once.
"""

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

WORKED_OUT = """
update request r set queues_been = been.queues, returned = been.returned
from (
    select subject, jsonb_agg(queue order by last) as queues, bool_or(stays > 1) as returned
    from (
        select subject, queue, max(subject_version) as last, count(*) as stays
        from (
            select e.subject, e.subject_version, e.payload->>'queue' as queue,
                lag(e.payload->>'queue') over (partition by e.subject order by e.subject_version)
                    as before
            from event e where e.type in
                ('RequestDispatched', 'RequestRequeued', 'RequestEscalated', 'RequestHandedBack')
        ) placed where queue is distinct from before group by subject, queue
    ) stay where queue is not null group by subject
) been
where been.subject = r.id;

update request r set takings = taken.takings,
    first_contact = taken.takings = 1 and r.delivered_at is not null
        and coalesce((select max(s.line) from stint s where s.request_id = r.id) = 1, false)
from (
    select e.subject,
        sum(case e.type when 'RequestStarted' then 1 else 2 end)::int as takings
    from event e where e.type in ('RequestStarted', 'RequestRequeued', 'RequestEscalated',
        'RequestHandedBack', 'RequestWaiting', 'SolutionRejected', 'RequestReopened')
    group by e.subject
) taken
where taken.subject = r.id;
"""
INDEXES = """
create index request_returned on request (returned, registered_at);
create index request_first_contact on request (first_contact, registered_at);
"""
NO_INDEXES = """
drop index request_first_contact;
drop index request_returned;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0030_texts_and_telephones_to_compare")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Request",
            name="queues_been",
            field=fields.JSONField(default=list, db_default=[], encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AddField(
            model_name="Request",
            name="takings",
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name="Request",
            name="returned",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name="Request",
            name="first_contact",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.RunSQL(WORKED_OUT, ""),
        ops.RunSQL(INDEXES, NO_INDEXES),
    ]
