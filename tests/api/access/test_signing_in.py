"""Signing in under attack: locks that are no weapon, pages that lead nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from itr.access.operations.attempts import (
    TooManyAttempts,
    attempts_of,
    count_attempt,
    forgive_attempts,
    place_of,
)
from itr.access.operations.passwords import reset_password
from itr.access.rules import PER_ACCOUNT, PER_ADDRESS
from itr.access.terms import ClientKind
from itr.people.operations import load_actor
from itr.settings import Settings
from tests.api.access.test_oauth_guards import authorize
from tests.support.desk import START, Time
from tests.support.sign_in import (
    CALLBACK,
    DASHBOARD_SCOPES,
    PASSWORD,
    Browser,
    House,
    came_back,
    email_of,
    open_house,
)

MINUTE = timedelta(minutes=1)


class Ticking(Time):
    """Time that moves on whenever somebody looks at it."""

    def __call__(self) -> datetime:
        """What the server takes for now."""
        self.pass_(timedelta(milliseconds=1))
        return self.now


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    names = ("LINE1", "LINE2", "LINE3", "CUSTOMER")
    async with open_house(settings, *names, time=Ticking()) as opened:
        await opened.register(
            "dashboard", ClientKind.DASHBOARD, redirect_uris=[CALLBACK], scopes=DASHBOARD_SCOPES
        )
        yield opened


async def at_the_password_page(house: House, name: str | None = None) -> Browser:
    """A browser at the page that changes a password; somebody is signed in if they are named."""
    browser = house.browser()
    await browser.open(f"{house.issuer}/oauth/password")
    if name is not None:
        await browser.sign_in(email_of(name))
    return browser


def asks_for_a_name(browser: Browser) -> bool:
    assert browser.response is not None
    return 'name="email"' in browser.response.text


@pytest.mark.parametrize("typed", ["l\u0131ne2@desk.example", "line2@de\u017fk.example"])
async def test_letters_taken_for_others_are_no_way_around_the_lock(
    house: House, typed: str
) -> None:
    """An account has one name, so that it has one lock."""
    visitor = await at_the_password_page(house)

    await visitor.sign_in(typed)

    assert asks_for_a_name(visitor)
    await visitor.sign_in(email_of("LINE2").upper())
    assert not asks_for_a_name(visitor)


async def test_whoever_locks_an_account_keeps_its_owner_from_no_new_password(house: House) -> None:
    owner = await at_the_password_page(house, "CUSTOMER")
    stranger = await at_the_password_page(house)
    await guessed(house, "CUSTOMER")
    assert (await stranger.sign_in(email_of("CUSTOMER"))).status_code == 429

    changed = await owner.send(old=PASSWORD, new=PASSWORD, again=PASSWORD, intent="change")

    assert changed.status_code == 200
    for _ in range(6):
        await owner.open(f"{house.issuer}/oauth/password")
        await owner.send(old="wrong", new=PASSWORD, again=PASSWORD, intent="change")
    assert "Too many attempts" in owner.page, "guessing the current one is locked by itself"


async def test_strangers_lock_nobody_out_of_a_browser_they_know(house: House) -> None:
    """A lock keeps those away who guess, not those who have signed in here before."""
    stranger, own = await at_the_password_page(house), await at_the_password_page(house, "LINE2")
    known = own.http.cookies["itr-known"]
    await guessed(house, "LINE2")
    assert (await stranger.sign_in(email_of("LINE2"))).status_code == 429
    own.http.cookies.delete("itr-session")
    await own.open(f"{house.issuer}/oauth/password")

    await own.sign_in(email_of("LINE2"))

    assert not asks_for_a_name(own)
    stranger.http.cookies.set("itr-known", f"x{known}")
    assert (await stranger.sign_in(email_of("LINE2"))).status_code == 429, "no seal of ours"
    stranger.http.cookies.set("itr-known", known)
    for _ in range(6):
        answer = await stranger.sign_in(email_of("LINE2"), "wrong")
    assert answer.status_code == 429, "guessing at the known one locks that one"


async def test_signing_in_again_ends_the_session_before(house: House) -> None:
    visitor = await at_the_password_page(house, "LINE1")
    before = visitor.http.cookies["itr-session"]

    await visitor.open(authorize(house, prompt="login"))
    await visitor.sign_in(email_of("LINE1"))

    assert visitor.http.cookies["itr-session"] != before
    thief = house.browser()
    thief.http.cookies.set("itr-session", before)
    await thief.open(f"{house.issuer}/oauth/password")
    assert asks_for_a_name(thief)


@pytest.mark.parametrize(
    "asked", [{"prompt": "login consent"}, {"prompt": "select_account login"}, {"max_age": "0"}]
)
async def test_whoever_has_just_signed_in_is_not_asked_again(
    house: House, asked: dict[str, str]
) -> None:
    visitor = await at_the_password_page(house, "LINE1")
    await visitor.open(authorize(house, **asked))
    assert asks_for_a_name(visitor)

    await visitor.sign_in(email_of("LINE1"))

    assert visitor.away or not asks_for_a_name(visitor)
    assert came_back(await visitor.send(intent="allow"))["code"]


async def test_a_nonce_that_cannot_be_kept_is_the_clients_fault(house: House) -> None:
    visitor = await at_the_password_page(house, "LINE1")

    told = came_back(await visitor.open(authorize(house, scope="openid", nonce="n" * 501)))

    assert told["error"] == "invalid_request"


@pytest.mark.parametrize("path", ["/device/", "/oauth/authorize/", "/graphql/", "/healthz/"])
async def test_nobody_is_led_where_the_host_header_says(house: House, path: str) -> None:
    async with httpx.AsyncClient(base_url=house.issuer, trust_env=False) as http:
        answer = await http.get(path, headers={"host": "evil.example"})

    assert answer.status_code == 404
    assert "evil.example" not in f"{answer.headers}{answer.text}"


async def test_an_attempt_that_is_refused_counts_nowhere(house: House) -> None:
    """A locked address is no means to lock an account with."""
    victim = f"{uuid4()}@desk.example"
    await locked_out(house, "192.0.2.1", START)

    for _ in range(20):
        with pytest.raises(TooManyAttempts):
            await count_attempt(attempts_of(victim, "192.0.2.1"), now=START)

    await count_attempt(attempts_of(victim, "192.0.2.2"), now=START)


async def test_people_who_sign_in_do_not_lock_their_address_for_each_other(house: House) -> None:
    """However many sign in from one office, and some of them mistype."""
    for number in range(200):
        someone = attempts_of(f"{uuid4()}@desk.example", "192.0.2.3")
        now = START + number * MINUTE / 2
        await count_attempt(someone, now=now)
        if number % 3:
            await forgive_attempts(someone)


async def guessed(house: House, name: str) -> None:
    """Somebody elsewhere has tried passwords until the account is locked."""
    for _ in range(PER_ACCOUNT.free):
        await count_attempt(attempts_of(email_of(name), "192.0.2.9"), now=house.time.now)


async def locked_out(house: House, address: str, now: datetime) -> None:
    """Guess from an address until it is locked."""
    del house
    with pytest.raises(TooManyAttempts):
        while True:
            await count_attempt(attempts_of(f"{uuid4()}@desk.example", address), now=now)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_whoever_has_many_addresses_has_one_count(address: str, place: str) -> None:
    """A provider gives each customer 2⁶⁴ of them."""
    assert place_of(address) == place


def test_failures_at_an_address_are_forgotten_one_by_one() -> None:
    later = START + 10 * MINUTE + MINUTE / 2

    assert PER_ADDRESS.remembered(29, START, later) == (19, START + 10 * MINUTE)
    assert PER_ADDRESS.remembered(5, START, later) == (0, START + 5 * MINUTE)
    assert PER_ADDRESS.remembered(5, later, START) == (5, later), "clocks may disagree"
    assert PER_ACCOUNT.remembered(4, START, later) == (4, later), "those of an account together"
    assert PER_ACCOUNT.remembered(4, START, START + timedelta(hours=2))[0] == 0


async def test_a_password_somebody_else_made_is_changed_before_anything_else(house: House) -> None:
    """V12, S18: it signs in to the page that changes it, and to nothing else."""
    admin = await load_actor(house.ids["ADMIN"])
    assert admin is not None
    _, made = await reset_password(admin, house.ids["LINE3"], now=house.time.now)
    browser = house.browser()
    await browser.open(authorize(house))

    await browser.sign_in(email_of("LINE3"), made)

    assert browser.response is not None
    assert browser.response.url.path == "/oauth/password", browser.page
    assert "Somebody else made this password for you" in browser.page
    first = house.browser()
    first.http.cookies = browser.http.cookies
    await first.open(authorize(house))
    assert asks_for_a_name(first)
    await browser.send(old=made, new=made, again=made, intent="change")
    assert "The new password is the current one." in browser.page
    back = await browser.send(old=made, new=PASSWORD, again=PASSWORD, intent="change")
    assert back.url.path == "/oauth/authorize", "where it was to go"
    again = house.browser()
    await again.open(f"{house.issuer}/oauth/password")
    await again.sign_in(email_of("LINE3"))
    assert "Somebody else made this password" not in again.page
