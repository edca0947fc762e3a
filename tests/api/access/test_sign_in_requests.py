"""What programs ask of signing in and out, and what people are asked about them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tortoise.connection import get_connection

from api.oauth.rsa_keys import derived_rsa_key
from itr.access.models import Consent, Grant
from itr.access.operations.clients import change_client, rotate_client_secret
from itr.access.rules import HowSignedIn, how_federated, may_be_remembered, same_but_for_the_port
from itr.access.terms import ClientKind, IdTokenAlgorithm
from itr.settings import Settings
from tests.api.throwaway import eventually
from tests.support.desk import FOUNDER
from tests.support.sign_in import (
    CALLBACK,
    DASHBOARD_SCOPES,
    Browser,
    House,
    came_back,
    email_of,
    open_house,
)

VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
GOODBYE = "https://board.example/goodbye"


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings, "LINE1", "LINE2", "LINE3") as opened:
        given: dict[str, Any] = {"redirect_uris": [CALLBACK], "scopes": DASHBOARD_SCOPES}
        await opened.register("dashboard", ClientKind.DASHBOARD, sign_out_uris=[GOODBYE], **given)
        await opened.register("web", ClientKind.WEB, **given)
        await opened.register("ours", ClientKind.DASHBOARD, first_party=True, **given)
        await opened.register(
            "older", ClientKind.DASHBOARD, id_token_algorithm=IdTokenAlgorithm.RS256, **given
        )
        await opened.register(
            "native",
            ClientKind.DASHBOARD,
            redirect_uris=[
                "http://127.0.0.1/cb",
                "http://localhost:5173/cb",
                "com.example.app:/cb",
            ],
        )
        yield opened


@pytest.fixture
async def browser(house: House) -> Browser:
    """A browser at which LINE1 is signed in, who has agreed to nothing yet."""
    await Consent.all().delete()
    opened = house.browser()
    await opened.open(f"{house.issuer}/oauth/password")
    await opened.sign_in(email_of("LINE1"))
    return opened


def asked(house: House, client: str = "dashboard", **changed: str) -> dict[str, str]:
    """The parameters of a request to sign in."""
    return {
        "response_type": "code",
        "client_id": house.clients[client].client_id,
        "redirect_uri": CALLBACK,
        "scope": "itr openid",
        "state": "s-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changed


def authorize(house: House, client: str = "dashboard", **changed: str) -> str:
    """The address of that."""
    return f"{house.issuer}/oauth/authorize?{urlencode(asked(house, client, **changed))}"


async def tokens(house: House, back: httpx.Response, client: str = "dashboard") -> dict[str, Any]:
    """What the code brings that a browser came back with."""
    form = {
        "grant_type": "authorization_code",
        "client_id": house.clients[client].client_id,
        "code": came_back(back)["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    async with httpx.AsyncClient(base_url=house.issuer, timeout=60, trust_env=False) as http:
        answer = await http.post("/oauth/token", data=form)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def told(house: House, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of an ID token, verified by the published keys as any client would."""
    async with httpx.AsyncClient(base_url=house.issuer, timeout=60, trust_env=False) as http:
        keys = KeySet.import_key_set((await http.get("/oauth/jwks.json")).json())
    decoded = jwt.decode(token, keys, algorithms=["Ed25519", "RS256"])
    return decoded.header, decoded.claims


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("http://127.0.0.1/cb", True),
        ("http://127.0.0.1:53219/cb", True),
        ("http://127.0.0.1:99999/cb", False),
        ("http://127.0.0.1:053/cb", False),
        ("http://127.0.0.1:53219/cb/", False),
        ("http://127.0.0.1:53219/cb?x=1", False),
        ("http://127.0.0.1:53219/cb#x", False),
        ("http://127.0.0.2:53219/cb", False),
        ("http://[::1]:53219/cb", False),
        ("https://127.0.0.1:53219/cb", False),
        ("http://127.0.0.1:53219@evil.example/cb", False),
        ("http://127.0.0.1.evil.example:53219/cb", False),
        ("http://localhost:5173/cb", True),
        ("http://localhost:5174/cb", False),
        ("com.example.app:/cb", True),
    ],
)
async def test_a_program_on_this_machine_comes_back_at_any_port(
    house: House, browser: Browser, address: str, good: bool
) -> None:
    """22: RFC 8252 7.3, for addresses by number; all else letter by letter."""
    answer = await browser.open(authorize(house, "native", scope="itr", redirect_uri=address))

    assert answer.status_code == (200 if good else 400)
    if good:
        back = await browser.send(intent="allow")
        assert back.headers["location"].startswith(f"{address}?code=")


