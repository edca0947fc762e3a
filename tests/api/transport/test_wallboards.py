"""A wallboard from end to end: a code on its screen, a feed, a new token, and its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from itr.access.models import DeviceCode, OAuthClient
from itr.access.operations.devices import MOST_WAITING, TooManyWaiting, keep_device
from itr.access.rules import DEVICE_LIFETIME, new_user_code
from itr.access.terms import DeviceStatus
from itr.settings import Settings
from tests.support.boards import Display, board, following, told
from tests.support.desk import Desk
from tests.support.requests import submitted
from tests.support.sign_in import Browser, House, email_of, open_house
from tests.support.trusted import trust

SHOWN = board("id number version")
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
CREATE = """mutation($input: CreateWallboardInput!) { createWallboard(input: $input) {
  client { clientId name kind scopes actor { name } } secret userErrors { code path } } }"""


@dataclass
class Screen:
    """A television that knows nothing but its client id and the server's address."""

    house: House
    client_id: str

    async def post(self, path: str, **form: str) -> tuple[int, dict[str, Any]]:
        """Ask the authorization server."""
        async with httpx.AsyncClient(base_url=self.house.issuer, trust_env=False) as http:
            answer = await http.post(path, data=form | {"client_id": self.client_id})
        return answer.status_code, answer.json()

    async def begin(self) -> dict[str, Any]:
        """What it shows, and waits with."""
        _, shown = await self.post("/oauth/device_authorization")
        return shown

    async def ask(self, shown: dict[str, Any]) -> dict[str, Any]:
        """Ask whether somebody has let it in."""
        form = {"grant_type": DEVICE, "device_code": shown["device_code"]}
        return (await self.post("/oauth/token", **form))[1]


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings, "PROCESS_MANAGER", "LINE1") as opened:
        await trust(SHOWN)
        yield opened


@pytest.fixture(scope="module")
def desk(house: House) -> Desk:
    return Desk(house.settings, house.server.client, house.time, house.ids)


@pytest.fixture(scope="module")
async def screen(house: House, desk: Desk) -> Screen:
    """Added by an administrator."""
    given = {"name": "大厅 Hall", "branchId": desk.public("org", "Shanghai")}
    made = (await desk.as_("ADMIN").run(CREATE, {"input": given})).data["createWallboard"]
    assert made["userErrors"] == []
    assert made["secret"] is None
    assert made["client"]["scopes"] == ["itr:board"]
    return Screen(house, made["client"]["clientId"])


async def at_the_page(house: House, who: str = "PROCESS_MANAGER") -> Browser:
    """A browser at which somebody is signed in, on the device page."""
    browser = house.browser()
    await browser.open(f"{house.issuer}/device")
    await browser.sign_in(email_of(who))
    return browser


async def decide(browser: Browser, shown: dict[str, Any], intent: str) -> None:
    """Look the code up and decide."""
    await browser.send(user_code=shown["user_code"], intent="look")
    await browser.send(intent=intent)


async def test_a_wallboard_starts_survives_a_new_token_and_ends_when_revoked(
    house: House, desk: Desk, screen: Screen
) -> None:
    """Issue to resolved, seen from the hall (S9)."""
    shown = await screen.begin()
    assert shown["verification_uri"] == f"{house.issuer}/device"
    assert (await screen.ask(shown))["error"] == "authorization_pending"

    await decide(await at_the_page(house), shown, "allow")

    tokens = await screen.ask(shown)
    assert tokens["scope"] == "itr:board"
    display = Display()
    async with following(house.server, tokens["access_token"], SHOWN) as socket:
        display.take(await told(socket))
        first = await submitted(desk)
        display.take(await told(socket))
    assert first["number"] in {each["number"] for each in display.entries.values()}

    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    _, renewed = await screen.post("/oauth/token", **form)
    second = await submitted(desk)
    access = renewed["access_token"]
    async with following(house.server, access, SHOWN, after=display.cursor) as socket:
        display.take(await told(socket))
        assert display.kinds == ["Snapshot", "Changed", "Changed"], "nothing anew, nothing missed"
        assert second["number"] in {each["number"] for each in display.entries.values()}

        await screen.post("/oauth/revoke", token=renewed["refresh_token"])

        assert (await socket.closed(timeout=2))[0] == 4403
    form["refresh_token"] = renewed["refresh_token"]
    assert (await screen.post("/oauth/token", **form))[1]["error"] == "invalid_grant"


