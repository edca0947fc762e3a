"""Ids in inputs know what they are ids of, and where they stand (S2)."""

import ast
import dataclasses
import inspect
import textwrap
from typing import Any
from uuid import UUID, uuid4

import pytest
from strawberry.types.base import has_object_definition

from api.planner.stored import stored_type
from api.resolvers.root import Mutation
from api.schema.catalogue.types import Product
from api.schema.inputs import TARGET, MutationInput
from api.schema.people.inputs import CreateQueueInput
from api.schema.people.types import Person, Queue
from api.schema.requests.child_request_inputs import ChildRequestInput, SplitRequestInput
from api.schema.requests.inputs import DispatchRequestInput
from api.schema.requests.types import ServiceRequest


def _inputs(kind: type) -> set[type]:
    return {kind, *(each for child in kind.__subclasses__() for each in _inputs(child))}


def public(target: type, key: UUID) -> Any:
    return stored_type(target).write_id(key)


@pytest.mark.parametrize("kind", sorted(_inputs(MutationInput), key=lambda each: each.__name__))
def test_no_mutation_takes_an_id_of_nothing_in_particular(kind: Any) -> None:
    for each in kind.__strawberry_definition__.fields:
        named_id = each.python_name == "id" or each.python_name.endswith(("_id", "_ids"))
        if named_id and each.python_name not in {"client_mutation_id", "external_id"}:
            target = each.metadata.get(TARGET)
            assert has_object_definition(target) or kind.__name__ == "TicketInput", each.python_name


def test_an_operation_is_handed_keys_where_a_client_wrote_ids() -> None:
    request, queue, person = uuid4(), uuid4(), uuid4()

    given = DispatchRequestInput(
        id=public(ServiceRequest, request),
        queue_id=public(Queue, queue),
        assignee_id=public(Person, person),
    )

    assert (given.id, given.queue_id, given.assignee_id) == (request, queue, person)
    assert given.unknown_ids == ()
    assert given.written["queue_id"] == public(Queue, queue)


def test_every_id_that_is_none_is_told_where_it_stands_also_deep_inside() -> None:
    product = uuid4()
    split: Any = SplitRequestInput(
        id="req_1",  # type: ignore[arg-type]
        children=[
            ChildRequestInput(product_id=public(Product, product), title="a", description="b"),
            ChildRequestInput(product_id="no id", title="a", description="b"),  # type: ignore[arg-type]
        ],
    )
    queue: Any = CreateQueueInput(
        name="一线",
        line=1,
        lead_id=public(Product, product),
        member_ids=[public(Person, product), "", public(Queue, product)],
    )

    assert split.unknown_ids == (("id",), ("children", 1, "productId"))
    assert split.children[0].product_id == product
    assert queue.unknown_ids == (("leadId",), ("memberIds", 1), ("memberIds", 2))


def test_the_same_text_that_is_no_id_is_the_same_key_that_nobody_has() -> None:
    first, again = (DispatchRequestInput(id="x", queue_id="y") for _ in range(2))  # type: ignore[arg-type]

    assert (first.id, first.queue_id) == (again.id, again.queue_id)
    assert first.id != first.queue_id


def _taken_by(function: Any, seen: set[Any]) -> set[str]:
    """The fields of `input` that a resolver names, or hands on to an operation by their names."""
    if function in seen:
        return set()
    seen.add(function)
    found: set[str] = set()
    for each in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(each, ast.Attribute) and ast.unparse(each.value) == "input":
            found.add(each.attr)
        if isinstance(each, ast.Call) and any(ast.unparse(arg) == "input" for arg in each.args):
            for called in (each.func, *each.args):
                try:
                    value = eval(ast.unparse(called), function.__globals__)
                except (NameError, AttributeError):
                    continue
                if not inspect.isfunction(value):
                    continue
                if value.__module__ == function.__module__:
                    found |= _taken_by(value, seen)
                elif not value.__module__.startswith("api."):
                    found |= inspect.signature(value).parameters.keys()
    return found


MUTATIONS = [
    each for each in Mutation.__strawberry_definition__.fields if each.base_resolver is not None
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.python_name)
def test_no_field_of_an_input_is_given_in_vain(mutation: Any) -> None:
    """What a client writes is either handed to the operation or named by the resolver."""
    resolver = mutation.base_resolver.wrapped_func
    (kind,) = [each.type for each in mutation.arguments if each.python_name == "input"]
    written = {each.name for each in dataclasses.fields(kind)} - {"client_mutation_id", "id"}

    assert written <= _taken_by(resolver, set())
