"""How large a document may be, all of it, and that what is remembered of it is true (S5)."""

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from api.resolvers.root import product_schema
from api.transport.documents import Document
from api.transport.errors import Refusal
from api.transport.limits import Limits, Measure
from itr.errors import DomainError

SCHEMA = product_schema()
LIMITS = Limits()
DEAR = "requests{nodes{id number title}} " * 350


def measured(document: Document, variables: Mapping[str, Any], name: str | None = None) -> Measure:
    operation = document.operation(name)
    return document.measure(operation, document.given(operation, variables))


def fresh(text: str) -> Document:
    """A document nothing is known of."""
    return SCHEMA.documents._made(text)


@pytest.mark.parametrize(
    "text",
    [
        "query A { __typename } query B { " + DEAR + "}",
        "query A { __typename } fragment F on Query { " + DEAR + "}",
        "query A { __typename } fragment F on Query { requests(first: 100) { nodes {"
        " timeline(first: 100) { nodes { id type occurredAt actorName toStatus } } } } }",
        "query A { __typename } query B { requests(first: 100) { nodes { timeline(first: 100)"
        " { nodes { id request { clocks { id state } } } } } } }",
        "query A { __typename } query B { " + "... { viewer { id } } " * 300 + "}",
        "query A { __typename } "
        + " ".join(f"query B{each} {{ __typename }}" for each in range(50)),
        "query A { __typename } query B { "
        + " ".join(f"a{each}: viewer {{ id }}" for each in range(31))
        + " }",
    ],
)
def test_what_is_not_run_is_held_to_the_same_limits(text: str) -> None:
    """V1: all of a document is validated, so that all of it is measured before."""
    with pytest.raises(Refusal) as refused:
        measured(fresh(text), {}, "A")

    assert refused.value.extensions == {"code": "TOO_COMPLEX"}


@pytest.mark.parametrize("times", [2, 30])
def test_an_operation_asks_once_what_something_costs(times: int) -> None:
    """V1."""
    costs = " ".join(f'a{each}: cost(document: "x") {{ limit }}' for each in range(times))

    with pytest.raises(Refusal, match="TOO_COMPLEX"):
        measured(fresh(f"{{ ...F }} fragment F on Query {{ {costs} }}"), {})
    assert measured(fresh('{ cost(document: "x") { limit } }'), {}).alone == 1


def test_explaining_a_longer_document_costs_more() -> None:
    """V1: what is worked out is charged before."""
    text = "query ($d: String!) { cost(document: $d) { limit } }"

    small, large = measured(fresh(text), {"d": "x"}), measured(fresh(text), {"d": "x" * 80_000})

    assert large.cost - small.cost == 20_000


def test_a_filter_costs_what_it_holds_wherever_it_is_used() -> None:
    """V2: an empty one too, given by a variable or written."""
    asked = "requests(filter: $f) { nodes { id } }"
    one = fresh(f"query ($f: RequestFilter) {{ {asked} }}")
    two = fresh(f"query ($f: RequestFilter) {{ {asked} b: {asked} }}")
    filters = {"f": {"and": [{}] * 90}}

    plain, given_one = measured(one, {}), measured(one, filters)

    assert given_one.cost - plain.cost > 900
    assert measured(two, filters).cost == 2 * given_one.cost
    literal = "{and: [" + "{}" * 90 + "]}"
    written = fresh(f"{{ requests(filter: {literal}) {{ nodes {{ id }} }} }}")
    assert measured(written, {}).cost == given_one.cost


NAMES = ("a", "b", "c", "d")
values = st.sampled_from([f"${name}" for name in NAMES] + ["1", "7", "100", "null"])
pages = st.dictionaries(st.sampled_from(["first", "last"]), values, max_size=2)


def page(arguments: Mapping[str, str]) -> str:
    given = ", ".join(f"{name}: {value}" for name, value in arguments.items())
    return f"({given})" if given else ""


