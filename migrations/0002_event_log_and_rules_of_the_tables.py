"""What Tortoise models cannot say: the event log, calendar spans, checks and partial indexes."""

from tortoise import migrations
from tortoise.migrations import operations as ops

EVENT_LOG = """
create table event (
    tx xid8 not null default pg_current_xact_id(),
    id bigint generated always as identity,
    uid uuid not null default uuidv7(),
    type text not null,
    subject_type text not null,
    subject uuid not null,
    subject_version int not null,
    stream uuid not null,
    audience text not null check (audience in ('PUBLIC', 'PARTNER', 'INTERNAL')),
    customer_id uuid,
    branch_id uuid,
    actor_id uuid not null,
    actor_name text not null,
    origin jsonb not null default '{}',
    occurred_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    historic boolean not null default false,
    payload jsonb not null default '{}'
) partition by range (recorded_at);

create index event_tx_id on event (tx, id);
create index event_stream on event (stream, occurred_at, uid);
create index event_subject on event (subject, subject_version);
create index event_uid on event (uid);

create function create_event_partition(month date) returns void language plpgsql as $$
begin
    execute format(
        'create table if not exists %I partition of event for values from (%L) to (%L)',
        'event_' || to_char(month, 'YYYYMM'),
        date_trunc('month', month::timestamp) at time zone 'UTC',
        (date_trunc('month', month::timestamp) + interval '1 month') at time zone 'UTC'
    );
end $$;

select create_event_partition((now() + make_interval(months => ahead))::date)
from generate_series(0, 12) as ahead;
create table event_other partition of event default;

create function refuse_change_of_event() returns trigger language plpgsql as $$
begin
    raise exception 'the event log is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger event_is_append_only before update or delete on event
    for each row execute function refuse_change_of_event();
create trigger event_is_not_truncated before truncate on event
    for each statement execute function refuse_change_of_event();
"""

EVENT_LOG_BACK = """
drop table event;
drop function refuse_change_of_event();
drop function create_event_partition(date);
"""

CALENDAR_SPANS = """
create table calendar_span (
    calendar_version_id uuid not null references calendar_version (id) on delete cascade,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    before_us bigint not null,
    before_days int not null,
    primary key (calendar_version_id, starts_at),
    check (ends_at > starts_at)
);
insert into epoch (id, value) values (1, gen_random_uuid());
"""

RULES = """
alter table clock add constraint clock_has_one_target
    check (num_nonnulls(target_us, target_days) = 1);
alter table service_target add constraint service_target_has_one_unit
    check (num_nonnulls(target_us, target_days) = 1);
alter table service_target add constraint service_target_is_positive
    check (coalesce(target_us, 1) >= 0 and coalesce(target_days, 1) >= 0);
alter table contract add constraint contract_ends_after_it_starts check (ends_on >= starts_on);
alter table contract_line add constraint contract_line_quota_has_a_unit
    check ((quota is null) = (quota_unit is null) and coalesce(quota, 0) >= 0);
alter table queue add constraint queue_line_is_1_to_3 check (line between 1 and 3);
alter table request add constraint request_line_is_1_to_3 check (line between 1 and 3);
alter table request add constraint request_waits_for_a_reason
    check ((status = 'WAITING') = (waiting_reason is not null));
create unique index service_level_one_house on service_level (house) where house;
create unique index hand_over_one_open on hand_over (request_id, partner_id)
    where returned_at is null;
create index clock_next_alarm on clock (next_alarm_at) where next_alarm_at is not null;
create index clock_uncompleted on clock (calendar_version_id) where completed_at is null;
create index timer_due on timer (due_at);
create index request_registered on request (registered_at, id);
create index request_customer on request (customer_id, registered_at, id);
create index request_status on request (status, registered_at, id);
create index request_assignee on request (assignee_id, registered_at, id);
create index request_queue on request (queue_id) where assignee_id is null;
create index request_branch on request (branch_id, registered_at, id);
create index hand_over_partner on hand_over (partner_id, request_id);
create index hand_over_request on hand_over (request_id);
create index person_organisation on person (organisation_id);
create index mutation_key_age on mutation_key (created_at);
create index contract_customer on contract (customer_id);
create index quota_taking_year on quota_taking (contract_line_id, contract_year)
    where returned_at is null;
"""

RULES_BACK = """
drop index quota_taking_year, contract_customer, mutation_key_age, person_organisation,
    hand_over_request, hand_over_partner, request_branch, request_queue, request_assignee,
    request_status, request_customer, request_registered, timer_due, clock_uncompleted,
    clock_next_alarm, hand_over_one_open, service_level_one_house;
alter table request drop constraint request_waits_for_a_reason;
alter table request drop constraint request_line_is_1_to_3;
alter table queue drop constraint queue_line_is_1_to_3;
alter table contract_line drop constraint contract_line_quota_has_a_unit;
alter table contract drop constraint contract_ends_after_it_starts;
alter table service_target drop constraint service_target_is_positive;
alter table service_target drop constraint service_target_has_one_unit;
alter table clock drop constraint clock_has_one_target;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0001_initial")]

    operations = [
        ops.RunSQL(EVENT_LOG, EVENT_LOG_BACK),
        ops.RunSQL(CALENDAR_SPANS, "drop table calendar_span; delete from epoch;"),
        ops.RunSQL(RULES, RULES_BACK),
    ]
