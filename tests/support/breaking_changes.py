"""What a change of the schema breaks for clients, and whether it was announced.

A removal is announced by `@deprecated(reason: "Use x. Removal on YYYY-MM-DD.")` on what goes, in
the snapshot that clients have, with a day that has come.

    python -m tests.support.breaking_changes        renew the snapshot, unless that breaks clients
"""

import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
)

SNAPSHOT = Path(__file__).parents[2] / "api" / "schema" / "schema.graphql"
REASON = re.compile(r"(Use .+|Unused)\. Removal on (\d{4}-\d{2}-\d{2})\.", re.DOTALL)


def current_schema() -> str:
    """The schema as `itr schema` prints it."""
    from api.resolvers import product_schema

    return product_schema().as_str().strip() + "\n"


def unannounced(old: str, new: str, today: date) -> list[str]:
    """What `new` breaks for clients of `old` without having been announced in it."""
    before = build_schema(old)
    announced = {where for where, reason in deprecations(before) if _is_due(reason, today)}
    return [
        change.description
        for change in find_breaking_changes(before, build_schema(new))
        if not _names_any(change.description, announced)
    ]


def deprecations(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Everything deprecated: where, as `Type.field`, and the reason."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in kind.fields.items():
                if field.deprecation_reason is not None:
                    yield f"{kind.name}.{name}", field.deprecation_reason
                for argument, value in getattr(field, "args", {}).items():
                    if value.deprecation_reason is not None:
                        yield f"{kind.name}.{name}({argument}:)", value.deprecation_reason
        elif isinstance(kind, GraphQLEnumType):
            for name, member in kind.values.items():
                if member.deprecation_reason is not None:
                    yield f"{kind.name}.{name}", member.deprecation_reason


def _is_due(reason: str, today: date) -> bool:
    found = REASON.fullmatch(reason)
    return found is not None and date.fromisoformat(found[2]) <= today


def _names_any(description: str, places: set[str]) -> bool:
    words = set(re.findall(r"[A-Za-z_][\w.]*\w(?:\(\w+:\))?", description))
    spelled = words | {f"{kind}.{name}" for kind in words for name in words}
    return bool(spelled & places)


def main() -> int:
    """Renew the snapshot; says what would break and leaves it if that was not announced."""
    new = current_schema()
    if SNAPSHOT.exists():
        broken = unannounced(SNAPSHOT.read_text(encoding="utf-8"), new, date.today())  # noqa: DTZ011
        if broken:
            sys.stderr.write("breaks clients, unannounced:\n" + "\n".join(broken) + "\n")
            return 1
    SNAPSHOT.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
