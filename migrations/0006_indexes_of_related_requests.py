"""Partial indexes of requests that belong together."""

from tortoise import migrations
from tortoise.migrations import operations as ops

RULES = """
create index request_merged_into on request (merged_into_id) where merged_into_id is not null;
create index request_problem on request (problem_id) where problem_id is not null;
create index request_follows on request (follows_id) where follows_id is not null;
alter table request add constraint request_is_not_merged_into_itself check (merged_into_id <> id);
"""

BACK = """
alter table request drop constraint request_is_not_merged_into_itself;
drop index request_follows, request_problem, request_merged_into;
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0005_partners_own_clocks_and_problems")]

    operations = [ops.RunSQL(RULES, BACK)]
