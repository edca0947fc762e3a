"""Row-level security: without the planner's scope, the database still refuses (Decision 6)."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from api.planner import reading
from api.planner.schema import types_of
from api.resolvers.root import product_schema
from embedded import Addresses
from itr.actors.actor import Actor
from itr.actors.roles import OrganisationKind, Permission
from itr.addresses import credentials
from itr.database import Database, FirmReads, migrate, open_outside, open_pool
from itr.settings import Settings, WrongSettings
from itr.sight.row_filter import RowFilter
from itr.sight.row_level_security import (
    ROLES,
    SEEN,
    UNREADABLE,
    apply_row_level_security,
    ensure_row_level_security,
)
from itr.sla.reading import read_running
from tests.support.databases import as_owner
from tests.support.desk import Desk, open_desk
from tests.support.firms import key_in, lived, settled
from tests.support.requests import do

SCHEMA = product_schema()
TYPES = types_of(SCHEMA._schema).stored
WHO = {OrganisationKind.CUSTOMER: "contact A", OrganisationKind.PARTNER: "technician A"}
OPEN_TO_ALL = {"prd"}
"""Types whose rows are no firm's."""


@dataclass(frozen=True)
class Mighty(Actor):
    """Somebody of a firm whom the policies, by mistake, let do everything."""

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        """All there are."""
        return frozenset(Permission)


@dataclass
class Asking:
    """The context of a query, as the transports give it."""

    actor: Actor
    now: datetime
    pool: Any
    language: str = "en"
    query_cost: None = None
    memo: dict[object, object] = field(default_factory=dict)

    def secret_for(self, purpose: str) -> bytes:
        """A key for tests."""
        return purpose.encode().ljust(32)


@dataclass
class Town:
    """Both sides' rows, by type, as the tables' owner sees them."""

    desk: Desk
    database: Database
    sides: dict[str, dict[str, set[str]]]
    requests: dict[str, dict[str, str]]

    async def mighty(self, who: str) -> Actor:
        """The person, as somebody who may do everything."""
        actor = await self.desk.actor(who)
        return Mighty(
            actor.id, actor.name, actor.organisation_id, actor.organisation_kind, actor.roles
        )

    async def shown(self, who: str, *, pool: Any = None) -> dict[str, set[str]]:
        """The ids of both sides that `nodes` shows somebody, by type."""
        actor = await self.mighty(who)
        asking: Any = Asking(actor, self.desk.time.now, pool or self.database.reads_of(actor))
        found: dict[str, set[str]] = {key: set() for key in TYPES}
        for key, entry in TYPES.items():
            ids = sorted(self.sides["A"][key] | self.sides["B"][key])
            for start in range(0, len(ids), 100):
                query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
                chunk = {"ids": ids[start : start + 100]}
                answer: Any = await SCHEMA.execute(query, chunk, context_value=asking)
                assert answer.errors is None, (entry.name, answer.errors)
                told = orjson.loads(orjson.dumps(answer.data))["nodes"]
                found[key] |= {each["id"] for each in told if each is not None}
        return found


async def rows_by_type(pool: Any) -> dict[str, set[str]]:
    """The public ids of all rows of every stored type."""
    found = {}
    for key, entry in TYPES.items():
        shown = entry.identity.shown.replace("{t}", "t")
        rows = await pool.fetch(f"select {shown} as id from {entry.table} t")
        found[key] = {f"{key}_{row['id']}" for row in rows}
    return found


@pytest.fixture(scope="module")
async def town(settings: Settings) -> AsyncIterator[Town]:
    async with (
        open_desk(settings) as desk,
        open_pool(settings) as reads,
        open_outside(settings) as outside,
    ):
        sides, requests, before = {}, {}, await rows_by_type(reads)
        for side, branch in (("A", "Shanghai"), ("B", "Beijing")):
            await settled(desk, side, branch)
            requests[side] = await lived(desk, side)
            now = await rows_by_type(reads)
            sides[side] = {key: now[key] - before[key] for key in now}
            before = now
        yield Town(desk, Database(reads, outside), sides, requests)


