"""What one firm is told is the same bytes whether or not another firm is there (S1)."""

import json
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import asyncpg
import pytest

from api.app import create_app
from api.oauth import Keys
from api.planner.schema import types_of
from api.resolvers.root import product_schema
from embedded import Addresses
from itr.actors.actor import Actor
from itr.database import connected
from itr.settings import Settings
from tests.support.client import Answer, in_process
from tests.support.databases import cloned_database, environment
from tests.support.desk import Desk, Time, open_desk
from tests.support.firms import lived, settled
from tests.support.oracle_database import tables_of
from tests.support.oracle_queries import QueryMaker, Values
from tests.support.whole_schema import Question, Whole

SCHEMA = product_schema()._schema
WATCHERS = ("contact A", "technician A", "BRANCH_MANAGER")
RANDOM = 12
AT_ONCE = 5
"""Ids of each type that are asked for."""


@dataclass(frozen=True)
class Asker:
    """What making queries has to know of who asks."""

    actor: Actor
    keys: Keys

    def secret_for(self, purpose: str) -> bytes:
        """The server's own key, as if it had leaked."""
        return self.keys.secret_for(purpose)


@dataclass(frozen=True)
class Firms:
    """What everybody asked, and what they were told without the other firm and with it."""

    questions: Mapping[str, list[Question]]
    alone: Mapping[str, list[Answer]]
    beside: Mapping[str, list[Answer]]


@asynccontextmanager
async def reopened(settings: Settings, desk: Desk) -> AsyncIterator[Desk]:
    """The desk as it was left, or a copy of it."""
    time = Time(desk.time.now)
    async with (
        connected(settings),
        in_process(create_app(settings, clock=time)) as client,
    ):
        yield Desk(settings, client, time, dict(desk.ids))


async def asked(desk: Desk, who: str, questions: list[Question]) -> list[Answer]:
    """The answers somebody gets."""
    client = desk.as_(who)
    return [await client.run(each.text, each.variables) for each in questions]


async def questions_of(desk: Desk) -> dict[str, list[Question]]:
    """What everybody asks, about rows of both firms."""
    pool: Any = await asyncpg.create_pool(desk.settings.database_url, min_size=1, max_size=1)
    async with pool:
        tables = await tables_of(SCHEMA, pool)
    values = Values(SCHEMA, tables)
    ids = {
        key: found
        for key, entry in types_of(SCHEMA).stored.items()
        if (found := [each for each in values.pool["ID"] if each.startswith(f"{entry.key}_")])
    }
    dice = random.Random(1)
    spread = {key: dice.sample(found, len(found)) for key, found in ids.items()}
    words = {
        kind: dice.sample(values.pool[kind], min(4, len(values.pool[kind])))
        for kind in ("String", "Date", "DateTime", "Decimal")
    }
    words["String"] = [" B", "b.example", *words["String"]]
    whole = Whole(SCHEMA, spread, words)
    common = list(chain(whole.roots(), whole.things(AT_ONCE), whole.filters(), whole.orders()))
    return {who: [*common, *(await _random(desk, who, tables, values))] for who in WATCHERS}


async def _random(desk: Desk, who: str, tables: Any, values: Values) -> list[Question]:
    asker = Asker(await desk.actor(who), Keys.of(desk.settings))
    made = []
    for number in range(RANDOM):
        dice = random.Random(f"{who} {number}")
        text, variables = QueryMaker(SCHEMA, tables, values, asker, dice).make()
        made.append(Question(f"random {number}", text, variables))
    return made


@pytest.fixture(scope="module")
async def lonely(settings: Settings) -> Desk:
    """A desk where there is one firm of each kind; closed."""
    async with open_desk(settings) as desk:
        await settled(desk, "A", "Shanghai")
        await lived(desk, "A")
    return desk


@pytest.fixture(scope="module")
def copied(servers: Addresses, lonely: Desk) -> Iterator[Settings]:
    """The settings of a copy of its database."""
    source = lonely.settings
    name = source.database_url.partition("?")[0].rpartition("/")[2]
    with cloned_database(servers, name) as url:
        yield Settings.read(environment(database_url=url, valkey_url=source.valkey_url))


@pytest.fixture(scope="module")
async def firms(lonely: Desk, copied: Settings) -> Firms:
    async with reopened(copied, lonely) as both:
        await settled(both, "B", "Beijing")
        await lived(both, "B")
        questions = await questions_of(both)
        beside = {who: await asked(both, who, questions[who]) for who in WATCHERS}
    async with reopened(lonely.settings, lonely) as one:
        alone = {who: await asked(one, who, questions[who]) for who in WATCHERS}
    return Firms(questions, alone, beside)


def told(answer: Answer) -> Any:
    """An answer without what differs from one request to the next."""
    body = json.loads(answer.content)
    for error in body.get("errors", []):
        del error["extensions"]["requestId"]
    body.pop("extensions", None)
    return answer.status, body


def differing(firms: Firms, who: str) -> Iterator[tuple[Question, Any, Any]]:
    """The questions whose answers tell of the other firm."""
    pairs = zip(firms.questions[who], firms.alone[who], firms.beside[who], strict=True)
    for question, alone, beside in pairs:
        if told(alone) != told(beside):
            yield question, told(alone), told(beside)


@pytest.mark.parametrize("who", WATCHERS)
async def test_every_answer_is_the_same_whether_or_not_another_firm_is_there(
    firms: Firms, who: str
) -> None:
    """S1, R-ROLE-04: roots, nodes, edges, counts, pages, cursors, filters, orders, figures."""
    found = next(differing(firms, who), None)

    assert found is None, (found[0].name, found[0].text, found[0].variables, *found[1:])


@pytest.mark.parametrize("who", WATCHERS)
async def test_the_questions_are_answered_and_about_something(firms: Firms, who: str) -> None:
    """Or the test above would show nothing."""
    bodies = [told(answer)[1] for answer in firms.beside[who]]
    codes = {error["extensions"]["code"] for body in bodies for error in body.get("errors", ())}
    clean = [body for body in bodies if "errors" not in body]

    assert not codes & {"INTERNAL", "RATE_LIMITED", "TIMEOUT", "TOO_COMPLEX"}, codes
    assert len(clean) > 20
    assert any(' A"' in json.dumps(body) for body in bodies)
    assert not any(' B"' in json.dumps(body) for body in bodies)


async def test_nothing_a_customer_is_told_names_a_partners_technician(firms: Firms) -> None:
    """R-ROLE-08: whatever is asked, in data, pages or filters; the firm itself is named."""
    words = [json.dumps(told(answer)[1]) for answer in firms.beside["contact A"]]
    theirs = [json.dumps(told(answer)[1]) for answer in firms.beside["technician A"]]

    assert not [each for each in words if "technician" in each]
    assert any('"partner A"' in each for each in words)
    assert any('"technician A"' in each for each in theirs)
