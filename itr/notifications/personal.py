"""Notifying persons of what concerns their access: list and e-mail, in the same transaction."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson

from itr.events.work import Work
from itr.notifications.terms import NotificationKind
from itr.notifications.texts import text_of
from itr.people.terms import Channel

_PERSONS = """
select p.id, p.language, p.email from person p where p.active and not p.machine and p.id = any($1)
"""
_LIST = """
insert into notification (id, person_id, kind, cause, facts, created_at)
select x.id, x.person_id, $2, $3, $4::jsonb, $5::timestamptz
from unnest($1::uuid[], $6::uuid[]) as x (id, person_id) on conflict do nothing
"""
_SEND = """
insert into outbox
    (id, channel, person_id, address, text, key, status, attempts, next_attempt_at, created_at)
select x.id, 'EMAIL', x.person_id, x.address, x.text, x.key, 'WAITING', 0, $6, $6
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
    as x (id, person_id, address, text, key)
on conflict do nothing
"""


async def notify_persons(
    work: Work,
    persons: Iterable[UUID],
    cause: str,
    payload: Mapping[str, Any],
    *,
    names: Mapping[str, str],
    now: datetime,
) -> dict[str, str]:
    """Put it into their lists and send it by e-mail, once each; returns the entries by person.

    The list keeps the ids that stand in the `payload`; the `names` of these are for the e-mail.
    """
    found = await work.connection.execute_query_dict(_PERSONS, [sorted(set(persons))])
    if not found:
        return {}
    entries = {row["id"]: uuid4() for row in found}
    facts = orjson.dumps(dict(payload)).decode()
    kind = NotificationKind.ACCESS
    await work.connection.execute_query(
        _LIST, [list(entries.values()), kind.value, cause, facts, now, list(entries)]
    )
    mails = [
        (
            uuid4(),
            row["id"],
            row["email"],
            text_of(kind, {**payload, **names}, row["language"]),
            f"{cause}:{row['id'].hex}:{Channel.EMAIL.value}",
        )
        for row in found
        if row["email"]
    ]
    if mails:
        columns = [list(column) for column in zip(*mails, strict=True)]
        await work.connection.execute_query(_SEND, [*columns, now])
    return {str(person): str(entry) for person, entry in entries.items()}
