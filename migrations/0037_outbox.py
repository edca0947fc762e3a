"""Messages that leave stand in the outbox: the table, its indexes and constraints by that name."""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

RENAMED = """
set local lock_timeout = '5s';
do $$
declare
    each record;
begin
    for each in
        select conname as name from pg_constraint
        where conrelid = 'outbox'::regclass and conname like '%{old}%'
    loop
        execute format('alter table outbox rename constraint %I to %I',
            each.name, replace(each.name, '{old}', '{new}'));
    end loop;
end $$;
alter index {old}_waiting rename to {new}_waiting;
"""


class RenameTable(ops.RenameModel):
    """Rename a model together with its table, which has a name of its own."""

    def state_forward(self, app_label: str, state: Any) -> None:
        model = state.models.pop((app_label, self.old_name))
        state.apps.unregister_model(app_label, self.old_name)
        model.name, model.table = self.new_name, "outbox"
        model.options["table"] = "outbox"
        state.models[(app_label, self.new_name)] = model
        state.reload_models([(app_label, "Person"), (app_label, self.new_name)])


class Migration(migrations.Migration):
    dependencies = [("itr", "0036_requests_in_hand")]

    initial = False

    operations = [
        RenameTable("OutgoingMessage", "OutboxMessage"),
        ops.RunSQL(
            RENAMED.format(old="outgoing_message", new="outbox"),
            RENAMED.format(old="outbox", new="outgoing_message"),
        ),
    ]
