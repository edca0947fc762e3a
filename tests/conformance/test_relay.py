"""relay-compiler: an application of pages, nodes, a verb and a feed compiles on our schema."""

import shutil
from pathlib import Path

from tests.conformance.node import HERE, SCHEMA, Node

COMPILER = "node_modules/relay-compiler/cli.js"


async def test_a_relay_application_compiles(node: Node, tmp_path: Path) -> None:
    folder = application(tmp_path)

    await node.run(COMPILER, "relay.config.json", cwd=folder)

    made = {path.name.partition(".")[0] for path in (folder / "artifacts").iterdir()}
    assert made == {
        "deskEventsSubscription",
        "deskPageQuery",
        "deskRequestRefetchQuery",
        "deskRequestsPaginationQuery",
        "deskSubmitMutation",
        "deskTimelinePaginationQuery",
        "desk_request",
        "desk_requests",
        "desk_timeline",
    }


async def test_a_schema_without_page_info_does_not(node: Node, tmp_path: Path) -> None:
    folder = application(tmp_path)
    schema = folder / "schema.graphql"
    text = schema.read_text(encoding="utf-8")
    schema.write_text(text.replace("pageInfo: PageInfo!", "page: PageInfo!"), encoding="utf-8")

    code, printed, complained = await node.outcome(COMPILER, "relay.config.json", cwd=folder)

    assert code != 0
    assert "pageInfo" in printed + complained


def application(tmp_path: Path) -> Path:
    """The application of this folder beside the schema as it is committed."""
    folder = tmp_path / "relay"
    shutil.copytree(HERE / "relay", folder)
    shutil.copy(SCHEMA, folder)
    (folder / "artifacts").mkdir()
    return folder
