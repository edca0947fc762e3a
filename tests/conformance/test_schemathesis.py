"""schemathesis: whatever fits the schema is answered, never by a fault and never unmasked."""

import asyncio
from collections.abc import Mapping
from itertools import chain
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as how
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from api.planner import errors as planner
from api.transport import errors as transport
from itr.errors import DomainError
from tests.conformance.conftest import Door
from tests.conformance.node import SCHEMA

EXAMPLES = 2
SCALARS: Mapping[str, st.SearchStrategy[str]] = {
    "DateTime": st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
    "Date": st.dates().map(str),
    "Duration": st.integers(-(10**12), 10**12).map(lambda seconds: f"PT{seconds}S"),
    "Decimal": st.decimals(allow_nan=False).map(str),
}
FAULTS = {"INTERNAL", "UNAVAILABLE", "TIMEOUT"}


@pytest.mark.parametrize("who", ["LINE1", "CUSTOMER"])
async def test_no_operation_makes_a_fault(door: Door, who: str) -> None:
    """S7, S17: every query and mutation of the schema, with what its types allow."""
    headers = {"authorization": f"Bearer {door.token(who)}", "accept-language": "en"}

    answers = await asyncio.to_thread(answers_of_all, f"http://{door.server.address}", headers)

    codes = {error["extensions"]["code"] for body in answers for error in body.get("errors", ())}
    assert len(answers) > 100
    assert any(body.get("data") for body in answers)
    assert "FORBIDDEN" in codes
    assert codes & FAULTS == set()
    assert codes <= masked()


def masked() -> set[str]:
    """The codes whose sentences are written in our source."""

    def of(kind: type[DomainError]) -> set[str]:
        return {kind.code}.union(*(of(each) for each in kind.__subclasses__()))

    return {*transport.SENTENCES, *planner.SENTENCES} | of(DomainError)


def answers_of_all(address: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Ask everything a few times over; the bodies that came back."""
    for name, strategy in SCALARS.items():
        schemathesis.graphql.scalar(name, strategy.map(nodes.String))
    schema = schemathesis.graphql.from_path(SCHEMA)
    return list(chain(*(answers_of(each.ok(), address, headers) for each in operations(schema))))


def answers_of(operation: Any, address: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Ask one operation a few times."""
    bodies: list[dict[str, Any]] = []

    @how(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        answer = case.call(base_url=f"{address}/graphql", headers=headers)
        assert answer.status_code == 200, answer.text
        bodies.append(answer.json())

    ask()
    return bodies


def operations(schema: Any) -> list[Any]:
    """All queries and mutations."""
    return list(schema.get_all_operations())
