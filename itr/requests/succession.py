"""What somebody leaves behind who goes or loses a role passes on, by name (R-ROLE-07).

Set-wise: however much it is, it is a handful of statements in the transaction of the leaving.
Requests are locked before the person, as operations on one request do.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from itr.actors.actor import Actor
from itr.actors.policy import GRANTS
from itr.actors.roles import Permission, Role
from itr.events.log import Audience, Fact
from itr.events.work import Work
from itr.notifications.notify import notify
from itr.people.stand_ins import ABOVE, stand_ins
from itr.requests.rules import OPEN
from itr.sla.control_points import StepOwner
from itr.tickets.escalation_rules import step_of
from itr.tickets.escalations import escalation_fact

Row = Mapping[str, Any]

OWNERS = frozenset(role for role, may in GRANTS.items() if Permission.WORK_ON_REQUEST in may)
"""Who may own a request; who stands above them holds one until it is dispatched again."""
_OF_THE_REQUEST = frozenset({StepOwner.OWNER, StepOwner.LINE2, StepOwner.LINE3})

_LOCK = """
select r.id from request r
where r.id in (
    select mine.id from request mine where mine.assignee_id = $1 and mine.status = any($2)
    union select p.request_id from control_point p
        where p.owner_id = $1 and p.completed_at is null
    union select e.request_id from escalation e where e.person_id = $1 and e.ended_at is null)
order by r.parent_id nulls first, r.id for update
"""
_REQUESTS = """
select r.id, r.assignee_id, r.branch_id, r.customer_id, r.partner_id, q.lead_id, contact.id as heir
from request r
left join queue q on q.id = r.queue_id
left join project j on j.id = r.project_id
left join person contact on contact.id = j.contact_id and contact.active
    and contact.organisation_id = r.customer_id and contact.id <> $2
where r.id = any($1)
"""
_STEPS = """
select id, request_id, number, owner_role from control_point
where owner_id = $1 and completed_at is null order by request_id, number
"""
_ESCALATIONS = """
select id, request_id, revision, step, cause, reason, thread, percent, due_at, acknowledged_at
from escalation where person_id = $1 and ended_at is null order by request_id, step
"""
_HOLDERS = """
select a.role, p.id, p.organisation_id from role_assignment a
join person p on p.id = a.person_id and p.active and not p.machine
join organisation o on o.id = p.organisation_id and o.kind = 'BRANCH'
where a.role = any($1) and p.id <> $2 order by a.role, p.id
"""
_OWN_REQUESTS = """
update request r set assignee_id = case when n.passes then n.heir else r.assignee_id end,
    version = r.version + 1, updated_at = greatest(r.updated_at, $4::timestamptz)
from unnest($1::uuid[], $2::uuid[], $3::boolean[]) as n (id, heir, passes)
where r.id = n.id returning r.id, r.version
"""
_OWN_STEPS = """
update control_point p set owner_id = n.heir, revision = p.revision + 1
from unnest($1::uuid[], $2::uuid[]) as n (id, heir) where p.id = n.id
"""
_OWN_ESCALATIONS = """
update escalation e set person_id = n.heir, revision = e.revision + 1
from unnest($1::uuid[], $2::uuid[]) as n (id, heir) where e.id = n.id
"""


@dataclass
class Heirs:
    """The people who can take over, by role; of a request's own branch before others."""

    holders: Mapping[str, list[Row]]

    def of(self, role: str, request: Row) -> UUID | None:
        """Another holder of the role, else the next above; None when there is nobody at all."""
        found = (self._holder(each, request) for each in (role, *stand_ins(role)))
        return next((key for key in found if key is not None), None)

    def _holder(self, role: str, request: Row) -> UUID | None:
        there = self.holders.get(role, [])
        if role == Role.LINE_LEAD:
            there = sorted(there, key=lambda each: each["id"] != request["lead_id"])[:1]
        near = (each["id"] for each in there if each["organisation_id"] == request["branch_id"])
        return next(near, None) or next((each["id"] for each in there), None)


@dataclass
class Leaving:
    """One person's leaving: what they may still do, and what passes on."""

    person_id: UUID
    remaining: frozenset[Role]
    requests: Mapping[UUID, Row]
    heirs: Heirs
    owned: dict[UUID, UUID | None] = field(default_factory=dict)
    steps: dict[UUID, UUID | None] = field(default_factory=dict)
    points: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))

    def keeps(self, roles: Collection[str]) -> bool:
        """Whether what is for these roles may stay with the person."""
        return bool(self.remaining & ({*roles} | {*ABOVE}))

    def pass_requests(self) -> None:
        """Requests go to the dispatch manager, whatever state they are in."""
        if self.keeps(OWNERS):
            return
        for key, request in self.requests.items():
            if request["assignee_id"] == self.person_id:
                self.owned[key] = self.heirs.of(Role.DISPATCH_MANAGER, request)

    def pass_steps(self, rows: Iterable[Row]) -> None:
        """Steps go with their request, to another of their role, or to the customer's contact."""
        for row in rows:
            request, role = self.requests[row["request_id"]], row["owner_role"]
            if self._keeps_step(role, request):
                continue
            self.steps[row["id"]] = self._heir_of_step(role, request)
            self.points[request["id"]].append(row["number"])

    def _keeps_step(self, role: str, request: Row) -> bool:
        if request["assignee_id"] == self.person_id and request["id"] not in self.owned:
            return role in _OF_THE_REQUEST or role == StepOwner.LINE1
        return self.keeps(OWNERS if role in _OF_THE_REQUEST else {role})

    def _heir_of_step(self, role: str, request: Row) -> UUID | None:
        if role == StepOwner.CUSTOMER:
            contact: UUID | None = request["heir"]
            return contact or self.heirs.of(Role.DISPATCH_MANAGER, request)
        if role in _OF_THE_REQUEST or role == StepOwner.LINE1:
            if request["id"] in self.owned:
                return self.owned[request["id"]]
            other: UUID | None = request["assignee_id"]
            return other or self.heirs.of(Role.DISPATCH_MANAGER, request)
        return self.heirs.of(role, request)