def test_ports_differ_and_nothing_else() -> None:
    """22: also for IPv6."""
    assert same_but_for_the_port("http://[::1]:9/cb?a=1", "http://[::1]/cb?a=1")
    assert same_but_for_the_port("http://127.0.0.1", "http://127.0.0.1:80")
    assert not same_but_for_the_port("http://[::1]:9/cb", "http://127.0.0.1/cb")
    assert not same_but_for_the_port("http://10.0.0.1:9/cb", "http://10.0.0.1/cb")


async def test_a_request_to_sign_in_may_be_sent_as_a_form(house: House) -> None:
    """23: OpenID Connect Core 3.1.2.1; from another site, as programs do."""
    visitor = house.browser()
    page = await visitor.http.post(
        "/oauth/authorize",
        data=asked(house),
        headers={"sec-fetch-site": "cross-site", "origin": "https://board.example"},
        follow_redirects=True,
    )
    visitor.response = page
    assert page.status_code == 200
    assert "Password" in visitor.page

    await visitor.sign_in(email_of("LINE2"))
    back = await visitor.send(intent="allow")

    assert came_back(back)["state"] == "s-1"
    assert (await tokens(house, back))["id_token"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://board.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"response_mode": "query"}, ""),
    ],
)
async def test_what_is_not_served_is_refused_by_its_code_not_left_out_in_silence(
    house: House, browser: Browser, more: dict[str, str], code: str
) -> None:
    """23: told to the program, at its own address; by link and by form."""
    answer = await browser.open(authorize(house, **more))
    form = await browser.http.post("/oauth/authorize", data=asked(house, **more))
    by_form = await browser.open(f"{house.issuer}{form.headers['location']}")

    for each in (answer, by_form):
        if code:
            assert came_back(each)["error"] == code
            assert came_back(each)["state"] == "s-1"
        else:
            assert each.status_code == 200


async def test_a_client_that_knows_rs256_only_gets_its_id_tokens_so(
    house: House, browser: Browser
) -> None:
    """23: the others go on with Ed25519, and access tokens are Ed25519 for all."""
    seen = {}
    for client in ("older", "dashboard"):
        await browser.open(authorize(house, client, nonce="n"))
        given = await tokens(house, await browser.send(intent="allow"), client)
        header, claims = await told(house, given["id_token"])
        seen[client] = header["alg"]
        assert claims["nonce"] == "n"
        access = jwt.decode(given["access_token"], await keys_of(house), algorithms=["Ed25519"])
        assert access.header["alg"] == "Ed25519"

    assert seen == {"older": "RS256", "dashboard": "Ed25519"}
    async with httpx.AsyncClient(base_url=house.issuer, trust_env=False) as http:
        discovered = (await http.get("/.well-known/openid-configuration")).json()
    assert discovered["id_token_signing_alg_values_supported"] == ["Ed25519", "RS256"]
    assert discovered["request_uri_parameter_supported"] is False


async def keys_of(house: House) -> KeySet:
    """The published keys."""
    async with httpx.AsyncClient(base_url=house.issuer, timeout=60, trust_env=False) as http:
        return KeySet.import_key_set((await http.get("/oauth/jwks.json")).json())


