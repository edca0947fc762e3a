"""graphql-codegen: TypeScript generated from the schema compiles, and refuses what is wrong."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.node import HERE, PROGRAMS, SCHEMA, Node

COMPILER = "node_modules/typescript/bin/tsc"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The program of this folder in a place of its own, with our packages."""
    place = tmp_path / "codegen"
    shutil.copytree(HERE / "codegen", place, ignore=shutil.ignore_patterns("generated"))
    (tmp_path / "node_modules").symlink_to(PROGRAMS)
    yield place
    (tmp_path / "node_modules").unlink()


async def test_a_program_over_generated_types_compiles(node: Node, folder: Path) -> None:
    """Also its mistakes are mistakes: each stands under a `@ts-expect-error`."""
    await node.run("codegen/generate.mjs", SCHEMA, folder / "generated", folder / "desk.graphql")

    assert await node.run(COMPILER, "-p", folder) == ""
    assert "export type ServiceRequest = " in (folder / "generated" / "schema.ts").read_text()
