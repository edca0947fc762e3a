"""What one firm follows stays silent whatever another does (S1)."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import get_named_type

from api.app import create_app
from api.resolvers.root import product_schema
from itr.actors.policy import GRANTS
from itr.actors.roles import Role
from itr.database import connected
from itr.settings import Settings
from tests.support.client import Served, Socket, served
from tests.support.desk import START, Desk, Time, furnish
from tests.support.firms import lived, settled
from tests.support.requests import do
from tests.support.whole_schema import Whole, document

SCHEMA = product_schema()._schema
assert SCHEMA.subscription_type is not None
FIELDS = SCHEMA.subscription_type.fields
WATCHERS = {
    "contact A": Role.CUSTOMER,
    "technician A": Role.PARTNER,
    "BRANCH_MANAGER": Role.BRANCH_MANAGER,
}


@dataclass(frozen=True)
class Street:
    """A served desk where both firms live, and their requests."""

    desk: Desk
    server: Served
    requests: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
async def street(settings: Settings) -> AsyncIterator[Street]:
    async with connected(settings):
        ids, time = await furnish(START), Time()
        async with served(create_app(settings, clock=time), settings) as server:
            desk = Desk(settings, server.client, time, ids)
            requests = {}
            for side, branch in (("A", "Shanghai"), ("B", "Beijing")):
                await settled(desk, side, branch)
                requests[side] = await lived(desk, side)
            yield Street(desk, server, requests)


async def follow_everything(street: Street, socket: Socket, who: str) -> dict[str, str]:
    """Subscribe to every field somebody may follow; the operations' names and fields."""
    request = street.requests["A"]["with partner"]
    followed = {}
    for name, field in FIELDS.items():
        permission = field.extensions["strawberry-definition"].permission_classes[0].needed
        if permission not in GRANTS[WATCHERS[who]]:
            continue
        whole = Whole(SCHEMA, {"req": [request]}, {})
        given = next(whole.arguments(field))
        inner = f"{{ {whole.selection(get_named_type(field.type), 1)} }}"
        text = document("subscription", name, field, given, inner)
        followed[await socket.subscribe(text, given)] = name
    return followed


@pytest.mark.parametrize("who", WATCHERS)
async def test_what_a_firm_follows_tells_nothing_of_another(street: Street, who: str) -> None:
    """S1: every subscription at once, while the other firm is busy; then something of one's own."""
    desk, mine = street.desk, street.requests["A"]["with partner"]
    heard: list[tuple[str, Any]] = []
    async with street.server.socket(desk.as_(who).token) as socket:
        followed = await follow_everything(street, socket, who)
        assert {"requestEvents", "slaCountdown", "notifications"} <= set(followed.values())

        async def until(sign: str) -> None:
            while True:
                message = await socket.receive()
                name = followed[message["id"]]
                heard.append((name, message.get("payload")))
                if name == "requestEvents" and sign in json.dumps(message):
                    return

        await until("RequestSnapshot")
        before = len(heard)
        await lived(desk, "B")
        await do(desk, "technician A", "respondToRequest", id=mine, text=f"mark for {who}")
        await until(f"mark for {who}")

    words = json.dumps(heard, ensure_ascii=False)
    assert ' A"' in words
    assert '"code": "INTERNAL"' not in words
    if who == "contact A":
        assert "technician" not in words, "R-ROLE-08: the firm is named, not its people"
    for foreign in (' B"', "B.example", *street.requests["B"].values()):
        assert foreign not in words, foreign
    events = [payload for name, payload in heard[before:] if name == "requestEvents"]
    assert len(events) == 1, "the other firm's doings were told"