def test_an_rsa_key_follows_from_its_seed_today_and_after_every_upgrade() -> None:
    """23, Decision 10: processes agree without telling each other, and nothing is stored."""
    one = derived_rsa_key(b"1" * 32)
    numbers = one.private_numbers()

    assert one.key_size == 2048
    assert numbers.p != numbers.q
    assert numbers.public_numbers.e == 65_537
    known = hashlib.sha256(str(numbers.public_numbers.n).encode()).hexdigest()
    assert known == "7dee02de0881bf3dbb7896947ef09ed567a6005c462080bfb7ce2d590987dc91"


async def test_an_id_token_says_when_and_how_somebody_signed_in(
    house: House, browser: Browser
) -> None:
    """R6: by password, now; not by what a session of later says."""
    signed_in_at = house.time.now
    house.time.pass_(timedelta(minutes=7))
    await browser.open(authorize(house))
    given = await tokens(house, await browser.send(intent="allow"))

    _, claims = await told(house, given["id_token"])

    assert claims["amr"] == ["pwd"]
    assert claims["auth_time"] == int(signed_in_at.timestamp())
    assert "acr" not in claims


NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ({}, HowSignedIn()),
        (
            {"amr": ["hwk", "mfa"], "acr": "urn:x:2", "auth_time": 1_772_400_000},
            HowSignedIn(datetime.fromtimestamp(1_772_400_000, UTC), "hwk mfa", "urn:x:2"),
        ),
        ({"amr": "pwd", "acr": 5, "auth_time": "1772400000"}, HowSignedIn()),
        ({"amr": ["a b"], "acr": "a b", "auth_time": True}, HowSignedIn()),
        ({"amr": ["x" * 19], "acr": "x" * 201, "auth_time": 4_000_000_000}, HowSignedIn()),
        ({"amr": [5], "acr": "", "auth_time": -1}, HowSignedIn()),
        ({"amr": ["a"] * 11, "auth_time": 1.5}, HowSignedIn()),
    ],
)
def test_what_another_issuer_says_of_that_is_taken_as_far_as_it_is_decent(
    said: dict[str, Any], heard: HowSignedIn
) -> None:
    """R6: what it does not say is left out, not made up."""
    assert how_federated(said, now=NOW) == heard


async def test_whoever_agreed_once_is_not_asked_again(house: House, browser: Browser) -> None:
    """Issue: remembered by client and scope."""
    await browser.open(authorize(house, scope="itr openid"))
    assert "Allow" in browser.page
    await browser.send(intent="allow")

    assert came_back(await browser.open(authorize(house, scope="openid")))["code"]
    assert came_back(await browser.open(authorize(house, prompt="none")))["code"]
    for more in ({"scope": "itr email"}, {"prompt": "consent"}):
        await browser.open(authorize(house, **more))
        assert browser.away is None, more
    await browser.open(authorize(house, "web"))
    assert browser.away is None, "another client"


async def test_whoever_refused_is_asked_again(house: House, browser: Browser) -> None:
    await browser.open(authorize(house))
    assert came_back(await browser.send(intent="deny"))["error"] == "access_denied"

    await browser.open(authorize(house))

    assert browser.away is None


async def test_consent_ends_where_the_client_is_another(house: House, browser: Browser) -> None:
    """Issue: another name or another address is another program; another secret is not."""
    key = house.clients["web"].id

    async def is_asked() -> bool:
        await browser.open(authorize(house, "web"))
        was_asked = browser.away is None
        await browser.send(intent="allow")
        return was_asked

    assert [await is_asked(), await is_asked()] == [True, False]
    await rotate_client_secret(FOUNDER, key, now=house.time.now)
    assert not await is_asked()
    for change in ({"name": "other"}, {"redirect_uris": [CALLBACK, f"{CALLBACK}/2"]}):
        await change_client(FOUNDER, key, now=house.time.now, **change)
        assert await is_asked(), change
        assert not await is_asked()
    await change_client(FOUNDER, key, now=house.time.now, redirect_uris=[CALLBACK])


