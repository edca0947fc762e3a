"""Finding the one named person behind each recipient, for many requests at once (R-ROLE-07)."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from itr.actors.roles import OrganisationKind
from itr.catalogue.alarm_rules import DEFAULT_RULES, AlarmRules, alarm_rules_of
from itr.people.stand_ins import ABOVE, stand_ins
from itr.people.terms import Recipient

logger = logging.getLogger("itr.notify")

Row = Mapping[str, Any]

_BY_ROLE = frozenset(
    {
        Recipient.LINE_LEAD,
        Recipient.DISPATCH_MANAGER,
        Recipient.PROCESS_MANAGER,
        Recipient.OPERATIONS_DIRECTOR,
        Recipient.CATALOGUE_MANAGER,
    }
)
_CONTACTS = ("contact_id", "project_contact_id")
_COLUMNS_OF = {
    Recipient.OWNER: ("assignee_id",),
    Recipient.LINE_LEAD: ("lead_id",),
    Recipient.PROJECT_MANAGER: ("manager_id",),
    Recipient.CONTACT: _CONTACTS,
}
_REQUESTS = """
select r.id, r.number, r.priority, r.branch_id, r.customer_id, r.assignee_id, q.lead_id,
    p.manager_id, r.contact_id, p.contact_id as project_contact_id,
    v.alarm_rules::text as rules, v.calendar_id,
    (select c.time_zone from calendar_version c where c.calendar_id = v.calendar_id
        order by c.number desc limit 1) as zone
from request r
join service_level_version v on v.id = r.service_level_version_id
left join queue q on q.id = r.queue_id
left join project p on p.id = r.project_id
where r.id = any($1)
"""
_PERSON = """
    p.id, p.language, p.phone, p.email, p.machine, p.organisation_id, o.kind
"""
_PERSONS = f"""
select {_PERSON}, null as role from person p join organisation o on o.id = p.organisation_id
where p.active and p.id = any($1)
union all (
    select distinct on (a.role, p.organisation_id) {_PERSON}, a.role
    from role_assignment a
    join person p on p.id = a.person_id and p.active
    join organisation o on o.id = p.organisation_id
    where a.role = any($2) order by a.role, p.organisation_id, p.id)
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be told, and where they are reached."""

    id: UUID
    language: str
    phone: str | None
    email: str | None
    organisation_id: UUID
    ours: bool


@dataclass
class Recipients:
    """What is known of some requests and of the people around them, as of one instant."""

    requests: Mapping[UUID, Row]
    persons: dict[UUID, Person] = field(default_factory=dict)
    holders: dict[str, list[Person]] = field(default_factory=lambda: defaultdict(list))

    def find(self, recipient: Recipient, request_id: UUID) -> Person | None:
        """The active person who is this recipient for the request; None when nobody is."""
        request = self.requests[request_id]
        match recipient:
            case Recipient.OWNER:
                return self.named(request["assignee_id"])
            case Recipient.PROJECT_MANAGER:
                return self.named(request["manager_id"])
            case Recipient.CONTACT:
                return self._contact(request)
            case Recipient.LINE_LEAD if lead := self.named(request["lead_id"]):
                return lead
        return self._holder(recipient, request["branch_id"])

    def stand_in(self, recipient: Recipient, request_id: UUID) -> Person | None:
        """Who is told where nobody is this recipient, or nobody who may know (R-ROLE-07)."""
        branch_id = self.requests[request_id]["branch_id"]
        found = (self._holder(role, branch_id) for role in stand_ins(recipient))
        return next((person for person in found if person is not None), None)

    def _contact(self, request: Row) -> Person | None:
        """The customer's own contact, else their project's; never one of us (R-REQ-04)."""
        named = (self.named(request[column]) for column in _CONTACTS)
        theirs = (each for each in named if each and each.organisation_id == request["customer_id"])
        return next(theirs, None)

    def named(self, person_id: UUID | None) -> Person | None:
        """A person by id, if active."""
        return None if person_id is None else self.persons.get(person_id)

    def rules(self, request_id: UUID) -> AlarmRules:
        """The alarm rules of the level the request runs under."""
        return _rules(self.requests[request_id]["rules"])

    def _holder(self, role: str, branch_id: UUID | None) -> Person | None:
        """One holder of a role: of the request's branch where there is one, else the first."""
        holders = self.holders.get(role, [])
        of_branch = (each for each in holders if each.organisation_id == branch_id)
        return next(of_branch, None) or min(holders, key=lambda each: each.id, default=None)

    async def meet(
        self,
        connection: BaseDBAsyncClient,
        recipients: Collection[Recipient],
        *,
        named: Collection[UUID] = (),
    ) -> None:
        """Read the people behind these recipients, and whoever stands in, in one statement."""
        around = {key for each in recipients for key in _COLUMNS_OF.get(each, ())}
        wanted = {row[key] for row in self.requests.values() for key in around} | set(named)
        roles = sorted({str(each) for each in _BY_ROLE & set(recipients)} | set(ABOVE))
        rows = await connection.execute_query_dict(_PERSONS, [list(wanted - {None}), roles])
        for row in rows:
            person = _person(row)
            self.persons[person.id] = person
            if row["role"] is not None:
                self.holders[row["role"]].append(person)


async def requests_around(connection: BaseDBAsyncClient, request_ids: Iterable[UUID]) -> Recipients:
    """Read what telling about these requests needs of them, in one statement."""
    rows = await connection.execute_query_dict(_REQUESTS, [list(set(request_ids))])
    return Recipients({row["id"]: row for row in rows})


def _person(row: Row) -> Person:
    reached = not row["machine"]
    return Person(
        id=row["id"],
        language=row["language"],
        phone=row["phone"] if reached else None,
        email=row["email"] if reached else None,
        organisation_id=row["organisation_id"],
        ours=row["kind"] == OrganisationKind.BRANCH,
    )


@lru_cache(1024)
def _rules(kept: str | None) -> AlarmRules:
    """What a level says; what cannot be read holds up nobody's alarms."""
    try:
        return DEFAULT_RULES if kept is None else alarm_rules_of(orjson.loads(kept))
    except (KeyError, TypeError, ValueError, AttributeError):
        logger.exception("alarm rules of a service level cannot be read")
        return DEFAULT_RULES
