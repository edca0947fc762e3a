"""Who and what an export names: people, teams, customers, products, made where they are missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from itr.actor import SYSTEM, Actor
from itr.catalogue.models import Product
from itr.events.log import Fact
from itr.events.work import Work, transaction
from itr.imports.lines import Told
from itr.imports.mapping import Document, filled
from itr.imports.replay import BY_AN_OWNER
from itr.imports.terms import Step
from itr.people.models import Organisation, Person, Queue, QueueMember
from itr.people.roles import OrganisationKind
from itr.requests.rules import PlaceOfWork

Team = tuple[str, int]
_VERSIONS = """
select subject, max(subject_version) as version from event where subject = any($1) group by subject
"""


@dataclass
class Directory:
    """Everything an export names, by its name there.

    People come without roles: what they may do from now on is for an administrator to say.
    """

    document: Document
    branch_id: UUID
    now: datetime
    customers: dict[str, UUID] = field(default_factory=dict)
    products: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)
    queues: dict[Team, UUID] = field(default_factory=dict)
    members: dict[UUID, set[UUID]] = field(default_factory=dict)
    _places: dict[Team, PlaceOfWork] = field(default_factory=dict)

    @classmethod
    async def open(cls, document: Document, now: datetime) -> "Directory":
        """Read what is there of the branch the export's people belong to; the branch is made."""
        name = document.branch.name
        branch = await Organisation.filter(kind=OrganisationKind.BRANCH, name=name).first()
        if branch is None:
            async with transaction() as work:
                branch = await _create_organisation(work, OrganisationKind.BRANCH, name, None, now)
        directory = cls(document, branch.id, now)
        await directory._read()
        return directory

    def actor_of(self, told: Told) -> Actor:
        """Who did what a line tells."""
        return self.people[told.person]

    def place_of(self, told: Told) -> PlaceOfWork:
        """The queue of a line's team."""
        team = (told.team, told.line_of_work)
        if team not in self._places:
            key = self.queues[team]
            self._places[team] = PlaceOfWork(key, team[1], None, frozenset(self.members[key]))
        return self._places[team]

    def customer_of(self, told: Told) -> UUID:
        """The customer whose request a line is about."""
        return self.customers[filled(self.document.customer.name, told.row)]

    def product_of(self, told: Told) -> UUID | None:
        """The product it is about; None when the export does not know."""
        if self.document.product is None:
            return None
        return self.products.get(filled(self.document.product.name, told.row))

    async def make_missing(self, steps: Iterable[tuple[Told, Step]]) -> None:
        """Make what these lines name and is not there yet, in one transaction."""
        named = list(steps)
        async with transaction() as work:
            await self._make_customers(work, [told for told, _ in named])
            await self._make_products(work, [told for told, _ in named])
            await self._make_people(work, {told.person for told, _ in named})
            await self._make_queues(work, {(told.team, told.line_of_work) for told, _ in named})
            owners = [told for told, step in named if step in BY_AN_OWNER]
            await self._make_members(work, owners)

    async def _read(self) -> None:
        connection = get_connection("default")
        for person in await Person.filter(organisation_id=self.branch_id, active=True):
            self.people.setdefault(person.name, self._actor(person.id, person.name))
        for queue in await Queue.filter(branch_id=self.branch_id, partner_id=None):
            self.queues.setdefault((queue.name, queue.line), queue.id)
        self.members = {key: set() for key in self.queues.values()}
        rows = await connection.execute_query_dict(
            "select queue_id, person_id from queue_member where queue_id = any($1)",
            [list(self.members)],
        )
        for row in rows:
            self.members[row["queue_id"]].add(row["person_id"])

    def _actor(self, key: UUID, name: str) -> Actor:
        return Actor(
            id=key,
            name=name,
            organisation_id=self.branch_id,
            organisation_kind=OrganisationKind.BRANCH,
            roles=frozenset(),
        )

    async def _make_customers(self, work: Work, lines: Iterable[Told]) -> None:
        names = {filled(self.document.customer.name, told.row) for told in lines}
        missing = names - self.customers.keys()
        if not missing:
            return
        there = await Organisation.filter(kind=OrganisationKind.CUSTOMER, name__in=missing)
        self.customers |= {each.name: each.id for each in there}
        for name in sorted(missing - self.customers.keys()):
            made = await _create_organisation(
                work, OrganisationKind.CUSTOMER, name, self.branch_id, self.now
            )
            self.customers[name] = made.id

    async def _make_products(self, work: Work, lines: Iterable[Told]) -> None:
        if self.document.product is None:
            return
        template = self.document.product.name
        missing = {filled(template, told.row) for told in lines} - self.products.keys() - {""}
        if not missing:
            return
        self.products |= {each.name: each.id for each in await Product.filter(name__in=missing)}
        rows = [
            Product(id=uuid4(), name=name, served=True)
            for name in sorted(missing - self.products.keys())
        ]
        await _create(Product, rows)
        for row in rows:
            self.products[row.name] = row.id
            work.record(self._fact("ProductSaved", "product", row.id, 1, {"name": row.name}))

    async def _make_people(self, work: Work, names: set[str]) -> None:
        machines = self.document.person.machines
        rows = [
            Person(id=uuid4(), organisation_id=self.branch_id, name=name, machine=name in machines)
            for name in sorted(names - self.people.keys())
        ]
        await _create(Person, rows)
        for row in rows:
            self.people[row.name] = self._actor(row.id, row.name)
            told = {"change": "CREATED", "roles": []}
            work.record(self._fact("PersonChanged", "person", row.id, 1, told))

    async def _make_queues(self, work: Work, teams: set[Team]) -> None:
        rows = [
            Queue(id=uuid4(), name=name, line=line, branch_id=self.branch_id)
            for name, line in sorted(teams - self.queues.keys())
        ]
        await _create(Queue, rows)
        for row in rows:
            self.queues[row.name, row.line] = row.id
            self.members[row.id] = set()
            told = {"change": "CREATED", "name": row.name, "line": row.line}
            work.record(self._fact("QueueChanged", "queue", row.id, 1, told))

    async def _make_members(self, work: Work, owners: Iterable[Told]) -> None:
        """Who worked in a team's name belongs to it."""
        wanted: dict[tuple[UUID, UUID], Team] = {}
        for told in owners:
            team = (told.team, told.line_of_work)
            queue_id, person_id = self.queues[team], self.people[told.person].id
            if person_id not in self.members[queue_id]:
                wanted[queue_id, person_id] = team
        rows = [QueueMember(id=uuid4(), queue_id=each[0], person_id=each[1]) for each in wanted]
        await _create(QueueMember, rows)
        versions = await self._versions(work.connection, {queue_id for queue_id, _ in wanted})
        for (queue_id, person_id), team in wanted.items():
            self.members[queue_id].add(person_id)
            self._places.pop(team, None)
            versions[queue_id] += 1
            words = {"change": "MEMBER_ADDED", "person": str(person_id)}
            work.record(self._fact("QueueChanged", "queue", queue_id, versions[queue_id], words))

    async def _versions(self, connection: BaseDBAsyncClient, queues: set[UUID]) -> dict[UUID, int]:
        """The newest version of each queue's facts; 1 for those made in this transaction."""
        if not queues:
            return {}
        rows = await connection.execute_query_dict(_VERSIONS, [list(queues)])
        return dict.fromkeys(queues, 1) | {row["subject"]: row["version"] for row in rows}

    def _fact(
        self, type: str, subject_type: str, subject: UUID, version: int, told: Mapping[str, Any]
    ) -> Fact:
        return Fact(
            type=type,
            subject_type=subject_type,
            subject=subject,
            subject_version=version,
            stream=subject,
            by=SYSTEM,
            occurred_at=self.now,
            payload=told,
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


async def _create(model: Any, rows: list[Any]) -> None:
    if rows:
        await model.bulk_create(rows)