async def test_a_device_code_brings_tokens_once(house: House, screen: Screen) -> None:
    shown = await screen.begin()
    await decide(await at_the_page(house), shown, "allow")

    assert "access_token" in await screen.ask(shown)
    assert (await screen.ask(shown))["error"] == "invalid_grant"


async def test_a_denied_wallboard_stays_dark(house: House, screen: Screen) -> None:
    shown = await screen.begin()
    browser = await at_the_page(house)

    await decide(browser, shown, "deny")

    assert "Denied" in browser.page
    assert (await screen.ask(shown))["error"] == "access_denied"


async def test_a_wallboard_that_asks_too_often_is_slowed_down(house: House, screen: Screen) -> None:
    """RFC 8628, 3.5: five seconds more each time, until it keeps to them."""
    shown = await screen.begin()
    assert shown["interval"] == 5
    assert (await screen.ask(shown))["error"] == "authorization_pending"

    assert (await screen.ask(shown))["error"] == "slow_down"
    house.time.pass_(timedelta(seconds=6))
    assert (await screen.ask(shown))["error"] == "slow_down"
    house.time.pass_(timedelta(seconds=15))
    assert (await screen.ask(shown))["error"] == "authorization_pending"


async def test_a_code_nobody_typed_in_time_has_expired(house: House, screen: Screen) -> None:
    shown = await screen.begin()

    house.time.pass_(timedelta(minutes=15))

    assert (await screen.ask(shown))["error"] == "expired_token"
    browser = await at_the_page(house)
    await browser.send(user_code=shown["user_code"], intent="look")
    assert "No device waits" in browser.page


async def test_only_those_who_may_let_a_wallboard_in(house: House, screen: Screen) -> None:
    """R-ROLE-02."""
    shown = await screen.begin()
    browser = await at_the_page(house, "LINE1")

    answer = await browser.send(user_code=shown["user_code"], intent="allow")

    assert answer.status_code == 403
    assert (await screen.ask(shown))["error"] == "authorization_pending"


async def test_guessing_codes_is_locked(house: House) -> None:
    house.time.pass_(timedelta(hours=2))
    browser = await at_the_page(house)
    for _ in range(5):
        await browser.send(user_code="BCDF-GHJK", intent="look")
        assert "No device waits" in browser.page

    await browser.send(user_code="BCDF-GHJK", intent="look")

    assert "Too many attempts" in browser.page
    house.time.pass_(timedelta(hours=2))


async def test_a_screen_that_waits_is_not_pushed_out_by_others_of_its_address(
    house: House, screen: Screen
) -> None:
    """V11: nobody signs in to ask for a code, so new ones are refused, until some have expired."""
    client = await OAuthClient.get(client_id=screen.client_id)
    first = await screen.begin()
    given = {"scope": "itr:board", "address": "127.0.0.1", "now": house.time.now}
    pending = DeviceCode.filter(client=client, status=DeviceStatus.PENDING)
    waiting = await pending.filter(expires_at__gt=house.time.now).count()
    for number in range(MOST_WAITING - waiting):
        await keep_device(client, f"secret {number}", new_user_code(), **given)

    status, refused = await screen.post("/oauth/device_authorization")

    assert (status, refused["error"]) == (429, "temporarily_unavailable")
    await decide(await at_the_page(house), first, "allow")
    assert "access_token" in await screen.ask(first)
    house.time.pass_(DEVICE_LIFETIME)
    assert "user_code" in await screen.begin()


async def test_a_network_of_ipv6_is_one_address_to_wait_at(house: House, screen: Screen) -> None:
    """V11: else one customer of a provider could fill the disk."""
    client = await OAuthClient.get(client_id=screen.client_id)
    given = {"scope": "itr:board", "now": house.time.now}
    for number in range(MOST_WAITING):
        here = f"2001:db8::{number:x}"
        await keep_device(client, f"six {number}", new_user_code(), address=here, **given)

    with pytest.raises(TooManyWaiting):
        await keep_device(client, "one more", new_user_code(), address="2001:db8::ffff", **given)
    await keep_device(client, "next door", new_user_code(), address="2001:db8:0:1::1", **given)


async def test_another_client_cannot_pick_the_tokens_up(house: House, screen: Screen) -> None:
    shown = await screen.begin()
    other = Screen(house, "itr-graphiql")

    assert (await other.ask(shown))["error"] == "unauthorized_client"
    assert (await other.post("/oauth/device_authorization"))[1]["error"] == "unauthorized_client"
