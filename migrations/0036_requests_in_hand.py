"""A request is read into hand by one function, and data that change rarely say when they did.

The function is volatile: what hangs on a request is read after its row was locked. A transaction
that changes people, calendars or levels leaves a mark that is seen as soon as it has committed, so
that what is remembered of them is never older than what is locked (decision 0018).
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

MARKS = """
create table reference_change (
    area text not null,
    tx xid8 not null default pg_current_xact_id(),
    mark uuid not null default gen_random_uuid(),
    primary key (area, tx)
);

create function mark_reference_change() returns trigger language plpgsql as $$
begin
    insert into reference_change (area) values (tg_argv[0]) on conflict do nothing;
    delete from reference_change where ctid = any(array(
        select c.ctid from reference_change c
        where c.area = tg_argv[0] and c.tx < pg_snapshot_xmin(pg_current_snapshot())
        for update skip locked));
    return null;
end $$;

create trigger organisation_marked after insert or update of kind, make_up_days or delete
    on organisation for each statement execute function mark_reference_change('people');
create trigger person_marked after update of active, organisation_id or delete
    on person for each statement execute function mark_reference_change('people');
create trigger role_assignment_marked after insert or update or delete
    on role_assignment for each statement execute function mark_reference_change('people');
create trigger queue_marked after insert or update or delete
    on queue for each statement execute function mark_reference_change('people');
create trigger queue_member_marked after insert or update or delete
    on queue_member for each statement execute function mark_reference_change('people');
create trigger calendar_marked after insert or update or delete
    on calendar for each statement execute function mark_reference_change('calendars');
create trigger calendar_version_marked after insert or update or delete
    on calendar_version for each statement execute function mark_reference_change('calendars');
create trigger service_level_marked after insert or update or delete
    on service_level for each statement execute function mark_reference_change('levels');
create trigger service_level_version_marked after insert or update or delete
    on service_level_version for each statement execute function mark_reference_change('levels');
"""
MARKS_BACK = """
drop trigger service_level_version_marked on service_level_version;
drop trigger service_level_marked on service_level;
drop trigger calendar_version_marked on calendar_version;
drop trigger calendar_marked on calendar;
drop trigger queue_member_marked on queue_member;
drop trigger queue_marked on queue;
drop trigger role_assignment_marked on role_assignment;
drop trigger person_marked on person;
drop trigger organisation_marked on organisation;
drop function mark_reference_change();
drop table reference_change;
"""
IN_HAND = """
create function reference_marks() returns json language sql stable as $$
    select coalesce(json_object_agg(area, marks), '{}') from (
        select area, string_agg(mark::text, ' ' order by mark) as marks
        from reference_change group by area) by_area
$$;

create function request_in_hand(key uuid) returns json language plpgsql volatile as $$
declare
    found json;
begin
    select json_build_object(
        'request', row_to_json(r),
        'clocks', (select json_agg(row_to_json(c)) from clock c where c.request_id = key),
        'words', log.words,
        'begun', coalesce(log.begun, false),
        'steps', (select json_agg(row_to_json(p)) from control_point p where p.request_id = key),
        'stints', (select json_agg(row_to_json(s) order by s.number)
            from stint s where s.request_id = key),
        'hand_overs', (select json_agg(row_to_json(h)) from (
            select * from hand_over where request_id = key for update) h),
        'escalations', (select json_agg(row_to_json(s) order by s.id)
            from escalation s where s.request_id = key and s.ended_at is null),
        'timers', (select json_object_agg(t.kind, t.due_at) from timer t where t.request_id = key),
        'project_manager', j.manager_id,
        'project_contact', j.contact_id,
        'contact', (select p.id from person p
            where p.active and p.organisation_id = r.customer_id
                and p.id in (r.contact_id, j.contact_id)
            order by (p.id = r.contact_id) desc nulls last limit 1),
        'charge_item', (select json_build_object('price', i.price::text, 'currency', i.currency,
            'tax_percent', i.tax_percent::text) from catalogue_item i where i.id = r.charge_item_id),
        'references', reference_marks()
    ) into found
    from request r
    left join project j on j.id = r.project_id
    left join lateral (
        select bool_or(e.type = 'RequestStarted') as begun,
            json_agg(e.payload->'clocks' order by e.subject_version)
                filter (where e.payload ? 'clocks') as words
        from event e where e.subject = key) log on true
    where r.id = key;
    return found;
end $$;

create function children_in_hand(key uuid, statuses text[]) returns json
language plpgsql volatile as $$
declare
    found json;
begin
    select json_agg(request_in_hand(c.id)) into found from (
        select r.id from request r where r.parent_id = key and r.status = any(statuses)
        order by r.id for update) c;
    return found;
end $$;
"""
ENTITLEMENT = """
create function entitlement_of(
    customer uuid, project uuid, product uuid, phase text, registered_at timestamptz,
    charge text, request uuid, taking boolean
) returns json language plpgsql volatile as $$
declare
    lines json;
    of_quota uuid[];
begin
    select json_agg(row_to_json(c)), array_agg(c.line_id) filter (where c.quota_unit = 'REQUEST')
    into lines, of_quota from (
        select contract.id as contract_id, contract.number as contract_number, contract.starts_on,
            contract.ends_on, line.id as line_id, coalesce(line.number, 0) as number,
            line.quota_unit, line.quota, (
                select version.id from service_level_version version
                join service_level level on level.id = version.service_level_id and level.active
                where version.service_level_id = line.service_level_id
                order by version.number desc limit 1
            ) as version_id
        from contract
        left join contract_line line on line.contract_id = contract.id
        where contract.customer_id = $1
            and contract.starts_on <= ($5 at time zone 'UTC')::date + 1
            and contract.ends_on >= ($5 at time zone 'UTC')::date - 1
            and (line.id is null or (
                (line.project_id is null or line.project_id = $2)
                and (line.product_id is null or line.product_id = $3)
                and line.phase = $4
            ))
    ) c;
    if taking then
        perform id from contract_line where id = any(of_quota) order by id for no key update;
    end if;
    return json_build_object(
        'served', $3 is null or (select p.served from product p where p.id = $3),
        'lines', coalesce(lines, '[]'),
        'taken', (select coalesce(json_agg(row_to_json(t)), '[]') from (
            select contract_line_id, contract_year, count(*) as taken from quota_taking
            where contract_line_id = any(of_quota) and request_id is distinct from $7
                and returned_at is null
            group by contract_line_id, contract_year) t),
        'price', (select row_to_json(i) from (
            select id, price::text, currency from catalogue_item
            where charge_kind = $6
                and (product_id is null or product_id = $3)
            order by product_id is null, catalogue_item.price, id limit 1) i)
    );
end $$;
"""
ENTITLEMENT_BACK = """
drop function entitlement_of(uuid, uuid, uuid, text, timestamptz, text, uuid, boolean);
"""
IN_HAND_BACK = """
drop function children_in_hand(uuid, text[]);
drop function request_in_hand(uuid);
drop function reference_marks();
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0035_no_names_in_the_log")]

    operations = [
        ops.RunSQL(MARKS, MARKS_BACK),
        ops.RunSQL(IN_HAND, IN_HAND_BACK),
        ops.RunSQL(ENTITLEMENT, ENTITLEMENT_BACK),
    ]
