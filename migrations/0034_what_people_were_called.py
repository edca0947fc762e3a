"""Persons stand in the log by their ids; what they were called before is a row (R-ROLE-09).

How names come out of what is in the log already: Decision 17.
"""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

NO_NAMES = """
alter table event alter column actor_name drop not null;

create function without_details(type text, payload jsonb) returns jsonb
language sql immutable parallel safe
return case when type = 'PersonChanged' and jsonb_typeof(payload->'fields') = 'object'
    then payload || jsonb_build_object('fields', coalesce((
        select jsonb_object_agg(changed.key, case when changed.key in ('name', 'email', 'phone')
            then '{}'::jsonb else changed.value end)
        from jsonb_each(payload->'fields') changed), '{}'))
    else payload end;
comment on function without_details(text, jsonb) is 'A fact without names and contacts of persons:'
    ' of these it tells only that they changed.';

create or replace function refuse_change_of_event() returns trigger language plpgsql as $$
declare
    payload jsonb;
    actor_name text;
begin
    if tg_op = 'UPDATE' then
        payload := new.payload;
        actor_name := new.actor_name;
        new.payload := old.payload;
        new.actor_name := old.actor_name;
        if new is not distinct from old
            and payload in (old.payload, without_details(old.type, old.payload))
            and (actor_name is null or actor_name = old.actor_name or exists (
                select from person staff join organisation firm on firm.id = staff.organisation_id
                where staff.id = old.actor_id and firm.name = actor_name))
        then
            new.payload := payload;
            new.actor_name := actor_name;
            return new;
        end if;
    end if;
    raise exception 'the event log is append-only' using errcode = 'insufficient_privilege';
end $$;

create procedure take_names_out_of_the_log(blocks int default 1000) language plpgsql as $$
declare
    part regclass;
    block bigint;
    last bigint;
begin
    for part in select relid from pg_partition_tree('event') where isleaf order by relid loop
        last := pg_relation_size(part) / current_setting('block_size')::int;
        for block in select generate_series(0, last, blocks) loop
            execute format($batch$
                insert into former_detail (id, person_id, field, value, version, until)
                select gen_random_uuid(), e.subject, changed.key, changed.value->>'from',
                    e.subject_version, e.occurred_at
                from %1$s e join person p on p.id = e.subject,
                    jsonb_each(e.payload->'fields') changed
                where e.ctid >= $1 and e.ctid < $2 and e.type = 'PersonChanged'
                    and jsonb_typeof(e.payload->'fields') = 'object'
                    and changed.key in ('name', 'email', 'phone')
                    and coalesce(changed.value->>'from', '') <> ''
            $batch$, part) using format('(%s,0)', block)::tid,
                format('(%s,0)', block + blocks)::tid;
            execute format($batch$
                update %1$s e set payload = without_details(e.type, e.payload)
                where e.ctid >= $1 and e.ctid < $2 and e.type = 'PersonChanged'
                    and e.payload <> without_details(e.type, e.payload)
            $batch$, part) using format('(%s,0)', block)::tid,
                format('(%s,0)', block + blocks)::tid;
            execute format($batch$
                update %1$s e
                set actor_name = case when firm.kind = 'BRANCH' then null else firm.name end
                from person staff join organisation firm on firm.id = staff.organisation_id
                where e.ctid >= $1 and e.ctid < $2 and e.actor_name is not null
                    and staff.id = e.actor_id
                    and (firm.kind = 'BRANCH' or not exists (
                        select from organisation known where known.name = e.actor_name))
            $batch$, part) using format('(%s,0)', block)::tid,
                format('(%s,0)', block + blocks)::tid;
            commit;
        end loop;
    end loop;
end $$;
comment on procedure take_names_out_of_the_log(int) is 'Leaves ids of persons in the log alone,'
    ' in small transactions; may be stopped and called again (Decision 17).';

create index former_detail_person on former_detail (person_id);

update notification told set facts = told.facts || jsonb_build_object(
    'whom', asked.person_id,
    'by', case told.facts->>'state' when 'PENDING' then asked.asked_by_id
        else coalesce(asked.decided_by_id, '00000000-0000-4000-8000-000000000001') end)
from access_approval asked
where told.kind = 'ACCESS' and replace(asked.id::text, '-', '') = split_part(told.cause, ':', 2);
"""
NAMES = """
drop procedure take_names_out_of_the_log(int);
create or replace function refuse_change_of_event() returns trigger language plpgsql as $$
begin
    raise exception 'the event log is append-only' using errcode = 'insufficient_privilege';
end $$;
drop function without_details(text, jsonb);
drop index former_detail_person;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0033_places_of_threads")]

    initial = False

    operations = [
        ops.CreateModel(
            name="FormerDetail",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="former_details",
                        on_delete=OnDelete.CASCADE,
                    ),
                ),
                ("field", fields.CharField(max_length=8)),
                ("value", fields.CharField(max_length=200)),
                ("version", fields.IntField()),
                ("until", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "former_detail",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "What a person's name, e-mail address or telephone was before; the log tells only that it was.",
            },
            bases=["Table"],
        ),
        ops.RunSQL(NO_NAMES, NAMES),
    ]