@st.composite
def texts(draw: Any) -> str:
    """Operations with pages in pages, lists, filters, fragments and defaults."""
    defaults = {name: draw(st.sampled_from(["", " = 3", " = 50"])) for name in NAMES}
    declared = " ".join(f"${name}: Int{defaults[name]}" for name in NAMES)
    declared += " $ids: [ID!]! = [] $f: RequestFilter"
    inner = f"timeline{page(draw(pages))} {{ nodes {{ id }} }}"
    filtered = draw(st.sampled_from(["", "(filter: $f)", "(filter: {and: [$f, $f]})"]))
    outer = page(draw(pages)) or filtered
    fragment = draw(st.booleans())
    body = "...F" if fragment else inner
    more = draw(st.sampled_from(["", " nodes(ids: $ids) { id }"]))
    text = f"query Q({declared}) {{ requests{outer} {{ nodes {{ {body} id }} }}{more} }}"
    default = draw(st.sampled_from(["", " = 2"]))
    second = f" query R($a: Int{default}) {{ requests(first: $a) {{ nodes {{ id }} }} }}"
    spread = f" fragment F on ServiceRequest {{ {inner} }}" if fragment else ""
    return text + draw(st.sampled_from(["", second])) + spread


numbers = st.sampled_from([None, 0, 1, 2, 5, 20, 100, 10**9, 3.0])
filters = st.sampled_from([None, {}, {"and": [{}, {}]}, {"title": {"contains": "x"}}])
given_variables = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(NAMES, numbers),
        "ids": st.lists(st.just("req_1"), max_size=7),
        "f": filters,
    },
)


def outcome(document: Document, variables: Mapping[str, Any]) -> object:
    try:
        return measured(document, variables, "Q")
    except (GraphQLError, DomainError) as refused:
        return str(refused)


@how(max_examples=300, deadline=None)
@given(texts(), st.lists(given_variables, min_size=2, max_size=6))
def test_what_is_remembered_of_a_document_is_what_measuring_it_anew_says(
    text: str, all_given: list[dict[str, Any]]
) -> None:
    """V3: whatever variables were measured before."""
    known = fresh(text)

    for variables in all_given:
        assert outcome(known, variables) == outcome(fresh(text), variables)


def test_a_memo_of_other_variables_says_nothing() -> None:
    """V3: the three calls that once ran a query of two millions at a cost of 21."""
    inner = "timeline(first: $c, last: $d) { nodes { id } }"
    text = (
        "query Q($a: Int, $b: Int, $c: Int, $d: Int)"
        f" {{ requests(first: $a, last: $b) {{ nodes {{ {inner} }} }} }}"
    )
    known = fresh(text)

    for variables in ({"b": 1, "c": 1}, {"a": 1, "d": 1}):
        measured(known, variables, "Q")

    assert measured(known, {"b": 100, "c": 1, "d": 1}, "Q").cost > 300


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{ requests(first: %s) { nodes { id } } }", ("requests", "first")),
        ("query ($n: Int = %s) { requests(first: $n) { nodes { id } } }", ("n",)),
        ("{ a: requests(filter: {not: {number: {eq: %s}}}) { nodes { id } } }",
         ("a", "filter", "not", "number", "eq")),
        ("{ viewer @include(if: %s) { id } }", ("viewer", "include", "if")),
    ],
)  # fmt: skip
def test_a_number_of_five_thousand_digits_is_bad_input(text: str, path: tuple[str, ...]) -> None:
    """R1: named where it stands."""
    with pytest.raises(DomainError) as refused:
        fresh(text % ("9" * 5_000))

    assert (refused.value.code, refused.value.path) == ("BAD_INPUT", path)


def test_literal_values_are_counted_as_variables_are() -> None:
    """V2, R1: nodes, depth and lists of what is written in the document."""
    deep = "{not: " * 100 + "{}" + "}" * 100
    many = "[" + "{}" * 2_100 + "]"
    for text in (
        f"{{ requests(filter: {deep}) {{ nodes {{ id }} }} }}",
        f"{{ requests(filter: {{and: {many}}}) {{ nodes {{ id }} }} }}",
    ):
        with pytest.raises(DomainError) as refused:
            measured(fresh(text), {})
        assert refused.value.code == "BAD_INPUT"
        assert refused.value.path[:2] == ("requests", "filter")