@pytest.fixture
def no_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the planner believe that everybody sees every row."""

    def everything(schema: Any, actor: Any) -> tuple[Mapping[str, RowFilter], int]:
        return {key: RowFilter.everything() for key in TYPES}, -1

    monkeypatch.setattr(reading, "visibility_of", everything)


@pytest.mark.parametrize("who", WHO.values())
async def test_without_the_planners_scope_the_database_still_refuses(
    town: Town, who: str, no_scope: None
) -> None:
    """S1, R-ROLE-03: also when every permission was granted by mistake."""
    shown = await town.shown(who)

    leaked = {key: ids & town.sides["B"][key] for key, ids in shown.items()}
    assert {key: ids for key, ids in leaked.items() if ids and key not in OPEN_TO_ALL} == {}
    for key in ("org", "per", "req", "clk", "evt", "bul" if who == "contact A" else "hov"):
        assert shown[key] & town.sides["A"][key], (
            f"{key}: row-level security hides what is the firm's own"
        )


async def test_without_row_level_security_that_mistake_would_show_everything(
    town: Town, no_scope: None
) -> None:
    """The test above can fail."""
    shown = await town.shown("contact A", pool=town.database.reads)

    assert shown == {key: town.sides["A"][key] | town.sides["B"][key] for key in TYPES}


@pytest.mark.parametrize("kind", WHO)
async def test_what_is_never_a_firms_to_see_is_not_there_at_all(
    town: Town, kind: OrganisationKind, no_scope: None
) -> None:
    """R-ROLE-06: stints, steps, causes, escalations; partners no contracts, customers no queues."""
    shown = await town.shown(WHO[kind])

    never = {"stn", "cpt", "prb", "esc"}
    never |= {"que", "hov"} if kind is OrganisationKind.CUSTOMER else {"con", "col", "prj"}
    for key in never & TYPES.keys():
        assert town.sides["A"][key], f"{key}: nothing to hide"
        assert shown[key] == set(), key


@pytest.mark.parametrize("who", WHO.values())
async def test_internal_notes_stay_inside_whatever_the_planner_believes(
    town: Town, who: str, no_scope: None
) -> None:
    """R-ROLE-06, R-REQ-07."""
    actor = await town.mighty(who)
    words = await town.database.reads_of(actor).fetch("select payload->>'text' as said from event")

    said = {row["said"] for row in words} - {None}
    assert said
    assert {each for each in said if not each.endswith(" A")} <= {"换模块"}
    assert "internal A" not in said
    assert ("shared A" in said) == (who == "technician A")


async def test_row_level_security_names_partners_staff_to_their_firm_alone(town: Town) -> None:
    """R-ROLE-08: whatever the planner asks for; others read the firm's name."""
    who = "select actor_name from event where payload->>'text' = 'answer A'"
    staff = "select count(*) from person where name like 'technician %'"
    found = {}
    for reader in WHO.values():
        reads = town.database.reads_of(await town.mighty(reader))
        found[reader] = (await reads.fetchval(who), await reads.fetchval(staff))

    assert found == {"contact A": ("partner A", 0), "technician A": ("partner A", 1)}


async def test_row_level_security_ends_a_firms_sight_where_it_gave_a_request_back(
    town: Town,
) -> None:
    """R-ROLE-03: later words cannot even be read, but for those of entries that moved a clock."""
    request = town.requests["A"]["handed back"]
    await do(town.desk, "LINE1", "respondToRequest", id=request, text="first answer A")
    await do(town.desk, "LINE1", "respondToRequest", id=request, text="afterwards A")
    later = "select count(*) from event where stream = $1 and payload->>'text' = 'afterwards A'"
    reads = {who: town.database.reads_of(await town.mighty(who)) for who in WHO.values()}

    seen = {who: await pool.fetchval(later, key_in(request)) for who, pool in reads.items()}

    assert seen == {"contact A": 1, "technician A": 0}


@pytest.mark.parametrize("who", WHO.values())
async def test_countdowns_of_others_are_out_of_sight_under_row_level_security(
    town: Town, who: str
) -> None:
    """S1: subscriptions read behind it, too."""
    reads = town.database.reads_of(await town.mighty(who))

    async def version(side: str) -> int | None:
        request = key_in(town.requests[side]["with partner"])
        _, version, _ = await read_running(reads, request, RowFilter.everything())
        return version

    assert await version("A") is not None
    assert await version("B") is None


