"""graphql-http's audit: the server speaks GraphQL over HTTP as the specification has it."""

from typing import Any

import pytest

from tests.conformance.conftest import Door
from tests.conformance.node import Node

AUDITS = 61


@pytest.fixture(scope="module")
async def verdicts(node: Node, door: Door) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await node.run_json("audit.mjs", **door.environment())
    return found


async def test_every_audit_is_ok(verdicts: list[dict[str, Any]]) -> None:
    """61 of 61, without a warning."""
    assert [each for each in verdicts if each["status"] != "ok"] == []
    assert len({each["id"] for each in verdicts}) == AUDITS


async def test_the_audit_does_find_fault_where_there_is_one(node: Node, door: Door) -> None:
    """With a token that is no good every answer is 401, and the audit says so."""
    given = door.environment() | {"ITR_TOKEN": "nonsense"}

    found = await node.run_json("audit.mjs", **given)

    assert len([each for each in found if each["status"] == "error"]) > 1
