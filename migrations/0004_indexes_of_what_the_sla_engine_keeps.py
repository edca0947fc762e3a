"""Partial indexes and checks of what the SLA engine keeps."""

from tortoise import migrations
from tortoise.migrations import operations as ops

RULES = """
create index control_point_reminder on control_point (next_reminder_at)
    where next_reminder_at is not null;
create index control_point_owner on control_point (owner_id, deadline) where completed_at is null;
create index escalation_due on escalation (due_at)
    where acknowledged_at is null and due_at is not null;
create index escalation_request on escalation (request_id);
create index bulletin_request on bulletin (request_id, published_at);
create index request_parent on request (parent_id) where parent_id is not null;
create index request_bulletin_due on request (bulletin_due_at) where bulletin_due_at is not null;
create index notification_person on notification (person_id, created_at, id);
create index outgoing_message_waiting on outgoing_message (next_attempt_at)
    where status = 'WAITING';
create index recalculation_open on recalculation (created_at) where finished_at is null;
alter table control_point add constraint control_point_is_one_of_thirty
    check (number between 1 and 30);
alter table escalation add constraint escalation_has_three_steps check (step between 1 and 3);
alter table underpinning_contract add constraint underpinning_contract_has_one_target
    check (num_nonnulls(target_us, target_days) = 1);
alter table request add constraint request_is_not_its_own_parent check (parent_id <> id);
"""

BACK = """
alter table request drop constraint request_is_not_its_own_parent;
alter table underpinning_contract drop constraint underpinning_contract_has_one_target;
alter table escalation drop constraint escalation_has_three_steps;
alter table control_point drop constraint control_point_is_one_of_thirty;
drop index recalculation_open, outgoing_message_waiting, notification_person,
    request_bulletin_due, request_parent, bulletin_request, escalation_request, escalation_due,
    control_point_owner, control_point_reminder;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0003_what_the_sla_engine_keeps")]

    operations = [ops.RunSQL(RULES, BACK)]
