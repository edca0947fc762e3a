"""What a document costs, worked out in one pass before anything else looks at it (S5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from api.prices import OF_THE_SCHEMA, Price, price_of
from api.transport.errors import Refusal
from api.transport.inputs import NULL, Counting, Given, Path, Size
from api.transport.limits import Limits, Measure

PAGE_ARGUMENTS = ("first", "last")


class Measuring:
    """One pass over a document; a fragment is measured once, however often it is spread."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, *, limits: Limits, given: Given
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._given = given
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._measured: dict[str, Measure | None] = {}
        self._spread: set[str] = set()
        self._walked_over = 0
        self._defaults: dict[str, Size] = {}
        self._counting = Counting(limits, nodes=limits.input_nodes)
        self.pages: set[str] = set()
        """The variables whose number says how large a page is."""

    def measure(self, operation: OperationDefinitionNode) -> Measure:
        """Measure an operation; raises Refusal or DomainError when it cannot be walked."""
        self._measured.clear()  # what a fragment costs depends on the operation's defaults
        self._counting = Counting(self._limits, nodes=self._limits.input_nodes)
        self._defaults = {
            definition.variable.name.value: self._counting.written(
                definition.default_value, (definition.variable.name.value,), self._sized
            )
            for definition in operation.variable_definitions or ()
            if definition.default_value is not None
        }
        root = self._schema.get_root_type(operation.operation)
        return self._walked(operation.selection_set, root, ())

    def measure_unused(self) -> list[Measure]:
        """Measure the fragments no operation spreads; raises Refusal or DomainError."""
        self._measured.clear()
        self._defaults = {}
        self._counting = Counting(self._limits, nodes=self._limits.input_nodes)
        unused = [each for name, each in self._fragments.items() if name not in self._spread]
        return [
            self._walked(
                each.selection_set, self._schema.get_type(each.type_condition.name.value), ()
            )
            for each in unused
        ]

    def _walked(
        self, node: SelectionSetNode, parent: GraphQLNamedType | None, path: Path
    ) -> Measure:
        try:
            return self._selections(node, parent, path)
        except RecursionError:
            pass
        raise Refusal("TOO_COMPLEX", reason="fragments are nested too deeply")

    def _selections(
        self, node: SelectionSetNode, parent: GraphQLNamedType | None, path: Path
    ) -> Measure:
        cost = depth = aliases = width = fields = alone = 0
        names: Counter[str] = Counter()
        self._count(len(node.selections))
        for selection in node.selections:
            if isinstance(selection, FieldNode):
                names[(selection.alias or selection.name).value] += 1
                part = self._field(selection, parent, path)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                part = self._selections(selection.selection_set, inner, path)
            elif isinstance(selection, FragmentSpreadNode):
                names["..." + selection.name.value] += 1
                part = self._fragment(selection.name.value, path)
            cost, depth = cost + part.cost, max(depth, part.depth)
            aliases, width = aliases + part.aliases, width + part.width
            fields, alone = fields + part.fields, alone + part.alone
        self._refuse_repeats(names)
        return Measure(cost, depth, aliases, width, fields, alone)

    def _count(self, selections: int) -> None:
        self._walked_over += selections
        if self._walked_over > 2 * self._limits.fields:
            raise Refusal("TOO_COMPLEX", reason="there are too many fields in all operations")

    def _refuse_repeats(self, names: Counter[str]) -> None:
        most = max(names.values(), default=0)
        if most > self._limits.repeats_of_a_field:
            raise Refusal("TOO_COMPLEX", reason=f"a field is repeated {most} times")

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, path: Path) -> Measure:
        aliased = 1 if node.alias else 0
        if node.selection_set is None and not node.arguments:
            return Measure(1, 1, aliased, 1, 1)
        path = (*path, (node.alias or node.name).value)
        field = self._definition(node.name.value, parent)
        price = OF_THE_SCHEMA.get(node.name.value) or price_of(field)
        sizes = self.sizes_of(node, path)
        own = 1 + price.once + _input_cost(sizes.values(), price)
        alone = 1 if price.alone else 0
        if node.selection_set is None:
            return Measure(own, 1, aliased, 1, 1, alone)
        kind = get_named_type(field.type) if field else None
        inner = self._selections(node.selection_set, kind, path)
        return Measure(
            own + self.times(sizes, field, parent) * inner.cost,
            1 + inner.depth,
            aliased + inner.aliases,
            1,
            1 + inner.fields,
            alone + inner.alone,
        )

    def sizes_of(self, node: FieldNode, path: Path) -> dict[str, Size]:
        """The sizes of a field's arguments; raises DomainError for one that nobody takes."""
        sizes = {}
        for argument in node.arguments or ():
            name = argument.name.value
            sizes[name] = self._counting.written(argument.value, (*path, name), self._sized)
            if name in PAGE_ARGUMENTS and isinstance(argument.value, VariableNode):
                self.pages.add(argument.value.name.value)
        return sizes

    def _fragment(self, name: str, path: Path) -> Measure:
        if name in self._measured:
            return self._measured[name] or Measure()  # a cycle: validation says so
        fragment = self._fragments.get(name)
        if fragment is None:
            return Measure()
        self._measured[name] = None
        self._spread.add(name)
        condition = self._schema.get_type(fragment.type_condition.name.value)
        measure = self._selections(fragment.selection_set, condition, path)
        self._measured[name] = measure
        return measure

    def _definition(self, name: str, parent: GraphQLNamedType | None) -> GraphQLField | None:
        if name == "__schema":
            return _meta(self._schema, "__Schema")
        if name == "__type":
            return _meta(self._schema, "__Type")
        fields: Mapping[str, GraphQLField] = getattr(parent, "fields", {})
        return fields.get(name)

    def times(
        self,
        sizes: Mapping[str, Size],
        field: GraphQLField | None,
        parent: GraphQLNamedType | None,
    ) -> int:
        """How often what is below a field is counted."""
        asked = [sizes[name].number for name in PAGE_ARGUMENTS if name in sizes]
        pages = [each for each in asked if each is not None]
        if pages:
            return max(*pages, 1)
        if field is None:
            return 1
        page = price_of(field).page
        if page is not None:
            return page
        if get_named_type(field.type).name.endswith("Connection"):
            return self._limits.default_page
        if not is_list_type(get_nullable_type(field.type)):
            return 1
        return self._list(sizes, parent)

    def _list(self, sizes: Mapping[str, Size], parent: GraphQLNamedType | None) -> int:
        owner = parent.name if parent else ""
        if owner.endswith("Connection"):
            return 1
        if owner.startswith("__"):
            return self._limits.introspection_list_size
        lengths = [size.length for size in sizes.values()]
        return max([length for length in lengths if length], default=self._limits.list_size)

    def _sized(self, name: str) -> Size:
        return self._given.sizes.get(name) or self._defaults.get(name, NULL)


