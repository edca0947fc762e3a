"""The npm client graphql-ws: what a program written with it sees."""

import pytest

from tests.conformance.clients import CHECKS, outcomes_of
from tests.conformance.conftest import Door
from tests.conformance.node import Node


@pytest.fixture(scope="module")
async def outcomes(node: Node, door: Door) -> dict[str, str]:
    return await outcomes_of(node, door, "ws")


@pytest.mark.parametrize("check", CHECKS["ws"])
async def test_it_finds_that(outcomes: dict[str, str], check: str) -> None:
    assert outcomes[check] == "ok", outcomes[check]


async def test_every_check_is_asked_for(outcomes: dict[str, str]) -> None:
    assert list(outcomes) == CHECKS["ws"]
