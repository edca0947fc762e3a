"""The desk's own schema: its columns are as declared, and random queries equal the oracle's."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from strawberry.schema.config import StrawberryConfig

from api.execution import CompiledSchema
from api.planner import SCALARS, relied_on
from api.resolvers.root import STORED, Query
from api.schema.sla.positions import POSITION_NOW
from itr.actors.actor import Actor
from itr.actors.roles import OrganisationKind, Role
from itr.addresses import credentials
from itr.database import Database, open_outside
from itr.demo.seeding import seed
from itr.settings import Settings
from itr.sla.positions import PositionsInMemory
from tests.support.oracle import Oracle
from tests.support.oracle_answers import differences
from tests.support.oracle_columns import broken_promises
from tests.support.oracle_database import rules_of, tables_of
from tests.support.oracle_queries import QueryMaker, Values
from tests.support.planner_desk import CountingPool, Surroundings, answer_of

QUERIES = 30  # for each of the roles

SCHEMA = CompiledSchema(
    Query,
    types=STORED,
    config=StrawberryConfig(scalar_map=SCALARS),
)


@dataclass
class Seeded:
    """The demonstration data, opened for reading; other firms read under row-level security."""

    pool: Any
    database: Database
    tables: dict[str, list[dict[str, Any]]]
    actors: dict[Role, Actor]


@pytest.fixture(scope="module")
async def seeded(settings: Settings) -> AsyncIterator[Seeded]:
    """The demonstration data in a database of this module's own."""
    await seed(settings, lambda *_: None)
    async with asyncpg.create_pool(
        **credentials(settings.database_url),
        min_size=1,
        max_size=2,
        server_settings={"jit": "off", "timezone": "UTC"},
        max_cacheable_statement_size=0,
    ) as pool:
        tables = await tables_of(SCHEMA._schema, pool)
        async with open_outside(settings) as outside:
            yield Seeded(pool, Database(pool, outside), tables, await _actors(pool))


async def _actors(pool: Any) -> dict[Role, Actor]:
    """Return one actor of every role, a person of the demonstration where there is one."""
    rows = await pool.fetch(
        "select distinct on (a.role) a.role, p.id, p.name, o.id as firm, o.kind"
        " from role_assignment a join person p on p.id = a.person_id"
        " join organisation o on o.id = p.organisation_id order by a.role, p.id"
    )
    return {
        Role(row["role"]): Actor(
            id=row["id"],
            name=row["name"],
            organisation_id=row["firm"],
            organisation_kind=OrganisationKind(row["kind"]),
            roles=frozenset({Role(row["role"])}),
        )
        for row in rows
    }


async def test_every_column_the_types_rely_on_is_there_and_as_promised(seeded: Seeded) -> None:
    found = await broken_promises(seeded.pool, relied_on(SCHEMA._schema))

    assert found == []


async def test_every_role_has_an_actor(seeded: Seeded) -> None:
    assert set(seeded.actors) == set(Role)


@pytest.mark.parametrize("role", Role)
async def test_random_queries_answer_what_the_oracle_answers(seeded: Seeded, role: Role) -> None:
    """Also under row-level security, which must not be narrower than what may be seen."""
    actor = seeded.actors[role]
    now = datetime.now(UTC)
    schema = SCHEMA._schema
    rules = await rules_of(schema, seeded.pool, Surroundings(actor, None, now))  # type: ignore[arg-type]
    values = Values(schema, seeded.tables)
    roots = _compiled_roots()
    by_heart = PositionsInMemory()
    memory = {POSITION_NOW.name: by_heart}
    await by_heart.columns(seeded.pool, now)
    for seed_number in range(QUERIES):
        pool = CountingPool(seeded.database.reads_of(actor))
        context: Any = Surroundings(actor, pool, now, memory=memory)  # type: ignore[arg-type]
        dice = random.Random(f"{role} {seed_number}")
        oracle = Oracle(SCHEMA, seeded.tables, rules, context=context)
        maker = QueryMaker(schema, seeded.tables, values, context, dice, roots=roots, oracle=oracle)
        query, variables = maker.make()

        expected = oracle.answer(query, variables)
        result: Any = await SCHEMA.execute(query, variables, context_value=context)
        answer = answer_of(result, context)

        found = differences(expected, answer.data, answer.errors, oracle.withheld, answer.withheld)
        assert not found, f"{role} {seed_number}: {found}\n{query}\n{variables}"
        assert len(answer.statements) <= maker.asked


def _compiled_roots() -> Sequence[str]:
    """Return the root fields the planner answers without a resolver of their own."""
    from api.planner.fields import PageField
    from tests.support.oracle import _definition

    query: Any = SCHEMA._schema.query_type
    pages = [name for name, it in query.fields.items() if type(_definition(it)) is PageField]
    return [*pages, "node", "nodes"]