async def lock_work_of(work: Work, person_id: UUID) -> None:
    """Lock the requests a person has anything open on, parents first; before the person's row."""
    await work.connection.execute_query(_LOCK, [person_id, _OPEN])


async def pass_on(
    work: Work, actor: Actor, person_id: UUID, remaining: Collection[Role], now: datetime
) -> int:
    """Pass on what a person may no longer have open; how many requests it concerned.

    `remaining` are the roles they still hold; none when they are gone. Requests go to the dispatch
    manager, steps with them or to another of their role, escalations to another of their step, and
    where there is nobody to the next above. Each request says so on its timeline, whoever it comes
    to is told.
    """
    rows = await work.connection.execute_query_dict(_LOCK, [person_id, _OPEN])
    if not rows:
        return 0
    leaving = await _leaving(work, person_id, frozenset(remaining), [row["id"] for row in rows])
    leaving.pass_requests()
    leaving.pass_steps(await work.connection.execute_query_dict(_STEPS, [person_id]))
    facts = [
        *await _written(work, actor, leaving, now),
        *await _escalations_passed(work, actor, leaving, now),
    ]
    await notify(work, facts, now)
    return len({fact.stream for fact in facts})


_OPEN = sorted(OPEN)


async def _leaving(
    work: Work, person_id: UUID, remaining: frozenset[Role], keys: list[UUID]
) -> Leaving:
    connection = work.connection
    requests = await connection.execute_query_dict(_REQUESTS, [keys, person_id])
    roles = sorted(str(role) for role in Role)
    holders: dict[str, list[Row]] = defaultdict(list)
    for row in await connection.execute_query_dict(_HOLDERS, [roles, person_id]):
        holders[row["role"]].append(row)
    return Leaving(person_id, remaining, {row["id"]: row for row in requests}, Heirs(holders))


async def _written(work: Work, actor: Actor, leaving: Leaving, now: datetime) -> list[Fact]:
    """Give requests and steps their new owners; one fact for each request."""
    await _give(work, _OWN_STEPS, leaving.steps)
    keys = sorted({*leaving.owned, *leaving.points})
    if not keys:
        return []
    heirs, passes = [leaving.owned.get(key) for key in keys], [key in leaving.owned for key in keys]
    rows = await work.connection.execute_query_dict(_OWN_REQUESTS, [keys, heirs, passes, now])
    return [_passed(actor, leaving, row, now) for row in rows]


def _passed(actor: Actor, leaving: Leaving, row: Row, now: datetime) -> Fact:
    request = leaving.requests[row["id"]]
    partner = request["partner_id"]
    heir = leaving.owned.get(row["id"])
    told = {
        "person": str(leaving.person_id),
        "assignee": str(heir) if heir else None,
        "points": leaving.points.get(row["id"]),
        "partners": [str(partner)] if partner else None,
        "notifies": heir is not None,
    }
    return Fact(
        type="RequestPassedOn",
        subject_type="request",
        subject=row["id"],
        subject_version=row["version"],
        stream=row["id"],
        by=actor,
        occurred_at=now,
        audience=Audience.PARTNER if partner else Audience.INTERNAL,
        customer_id=request["customer_id"],
        branch_id=request["branch_id"],
        payload={key: value for key, value in told.items() if value is not None},
    )


async def _escalations_passed(
    work: Work, actor: Actor, leaving: Leaving, now: datetime
) -> list[Fact]:
    rows = await work.connection.execute_query_dict(_ESCALATIONS, [leaving.person_id])
    passed = {row["id"]: heir for row, heir in _new_escalations(leaving, rows)}
    await _give(work, _OWN_ESCALATIONS, passed)
    facts = []
    for row in rows:
        if row["id"] not in passed:
            continue
        heir, due_at = passed[row["id"]], row["due_at"]
        told = {
            "step": step_of(row["step"]).value,
            "person": str(heir) if heir else None,
            "notifies": row["acknowledged_at"] is None,
            **{key: row[key] for key in ("cause", "reason", "thread", "percent")},
            "acknowledgeBy": due_at.isoformat() if due_at else None,
        }
        anew = {"id": row["id"], "revision": row["revision"] + 1}
        request = leaving.requests[row["request_id"]]
        facts.append(escalation_fact("EscalationPassedOn", anew, request, told, by=actor, now=now))
    return facts


def _new_escalations(leaving: Leaving, rows: Iterable[Row]) -> Iterator[tuple[Row, UUID | None]]:
    for row in rows:
        role = step_of(row["step"]).value
        if not leaving.keeps({role}):
            yield row, leaving.heirs.of(role, leaving.requests[row["request_id"]])


async def _give(work: Work, statement: str, heirs: Mapping[UUID, UUID | None]) -> None:
    if heirs:
        await work.connection.execute_query(statement, [list(heirs), list(heirs.values())])
