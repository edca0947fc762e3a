"""What README and docs/ show is run as it stands there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    GraphQLSchema,
    OperationType,
    get_operation_ast,
    parse,
    print_ast,
    separate_operations,
    validate,
)

from api.resolvers.root import product_schema
from cli.trusted_documents import register
from itr.access.terms import ClientKind
from itr.issuers.external import read_issuers
from itr.people.models import Person
from itr.settings import Settings
from tests.conformance.node import HERE, HOUSE, PROGRAMS, Node
from tests.support.desk import Desk
from tests.support.levels import work_off
from tests.support.pages import Example, example, examples, text_of
from tests.support.requests import ask, attempt, brought_to
from tests.support.sign_in import CALLBACK, PASSWORD, House, RealTime, email_of, open_house

MANAGER = "PROCESS_MANAGER"
FRONT_END = text_of("docs/front-end.md")
MONTH = 1 + [
    "query Month" in each.text for each in examples("graphql") if each.page == "docs/front-end.md"
].index(True)
LEVELS = "{ serviceLevels(first: 9) { nodes { current { id } } } }"
WHO = {
    "Deliver": "LINE1",
    "AddDashboard": "ADMIN",
    "AddMachine": "ADMIN",
    "AddClient": "ADMIN",
    "AddWallboard": "ADMIN",
    **dict.fromkeys(("Tickets", "Begin", "Answer", "Solve", "GiveBack"), "PARTNER"),
}
"""Who runs an operation; a process manager runs all others."""
RUN = {"graphql", "json", "sh", "console", "python", "html", "js", "toml", "sql"}
"""The languages of examples that this module, or the tests of the CLI and of rights, run."""


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings, "LINE1", time=RealTime()) as opened:
        await Person.filter(id=opened.ids["PARTNER"]).update(machine=True)
        await opened.register("machine", ClientKind.MACHINE, actor_id=opened.ids["PARTNER"])
        await opened.register("page", ClientKind.DASHBOARD, redirect_uris=[CALLBACK])
        await Person.filter(id=opened.ids["WALLBOARD"]).update(machine=True)
        board = {"actor_id": opened.ids["WALLBOARD"], "scopes": ["itr:board"]}
        await opened.register("board", ClientKind.WALLBOARD, **board)
        yield opened


@pytest.fixture(scope="module")
def desk(house: House) -> Desk:
    """The same server, to bring requests about."""
    return Desk(house.settings, house.server.client, house.time, house.ids)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return product_schema()._schema


def test_every_example_is_in_a_language_that_is_run() -> None:
    assert {each.language for each in examples()} == RUN


@pytest.mark.parametrize("shown", examples("graphql"), ids=str)
async def test_documents_run_as_they_are_printed(
    shown: Example, desk: Desk, house: House, schema: GraphQLSchema
) -> None:
    """Validated whole, as pasted into GraphiQL; then one operation after the other."""
    document = parse(shown.text)
    assert [error.message for error in validate(schema, document)] == []

    told: dict[str, Any] = {}
    for name, operation in separate_operations(document).items():
        told |= await ran(operation, name, desk, house, told)


async def ran(
    document: DocumentNode, name: str, desk: Desk, house: House, before: Mapping[str, Any]
) -> dict[str, Any]:
    """What an operation answers, first; nothing in it may have failed."""
    client = desk.as_(WHO.get(name, MANAGER))
    given = await variables(name, desk, before)
    operation = get_operation_ast(document, name)
    told: dict[str, Any]
    assert operation is not None
    if operation.operation is OperationType.SUBSCRIPTION:
        async with house.server.socket(client.token) as socket:
            await socket.subscribe(print_ast(document), given)
            message = await socket.receive()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        told = message["payload"]["data"]
    else:
        told = (await client.run(print_ast(document), given, operation=name)).data
    for field, payload in told.items():
        assert not isinstance(payload, dict) or not payload.get("userErrors"), (field, payload)
    await work_off(desk.time())
    return told


async def variables(name: str, desk: Desk, before: Mapping[str, Any]) -> dict[str, Any]:
    """What an operation is given, where it takes anything; `before` is what was answered so far."""
    match name:
        case "Explain":
            return {"document": "{ viewer { roles } }"}
        case "Deliver":
            request = await brought_to(desk, "IN_PROGRESS")
            (given,) = re.findall(r'`{"input": ({"id": "req_….*?})}`', FRONT_END, re.DOTALL)
            own = {"id": request["id"], "expectedVersion": request["version"]}
            return {"input": json.loads(given) | own}
        case "Tickets":
            await brought_to(desk, "DISPATCHED", owner="PARTNER")
        case "Begin" | "Answer" | "Solve":
            return {"id": before["requests"]["nodes"][0]["id"]}
        case "GiveBack":
            return {"id": (await brought_to(desk, "IN_PROGRESS", owner="PARTNER"))["id"]}
        case "Timeline":
            return {"id": (await brought_to(desk, "IN_PROGRESS"))["id"]}
        case "Countdown" | "Why":
            return {"id": (await brought_to(desk, "REGISTERED"))["id"]}
        case "Board":
            (filtered,) = re.findall(r'`({"filter":.*?})`', FRONT_END, re.DOTALL)
            return dict(json.loads(filtered))
        case "Due":
            return {"before": desk.time().isoformat()}
        case "Month":
            year = desk.time().year
            return {
                "period": {"from": f"{year}-01-01T00:00:00Z", "to": f"{year + 1}-01-01T00:00:00Z"}
            }
        case "AddMachine":
            return {"firm": desk.public("org", "Firm")}
        case "AddClient":
            return {"machine": before["createPerson"]["person"]["id"]}
        case "AddWallboard":
            return {"branch": desk.public("org", "Shanghai")}
        case "Preview":
            levels = await ask(desk, MANAGER, LEVELS)
            versions = [each["current"]["id"] for each in levels["serviceLevels"]["nodes"]]
            return {"input": {"serviceLevelVersionId": versions[0]}}
        case "Progress" | "Flips":
            return {"preview": before["previewMigration"]["recalculation"]["id"]}
        case "Apply":
            preview = before["previewMigration"]["recalculation"]["id"]
            return {"input": {"previewId": preview}}
    return {}


async def outcome(house: House, *command: str, **given: str) -> str:
    """What a program prints that finds the server and its client in the environment."""
    settings = house.settings
    known = {
        "DESK_URL": house.issuer,
        "ITR_DATABASE_URL": settings.database_url,
        "ITR_VALKEY_URL": settings.valkey_url,
        "ITR_SECRET": settings.secret.get_secret_value(),
        "ITR_ISSUER": house.issuer,
        "NO_PROXY": "*",
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | known | given,
        cwd=HOUSE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def shell(house: House, commands: str, **given: str) -> str:
    """What these commands print."""
    if shutil.which("curl") is None:
        pytest.skip("没有 curl / there is no curl here")
    itr = f"'{sys.executable}' -m cli"
    here = commands.replace("http://127.0.0.1:8000", house.issuer)
    return await outcome(house, "sh", "-c", here.replace(".venv/bin/itr", itr), **given)


async def register_as_shown(house: House, page: str, client: str, folder: Path) -> None:
    """Register the manifest a page shows, as the command it shows does."""
    words = shlex.split(example(page, "console").replace("itr-…", client))
    manifest = folder / words[4]
    manifest.write_text(example(page, "json"), "utf-8")
    assert words == ["$", "itr", "documents", "add", manifest.name, "--client", client]
    await register(house.settings, manifest, client)


@pytest.fixture(scope="module")
async def machine(house: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """How the partner's machine signs in, whose documents are registered."""
    known = house.clients["machine"]
    page, folder = "docs/partners.md", tmp_path_factory.mktemp("partner")
    await register_as_shown(house, page, known.client_id, folder)
    return {"CLIENT_ID": known.client_id, "CLIENT_SECRET": known.secret or ""}


