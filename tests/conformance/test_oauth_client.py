"""The npm client openid-client: every flow, as a program written with it goes through it."""

import json
from collections.abc import AsyncIterator

import pytest

from itr.access.terms import ClientKind
from itr.people.models import Person
from itr.settings import Settings
from tests.conformance.node import Node
from tests.support.sign_in import (
    CALLBACK,
    DASHBOARD_SCOPES,
    PASSWORD,
    House,
    RealTime,
    email_of,
    open_house,
)
from tests.support.trusted import trust

VIEWER = "{ viewer { actor { id name } } }"
"""What `oauth.mjs` asks with every token."""
CHECKS = [
    "dashboard: code with PKCE, ID token, user info",
    "web: code with PKCE, ID token, user info",
    "dashboard: discovery by RFC 8414 alone",
    "dashboard: refresh rotates, reuse is refused",
    "dashboard: a denial comes back as one",
    "machine: client credentials",
    "wallboard: device code, polled as told, refreshed",
    "web: introspection and revocation",
]


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings, "LINE1", "PROCESS_MANAGER", time=RealTime()) as opened:
        await trust(VIEWER)
        machines = [opened.ids["PARTNER"], opened.ids["WALLBOARD"]]
        await Person.filter(id__in=machines).update(machine=True)
        people = {"redirect_uris": [CALLBACK], "scopes": DASHBOARD_SCOPES}
        await opened.register("dashboard", ClientKind.DASHBOARD, **people)
        await opened.register("web", ClientKind.WEB, **people)
        partner = {"actor_id": opened.ids["PARTNER"], "scopes": ["itr", "itr:read"]}
        await opened.register("machine", ClientKind.MACHINE, **partner)
        screen = {"actor_id": opened.ids["WALLBOARD"], "scopes": ["itr:board"]}
        await opened.register("wallboard", ClientKind.WALLBOARD, **screen)
        yield opened


@pytest.fixture(scope="module")
async def outcomes(node: Node, house: House) -> dict[str, str]:
    known = house.clients.items()
    given = {
        "issuer": house.issuer,
        "callback": CALLBACK,
        "password": PASSWORD,
        "person": email_of("LINE1"),
        "approver": email_of("PROCESS_MANAGER"),
        "clients": {
            name: {"clientId": each.client_id, "secret": each.secret} for name, each in known
        },
    }
    found: dict[str, str] = await node.run_json("oauth.mjs", ITR_OAUTH=json.dumps(given))
    return found


@pytest.mark.parametrize("check", CHECKS)
async def test_it_completes(outcomes: dict[str, str], check: str) -> None:
    assert outcomes[check] == "ok", outcomes[check]


async def test_every_flow_is_asked_for(outcomes: dict[str, str]) -> None:
    assert list(outcomes) == CHECKS
