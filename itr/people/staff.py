"""Queues with who works in them, and who holds which role: held in memory (R-ORG-04, R-ROLE-07)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tortoise.connection import get_connection

from itr.references import Remembered


@dataclass(frozen=True, slots=True)
class StaffedQueue:
    """A queue; `members` are the active people of it, `lead` leads it if they are active."""

    id: UUID
    line: int
    branch_id: UUID | None
    partner_id: UUID | None
    lead_id: UUID | None
    lead: UUID | None
    members: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Holder:
    """An active person who holds a role, and where they belong."""

    id: UUID
    organisation_id: UUID


@dataclass(frozen=True)
class Staff:
    """Who works where and as what, as of one instant.

    `holders` are by role, in the order of their ids; customers' and partners' people are not
    among them.
    """

    queues: Mapping[UUID, StaffedQueue]
    holders: Mapping[str, Sequence[Holder]]

    def holder(self, role: str, branch_id: UUID | None) -> UUID | None:
        """One holder of a role: of the branch where there is one, else the first."""
        there = self.holders.get(role, ())
        of_branch = (each.id for each in there if each.organisation_id == branch_id)
        return next(of_branch, None) or next((each.id for each in there), None)


_QUEUES = """
select q.id, q.line, q.branch_id, q.partner_id, q.lead_id,
    (select p.id from person p where p.id = q.lead_id and p.active) as lead,
    array(select m.person_id from queue_member m join person p on p.id = m.person_id and p.active
        where m.queue_id = q.id) as members
from queue q
"""
_HOLDERS = """
select a.role, p.id, p.organisation_id from role_assignment a
join person p on p.id = a.person_id and p.active
where a.role not in ('CUSTOMER', 'PARTNER') order by p.id
"""


async def _read() -> Staff:
    connection = get_connection("default")
    queues = [
        StaffedQueue(**{**row, "members": frozenset(row["members"])})
        for row in await connection.execute_query_dict(_QUEUES)
    ]
    holders: dict[str, list[Holder]] = defaultdict(list)
    for row in await connection.execute_query_dict(_HOLDERS):
        holders[row["role"]].append(Holder(row["id"], row["organisation_id"]))
    return Staff({each.id: each for each in queues}, dict(holders))


STAFF = Remembered("people", load=_read)
"""Who works where and as what."""
