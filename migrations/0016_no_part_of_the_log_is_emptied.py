"""A month of the event log cannot be emptied either (S16): statement triggers are not inherited."""

from tortoise import migrations
from tortoise.migrations import operations as ops

NEW = """
create or replace function create_event_partition(month date) returns void language plpgsql as $$
declare
    part text := 'event_' || to_char(month, 'YYYYMM');
begin
    execute format(
        'create table if not exists %I partition of event for values from (%L) to (%L)',
        part,
        date_trunc('month', month::timestamp) at time zone 'UTC',
        (date_trunc('month', month::timestamp) + interval '1 month') at time zone 'UTC'
    );
    execute format(
        'create or replace trigger event_is_not_truncated before truncate on %I'
        ' for each statement execute function refuse_change_of_event()',
        part
    );
end $$;

do $$
declare
    part regclass;
begin
    for part in select inhrelid from pg_inherits where inhparent = 'event'::regclass loop
        execute format(
            'create or replace trigger event_is_not_truncated before truncate on %s'
            ' for each statement execute function refuse_change_of_event()',
            part
        );
    end loop;
end $$;
"""
OLD = """
create or replace function create_event_partition(month date) returns void language plpgsql as $$
begin
    execute format(
        'create table if not exists %I partition of event for values from (%L) to (%L)',
        'event_' || to_char(month, 'YYYYMM'),
        date_trunc('month', month::timestamp) at time zone 'UTC',
        (date_trunc('month', month::timestamp) + interval '1 month') at time zone 'UTC'
    );
end $$;

do $$
declare
    part regclass;
begin
    for part in select inhrelid from pg_inherits where inhparent = 'event'::regclass loop
        execute format('drop trigger event_is_not_truncated on %s', part);
    end loop;
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0015_trusted_documents_and_usage")]

    operations = [ops.RunSQL(NEW, OLD)]
