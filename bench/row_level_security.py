"""What row-level security costs: one dashboard statement of a customer, without it and with it.

The same statement with the same values runs in turn on a plain pool, and on the pool of other
firms with organisation set before and reset after it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from statistics import median
from typing import Any

from api.resolvers.root import product_schema
from bench.dashboard import QUERY
from bench.figures import Table, percentile
from bench.servers import Stand
from itr.actors.actor import Actor
from itr.actors.roles import Role
from itr.database import Database, connected
from itr.people.operations import load_actor


@dataclass
class Asking:
    """The context of one query; keeps the statement it came to."""

    actor: Actor
    now: datetime
    database: Database
    language: str = "zh"
    query_cost: None = None
    asked: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)

    @property
    def memory(self) -> dict[str, Any]:
        """What this process knows by heart, as the product's own context has it."""
        return self.database.memory

    @property
    def pool(self) -> Asking:
        """Where the planner reads: here."""
        return self

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """Run the statement and remember it."""
        self.asked.append((query, arguments))
        return await self.database.reads_of(self.actor).fetchval(query, *arguments)

    def secret_for(self, purpose: str) -> bytes:
        """A key that is none."""
        return purpose.encode().ljust(32)


def run(stand: Stand, *, quick: bool) -> list[Table]:
    """Measure; raises AssertionError when the two answers differ."""
    return asyncio.run(_measured(stand, 50 if quick else 2_000))


_BUSIEST = """
select p.id from person p join (select customer_id, count(*) as many from request
    group by customer_id) asked on asked.customer_id = p.organisation_id
order by asked.many desc, p.id limit 1
"""


async def _busy_customer(database: Database) -> Actor:
    """Somebody of the customer with the most requests."""
    actor = await load_actor(await database.reads.fetchval(_BUSIEST))
    assert actor is not None
    return replace(actor, roles=frozenset({Role.CUSTOMER}))


async def _measured(stand: Stand, rounds: int) -> list[Table]:
    async with connected(stand.settings) as database:
        actor = await _busy_customer(database)
        asking: Any = Asking(actor, datetime.now(UTC), database)
        answer: Any = await product_schema().execute(QUERY, context_value=asking)
        assert answer.errors is None, answer.errors
        *_, (statement, arguments) = asking.asked  # before it, once, where calendars stand
        pools = {
            "没有行级安全 without it": database.reads,
            "有行级安全 with it": database.reads_of(actor),
        }
        taken: dict[str, list[float]] = {name: [] for name in pools}
        answers = set()
        for number in range(rounds + 20):
            for name, pool in pools.items():
                begun = time.perf_counter()
                answers.add(bytes(await pool.fetchval(statement, *arguments)))
                if number >= 20:
                    taken[name].append(1000 * (time.perf_counter() - begun))
        assert len(answers) == 1
    rows = [
        (name, f"{median(each):.2f}", f"{percentile(each, 0.99):.2f}")
        for name, each in taken.items()
    ]
    note = f"{rounds} 次交替 in turn; 一条语句 the one statement of a customer's dashboard."
    title = "行级安全 Row-level security（客户看板 a customer's dashboard）"
    return [Table(title, ("", "p50 ms", "p99 ms"), rows, (note,))]
