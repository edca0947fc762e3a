"""What docs/ shows of signing in is run as it stands there."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from itr.access.scopes import SCOPES
from itr.access.terms import ClientKind
from itr.people.models import Person
from itr.settings import Settings
from tests.conformance.node import HERE, Node
from tests.support.sign_in import CALLBACK, PASSWORD, House, RealTime, email_of, open_house
from tests.support.trusted import trust

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings, "LINE1", time=RealTime()) as opened:
        await Person.filter(id=opened.ids["PARTNER"]).update(machine=True)
        await opened.register("machine", ClientKind.MACHINE, actor_id=opened.ids["PARTNER"])
        await opened.register("page", ClientKind.DASHBOARD, redirect_uris=[CALLBACK])
        await trust(*{asked(example("partners.md", language)) for language in ("sh", "python")})
        yield opened


def example(page: str, language: str) -> str:
    """The first example of a language on a page."""
    found = re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    return str(found[0])


def asked(program: str) -> str:
    """The document a partner's program sends, which its operator registers."""
    (found,) = re.findall(r'"({ viewer .*? })"', program)
    return str(found)


async def outcome(house: House, *command: str) -> str:
    """What a partner's program prints."""
    machine = house.clients["machine"]
    given = {"ITR_URL": house.issuer, "CLIENT_ID": machine.client_id}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | given | {"CLIENT_SECRET": machine.secret or "", "NO_PROXY": "*"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def test_the_partners_python_program_works(house: House) -> None:
    printed = await outcome(house, sys.executable, "-c", example("partners.md", "python"))

    assert "PARTNER" in printed
    assert "Firm" in printed


async def test_the_partners_curl_commands_work(house: House) -> None:
    if shutil.which("curl") is None:
        pytest.skip("没有 curl / there is no curl here")

    printed = await outcome(house, "sh", "-c", example("partners.md", "sh"))

    assert '"PARTNER"' in printed
    assert '"Firm"' in printed


async def test_the_dashboards_page_signs_in_asks_renews_and_signs_out(
    house: House, node: Node, tmp_path: Path
) -> None:
    """As a browser runs it: left for the sign-in page, come back with a code."""
    page = example("sign-in.md", "html").split('<script type="module">')[1].split("</script>")[0]
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


def test_every_scope_is_on_the_page() -> None:
    page = (DOCS / "sign-in.md").read_text("utf-8")

    assert all(f"`{scope}`" in page for scope in SCOPES)
