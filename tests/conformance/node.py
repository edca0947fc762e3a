"""Where the programs of this folder and the schema they read are."""

from pathlib import Path

from tests.support.node import HOUSE, Node, installed

HERE = Path(__file__).parent
SCHEMA = HOUSE / "api" / "schema" / "schema.graphql"
PROGRAMS = HERE / "node_modules"

__all__ = ["HERE", "HOUSE", "PROGRAMS", "SCHEMA", "Node", "installed"]