async def test_a_consent_is_shown_and_withdrawn_with_what_the_program_has(
    house: House, browser: Browser
) -> None:
    """Issue, S9: and it stands in the log (S16)."""
    await browser.open(authorize(house))
    given = await tokens(house, await browser.send(intent="allow"))
    api = house.server.client.having(given["access_token"])
    assert (await api.run("{ viewer { roles } }")).status == 200

    await browser.open(f"{house.issuer}/oauth/consents")
    assert "dashboard" in browser.page
    assert "(UTC+00:00)" in browser.page
    await browser.send(intent="withdraw")

    assert "dashboard" not in browser.page

    async def seen() -> int:
        return (await api.run("{ viewer { roles } }")).status

    await eventually(seen, 401, within=2)
    left = Grant.filter(client_id=house.clients["dashboard"].id, person_id=house.ids["LINE1"])
    assert await left.filter(ended_at=None).count() == 0
    await browser.open(authorize(house))
    assert browser.away is None
    facts = await get_connection("default").execute_query_dict(
        "select type from event where subject_type = 'oauth_consent' order by id desc limit 2"
    )
    assert [each["type"] for each in facts] == ["ConsentWithdrawn", "ConsentGiven"]


async def test_nobody_withdraws_what_is_not_theirs(house: House, browser: Browser) -> None:
    await browser.open(authorize(house))
    await browser.send(intent="allow")
    other = house.browser()
    await other.open(f"{house.issuer}/oauth/consents")
    await other.sign_in(email_of("LINE3"))

    answer = await other.http.post(
        "/oauth/consents",
        data=other.fields()
        | {"client_id": house.clients["dashboard"].client_id, "intent": "withdraw"},
    )

    assert answer.status_code == 404
    assert await Consent.filter(person_id=house.ids["LINE1"]).count() == 1


def test_only_an_address_that_says_which_program_it_is_need_not_ask_again() -> None:
    """RFC 8252 8.6: any program can listen at a port or take a scheme."""
    registered = [
        "https://a.example/cb",
        "http://127.0.0.1:5173/cb",
        "http://[::1]/cb",
        "com.a:/cb",
    ]

    remembered = [uri for uri in registered if may_be_remembered(uri, registered)]

    assert remembered == registered[:3]
    assert not may_be_remembered("http://127.0.0.1:9/cb", registered)


async def test_of_a_program_of_the_house_nobody_is_asked(house: House, browser: Browser) -> None:
    """Issue: `firstParty`, set by an administrator; a program may still want people asked."""
    assert came_back(await browser.open(authorize(house, "ours")))["code"]
    assert await Consent.all().count() == 0

    await browser.open(authorize(house, "ours", prompt="consent"))
    assert browser.away is None


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"client_id": "itr-nobody"}, "The parameter client_id is wrong"),
        ({"client_id": ""}, "The parameter client_id is missing"),
        ({"redirect_uri": f"{CALLBACK}/"}, "The parameter redirect_uri is wrong"),
        ({"redirect_uri": ""}, "The parameter redirect_uri is missing"),
    ],
)
async def test_the_page_says_which_parameter_is_wrong(
    house: House, browser: Browser, changed: dict[str, str], named: str
) -> None:
    """Issue: developers read it."""
    answer = await browser.open(authorize(house, **changed))

    assert answer.status_code == 400
    assert named in browser.page
    assert "参数" in browser.page


async def test_the_page_says_which_parameter_is_given_twice(house: House, browser: Browser) -> None:
    await browser.open(authorize(house) + "&state=again")

    assert "The parameter state is given more than once." in browser.page


def logout(house: House, **given: str) -> str:
    """The address a program signs people out by."""
    return f"{house.issuer}/oauth/logout?{urlencode(given)}"