def _input_cost(sizes: Iterable[Size], price: Price) -> int:
    """What the arguments of a field cost; a plain value costs nothing."""
    cost = 0
    for size in sizes:
        if size.nodes > 1:
            cost += size.weight + size.nodes * price.of_input
        if price.characters:
            cost += size.characters // price.characters
    return cost


def _meta(schema: GraphQLSchema, name: str) -> GraphQLField | None:
    meta = schema.get_type(name)
    return GraphQLField(meta) if meta is not None else None  # type: ignore[arg-type]


class Comparing:
    """Counts the pairs of fields validation may compare: those of one response key at one place.

    Selections are merged as validation merges them, through fragments and parents alike.
    """

    def __init__(self, document: DocumentNode, limits: Limits) -> None:
        self._limits = limits
        self._fragments = {
            definition.name.value: definition.selection_set
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._fields = 0
        self._pairs = 0

    def count(self, *selections: SelectionSetNode, depth: int = 0) -> None:
        """Count what is below; raises Refusal over the limit."""
        if depth > self._limits.depth:
            return
        found: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        for each in selections:
            self._collect(each, found, spread)
        for fields in found.values():
            self._pairs += len(fields) * (len(fields) - 1) // 2
            below = [each.selection_set for each in fields if each.selection_set is not None]
            if below:
                self.count(*below, depth=depth + 1)

    def _collect(
        self, node: SelectionSetNode, found: dict[str, list[FieldNode]], spread: set[str]
    ) -> None:
        for selection in node.selections:
            if isinstance(selection, FieldNode):
                self._fields += 1
                found.setdefault((selection.alias or selection.name).value, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                self._collect(selection.selection_set, found, spread)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in spread and name in self._fragments:
                    spread.add(name)
                    self._collect(self._fragments[name], found, spread)
        if self._fields > 2 * self._limits.fields:
            raise Refusal("TOO_COMPLEX", reason="the document names too many fields in all")
        if self._pairs > self._limits.comparisons:
            raise Refusal("TOO_COMPLEX", reason="fields are repeated too often")
