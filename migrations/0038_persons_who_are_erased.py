"""Persons can be erased, and their names leave the log, which only this can change (R-ROLE-09)."""

from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

from itr.access.terms import ApprovalKind

NEW = r"""
create function pattern_of(words jsonb) returns text language sql immutable parallel safe
return (
    select string_agg(coalesce(
        case when word ~ '^[-+ ()./0-9]+$' then
            '(?<![0-9])(?:[+]?(?:00)?86[-+ ()./]*)?0?' || array_to_string(
                regexp_split_to_array(regexp_replace(e164(word), '^86', ''), ''), '[-+ ()./]*')
            || '(?![0-9])' end,
        case when word ~ '^[A-Za-z0-9]' then '(?<![A-Za-z0-9])' else '' end
        || '(?:' || replace(regexp_replace(word, '([^[:alnum:][:space:]_])', '\\\1', 'g')
            || case when word ~ '["\\]' then '|' || regexp_replace(
                trim(both '"' from to_jsonb(word)::text), '([^[:alnum:][:space:]_])', '\\\1', 'g')
                else '' end, ' ', '[[:space:]]+') || ')'
        || case when word ~ '[A-Za-z0-9]$' then '(?![A-Za-z0-9])' else '' end), '|'
        order by char_length(word) desc, word)
    from jsonb_array_elements_text(words) word
    where char_length(word) > 1
        and not (word ~ '^[-+ ()./0-9]+$' and char_length(regexp_replace(word, '[^0-9]', '', 'g')) < 7)
);
comment on function pattern_of(jsonb) is 'A regular expression of names, addresses and telephones,'
    ' however spaces and separators stand in them; a letter or an extension is nobody''s.';

create function redacted(said text, pattern text) returns text
language sql immutable strict parallel safe
return case when said ~ '^[A-Z][A-Z0-9_]*$' then said
    else regexp_replace(said, pattern, '〔已删除 erased〕', 'gi') end;
comment on function redacted(text, text) is 'A text without what matches; the words of enums stay.';

create function redacted(said jsonb, pattern text) returns jsonb
language plpgsql immutable strict parallel safe as $$
begin
    return case jsonb_typeof(said)
        when 'string' then to_jsonb(redacted(said #>> '{}', pattern))
        when 'array' then coalesce((
            select jsonb_agg(redacted(each.value, pattern) order by each.place)
            from jsonb_array_elements(said) with ordinality as each (value, place)), said)
        when 'object' then coalesce((
            select jsonb_object_agg(each.key, redacted(each.value, pattern))
            from jsonb_each(said) each), said)
        else said end;
end $$;

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
            and (payload in (old.payload, without_details(old.type, old.payload)) or exists (
                select from erasure gone where gone.finished_at is null
                and payload = redacted(old.payload, pattern_of(gone.words))))
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

create function redact_events(part oid, erasing uuid, first bigint, past bigint) returns int
language plpgsql as $$
declare
    gone erasure;
    pattern text;
    redacted int;
begin
    select * into gone from erasure where id = erasing and finished_at is null;
    pattern := pattern_of(gone.words);
    if not exists (select from pg_partition_tree('event') where isleaf and relid = part) then
        raise exception 'only the event log is redacted' using errcode = 'insufficient_privilege';
    end if;
    execute format($batch$
        update %1$s e set payload = redacted(e.payload, $1),
            actor_name = case when e.actor_id = $2 and e.actor_name ~* $1 then null
                else e.actor_name end
        where e.ctid >= $3 and e.ctid < $4 and (
            e.payload::text ~* $1 and e.payload <> redacted(e.payload, $1)
            or e.actor_id = $2 and e.actor_name ~* $1)
    $batch$, part::regclass) using pattern, gone.person_id, format('(%s,0)', first)::tid,
        format('(%s,0)', past)::tid;
    get diagnostics redacted = row_count;
    return redacted;
end $$;
do $$
begin
    execute format('alter function redact_events(oid, uuid, bigint, bigint)'
        ' security definer set search_path = %I, pg_temp', current_schema());
end $$;
revoke execute on function redact_events(oid, uuid, bigint, bigint) from public;

create index erasure_due on erasure (due_at) where finished_at is null;
"""
OLD = r"""
drop index erasure_due;
drop function redact_events(oid, uuid, bigint, bigint);
create or replace function refuse_change_of_event() returns trigger language plpgsql as $$
begin
    raise exception 'the event log is append-only' using errcode = 'insufficient_privilege';
end $$;
drop function redacted(jsonb, text);
drop function redacted(text, text);
drop function pattern_of(jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0037_outbox")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                (
                    "person",
                    fields.OneToOneField(
                        "itr.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="erasure",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("words", fields.JSONField(default=list, encoder=JSON_DUMPS, decoder=loads)),
                ("erased_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("due_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("began_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("place", fields.IntField(default=0, db_default=0)),
                ("block", fields.BigIntField(default=0, db_default=0)),
                ("found", fields.IntField(default=0, db_default=0)),
                ("rows", fields.IntField(default=0, db_default=0)),
                ("events", fields.IntField(default=0, db_default=0)),
                (
                    "finished_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "erasure",
                "app": "itr",
                "pk_attr": "id",
                "table_description": "That a person was erased, and how far the texts of others are without their name (R-ROLE-09).",
            },
            bases=["Table"],
        ),
        ops.AlterField(
            model_name="AccessApproval",
            name="kind",
            field=fields.CharEnumField(
                description="ROLE: ROLE\nCLIENT: CLIENT\nCLIENT_SECRET: CLIENT_SECRET\nFIRST_PARTY: FIRST_PARTY\nPASSWORD: PASSWORD\nEMAIL: EMAIL\nREACTIVATION: REACTIVATION\nERASURE: ERASURE",
                enum_type=ApprovalKind,
                max_length=14,
            ),
        ),
        ops.AddField(
            model_name="Person",
            name="erased_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.RunSQL(NEW, OLD),
    ]