async def test_signing_out_ends_the_desks_own_session(house: House, browser: Browser) -> None:
    """24: RP-initiated logout; the link only asks (S19), and goes back where it was told to."""
    await browser.open(authorize(house))
    given = await tokens(house, await browser.send(intent="allow"))
    async with httpx.AsyncClient(base_url=house.issuer, trust_env=False) as http:
        discovered = (await http.get("/.well-known/openid-configuration")).json()
    query = urlencode(
        {
            "id_token_hint": given["id_token"],
            "post_logout_redirect_uri": GOODBYE,
            "state": "bye & so on",
        }
    )
    house.time.pass_(timedelta(hours=1))

    await browser.open(f"{discovered['end_session_endpoint']}?{query}")
    assert "Sign out of ITR Desk?" in browser.page
    await browser.open(f"{house.issuer}/oauth/password")
    assert "LINE1" in browser.page, "a link signs nobody out"
    await browser.open(f"{discovered['end_session_endpoint']}?{query}")
    back = await browser.send(intent="sign-out")

    assert back.headers["location"].startswith(GOODBYE)
    assert dict(parse_qsl(urlsplit(back.headers["location"]).query)) == {"state": "bye & so on"}
    await browser.open(authorize(house))
    assert "Password" in browser.page
    again = await browser.open(f"{discovered['end_session_endpoint']}?{query}")
    assert again.headers["location"].startswith(GOODBYE), "who is not signed in goes on at once"


async def test_signing_out_without_an_address_says_so(house: House, browser: Browser) -> None:
    await browser.open(logout(house))
    await browser.send(intent="sign-out")

    assert "signed out" in browser.page


async def test_a_program_may_send_people_to_sign_out_by_a_form(
    house: House, browser: Browser
) -> None:
    """24: a form of another site signs nobody out either; it is asked about."""
    form = {"client_id": house.clients["dashboard"].client_id, "post_logout_redirect_uri": CALLBACK}
    answer = await browser.http.post(
        "/oauth/logout", data=form, headers={"sec-fetch-site": "cross-site"}
    )
    await browser.open(f"{house.issuer}{answer.headers['location']}")

    assert "Sign out of ITR Desk?" in browser.page
    forged = await browser.http.post("/oauth/logout", data={"intent": "sign-out"})
    assert forged.status_code == 403
    await browser.open(f"{house.issuer}/oauth/password")
    assert "LINE1" in browser.page


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"post_logout_redirect_uri": CALLBACK}, "post_logout_redirect_uri"),
        ({"client_id": "itr-nobody"}, "client_id"),
        (
            {"client_id": "DASHBOARD", "post_logout_redirect_uri": "https://x.example"},
            "post_logout",
        ),
        ({"id_token_hint": "a.b.c"}, "id_token_hint"),
        ({"id_token_hint": "é"}, "id_token_hint"),
    ],
)
async def test_signing_out_leads_nowhere_but_to_addresses_of_the_program(
    house: House, browser: Browser, given: dict[str, str], named: str
) -> None:
    """24: no open redirect, and the page names the parameter."""
    real = house.clients["dashboard"].client_id
    asked_for = {name: value.replace("DASHBOARD", real) for name, value in given.items()}

    for visitor in (browser, house.browser()):
        answer = await visitor.open(logout(house, **asked_for))

        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert named in visitor.page


@pytest.mark.parametrize(
    ("host", "moved"),
    [
        ("localhost", True),
        ("[::1]", True),
        ("127.0.0.1", False),
        ("board.example", False),
        ("localhost:1", False),
        ("", False),
    ],
)
async def test_who_opens_this_machine_by_another_name_signs_in_at_the_issuers(
    house: House, host: str, moved: bool
) -> None:
    """Issue: else the cookie is at `localhost`, and nobody is signed in at `127.0.0.1`."""
    port = house.issuer.rpartition(":")[2]
    named = f"{host}:{port}" if host and ":1" not in host.removeprefix("[::1]") else host
    paths = [
        "/oauth/authorize?" + urlencode(asked(house)),
        "/oauth/logout",
        "/oauth/consents",
        "/oauth/password",
        "/device?user_code=BCDF-GHJK",
        "/graphql",
        "/graphql/sign-in",
    ]
    async with httpx.AsyncClient(base_url=house.issuer, trust_env=False) as http:
        for path in paths:
            answer = await http.get(path, headers={"host": named, "accept": "text/html"})

            wanted = f"{house.issuer}{path}" if moved else None
            assert answer.headers.get("location") == wanted, path
