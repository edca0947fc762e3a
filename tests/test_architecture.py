"""The rules of the house that would drift if nobody checked them."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
)

from api.resolvers.root import product_schema
from itr.database import APP, Database, connected, tortoise_config
from itr.settings import Settings
from tests.support.breaking_changes import (
    REASON,
    SNAPSHOT,
    current_schema,
    deprecations,
    unannounced,
)

HOUSE = Path(__file__).parents[1]
PACKAGES = ("api", "itr", "workers", "cli", "embedded", "bench")
LONGEST_MODULE = 400
STILL_TOO_LONG: set[str] = set()
"""Modules to be split by verb; the list only shrinks."""
SAYS_NOTHING = {"utils", "util", "common", "base", "helpers", "helper", "misc", "manager"}
WITHOUT_PERMISSION = [
    "Query.node",
    "Query.nodes",
    "Query.viewer",
    "Query.cost",
    "Query.enumLabels",
]
"""Everybody signed in may ask these: each type of a node demands its own permission, and what a
document costs is told from the schema alone.
"""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return product_schema()._schema


def modules() -> Iterator[Path]:
    """Every module of the product, relative to the house."""
    for package in PACKAGES:
        for path in sorted((HOUSE / package).rglob("*.py")):
            yield path.relative_to(HOUSE)


def test_every_query_mutation_and_subscription_demands_a_permission(
    schema: GraphQLSchema,
) -> None:
    """R-ROLE-02: asked of the schema, so that a new field is covered the day it is added."""
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    bare = [
        f"{root.name}.{name}"
        for root in roots
        if root is not None
        for name, field in root.fields.items()
        if not field.extensions["strawberry-definition"].permission_classes
    ]

    assert bare == WITHOUT_PERMISSION


def test_every_element_of_the_schema_has_a_description(schema: GraphQLSchema) -> None:
    bare = [
        where
        for kind in schema.type_map.values()
        if not kind.name.startswith("__") and not is_specified_scalar_type(kind)
        for where, description in described(kind)
        if not (description or "").strip()
    ]

    assert bare == []


def described(kind: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    """A type and all that belongs to it, each with its description."""
    yield kind.name, kind.description
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}", field.description
            for argument, value in getattr(field, "args", {}).items():
                yield f"{kind.name}.{name}({argument}:)", value.description
    elif isinstance(kind, GraphQLEnumType):
        for name, member in kind.values.items():
            yield f"{kind.name}.{name}", member.description


def test_the_schema_is_the_one_committed() -> None:
    """Renew it with `python -m tests.support.breaking_changes`, which refuses to break clients."""
    committed, now = SNAPSHOT.read_text(encoding="utf-8"), current_schema()
    assert unannounced(committed, now, date.today()) == []  # noqa: DTZ011

    assert committed == now


def test_what_is_deprecated_says_what_to_use_and_when_it_goes(schema: GraphQLSchema) -> None:
    wrong = [where for where, reason in deprecations(schema) if not REASON.fullmatch(reason)]

    assert wrong == []


OLD = """
type Query { a: Int b: Int @deprecated(reason: "Use a. Removal on 2026-06-01.") c(x: Int): Int }
enum Mood { GOOD BAD @deprecated(reason: "Use GOOD. Removal on 2026-06-01.") }
input Wish { mood: Mood }
"""


@pytest.mark.parametrize(
    ("change", "today", "broken"),
    [
        (("", ""), "2026-01-01", []),
        (("a: Int", "a: Int d: Int"), "2026-01-01", []),
        (("a: Int", ""), "2026-12-31", ["a"]),
        (("b: Int", ""), "2026-05-31", ["b"]),
        (("b: Int", ""), "2026-06-01", []),
        (("a: Int", "a: String"), "2026-12-31", ["a"]),
        (("c(x: Int)", "c"), "2026-12-31", ["c"]),
        (("c(x: Int)", "c(x: Int!)"), "2026-12-31", ["c"]),
        (("mood: Mood", "mood: Mood!"), "2026-12-31", ["mood"]),
        (("GOOD", ""), "2026-12-31", ["GOOD"]),
        (("BAD", ""), "2026-06-01", []),
    ],
)
def test_only_what_was_announced_for_a_day_that_has_come_may_break_clients(
    change: tuple[str, str], today: str, broken: list[str]
) -> None:
    old, new = change
    changed = OLD.replace(old, new, 1) if old else OLD
    if old in ("b: Int", "BAD"):
        changed = re.sub(re.escape(old) + r" @deprecated\([^)]*\)", new, OLD)

    found = unannounced(OLD, changed, date.fromisoformat(today))

    assert build_schema(changed)
    assert len(found) == len(broken)
    assert all(name in said for name, said in zip(broken, found, strict=True))


LOG = """
## 0.2.0 – 未发布 / unreleased

