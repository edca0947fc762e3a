"""What a person does with their own list (R-NOT-01)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor
from itr.actors.roles import Permission
from itr.errors import DomainError, Forbidden, NotFound, Required, TooLong, refuse
from itr.events.log import Fact
from itr.events.work import transaction

AT_ONCE = 100
"""How many entries are marked in one go, at most."""

_OWN = """
select id from notification where person_id = $1 and id = any($2) order by id for update
"""
_READ = """
update notification set read_at = $3
where person_id = $1 and id = any($2) and read_at is null returning id
"""


async def mark_read(actor: Actor, notification_ids: Sequence[UUID], *, now: datetime) -> None:
    """Mark entries of one's own list as read; read ones stay as they were read first.

    Raises Forbidden, Required, TooLong, and NotFound for each that is not in the list: then
    nothing is marked.
    """
    if not actor.may(Permission.READ_NOTIFICATIONS):
        raise Forbidden()
    if not notification_ids:
        raise Required(path=["ids"])
    if len(notification_ids) > AT_ONCE:
        raise TooLong(path=["ids"], limit=AT_ONCE)
    async with transaction() as work:
        which = [actor.id, list(notification_ids)]
        own = {row["id"] for row in await work.connection.execute_query_dict(_OWN, which)}
        missing: list[DomainError] = [
            NotFound(path=["ids", place])
            for place, key in enumerate(notification_ids)
            if key not in own
        ]
        refuse(missing)
        read = await work.connection.execute_query_dict(_READ, [*which, now])
        work.record(*(_read(row["id"], actor, now) for row in read))


def _read(notification_id: UUID, actor: Actor, now: datetime) -> Fact:
    """That an entry was read; it stands in the stream of the list's person."""
    return Fact(
        type="NotificationRead",
        subject_type="notification",
        subject=notification_id,
        subject_version=2,
        stream=actor.id,
        by=actor,
        occurred_at=now,
    )
