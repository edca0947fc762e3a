"""Who and what an export names: people, teams, customers, products, made where they are missing."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from itr.actors.actor import SYSTEM, Actor
from itr.actors.roles import OrganisationKind, Role
from itr.catalogue.models import Product
from itr.events.log import Fact
from itr.events.work import Work, transaction
from itr.imports.lines import Told
from itr.imports.mapping import Document
from itr.imports.replay import BY_AN_OWNER
from itr.imports.terms import Step
from itr.people.models import Organisation, Person, Queue, QueueMember
from itr.requests.rules import PlaceOfWork

Team = tuple[str, int]
_VERSIONS = """
select subject, max(subject_version) as version from event where subject = any($1) group by subject
"""


@dataclass
class Directory:
    """Everything an export names, by its name there.

    People come without roles: what they may do from now on is for an administrator to say.
    `dry`: what is missing is thought of as made, nothing is written.
    """

    document: Document
    branch_id: UUID
    now: datetime
    dry: bool = False
    customers: dict[str, UUID] = field(default_factory=dict)
    products: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)
    requesters: dict[tuple[str, str], Actor] = field(default_factory=dict)
    queues: dict[Team, UUID] = field(default_factory=dict)
    members: dict[UUID, set[UUID]] = field(default_factory=dict)
    _places: dict[Team, PlaceOfWork] = field(default_factory=dict)

    @classmethod
    async def open(cls, document: Document, now: datetime, *, dry: bool = False) -> "Directory":
        """Read what is there of the branch the export's people belong to; the branch is made."""
        name = document.branch.name
        branch = await Organisation.filter(kind=OrganisationKind.BRANCH, name=name).first()
        branch_id = branch.id if branch else uuid4()
        if branch is None and not dry:
            async with transaction() as work:
                made = await _create_organisation(work, OrganisationKind.BRANCH, name, None, now)
                branch_id = made.id
        directory = cls(document, branch_id, now, dry)
        await directory._read()
        return directory

    def actor_of(self, told: Told) -> Actor:
        """Who did what a line tells: the one named, the owner, or the other system itself."""
        if told.by_customer:
            return self.requesters[told.customer, told.by_customer]
        return self.people[told.actor] if told.actor else self.owner_of(told)

    def owner_of(self, told: Told) -> Actor:
        """Who has the request in hand at a line."""
        return self.people[told.owner or self.document.source.name]

    def place_of(self, told: Told) -> PlaceOfWork:
        """The queue of a line's team."""
        team = (told.team, told.line_of_work)
        if team not in self._places:
            key = self.queues[team]
            self._places[team] = PlaceOfWork(key, team[1], None, frozenset(self.members[key]))
        return self._places[team]

    def customer_of(self, told: Told) -> UUID:
        """The customer whose request a line is about."""
        return self.customers[told.customer]

    def product_of(self, told: Told) -> UUID | None:
        """The product it is about; None when the export does not know."""
        return self.products[told.product] if told.product else None

    def requester_of(self, told: Told) -> Actor:
        """Who asked: the customer's person, or else who acted first."""
        if told.requester:
            return self.requesters[told.customer, told.requester]
        return self.actor_of(told)

    async def make_missing(self, steps: Iterable[tuple[Told, Step]]) -> None:
        """Make what these lines name and is not there yet, in one transaction."""
        named = list(steps)
        lines = [told for told, _ in named]
        people = {told.owner for told in lines} | {
            told.actor for told in lines if not told.by_customer
        }
        if any(not (told.owner or told.actor) for told in lines):
            people.add(self.document.source.name)
        requesters = {
            (told.customer, name) for told in lines for name in (told.requester, told.by_customer)
        }
        owners = [told for told, step in named if step in BY_AN_OWNER and told.owner]
        async with self._making() as work:
            await self._make_customers(work, {told.customer for told in lines})
            await self._make_products(work, {told.product for told in lines if told.product})
            await self._make_people(work, people - {""})
            await self._make_requesters(work, {each for each in requesters if each[1]})
            await self._make_queues(work, {(told.team, told.line_of_work) for told in lines})
            await self._make_members(work, owners)

    @asynccontextmanager
    async def _making(self) -> AsyncIterator[Work | None]:
        """A transaction to make things in; None: nothing is written."""
        if self.dry:
            yield None
            return
        async with transaction() as work:
            yield work

    async def _read(self) -> None:
        connection = get_connection("default")
        for person in await Person.filter(organisation_id=self.branch_id, active=True):
            self.people.setdefault(
                person.name, self._actor(person.id, person.name, machine=person.machine)
            )
        for queue in await Queue.filter(branch_id=self.branch_id, partner_id=None):
            self.queues.setdefault((queue.name, queue.line), queue.id)
        self.members = {key: set() for key in self.queues.values()}
        rows = await connection.execute_query_dict(
            "select queue_id, person_id from queue_member where queue_id = any($1)",
            [list(self.members)],
        )
        for row in rows:
            self.members[row["queue_id"]].add(row["person_id"])

    def _actor(self, key: UUID, name: str, *, machine: bool = False) -> Actor:
        return Actor(
            id=key,
            name=name,
            organisation_id=self.branch_id,
            organisation_kind=OrganisationKind.BRANCH,
            roles=frozenset(),
            machine=machine,
        )

    async def _make_customers(self, work: Work | None, names: set[str]) -> None:
        missing = names - self.customers.keys()
        if not missing:
            return
        there = await Organisation.filter(kind=OrganisationKind.CUSTOMER, name__in=missing)
        self.customers |= {each.name: each.id for each in there}
        for name in sorted(missing - self.customers.keys()):
            self.customers[name] = uuid4()
            if work is not None:
                made = await _create_organisation(
                    work, OrganisationKind.CUSTOMER, name, self.branch_id, self.now
                )
                self.customers[name] = made.id

    async def _make_products(self, work: Work | None, names: set[str]) -> None:
        missing = names - self.products.keys()
        if not missing:
            return
        self.products |= {each.name: each.id for each in await Product.filter(name__in=missing)}
        rows = [
            Product(id=uuid4(), name=name, served=True)
            for name in sorted(missing - self.products.keys())
        ]
        await _create(work, Product, rows)
        for row in rows:
            self.products[row.name] = row.id
            self._record(work, "ProductSaved", "product", row.id, 1, {"name": row.name})

    async def _make_people(self, work: Work | None, names: set[str]) -> None:
        machines = {*self.document.person.machines, self.document.source.name}
        rows = [
            Person(id=uuid4(), organisation_id=self.branch_id, name=name, machine=name in machines)
            for name in sorted(names - self.people.keys())
        ]
        await _create(work, Person, rows)
        for row in rows:
            self.people[row.name] = self._actor(row.id, row.name, machine=row.machine)
            told = {"change": "CREATED", "roles": []}
            self._record(work, "PersonChanged", "person", row.id, 1, told)

    async def _make_requesters(self, work: Work | None, names: set[tuple[str, str]]) -> None:
        """The customers' people who asked; here, too, without roles."""
        missing = names - self.requesters.keys()
        if not missing:
            return
        customers = {self.customers[customer]: customer for customer, _ in missing}
        there = await Person.filter(
            organisation_id__in=list(customers), name__in=[name for _, name in missing], active=True
        )
        for each in there:
            key = (customers[each.organisation_id], each.name)
            self.requesters.setdefault(key, _requester(each, key[0]))
        rows = [
            Person(id=uuid4(), organisation_id=self.customers[customer], name=name)
            for customer, name in sorted(missing - self.requesters.keys())
        ]
        await _create(work, Person, rows)
        for row in rows:
            customer = customers[row.organisation_id]
            self.requesters[customer, row.name] = _requester(row, customer)
            told = {"change": "CREATED", "roles": []}
            self._record(work, "PersonChanged", "person", row.id, 1, told)

    async def _make_queues(self, work: Work | None, teams: set[Team]) -> None:
        rows = [
            Queue(id=uuid4(), name=name, line=line, branch_id=self.branch_id)
            for name, line in sorted(teams - self.queues.keys())
        ]
        await _create(work, Queue, rows)
        for row in rows:
            self.queues[row.name, row.line] = row.id
            self.members[row.id] = set()
            told = {"change": "CREATED", "name": row.name, "line": row.line}
            self._record(work, "QueueChanged", "queue", row.id, 1, told)

    async def _make_members(self, work: Work | None, owners: Iterable[Told]) -> None:
        """Who worked in a team's name belongs to it."""
        wanted: dict[tuple[UUID, UUID], Team] = {}
        for told in owners:
            team = (told.team, told.line_of_work)
            queue_id, person_id = self.queues[team], self.people[told.owner].id
            if person_id not in self.members[queue_id]:
                wanted[queue_id, person_id] = team
        for (queue_id, person_id), team in wanted.items():
            self.members[queue_id].add(person_id)
            self._places.pop(team, None)
        if work is None or not wanted:
            return
        rows = [QueueMember(id=uuid4(), queue_id=each[0], person_id=each[1]) for each in wanted]
        await _create(work, QueueMember, rows)
        versions = await self._versions(work.connection, {queue_id for queue_id, _ in wanted})
        for queue_id, person_id in wanted:
            versions[queue_id] += 1
            words = {"change": "MEMBER_ADDED", "person": str(person_id)}
            told_of = versions[queue_id]
            self._record(work, "QueueChanged", "queue", queue_id, told_of, words)

    async def _versions(self, connection: BaseDBAsyncClient, queues: set[UUID]) -> dict[UUID, int]:
        """The newest version of each queue's facts; 1 for those made in this transaction."""
        if not queues:
            return {}
        rows = await connection.execute_query_dict(_VERSIONS, [list(queues)])
        return dict.fromkeys(queues, 1) | {row["subject"]: row["version"] for row in rows}

    def _record(
        self,
        work: Work | None,
        type: str,
        subject_type: str,
        subject: UUID,
        version: int,
        told: Mapping[str, Any],
    ) -> None:
        if work is None:
            return
        work.record(
            Fact(
                type=type,
                subject_type=subject_type,
                subject=subject,
                subject_version=version,
                stream=subject,
                by=SYSTEM,
                occurred_at=self.now,
                payload=told,
            )
        )


def _requester(person: Person, firm: str) -> Actor:
    """A customer's person as the past saw them: what they write answers nobody."""
    return Actor(
        id=person.id,
        name=person.name,
        organisation_id=person.organisation_id,
        organisation_kind=OrganisationKind.CUSTOMER,
        roles=frozenset({Role.CUSTOMER}),
        firm=firm,
    )


async def _create_organisation(
    work: Work, kind: OrganisationKind, name: str, branch_id: UUID | None, now: datetime
) -> Organisation:
    made = await Organisation.create(id=uuid4(), kind=kind, name=name, branch_id=branch_id)
    work.record(
        Fact(
            type="OrganisationChanged",
            subject_type="organisation",
            subject=made.id,
            subject_version=1,
            stream=made.id,
            by=SYSTEM,
            occurred_at=now,
            payload={"change": "CREATED", "kind": kind.value, "name": name},
        )
    )
    return made


async def _create(work: Work | None, model: Any, rows: list[Any]) -> None:
    if rows and work is not None:
        await model.bulk_create(rows)
