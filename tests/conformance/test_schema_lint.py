"""graphql-eslint: the schema keeps Relay's rules; the one exception says why where it stands."""

import json
from pathlib import Path
from typing import Any

from tests.conformance.node import HERE, HOUSE, SCHEMA, Node

LINTER = "node_modules/eslint/bin/eslint.js"


async def test_the_schema_keeps_the_rules(node: Node) -> None:
    verdict = await linted(node, SCHEMA.relative_to(HOUSE), cwd=HOUSE)

    assert verdict["messages"] == []


async def test_a_schema_that_does_not_is_found_out(node: Node, tmp_path: Path) -> None:
    path = tmp_path / SCHEMA.relative_to(HOUSE)
    path.parent.mkdir(parents=True)
    path.write_text(
        """type Query { requests(first: Int): RequestConnection }
        type RequestConnection { edges: [String] } type Lost { id: ID }""",
        encoding="utf-8",
    )

    verdict = await linted(node, path.relative_to(tmp_path), cwd=tmp_path)

    broken = {message["ruleId"].partition("/")[2] for message in verdict["messages"]}
    assert broken == {
        "relay-arguments",
        "relay-connection-types",
        "relay-edge-types",
        "relay-page-info",
        "no-unreachable-types",
        "require-description",
    }


async def linted(node: Node, path: Path, *, cwd: Path) -> dict[str, Any]:
    """What the linter says of one file."""
    config = HERE / "eslint.config.mjs"
    code, printed, complained = await node.outcome(
        LINTER, "--format", "json", "--config", config, path, cwd=cwd
    )
    assert code in (0, 1), complained
    (verdict,) = json.loads(printed)
    found: dict[str, Any] = verdict
    return found