async def test_the_first_queries_of_a_newcomer_are_answered(house: House) -> None:
    (commands,) = [each.text for each in examples("sh") if "itr token --role" in each.text]

    printed = await shell(house, commands)

    viewer, requests = (json.loads(each) for each in printed.replace("}{", "}\n{").splitlines())
    assert viewer["data"]["viewer"]["roles"] == ["LINE1"]
    assert requests["data"]["requests"]["totalCount"] >= 0


async def test_the_partners_python_program_works(house: House, machine: dict[str, str]) -> None:
    program = example("docs/partners.md", "python")

    printed = await outcome(house, sys.executable, "-c", program, **machine)

    assert "PARTNER" in printed
    assert "Firm" in printed


async def test_the_partners_curl_commands_work(house: House, machine: dict[str, str]) -> None:
    printed = await shell(house, example("docs/partners.md", "sh"), **machine)

    assert '"PARTNER"' in printed
    assert '"Firm"' in printed


async def test_a_wallboard_is_given_a_code_and_asked_to_wait(house: House, tmp_path: Path) -> None:
    board = house.clients["board"].client_id
    await register_as_shown(house, "docs/wallboards.md", board, tmp_path)
    first, then = (example("docs/wallboards.md", "sh", number) for number in (1, 2))

    given = json.loads(await shell(house, first, CLIENT_ID=board))
    code = given["device_code"]
    answer = json.loads(await shell(house, then, CLIENT_ID=board, DEVICE_CODE=code))

    (shown,) = re.findall(r"# ({.*),…}", first)
    told = json.loads(shown + "}")
    assert told.keys() < given.keys()
    assert (told["interval"], told["expires_in"]) == (given["interval"], given["expires_in"])
    assert answer["error"] == "authorization_pending"


