"""What the authorization server refuses, and what ends with what (S9, S15)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tortoise.connection import get_connection

from api.app import create_app
from itr.access.operations import clients, signing_keys
from itr.access.operations.persons import deactivate_person
from itr.access.terms import ClientKind
from itr.people.models import Person
from itr.settings import Settings
from tests.api.throwaway import eventually
from tests.support.client import in_process
from tests.support.desk import FOUNDER
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

VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings, "LINE1", "LINE2", "CUSTOMER") as opened:
        await Person.filter(id=opened.ids["PARTNER"]).update(machine=True)
        for name, kind in (("dashboard", ClientKind.DASHBOARD), ("web", ClientKind.WEB)):
            await opened.register(
                name,
                kind,
                redirect_uris=[CALLBACK, "com.example.app:/back"],
                scopes=DASHBOARD_SCOPES,
            )
        await opened.register("machine", ClientKind.MACHINE, actor_id=opened.ids["PARTNER"])
        yield opened


@pytest.fixture(scope="module")
async def browser(house: House) -> Browser:
    """A browser at which LINE1 is signed in."""
    opened = house.browser()
    await opened.open(authorize(house))
    await opened.sign_in(email_of("LINE1"))
    return opened


def authorize(house: House, **changed: str | None) -> str:
    """The address a dashboard sends its people to."""
    asked = {
        "response_type": "code",
        "client_id": house.clients["dashboard"].client_id,
        "redirect_uri": CALLBACK,
        "scope": "itr",
        "state": "s-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changed
    given = {name: value for name, value in asked.items() if value is not None}
    return f"{house.issuer}/oauth/authorize?{urlencode(given)}"


async def code_for(house: House, browser: Browser, **changed: str) -> str:
    """A fresh code, allowed by LINE1."""
    await browser.open(authorize(house, **changed))
    return came_back(await browser.send(intent="allow"))["code"]


async def post(house: House, path: str, form: Mapping[str, str], **options: Any) -> httpx.Response:
    """Send a form to the authorization server."""
    async with httpx.AsyncClient(base_url=house.issuer, timeout=20, trust_env=False) as http:
        return await http.post(path, data=dict(form), **options)


async def redeem(house: House, code: str, **changed: str) -> httpx.Response:
    """Redeem a code as the dashboard does."""
    form = {
        "grant_type": "authorization_code",
        "client_id": house.clients["dashboard"].client_id,
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    } | changed
    return await post(house, "/oauth/token", {name: it for name, it in form.items() if it})


async def refresh(house: House, token: str) -> httpx.Response:
    """Go on with a refresh token."""
    form = {"grant_type": "refresh_token", "refresh_token": token}
    form["client_id"] = house.clients["dashboard"].client_id
    return await post(house, "/oauth/token", form)


async def tokens_of(house: House, browser: Browser) -> dict[str, Any]:
    """Fresh tokens of LINE1."""
    answer = await redeem(house, await code_for(house, browser))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def status(house: House, token: str) -> int:
    """How the API takes a token."""
    return (await house.server.client.having(token).run("{ viewer { roles } }")).status


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain", "code_challenge": VERIFIER},
        {"code_challenge": None},
    ],
)
async def test_nobody_gets_a_code_without_s256(
    house: House, browser: Browser, changed: dict[str, str | None]
) -> None:
    """PKCE cannot be left out or weakened (RFC 9700)."""
    told = came_back(await browser.open(authorize(house, **changed)))

    assert told["error"] == "invalid_request"
    assert told["state"] == "s-1"
    assert told["iss"] == house.issuer
    assert "code" not in told


async def test_a_wrong_verifier_spends_the_code(house: House, browser: Browser) -> None:
    code = await code_for(house, browser)

    assert error(await redeem(house, code, code_verifier="b" * 43)) == (400, "invalid_grant")
    assert error(await redeem(house, code)) == (400, "invalid_grant")


async def test_no_verifier_no_tokens(house: House, browser: Browser) -> None:
    code = await code_for(house, browser)

    assert error(await redeem(house, code, code_verifier="")) == (400, "invalid_request")


async def test_a_replayed_code_ends_the_tokens_it_brought(house: House, browser: Browser) -> None:
    """S9: within two seconds."""
    code = await code_for(house, browser)
    tokens = (await redeem(house, code)).json()
    assert await status(house, tokens["access_token"]) == 200

    assert error(await redeem(house, code)) == (400, "invalid_grant")

    async def seen() -> int:
        return await status(house, tokens["access_token"])

    await eventually(seen, 401, within=2)
    assert error(await refresh(house, tokens["refresh_token"])) == (400, "invalid_grant")


async def test_a_code_is_its_clients_and_is_not_spent_by_another(
    house: House, browser: Browser
) -> None:
    code = await code_for(house, browser)
    web = house.clients["web"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    form["code_verifier"] = VERIFIER

    other = await post(house, "/oauth/token", form, auth=(web.client_id, web.secret))

    assert error(other) == (400, "invalid_grant")
    assert (await redeem(house, code)).status_code == 200


async def test_a_code_lasts_a_minute(house: House, browser: Browser) -> None:
    code = await code_for(house, browser)

    house.time.pass_(timedelta(seconds=61))

    assert error(await redeem(house, code)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "address",
    [
        f"{CALLBACK}/",
        f"{CALLBACK}?next=1",
        f"{CALLBACK}#here",
        CALLBACK.upper(),
        "http://127.0.0.1:9/callback.evil.example",
        "http://127.0.0.1:9@evil.example/callback",
        "https://evil.example/callback",
        "//evil.example",
        "/callback",
        "javascript:alert(1)",
        "",
    ],
)
async def test_browsers_are_sent_to_registered_addresses_only(
    house: House, browser: Browser, address: str
) -> None:
    """No open redirect: letter by letter, and what does not match is told here."""
    for more in ({}, {"response_type": "token"}, {"scope": "nonsense"}, {"prompt": "none"}):
        answer = await browser.http.get(authorize(house, redirect_uri=address, **more))

        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_an_unknown_client_is_told_here_not_sent_back(house: House, browser: Browser) -> None:
    answer = await browser.http.get(authorize(house, client_id="itr-nobody"))

    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_code_is_redeemed_for_the_address_it_was_sent_to(
    house: House, browser: Browser
) -> None:
    code = await code_for(house, browser)

    answer = await redeem(house, code, redirect_uri="com.example.app:/back")

    assert error(answer) == (400, "invalid_grant")


async def test_a_refresh_token_used_twice_ends_its_whole_family(
    house: House, browser: Browser
) -> None:
    """S9: whoever stole it, both lose."""
    first = await tokens_of(house, browser)
    second = (await refresh(house, first["refresh_token"])).json()
    assert await status(house, second["access_token"]) == 200

    assert error(await refresh(house, first["refresh_token"])) == (400, "invalid_grant")

    async def seen() -> int:
        return await status(house, second["access_token"])

    await eventually(seen, 401, within=2)
    assert error(await refresh(house, second["refresh_token"])) == (400, "invalid_grant")


async def test_a_refresh_token_is_no_good_to_another_client(house: House, browser: Browser) -> None:
    tokens = await tokens_of(house, browser)
    web = house.clients["web"]
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    answer = await post(house, "/oauth/token", form, auth=(web.client_id, web.secret))

    assert error(answer) == (400, "invalid_grant")
    assert (await refresh(house, tokens["refresh_token"])).status_code == 200


async def test_an_unknown_client_and_a_wrong_secret_are_answered_alike(house: House) -> None:
    """No oracle for client ids, by Basic or by form."""
    form = {"grant_type": "client_credentials"}
    known = house.clients["machine"].client_id
    answers = []
    for name in (known, "itr-nobody", house.clients["dashboard"].client_id):
        answers.append(await post(house, "/oauth/token", form, auth=(name, "wrong")))
        with_form = form | {"client_id": name, "client_secret": "wrong"}
        answers.append(await post(house, "/oauth/token", with_form))
        answers.append(await post(house, "/oauth/introspect", {"token": "x"}, auth=(name, "no")))

    told = {(each.status_code, each.content, each.headers["www-authenticate"]) for each in answers}
    assert len(told) == 1
    assert error(answers[0]) == (401, "invalid_client")


@pytest.mark.parametrize("path", ["token", "revoke", "introspect", "authorize"])
async def test_whoever_leaves_in_the_middle_of_a_form_is_no_error(
    house: House, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """R2: neither at the endpoints nor at the pages."""
    host, port = house.server.address.split(":")
    head = f"POST /oauth/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 90\r\n"
    for _ in range(3):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\na=")
        await writer.drain()
        await post(house, "/oauth/token", {"grant_type": "x"})
        writer.close()
        await writer.wait_closed()

    async def running() -> int:
        await post(house, "/oauth/token", {"grant_type": "x"})
        return sum("RequestResponseCycle" in repr(task) for task in asyncio.all_tasks())

    await eventually(running, 0, within=5)
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"grant_type=client_credentials", {"authorization": "Basic " + "/w=="}),
        (b"grant_type=client_credentials", {"authorization": "Basic %%%"}),
        (b"grant_type=client_credentials", {"authorization": b"Basic \xff"}),  # R2
        (b"token=x", {"authorization": b"Basic \xff"}),
        (b"grant_type=client_credentials", {"authorization": "Basic YQA6Yg=="}),
        (b"grant_type=refresh_token&refresh_token=%00&client_id=%00", {}),
        (b"grant_type=a&grant_type=b", {}),
        (b"\xff\xfe", {}),
        (b"grant_type=%FF", {}),
        (b"a=b&" * 100, {}),
        (b"x" * 70_000, {}),
        (b"", {}),
        (b'{"grant_type": "client_credentials"}', {"content-type": "application/json"}),
    ],
)
async def test_a_broken_request_is_the_clients_fault(
    house: House,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
    headers: dict[str, str | bytes],
) -> None:
    """R2: answered 400 or 401, and nothing is logged as an error."""
    sent: dict[str, Any] = {"content-type": "application/x-www-form-urlencoded"} | headers
    for path in ("token", "revoke", "introspect", "device_authorization"):
        async with httpx.AsyncClient(base_url=house.issuer, trust_env=False) as http:
            answer = await http.post(f"/oauth/{path}", content=content, headers=sent)

        assert answer.status_code in (400, 401), (path, answer.text)
        assert answer.headers["cache-control"] == "no-store"
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


async def test_whoever_denies_sends_the_client_away(house: House, browser: Browser) -> None:
    await browser.open(authorize(house))

    told = came_back(await browser.send(intent="deny"))

    assert (told["error"], told["state"], told["iss"]) == ("access_denied", "s-1", house.issuer)


async def test_prompt_none_asks_nobody(house: House, browser: Browser) -> None:
    asked = authorize(house, prompt="none", scope="openid")

    assert came_back(await house.browser().open(asked))["error"] == "login_required"
    again = authorize(house, prompt="none", scope="openid profile")
    assert came_back(await browser.open(again))["error"] == "consent_required"


async def test_prompt_login_asks_again_once(house: House, browser: Browser) -> None:
    await browser.open(authorize(house, prompt="login consent"))
    assert "Password" in browser.page

    await browser.sign_in(email_of("LINE1"))

    assert "Allow" in browser.page


async def test_a_form_that_is_not_ours_signs_nobody_in(house: House) -> None:
    """CSRF, of the sign-in too: token, browser and origin must fit."""
    ours, theirs = house.browser(), house.browser()
    await ours.open(authorize(house))
    await theirs.open(authorize(house))
    good = {"email": email_of("LINE1"), "password": PASSWORD, "intent": "sign-in"}
    foreign = [
        (good, {}),
        (good | {"form_token": "0" * 64}, {}),
        (good | theirs.fields(), {}),
        (good | ours.fields(), {"sec-fetch-site": "cross-site"}),
    ]
    for form, headers in foreign:
        answer = await ours.http.post(authorize(house), data=form, headers=headers)

        assert answer.status_code == 403
        assert "itr-session" not in answer.cookies


async def test_a_consent_cannot_be_given_for_somebody_by_another_page(
    house: House, browser: Browser
) -> None:
    """CSRF of the decision that matters."""
    asked = authorize(house, prompt="consent")
    answer = await browser.http.post(asked, data={"intent": "allow"})

    assert answer.status_code == 200
    assert "location" not in answer.headers


async def test_guessing_locks_the_account_also_for_the_right_password(house: House) -> None:
    visitor = house.browser()
    await visitor.open(authorize(house))
    for _ in range(5):
        answer = await visitor.sign_in(email_of("LINE2"), "wrong")
        assert answer.status_code == 422

    locked = await visitor.sign_in(email_of("LINE2"))

    assert locked.status_code == 429
    assert int(locked.headers["retry-after"]) == 15
    house.time.pass_(timedelta(seconds=16))
    await visitor.sign_in(email_of("LINE2"), "wrong")
    again = await visitor.sign_in(email_of("LINE2"))
    assert int(again.headers["retry-after"]) == 30, "twice as long each time"
    house.time.pass_(timedelta(seconds=31))
    await visitor.sign_in(email_of("LINE2"))
    assert "Allow" in visitor.page


async def test_an_unknown_account_is_told_from_a_known_one_by_nothing(house: House) -> None:
    """Same words, same lock."""
    pages = []
    for email in (email_of("CUSTOMER"), "nobody@desk.example"):
        visitor = house.browser()
        await visitor.open(authorize(house))
        seen = []
        for _ in range(6):
            answer = await visitor.sign_in(email, "wrong")
            seen.append((answer.status_code, visitor.page.replace(email, "").strip()))
        pages.append(seen)

    assert pages[0] == pages[1]
    assert pages[0][-1][0] == 429


async def test_signing_out_ends_the_session(house: House) -> None:
    visitor = house.browser()
    await visitor.open(authorize(house))
    await visitor.sign_in(email_of("LINE1"))
    cookie = visitor.http.cookies["itr-session"]

    await visitor.send(intent="sign-out")

    assert "Password" in visitor.page
    visitor.http.cookies.set("itr-session", cookie)
    await visitor.open(authorize(house))
    assert "Password" in visitor.page


async def test_pages_cannot_be_framed_scripted_or_kept(house: House) -> None:
    visitor = house.browser()
    answer = await visitor.open(authorize(house))

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:9;" in policy
    assert "script" not in policy
    assert "<script" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_what_a_page_shows_is_escaped(house: House) -> None:
    await clients.change_client(
        FOUNDER, house.clients["web"].id, name="<b>Web</b>", now=house.time.now
    )
    visitor = house.browser()

    answer = await visitor.open(authorize(house, client_id=house.clients["web"].client_id))

    assert "<b>" not in answer.text
    assert "<b>Web</b>" in visitor.page


async def test_a_revoked_token_ends_over_http_and_on_the_socket(
    house: House, browser: Browser
) -> None:
    """S9: within two seconds, from memory."""
    tokens = await tokens_of(house, browser)
    access = tokens["access_token"]
    form = {"client_id": house.clients["dashboard"].client_id, "token": access}
    async with house.server.socket(access) as socket:
        assert (await socket.ask("{ viewer { roles } }"))["data"]["viewer"]["roles"] == ["LINE1"]

        assert (await post(house, "/oauth/revoke", form)).status_code == 200

        assert (await socket.closed(timeout=2))[0] == 4403
    assert await status(house, access) == 401
    assert (await refresh(house, tokens["refresh_token"])).status_code == 200, "only the one"


async def test_a_deactivated_clients_tokens_end(house: House, browser: Browser) -> None:
    """S9."""
    known = await house.register("leaving", ClientKind.DASHBOARD, redirect_uris=[CALLBACK])
    code = await code_for(house, browser, client_id=known.client_id)
    tokens = (await redeem(house, code, client_id=known.client_id)).json()
    assert await status(house, tokens["access_token"]) == 200

    await clients.deactivate_client(FOUNDER, known.id, now=house.time.now)

    async def seen() -> int:
        return await status(house, tokens["access_token"])

    await eventually(seen, 401, within=2)
    assert (await browser.http.get(authorize(house, client_id=known.client_id))).status_code == 400


async def test_a_rotated_secret_is_the_only_one(house: House) -> None:
    machine = house.clients["machine"]
    form = {"grant_type": "client_credentials"}

    _, secret = await clients.rotate_client_secret(FOUNDER, machine.id, now=house.time.now)

    old = await post(house, "/oauth/token", form, auth=(machine.client_id, machine.secret))
    new = await post(house, "/oauth/token", form, auth=(machine.client_id, secret))
    assert error(old) == (401, "invalid_client")
    assert new.status_code == 200


async def test_a_signing_key_is_published_before_it_signs_and_old_tokens_stay_good(
    house: House, browser: Browser
) -> None:
    async def published() -> int:
        async with httpx.AsyncClient(base_url=house.issuer, trust_env=False) as http:
            return len((await http.get("/oauth/jwks.json")).json()["keys"])

    def key_of(token: str) -> bytes:
        return base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "==")

    before = await tokens_of(house, browser)
    await signing_keys.rotate_signing_key(now=house.time.now)
    await eventually(published, 2, within=2)
    early = await tokens_of(house, browser)
    house.time.pass_(timedelta(minutes=1))
    late = await tokens_of(house, browser)

    assert key_of(before["access_token"]) == key_of(early["access_token"])
    assert key_of(late["access_token"]) != key_of(early["access_token"])
    for each in (before, early, late):
        assert await status(house, each["access_token"]) == 200

    await signing_keys.rotate_signing_key(now=house.time.now, compromised=True)

    async def seen() -> int:
        return await status(house, late["access_token"])

    await eventually(seen, 401, within=2)
    renewed = (await refresh(house, late["refresh_token"])).json()
    assert await status(house, renewed["access_token"]) == 200


async def test_a_person_who_left_gets_no_new_tokens(house: House, browser: Browser) -> None:
    tokens = await tokens_of(house, browser)
    machine = await house.register("left", ClientKind.MACHINE, actor_id=house.ids["PARTNER"])
    form = {"grant_type": "client_credentials"}
    for name in ("LINE1", "PARTNER"):
        await deactivate_person(FOUNDER, house.ids[name], now=house.time.now)
    try:
        as_machine = await post(
            house, "/oauth/token", form, auth=(machine.client_id, machine.secret)
        )
        assert error(as_machine) == (400, "invalid_grant")
        assert error(await refresh(house, tokens["refresh_token"])) == (400, "invalid_grant")
        await browser.open(authorize(house))
        assert "Password" in browser.page
    finally:
        await Person.filter(id__in=[house.ids["LINE1"], house.ids["PARTNER"]]).update(active=True)


async def test_no_secret_is_logged_or_kept(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """S15: everything one sign-in goes through, looked for in every log line and every row."""
    caplog.set_level(logging.DEBUG)
    visitor = house.browser()
    await visitor.open(authorize(house))
    await visitor.sign_in(email_of("LINE1"))
    code = await code_for(house, visitor)
    tokens = (await redeem(house, code)).json()
    machine = house.clients["machine"]
    _, secret = await clients.rotate_client_secret(FOUNDER, machine.id, now=house.time.now)
    form = {"grant_type": "client_credentials"}
    await post(house, "/oauth/token", form, auth=(machine.client_id, secret))
    await post(house, "/oauth/revoke", {"token": "x"}, auth=(machine.client_id, secret))
    secrets = [
        PASSWORD,
        code,
        VERIFIER,
        secret,
        tokens["access_token"],
        tokens["refresh_token"],
        visitor.http.cookies["itr-session"],
    ]

    ours = [each for each in caplog.records if not each.name.startswith(("httpx", "httpcore"))]
    logged = "\n".join(each.getMessage() + str(each.exc_text or "") for each in ours)
    connection = get_connection("default")
    tables = await connection.execute_query_dict(
        "select table_name as name from information_schema.tables"
        " where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    rows = ""
    for table in tables:
        found = await connection.execute_query_dict(
            f'select t::text as said from "{table["name"]}" t'
        )
        rows += "\n".join(str(each["said"]) for each in found)

    assert ours
    for each in secrets:
        assert each not in logged
        assert each not in rows


async def test_behind_https_cookies_are_for_this_host_and_https_only(settings: Settings) -> None:
    ours = settings.model_copy(update={"issuer": "https://desk.example"})
    asked = {
        "response_type": "code",
        "client_id": "itr-graphiql",
        "redirect_uri": "https://desk.example/graphql/signed-in",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    async with in_process(create_app(ours)) as client:
        answer = await client.http.get("/oauth/authorize", params=asked)

    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-itr-form=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


async def test_over_plain_http_nobody_is_asked_for_a_password(settings: Settings) -> None:
    ours = settings.model_copy(update={"issuer": "http://desk.example"})
    async with in_process(create_app(ours)) as client:
        answer = await client.http.get("/oauth/authorize", params={"client_id": "itr-graphiql"})

    assert answer.status_code == 400
    assert "https" in answer.text
    assert "password" not in answer.text


async def test_pages_can_be_used_by_keyboard_and_screen_reader(
    house: House, browser: Browser
) -> None:
    """Labels, languages, a heading, a title, a problem that is announced."""
    visitor = house.browser()
    await visitor.open(authorize(house))
    asking = await visitor.sign_in("nobody@desk.example", "wrong")
    for shown in (asking, await browser.open(authorize(house))):
        fields = re.findall(r'<input id="(\w+)"', shown.text)
        assert '<html lang="zh-CN">' in shown.text
        assert 'lang="en"' in shown.text
        assert shown.text.count("<h1>") == 1
        assert "<title>" in shown.text
        assert "<main>" in shown.text
        assert all(f'<label for="{name}">' in shown.text for name in fields)
        assert "tabindex" not in shown.text
    assert 'role="alert"' in asking.text
    assert 'aria-describedby="problem"' in asking.text
    assert 'autocomplete="current-password"' in asking.text


async def test_whoever_changes_their_password_ends_what_the_old_one_opened(house: House) -> None:
    """S9: other browsers and programs sign in anew; the old password is no good."""
    known, other = house.browser(), house.browser()
    for visitor in (known, other):
        await visitor.open(f"{house.issuer}/oauth/password")
        await visitor.sign_in(email_of("CUSTOMER"))
    tokens = await tokens_of(house, other)
    fresh = "a much better one"

    await known.send(intent="change", old="wrong", new=fresh, again=fresh)
    assert "not right" in known.page
    await known.send(intent="change", old=PASSWORD, new=fresh, again="another one")
    assert "not the same" in known.page
    await known.send(intent="change", old=PASSWORD, new="short", again="short")
    assert "at least 12" in known.page
    await known.send(intent="change", old=PASSWORD, new=fresh, again=fresh)

    assert "Password changed" in known.page
    await other.open(authorize(house, prompt="consent"))
    assert "Password" in other.page
    assert (await other.sign_in(email_of("CUSTOMER"))).status_code == 422
    await other.sign_in(email_of("CUSTOMER"), fresh)
    assert "Allow" in other.page

    async def seen() -> int:
        return await status(house, tokens["access_token"])

    await eventually(seen, 401, within=2)
