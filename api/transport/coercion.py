"""What is wrong with the variables of an operation, told by place and type and without a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    get_named_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    type_from_ast,
)

from api.transport.inputs import Path
from itr.errors import DomainError

FAULTS = 20
"""How many faults of the variables are told at once."""


class BadInput(DomainError):
    """A value that its place cannot take."""

    code = "BAD_INPUT"
    zh = "输入值无效：{place} 须为 {kind}。"
    en = "A value in the input cannot be taken: {place} has to be of type {kind}."


class MissingInput(DomainError):
    """A value that has to be given."""

    code = "BAD_INPUT"
    zh = "缺少输入值：{place} 必填，类型为 {kind}。"
    en = "A value in the input is missing: {place} is required, of type {kind}."


class UnknownInput(DomainError):
    """A field the input does not have."""

    code = "BAD_INPUT"
    zh = "输入值无效：{place} 有未知字段，类型 {kind} 中没有它。"
    en = "A value in the input cannot be taken: {place} has a field that {kind} does not have."


class NotExactlyOne(DomainError):
    """An input of which one field is given."""

    code = "BAD_INPUT"
    zh = "输入值无效：{place}（{kind}）须恰好给出一个字段。"
    en = "A value in the input cannot be taken: {place} ({kind}) takes exactly one field."


def faults_of(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    *,
    most: int,
) -> list[GraphQLError]:
    """What is wrong with the variables, `most` faults of it."""
    found = islice(_faults(schema, operation, variables), most)
    return [GraphQLError(str(fault), original_error=fault) for fault in found]


def _faults(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Iterator[DomainError]:
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        kind: Any = type_from_ast(schema, definition.type)
        value = variables.get(name, Undefined)
        if value is Undefined and (definition.default_value or not is_non_null_type(kind)):
            continue
        yield from _faults_of(value, kind, (name,))


def _faults_of(value: Any, kind: GraphQLInputType, path: Path) -> Iterator[DomainError]:
    inner: Any = kind
    if is_non_null_type(kind):
        if value is None or value is Undefined:
            yield _fault(MissingInput, kind, path)
            return
        inner = kind.of_type
    if value is None:
        return
    if is_list_type(inner):
        items = value if isinstance(value, list) else None
        for at, each in enumerate([value] if items is None else items):
            yield from _faults_of(each, inner.of_type, path if items is None else (*path, at))
    elif is_input_object_type(inner):
        yield from _faults_of_object(value, inner, path)
    elif not _is_taken(value, inner):
        yield _fault(BadInput, kind, path)


def _faults_of_object(value: Any, kind: Any, path: Path) -> Iterator[DomainError]:
    if not isinstance(value, dict):
        yield _fault(BadInput, kind, path)
        return
    for name, field in kind.fields.items():
        if name in value:
            yield from _faults_of(value[name], field.type, (*path, name))
        elif is_required_input_field(field):
            yield _fault(MissingInput, field.type, (*path, name))
    if not value.keys() <= kind.fields.keys():
        yield _fault(UnknownInput, kind, path)
    if kind.is_one_of and (len(value) != 1 or None in value.values()):
        yield _fault(NotExactlyOne, kind, path)


def _is_taken(value: Any, kind: Any) -> bool:
    try:
        return kind.coerce_input_value(value) is not Undefined
    except Exception:
        return False


def _fault(fault: type[DomainError], kind: GraphQLInputType, path: Path) -> DomainError:
    place = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
    return fault(path=path, place=place[1:], kind=str(get_named_type(kind)))
