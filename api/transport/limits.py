"""What a document may cost, worked out in one pass before anything else looks at it (S5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from api.transport.errors import Refusal

PAGE_ARGUMENTS = ("first", "last")


@dataclass(frozen=True)
class Limits:
    """How much one caller may ask for at once."""

    body_bytes: int = 2_000_000
    document_characters: int = 100_000
    tokens: int = 5_000
    depth: int = 20
    aliases: int = 100
    cost: int = 50_000
    fields_at_root: int = 30
    mutations_at_once: int = 10
    fragments: int = 80
    repeats_of_a_field: int = 20
    """How often one selection set may name the same response key."""
    default_page: int = 50
    """What an unpaged connection counts as."""
    list_size: int = 5
    """What a plain list counts as."""
    introspection_list_size: int = 3
    operation_seconds: float = 12.0
    sockets_per_actor: int = 600
    operations_per_socket: int = 100
    send_seconds: float = 10.0
    """How long a reader may stall before it is dropped (S10)."""
    init_seconds: float = 10.0
    ping_seconds: float = 15.0
    queued_messages: int = 200


class Measure(NamedTuple):
    """The size of a selection: `cost` counts fields with every page multiplied in."""

    cost: int = 0
    depth: int = 0
    aliases: int = 0
    width: int = 0


class Measuring:
    """One pass over an operation; a fragment is measured once, however often it is spread."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        *,
        limits: Limits,
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._variables = variables
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._measured: dict[str, Measure | None] = {}
        self.read: set[str] = set()
        """The variables the result depends on."""

    def measure(self, operation: OperationDefinitionNode) -> Measure:
        """Measure an operation; raises Refusal when it cannot be walked."""
        self._defaults = {
            definition.variable.name.value: definition.default_value
            for definition in operation.variable_definitions or ()
        }
        try:
            root = self._schema.get_root_type(operation.operation)
            return self._selections(operation.selection_set, root)
        except RecursionError:
            pass
        raise Refusal("TOO_COMPLEX", reason="fragments are nested too deeply")

    def _selections(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Measure:
        cost = depth = aliases = width = 0
        names: Counter[str] = Counter()
        for selection in node.selections:
            if isinstance(selection, FieldNode):
                names[(selection.alias or selection.name).value] += 1
                part = self._field(selection, parent)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                part = self._selections(selection.selection_set, inner)
            elif isinstance(selection, FragmentSpreadNode):
                names["..." + selection.name.value] += 1
                part = self._fragment(selection.name.value)
            cost, depth = cost + part.cost, max(depth, part.depth)
            aliases, width = aliases + part.aliases, width + part.width
        self._refuse_repeats(names)
        return Measure(cost, depth, aliases, width)

    def _refuse_repeats(self, names: Counter[str]) -> None:
        most = max(names.values(), default=0)
        if most > self._limits.repeats_of_a_field:
            raise Refusal("TOO_COMPLEX", reason=f"a field is repeated {most} times")

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Measure:
        aliased = 1 if node.alias else 0
        if node.selection_set is None:
            return Measure(1, 1, aliased, 1)
        field = self._definition(node.name.value, parent)
        inner = self._selections(node.selection_set, get_named_type(field.type) if field else None)
        times = self._page(node, field, parent)
        return Measure(1 + times * inner.cost, 1 + inner.depth, aliased + inner.aliases, 1)

    def _fragment(self, name: str) -> Measure:
        if name in self._measured:
            return self._measured[name] or Measure()  # a cycle: validation says so
        fragment = self._fragments.get(name)
        if fragment is None:
            return Measure()
        self._measured[name] = None
        condition = self._schema.get_type(fragment.type_condition.name.value)
        self._measured[name] = measure = self._selections(fragment.selection_set, condition)
        return measure

    def _definition(self, name: str, parent: GraphQLNamedType | None) -> GraphQLField | None:
        if name == "__schema":
            return _meta(self._schema, "__Schema")
        if name == "__type":
            return _meta(self._schema, "__Type")
        fields: Mapping[str, GraphQLField] = getattr(parent, "fields", {})
        return fields.get(name)

    def _page(
        self, node: FieldNode, field: GraphQLField | None, parent: GraphQLNamedType | None
    ) -> int:
        for argument in node.arguments or ():
            if argument.name.value in PAGE_ARGUMENTS:
                size = self._integer(argument.value)
                if size is not None:
                    return max(size, 1)
        if field is None:
            return 1
        if get_named_type(field.type).name.endswith("Connection"):
            return self._limits.default_page
        if not is_list_type(get_nullable_type(field.type)):
            return 1
        return self._list(node, parent)

    def _list(self, node: FieldNode, parent: GraphQLNamedType | None) -> int:
        owner = parent.name if parent else ""
        if owner.endswith("Connection"):
            return 1
        if owner.startswith("__"):
            return self._limits.introspection_list_size
        lengths = [self._length(argument.value) for argument in node.arguments or ()]
        return max([length for length in lengths if length], default=self._limits.list_size)

    def _integer(self, value: ValueNode) -> int | None:
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, VariableNode):
            given = self._variable(value.name.value)
            if isinstance(given, IntValueNode):
                return int(given.value)
            return int(given) if isinstance(given, (int, float)) else None
        return None

    def _length(self, value: ValueNode) -> int:
        if isinstance(value, ListValueNode):
            return len(value.values)
        if isinstance(value, VariableNode):
            given = self._variable(value.name.value)
            return len(given) if isinstance(given, list) else 0
        return 0

    def _variable(self, name: str) -> object:
        self.read.add(name)
        return self._variables.get(name, self._defaults.get(name))


def refuse_over(limits: Limits, measure: Measure, operation: OperationDefinitionNode) -> None:
    """Refuse an operation that is over a limit, saying which."""
    mutating = operation.operation is OperationType.MUTATION
    most = limits.mutations_at_once if mutating else limits.fields_at_root
    for what, amount, limit in (
        ("fields at the root", measure.width, most),
        ("depth", measure.depth, limits.depth),
        ("aliases", measure.aliases, limits.aliases),
        ("cost", measure.cost, limits.cost),
    ):
        if amount > limit:
            shown = str(amount) if amount < 10**12 else "more"
            reason = f"{what}: {shown} of at most {limit}"
            raise Refusal("TOO_COMPLEX", reason=reason)


def _meta(schema: GraphQLSchema, name: str) -> GraphQLField | None:
    meta = schema.get_type(name)
    return GraphQLField(meta) if meta is not None else None  # type: ignore[arg-type]