async def test_a_connection_is_of_no_firm_once_it_is_given_back(town: Town) -> None:
    actor = await town.mighty("contact A")
    kind = OrganisationKind.CUSTOMER
    pool = town.database.outside[kind]
    assert await FirmReads(pool, actor.organisation_id or UUID(int=0)).fetchval(_COUNT) > 0

    assert await pool.fetchval(_COUNT) == 0
    assert await pool.fetchval("select current_user") == ROLES[kind]
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("update request set title = 'mine now'")


_COUNT = "select count(*) from request"


@pytest.mark.parametrize("role", ROLES.values())
@pytest.mark.parametrize(
    "statement",
    ["select origin from event", "select * from timer", "delete from event"],
)
async def test_what_is_withheld_cannot_even_be_named(town: Town, role: str, statement: str) -> None:
    """S15, S16: not where others came from, not the server's own, and nothing is written."""
    async with town.database.reads.acquire() as connection, connection.transaction():
        await connection.execute(f"set local role {role}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute(statement)


async def test_who_may_do_what_is_read_of_ones_own_firm_alone(town: Town) -> None:
    """R-ROLE-06: for one's own roles, which one may always read."""
    for kind, who in WHO.items():
        actor = await town.mighty(who)
        reads = FirmReads(town.database.outside[kind], actor.organisation_id or UUID(int=0))
        seen = "(select array_agg(person_id) from role_assignment)"
        found = await reads.fetchval(f"select {seen}")
        firms = await town.database.reads.fetch(
            "select distinct organisation_id from person where id = any($1::uuid[])", found
        )

        assert actor.id in found
        assert [row["organisation_id"] for row in firms] == [actor.organisation_id]


async def test_every_table_of_the_database_has_row_level_security_or_is_closed(town: Town) -> None:
    rows = await town.database.reads.fetch(
        "select c.relname::text as name, c.relrowsecurity as walled, r.role,"
        " has_any_column_privilege(r.role, c.oid, 'SELECT') as readable,"
        " has_table_privilege(r.role, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') as writable"
        " from pg_class c, unnest($1::text[]) as r(role) where c.relkind in ('r', 'p')"
        " and c.relnamespace = 'public'::regnamespace",
        list(ROLES.values()),
    )

    assert not any(row["writable"] for row in rows)
    readable = {row["name"] for row in rows if row["readable"]}
    assert readable == set(SEEN)
    assert all(row["walled"] for row in rows if row["readable"])
    closed = {row["name"] for row in rows} - readable
    parts = {name for name in closed if name.startswith("event_")}
    assert closed - parts - {"tortoise_migrations"} <= set(UNREADABLE)


async def test_migrating_again_leaves_the_policies_as_they_stand(
    town: Town, settings: Settings
) -> None:
    marks = "select oid, obj_description(oid, 'pg_policy') from pg_policy order by oid"
    before = await town.database.reads.fetch(marks)

    await migrate(settings)

    assert await town.database.reads.fetch(marks) == before
    async with town.database.reads.acquire() as connection:
        await ensure_row_level_security(connection)


async def test_a_missing_policy_is_noticed_and_closed(town: Town) -> None:
    await as_owner(town.desk.settings, "drop policy itr_partner on clock")
    await as_owner(town.desk.settings, "grant select on timer to itr_customer")
    async with town.database.reads.acquire() as connection:
        with pytest.raises(WrongSettings, match="itr migrate"):
            await ensure_row_level_security(connection)

        await migrate(town.desk.settings)

        await ensure_row_level_security(connection)
        kept = "select has_table_privilege('itr_customer', 'timer', 'SELECT')"
        assert not await connection.fetchval(kept)


async def test_a_database_user_who_may_not_raise_it_is_told_in_one_sentence(
    servers: Addresses, town: Town
) -> None:
    admin = await asyncpg.connect(servers.admin_url)
    try:
        await admin.execute("create role humble login password 'humble'")
        parts = credentials(servers.database_url) | {"user": "humble", "password": "humble"}
        humble = await asyncpg.connect(**parts)
        with pytest.raises(WrongSettings) as told:
            await apply_row_level_security(humble, "humble")
        remedy = str(told.value).partition("run: ")[2]
        await admin.execute(remedy)

        await apply_row_level_security(humble, "humble")

        await humble.close()
    finally:
        await admin.execute("drop owned by humble; drop role humble")
        await admin.close()
