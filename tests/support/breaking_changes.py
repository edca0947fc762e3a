"""What a change of the schema breaks for clients, and whether it was announced.

A removal is announced by `@deprecated(reason: "Use x. Removal on YYYY-MM-DD.")` on what goes, in
the snapshot that clients have, with a day that has come. What no deprecation can prepare is
announced by its coordinate, in backticks, under the heading "不兼容 / Breaking" of the changelog's
unreleased section: `Type`, `Type.field`, `Enum.VALUE`, `Type.field(argument:)`.

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

_HOUSE = Path(__file__).parents[2]
SNAPSHOT = _HOUSE / "api" / "schema" / "schema.graphql"
CHANGELOG = _HOUSE / "CHANGELOG.md"
HEADING = "### 不兼容 / Breaking"
REASON = re.compile(r"(Use .+|Unused)\. Removal on (\d{4}-\d{2}-\d{2})\.", re.DOTALL)


def current_schema() -> str:
    """The schema as `itr schema` prints it."""
    from api.resolvers.root import product_schema

    return product_schema().as_str().strip() + "\n"


def unannounced(old: str, new: str, today: date, changelog: str = "") -> list[str]:
    """What `new` breaks for clients of `old` without having been announced in it, or in a log."""
    before = build_schema(old)
    deprecated = {where for where, reason in deprecations(before) if _is_due(reason, today)}
    told = breaks_told(changelog)
    return [
        change.description
        for change in find_breaking_changes(before, build_schema(new))
        if not _names_any(change.description, deprecated)
        and _broken_at(change.description) not in told
    ]


def breaks_told(changelog: str) -> set[str]:
    """The coordinates under "不兼容 / Breaking" in the changelog's unreleased section."""
    unreleased = re.search(r"^## [^\n]*unreleased\n(.*?)(?=^## |\Z)", changelog, re.DOTALL | re.M)
    if unreleased is None:
        return set()
    listed = re.search(
        rf"^{re.escape(HEADING)}\n(.*?)(?=^###? |\Z)", unreleased[1], re.DOTALL | re.M
    )
    return set(re.findall(r"`([^`\n]+)`", listed[1])) if listed else set()


def _broken_at(description: str) -> str:
    """The coordinate of a change: what its description names first."""
    found = re.search(r"[A-Z]\w*\.\w+(?:\(\w+:\))?|(?<=implemented by )\w+", description)
    if found is None:
        found = re.search(r"\b(?!Field|Standard|Argument|A\b|An\b)[A-Z]\w*", description)
    return found[0] if found else description


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
        old, told = (path.read_text(encoding="utf-8") for path in (SNAPSHOT, CHANGELOG))
        broken = unannounced(old, new, date.today(), told)  # noqa: DTZ011
        if broken:
            sys.stderr.write("breaks clients, unannounced:\n" + "\n".join(broken) + "\n")
            return 1
    SNAPSHOT.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