### 不兼容 / Breaking

- 可空 / nullable: {names}

### 修正 / Fixed

- `Query.b`

## 0.1.0

### 不兼容 / Breaking

- `Wish.mood`
"""


@pytest.mark.parametrize(
    ("change", "names", "broken"),
    [
        (("a: Int", "a: String"), "`Query.a`", []),
        (("a: Int", "a: String"), "`Query.c`, `Mood`", ["Query.a"]),
        (("c(x: Int)", "c"), "`Query.c(x:)`", []),
        (("c(x: Int)", "c"), "`Query.c`", ["Query.c(x:)"]),
        (("GOOD", ""), "`Mood.GOOD`", []),
        (("mood: Mood", "mood: Mood!"), "`Wish.moods`", ["Wish.mood"]),
        (("input Wish { mood: Mood }", ""), "`Wish`", []),
        (("input Wish { mood: Mood }", "type Wish { mood: Mood }"), "`Wish`", []),
        (("input Wish { mood: Mood }", ""), "`Wish.mood`", ["Wish"]),
        (("b: Int", "b: String"), "`Query.a`", ["Query.b"]),
    ],
)
def test_a_break_is_allowed_when_the_unreleased_log_names_its_coordinate(
    change: tuple[str, str], names: str, broken: list[str]
) -> None:
    changed = OLD.replace(*change, 1)

    found = unannounced(OLD, changed, date(2026, 1, 1), LOG.replace("{names}", names))

    assert build_schema(changed)
    assert len(found) == len(broken)
    assert all(name in said for name, said in zip(broken, found, strict=True))


def test_modules_stay_short_enough_to_read() -> None:
    long = {
        str(path)
        for path in modules()
        if len((HOUSE / path).read_text(encoding="utf-8").splitlines()) > LONGEST_MODULE
    }

    assert not long - STILL_TOO_LONG, f"split by verb: {sorted(long - STILL_TOO_LONG)}"
    assert not STILL_TOO_LONG - long, f"short by now: {sorted(STILL_TOO_LONG - long)}"


def test_modules_are_called_by_what_they_hold() -> None:
    nothing = [str(path) for path in modules() if SAYS_NOTHING & set(re.split(r"[_/.]", str(path)))]

    assert nothing == []


IMPORTED_LATE = {
    "api/planner/declare.py",  # a field's arguments are made when all types are declared
}
"""Modules that may import others of ours in a function; commands may, to begin at once."""


def imports_of(path: Path, *, in_functions: bool = False) -> Iterator[str]:
    """The modules of ours that a module imports, wherever in it, or in its functions only."""
    tree = ast.parse((HOUSE / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    trees = [each for each in ast.walk(tree) if isinstance(each, kinds)] if in_functions else [tree]
    for each in (node for part in trees for node in ast.walk(part)):
        if isinstance(each, ast.ImportFrom) and each.module and not each.level:
            yield from (f"{each.module}.{alias.name}" for alias in each.names)
        elif isinstance(each, ast.Import):
            yield from (alias.name for alias in each.names)


def room_of(module: str) -> str:
    return ".".join(module.removesuffix(".py").replace("/", ".").split(".")[:2])


def test_rooms_of_the_product_do_not_stand_in_a_circle() -> None:
    """Which floor each stands on says the contract in `pyproject.toml`."""
    below: dict[str, set[str]] = defaultdict(set)
    for path in modules():
        if path.parts[0] == "itr" and len(path.parts) > 1:
            below[room_of(str(path))] |= {
                room_of(module) for module in imports_of(path) if module.startswith("itr.")
            } - {room_of(str(path))}

    in_order = list(TopologicalSorter(below).static_order())

    assert len(in_order) > 20


def test_no_import_hides_in_a_function() -> None:
    """It would hide a circle from who reads, until one day it does not."""
    hidden = {
        str(path)
        for path in modules()
        if path.parts[0] not in {"cli", "bench"}
        and any(module.split(".")[0] in PACKAGES for module in imports_of(path, in_functions=True))
    }

    assert hidden == IMPORTED_LATE


@pytest.fixture(scope="module")
async def database(settings: Settings) -> Any:
    async with connected(settings) as opened:
        yield opened


async def test_the_migrations_make_what_the_models_say(settings: Settings) -> None:
    """No drift: there is no migration to be generated."""
    from tortoise.context import TortoiseContext
    from tortoise.migrations.autodetector import MigrationAutodetector

    config = tortoise_config(settings.database_url, pool=1)
    async with TortoiseContext() as context:
        await context.init(config=config, init_connections=False)
        assert context.apps is not None
        changes = await MigrationAutodetector(context.apps, config["apps"]).changes()

    assert [operation for change in changes for operation in change.operations] == []


async def test_the_database_has_the_columns_of_the_models(database: Database) -> None:
    """No drift: what the migrations made is what the models read, null where they may be."""
    from tortoise import Tortoise

    wanted = {
        (model._meta.db_table, field.source_field or name, bool(field.null))
        for model in Tortoise.apps[APP].values()
        for name, field in model._meta.fields_map.items()
        if name in model._meta.db_fields
    }
    rows = await database.reads.fetch(
        "select table_name, column_name, is_nullable = 'YES' as nullable"
        " from information_schema.columns where table_schema = 'public'"
        " and is_generated = 'NEVER'"  # the database writes these itself
    )
    there = {tuple(row) for row in rows}

    assert wanted <= there, sorted(wanted - there)
    tables = {table for table, _, _ in wanted}
    more = {each for each in there if each[0] in tables} - wanted
    assert not more, sorted(more)


RENAMED = {"outgoing_message_waiting": "outbox_waiting"}
"""What a later migration gave another name."""


def named_in_migrations() -> set[str]:
    """Constraints and indexes that migrations write by hand, less what later ones drop."""
    made: set[str] = set()
    for path in sorted((HOUSE / "migrations").glob("0*.py")):
        text = path.read_text(encoding="utf-8")
        up = re.sub(r'^\w+_BACK = """.*?"""', "", text, flags=re.DOTALL | re.MULTILINE)
        made |= set(re.findall(r"(?:add constraint|create (?:unique )?index) (\w+)", up))
        made -= set(re.findall(r"drop (?:constraint|index) (\w+)", up))
    return {RENAMED.get(each, each) for each in made}


async def test_constraints_and_indexes_written_by_hand_are_there_and_valid(
    database: Database,
) -> None:
    """What models cannot say is not lost by a migration either."""
    rows = await database.reads.fetch(
        "select conname as name from pg_constraint where convalidated union"
        " select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid"
        " where i.indisvalid"
    )

    wanted = named_in_migrations()

    assert len(wanted) > 20
    assert wanted <= {row["name"] for row in rows}


READ_ELSEWHERE = {
    "clientMutationId", "expectedVersion", "id",
    "answer", "note", "text", "summary", "sharedWithPartner",  # on the timeline, with its audience
    "reason", "waiting", "restoresService", "classification", "to",  # what they bring about is read
    "productUnknown", "ids", "duplicateId", "survivorId", "customerId", "personId", "branchId",
    "currency", "expectedAt", "role",  # of an amount, a plan, a person
    "price", "taxPercent",  # of a catalogue item, a charge
    "thread", "code",  # of a breach or rejection: `breachExplanation`, `rejectionCode`
}  # fmt: skip
"""What names the thing acted on, or can be read under another name or at another place."""
OF_VERSIONS = {"calendar", "dropped", "calendarId", "targets", "pauses", "matrix", "alarmPercents",
    "alarmRules", "controlPointShares", "confirmationWorkingDays"}  # fmt: skip
"""What the versions of a calendar or a service level tell."""
TOLD_IN_PARTS = {"period": "closedFrom", "fromVersionId": "fromVersion", "previewId": "preview"}


def test_what_can_be_written_can_be_read(schema: GraphQLSchema) -> None:
    """Of the object a mutation answers with, under the name it was written by."""
    unread = {}
    assert schema.mutation_type is not None
    for name, mutation in schema.mutation_type.fields.items():
        payload: Any = get_named_type(mutation.type)
        answered = [get_named_type(each.type) for each in payload.fields.values()]
        shown = {
            field
            for kind in answered
            if isinstance(kind, GraphQLObjectType)
            for field in kind.fields
        }
        written: Any = get_named_type(mutation.args["input"].type)
        lacking = [
            field
            for field in set(written.fields) - READ_ELSEWHERE - OF_VERSIONS
            if not {field, field.removesuffix("Id"), TOLD_IN_PARTS.get(field), f"{field[:-3]}s"}
            & shown
        ]
        if lacking:
            unread[name] = lacking

    assert unread == {}
