"""Boards find the open requests, and what was solved of late, without walking all of them."""

from tortoise import migrations
from tortoise.migrations import operations as ops

INDEXES = """
create index request_open on request (id) where parent_id is null and status in
    ('AUTHORISED', 'CONFIRMED', 'DELIVERED', 'DISPATCHED', 'IN_PROGRESS', 'REGISTERED',
        'RESTORED', 'WAITING');
create index request_solved on request (delivered_at) include (solved_by_line)
    where parent_id is null and solved_by_line is not null;
"""
BACK = "drop index request_solved, request_open;"


class Migration(migrations.Migration):
    dependencies = [("itr", "0009_coded_rejections")]

    operations = [ops.RunSQL(INDEXES, BACK)]