def test_the_mapping_of_another_issuer_is_one_we_read(tmp_path: Path) -> None:
    file, secret = tmp_path / "issuers.toml", tmp_path / "secret"
    secret.write_text("a secret of Keycloak's\n", "utf-8")
    shown = example("docs/operations.md", "toml").replace("/run/secrets/keycloak", str(secret))
    file.write_text(shown, "utf-8")

    (known,) = read_issuers(str(file))

    assert known.organisations == {"shanghai": "上海分公司"}
    assert known.client is not None
    assert known.client.secret.get_secret_value() == "a secret of Keycloak's"
    assert known.client.scopes == ("openid", "profile", "email")
    page = text_of("docs/operations.md")
    assert f"https://desk.example.com/oauth/callback/{known.client.key}" in page


async def test_the_dashboards_page_signs_in_asks_renews_and_signs_out(
    house: House, node: Node, tmp_path: Path
) -> None:
    """As a browser runs it: left for the sign-in page, come back with a code."""
    shown = example("docs/sign-in.md", "html")
    page = shown.split('<script type="module">')[1].split("</script>")[0]
    script = tmp_path / "page.mjs"
    known = house.clients["page"].client_id
    script.write_text(page.replace("http://127.0.0.1:8000", house.issuer).replace("itr-…", known))

    told = await node.run_json(
        HERE / "page.mjs",
        script,
        ITR_EMAIL=email_of("LINE1"),
        ITR_PASSWORD=PASSWORD,
        ITR_CALLBACK=CALLBACK,
    )

    assert told["signedIn"]["data"]["viewer"]["actor"]["name"] == "LINE1"
    assert told["renewed"]["data"]["viewer"]["actor"]["name"] == "LINE1"
    assert told["tokensDiffer"] is True
    assert told["left"] is None


async def test_all_that_is_wrong_with_an_input_is_told_at_once_as_the_page_shows(
    desk: Desk,
) -> None:
    """Issue 9, 4."""
    shown = next(each.text for each in examples("json") if '"userErrors"' in each.text)
    given = {"kind": "TECHNICAL", "title": "", "description": " ", "productUnknown": True}

    payload = await attempt(desk, "CUSTOMER", "submitRequest", language="zh-CN", **given)

    assert payload["userErrors"] == json.loads(shown)["userErrors"]


