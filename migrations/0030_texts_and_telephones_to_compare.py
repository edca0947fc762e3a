"""Texts without their case and width, telephone numbers by their digits, ready to be compared."""

from tortoise import migrations
from tortoise.migrations import operations as ops

NEW = r"""
create function e164(said text) returns text language sql immutable strict parallel safe
return nullif(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    regexp_replace(regexp_replace(normalize(said, NFKC),
        '[^0-9+]', '', 'g'),
        '^00', '+'),
        '^[+]860', '+86'),
        '^0', '86'),
        '^(1[3-9][0-9]{9})$', '86\1'),
        '^86(0)([0-9]{9,})$', '86\2'),
        '[^0-9]', '', 'g'), '');
comment on function e164(text) is 'The digits of a telephone number with its country''s code;'
    ' without one it is of China. Null: there are no digits.';

alter table request
    add column number_folded text generated always as (lower(normalize(number, NFKC))) stored,
    add column title_folded text generated always as (lower(normalize(title, NFKC))) stored;
create index request_number_folded on request (number_folded text_pattern_ops);
create index person_name_folded on person (lower(normalize(name, NFKC)) text_pattern_ops);
create index person_email_folded on person (lower(normalize(email, NFKC)) text_pattern_ops);
create index person_telephone on person (e164(phone) text_pattern_ops);
create index organisation_name_folded
    on organisation (lower(normalize(name, NFKC)) text_pattern_ops);
"""
OLD = """
drop index organisation_name_folded, person_telephone, person_email_folded, person_name_folded,
    request_number_folded;
alter table request drop column title_folded, drop column number_folded;
drop function e164(text);
"""


class Migration(migrations.Migration):
    dependencies = [("itr", "0029_charges")]

    operations = [ops.RunSQL(NEW, OLD)]
