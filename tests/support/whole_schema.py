"""Everything that can be asked, made from the schema, so that a new field is asked the day it is.

Queries carry their values as variables. Values come from rows there are, of both sides, so that
filters hit what the asker must not learn of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

from api.planner.schema import types_of

Variables = Mapping[str, Any]
PAGE = "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
PAGING = frozenset({"first", "after", "last", "before", "filter", "orderBy"})
WORDS: Mapping[str, list[Any]] = {
    "String": ["x"],
    "Int": [1],
    "Float": [1.5],
    "Boolean": [True],
    "DateTime": ["2026-12-01T00:00:00Z"],
    "Date": ["2026-12-01"],
    "Decimal": ["1"],
    "Long": ["1"],
    "Duration": ["PT4H"],
}
EARLY: Mapping[str, Any] = {"DateTime": "2026-01-01T00:00:00Z", "Date": "2026-01-01"}
"""For where a period begins."""
FIRST = frozenset({"from", "start", "startsOn", "since"})
KNOWN: Mapping[str, Any] = {
    "timeZone": "Asia/Shanghai",
    "opens": "09:00",
    "closes": "18:00",
    "language": "ZH",
    "email": None,
}
"""Words that only these will do for."""


@dataclass(frozen=True)
class Question:
    """A query, what it is of, and its variables."""

    name: str
    text: str
    variables: Variables


def is_page(kind: Any) -> bool:
    """Whether a type is a connection."""
    return isinstance(kind, GraphQLObjectType) and {"edges", "pageInfo"} <= kind.fields.keys()


def node_of(kind: Any) -> Any:
    """What a connection is a list of."""
    return get_named_type(get_named_type(kind.fields["edges"].type).fields["node"].type)


@dataclass(frozen=True)
class Whole:
    """A schema, and the ids that may be asked for, by the key that begins them."""

    schema: GraphQLSchema
    ids: Mapping[str, list[str]]
    words: Mapping[str, list[Any]]

    def selection(self, kind: Any, depth: int) -> str:
        """Every field of a type, and of what it leads to, so deep."""
        if is_abstract_type(kind):
            return self._members(kind, depth)
        if is_page(kind):
            return f"{PAGE} edges {{ cursor node {{ {self.selection(node_of(kind), depth)} }} }}"
        parts = (self.field(name, each, depth) for name, each in kind.fields.items())
        return " ".join(part for part in parts if part) or "__typename"

    def _inner(self, kind: Any) -> str:
        return f"{{ {self.selection(kind, 1)} }}" if is_composite_type(kind) else ""

    def field(self, name: str, each: GraphQLField, depth: int) -> str:
        """A field with all that is under it; nothing where it would lead too deep."""
        named: Any = get_named_type(each.type)
        if any(is_non_null_type(argument.type) for argument in each.args.values()):
            return ""
        if not is_composite_type(named):
            return name
        if depth <= 0:
            return ""
        paged = "(first: 3)" if is_page(named) else ""
        return f"{name}{paged} {{ {self.selection(named, depth - 1)} }}"

    def _members(self, kind: Any, depth: int) -> str:
        """What all rows of an interface have, once, and what each type has besides."""
        shared = getattr(kind, "fields", {})
        parts = ["__typename"]
        parts += [part for name, each in shared.items() if (part := self.field(name, each, depth))]
        for member in self.schema.get_possible_types(kind):
            fields = " ".join(
                part if shared else f"{member.name}_{name}: {part}"
                for name, each in member.fields.items()
                if name not in shared and (part := self.field(name, each, depth))
            )
            if fields:
                parts.append(f"... on {member.name} {{ {fields} }}")
        return " ".join(parts)

    def roots(self) -> Iterator[Question]:
        """Every root field, with its arguments one after the other."""
        query = self.schema.query_type
        assert query is not None
        for name, each in query.fields.items():
            named: Any = get_named_type(each.type)
            inner = "{ __typename id }" if is_abstract_type(named) else self._inner(named)
            for number, given in enumerate(self.arguments(each)):
                paged = {"first": 20, **given} if is_page(named) else given
                yield self.question(f"{name} {number}", name, each, paged, inner)

    def things(self, most: int) -> Iterator[Question]:
        """Things of every type by their ids, with all that stands there."""
        for key, ids in self.ids.items():
            entry = types_of(self.schema).stored[key]
            text = (
                f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {entry.name}"
                f" {{ {self.selection(self.schema.get_type(entry.name), 1)} }} }} }}"
            )
            for part in range(0, min(len(ids), most), 5):
                yield Question(f"{key} {part}", text, {"ids": ids[part : part + 5]})

    def filters(self) -> Iterator[Question]:
        """Every list, by every comparison there is, those of one field together."""
        for name, each in self._pages():
            argument = each.args.get("filter")
            kind: Any = get_named_type(argument.type) if argument is not None else None
            for field, part in (kind.fields if kind is not None else {}).items():
                if field in {"and", "or", "not"}:
                    continue
                compared = list(self._compared(get_named_type(part.type)))
                either = [{field: value} for value in compared]
                given = {"filter": {"or": either} if "or" in kind.fields else either[0]}
                label = f"{name} by {field}"
                yield self.question(label, name, each, given, f"{{ {PAGE} nodes {{ id }} }}")

    def _compared(self, comparator: Any) -> Iterator[Any]:
        if not isinstance(comparator, GraphQLInputObjectType):
            yield next(self.values("", comparator))
            return
        for name, each in comparator.fields.items():
            if name == "isNull":
                continue  # alone it would keep everything
            if get_named_type(each.type).name == "ID":
                found = [each for ids in self.ids.values() for each in ids[:3]]
                yield from ([{name: found}] if name == "in" else ())
            else:
                most = 4 if name == "contains" else 1
                for value in islice(self.values("", each.type), most):
                    yield {name: value}

    def orders(self) -> Iterator[Question]:
        """Every list in every order, from both ends."""
        for name, each in self._pages():
            argument = each.args.get("orderBy")
            kind: Any = get_named_type(argument.type) if argument is not None else None
            fields = get_named_type(kind.fields["field"].type).values if kind is not None else ()
            for number, field in enumerate(fields):
                end, down = (("first", "ASC"), ("last", "DESC"))[number % 2]
                given = {end: 3, "orderBy": [{"field": field, "direction": down}]}
                label, inner = f"{name} in order of {field}", "edges { cursor node { id } }"
                yield self.question(label, name, each, given, f"{{ {PAGE} {inner} }}")

    def _pages(self) -> Iterator[tuple[str, GraphQLField]]:
        query = self.schema.query_type
        assert query is not None
        for name, each in query.fields.items():
            if is_page(get_named_type(each.type)):
                yield name, each

    def question(
        self, label: str, name: str, each: GraphQLField, given: Variables, inner: str
    ) -> Question:
        """A query of one root field with these arguments."""
        return Question(label, document("query", name, each, given, inner), given)

    def arguments(self, each: GraphQLField) -> Iterator[dict[str, Any]]:
        """What is required, then each other argument besides, one at a time; never a cursor."""
        required = {
            name: argument
            for name, argument in each.args.items()
            if is_non_null_type(argument.type) and argument.default_value is not None
        }
        needed = {name: list(self._given(name, one)) for name, one in required.items()}
        longest = max((len(values) for values in needed.values()), default=1)
        least: dict[str, Any] = {}
        for number in range(longest):
            least = {name: values[number % len(values)] for name, values in needed.items()}
            yield dict(least)
        for name, argument in each.args.items():
            if name not in required and name not in PAGING:
                for value in islice(self._given(name, argument), 12):
                    yield {**least, name: value}

    def _given(self, name: str, argument: GraphQLArgument) -> Iterator[Any]:
        yield from self.values(name, argument.type)

    def values(self, name: str, kind: Any) -> Iterator[Any]:
        """Values of a type, as JSON; a name says more than a type about some."""
        kind = get_nullable_type(kind)
        if is_list_type(kind):
            values = list(self.values(name, kind.of_type))
            yield from (
                [values] if get_named_type(kind).name == "ID" else ([each] for each in values)
            )
        elif isinstance(kind, GraphQLEnumType):
            yield from kind.values
        elif isinstance(kind, GraphQLInputObjectType):
            yield from self._objects(kind)
        elif kind.name == "ID":
            yield from (ids[0] for ids in self.ids.values())
        elif name in KNOWN:
            yield KNOWN[name]
        elif name in FIRST and kind.name in EARLY:
            yield EARLY[kind.name]
        else:
            yield from self.words.get(kind.name) or WORDS[kind.name]

    def _objects(self, kind: GraphQLInputObjectType) -> Iterator[dict[str, Any]]:
        least = {
            name: next(iter(self.values(name, each.type)))
            for name, each in kind.fields.items()
            if is_non_null_type(each.type)
        }
        yield least
        for name, each in kind.fields.items():
            if name not in least and get_named_type(each.type) is not kind:
                for value in islice(self.values(name, each.type), 3):
                    yield {**least, name: value}


def document(operation: str, name: str, each: GraphQLField, given: Variables, inner: str) -> str:
    """The text of an operation of one root field, whose arguments are variables."""
    declared = ", ".join(f"${key}: {each.args[key].type}" for key in given)
    passed = ", ".join(f"{key}: ${key}" for key in given)
    head = f"{operation}({declared})" if given else operation
    return f"{head} {{ {name}{f'({passed})' if given else ''} {inner} }}"