async def test_a_browser_signs_in_over_websocket_as_the_page_says(
    house: House, desk: Desk, node: Node, tmp_path: Path
) -> None:
    """Issue 9, 4: `connectionParams` carries the token, asked for anew at every connection."""
    shown = example("docs/sign-in.md", "js")
    assert 'from "graphql-ws"' in shown
    here = shown.replace('"graphql-ws"', json.dumps(str(PROGRAMS / "graphql-ws/dist/index.js")))
    script = tmp_path / "socket.mjs"
    script.write_text(f"""
import WebSocket from {json.dumps(str(PROGRAMS / "ws" / "wrapper.mjs"))};
globalThis.WebSocket = WebSocket;
const issuer = process.env.ITR_URL, accessToken = async () => process.env.ITR_TOKEN;
const show = (message) => {{ console.log(JSON.stringify(message)); stop(); client.dispose(); }};
{here}
""")

    told = await node.run_json(
        script, ITR_URL=house.issuer, ITR_TOKEN=desk.as_(MANAGER).token or ""
    )

    assert told["data"]["slaFigures"]["open"] >= 0


async def test_clocks_tick_as_the_page_says(node: Node, tmp_path: Path) -> None:
    message = {"serverTime": "2026-03-02T01:00:00Z", "remaining": "PT1H30M0.25S", "counting": True}
    script = tmp_path / "ticking.mjs"
    script.write_text(f"""
const shown = [];
for (const counting of [true, false]) {{
  const message = {{ ...{json.dumps(message)}, counting }};
  {example("docs/front-end.md", "js")}
  const before = left(), now = Date.now;
  Date.now = () => now() + 600_000;
  shown.push([before, left()].map(each => Math.round(each / 1000)), milliseconds("-PT15M"));
  Date.now = now;
}}
console.log(JSON.stringify(shown));
""")

    counting, overdue, standing, _ = await node.run_json(script)

    assert counting == [5400, 4800]
    assert standing == [5400, 5400]
    assert overdue == -15 * 60 * 1000


async def test_a_board_folds_messages_as_the_page_says(node: Node, tmp_path: Path) -> None:
    at = {"serverTime": "2026-03-02T01:00:00Z"}

    def changed(entry: str | None, version: int) -> dict[str, Any]:
        known = {"id": entry, "version": version} if entry else None
        kind = {"__typename": "SlaBoardChanged", "cursor": f"c{version}", **at}
        return kind | {"version": version, "entry": known}

    first = [{"id": "a", "version": 1}, {"id": "b", "version": 1}]
    snapshot = {"__typename": "SlaBoardSnapshot", "cursor": "c0", **at, "entries": first}
    removed = {"__typename": "SlaBoardRemoved", "cursor": "c9", "entryId": "b"}
    messages = [snapshot, changed("a", 3), changed("a", 2), changed(None, 4), removed]
    script = tmp_path / "board.mjs"
    script.write_text(f"""
{example("docs/front-end.md", "js", 2)}
for (const message of {json.dumps(messages)}) take(message);
console.log(JSON.stringify({{ cursor, skew, entries: [...entries.values()] }}));
""")

    told = await node.run_json(script)

    assert told["cursor"] == "c9"
    assert told["skew"] < 0
    assert told["entries"] == [{"id": "a", "version": 3, "at": at["serverTime"]}]


async def test_figures_open_to_their_requests_as_the_page_says(
    house: House, desk: Desk, node: Node, tmp_path: Path
) -> None:
    closed = await brought_to(desk, "CLOSED")
    ask_month = example("docs/front-end.md", "graphql", MONTH)
    script = tmp_path / "figures.mjs"
    script.write_text(f"""
const ask = async (query, variables) => (await fetch(process.env.ITR_URL + "/graphql", {{
  method: "POST",
  body: JSON.stringify({{ query, variables }}),
  headers: {{
    "Content-Type": "application/json",
    Authorization: "Bearer " + process.env.ITR_TOKEN,
  }},
}})).json();
const BEHIND = {json.dumps(example("docs/front-end.md", "graphql", MONTH + 1))};
const month = await ask({json.dumps(ask_month)}, {json.dumps(await variables("Month", desk, {}))});
const [row] = month.data.figures;
{example("docs/front-end.md", "js", 3)}
console.log(JSON.stringify(data.requests.nodes.map(each => each.id)));
""")

    behind = await node.run_json(
        script, ITR_URL=house.issuer, ITR_TOKEN=desk.as_(MANAGER).token or ""
    )

    assert closed["id"] in behind
