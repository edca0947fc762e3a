"""What the product needs the tables' owner for at run time, as two functions of the owner (S16).

Months of the event log are made, and statistics renewed after an import, by whoever may call these.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

NEW = """
create function refresh_statistics() returns void language plpgsql as $$
begin
    analyze request, clock, stint, hand_over, event;
end $$;

do $$
declare
    signature text;
begin
    foreach signature in array array['create_event_partition(date)', 'refresh_statistics()'] loop
        execute format(
            'alter function %s security definer set search_path = %I, pg_temp',
            signature, current_schema()
        );
        execute format('revoke execute on function %s from public', signature);
    end loop;
end $$;
"""
OLD = """
drop function refresh_statistics();
alter function create_event_partition(date) security invoker reset search_path;
grant execute on function create_event_partition(date) to public;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0018_signing_in_elsewhere")]

    operations = [ops.RunSQL(NEW, OLD)]
