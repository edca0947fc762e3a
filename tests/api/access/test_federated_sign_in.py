"""Signing in with the company's account: at another OpenID provider, over HTTP, and back."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from tortoise.connection import get_connection

from itr.access.models import BrowserSession, ExternalIdentity, Grant, OAuthClient, SignInElsewhere
from itr.access.operations.clients import create_client
from itr.access.operations.persons import (
    assign_role,
    deactivate_person,
    reactivate_person,
    revoke_role,
)
from itr.access.operations.upkeep import forget_expired_access
from itr.access.terms import ClientKind
from itr.actors.roles import Role
from itr.database import connected
from itr.people.models import Person
from itr.settings import Settings
from tests.api.throwaway import eventually
from tests.support.databases import TEMPLATE, cloned_database
from tests.support.desk import FOUNDER, START
from tests.support.ports import free_port
from tests.support.provider import Provider, open_provider
from tests.support.sign_in import (
    CALLBACK,
    DASHBOARD_SCOPES,
    Browser,
    House,
    RealTime,
    came_back,
    email_of,
    open_house,
)

if TYPE_CHECKING:
    from embedded import Addresses

VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
LINK = re.compile(r'<a class="button" href="([^"]+)">')
PLACES = """
[[issuer]]
url = "{provider}"
audience = "{provider}/graphql"
algorithms = ["Ed25519"]
key = "company"
client_id = "{client_id}"
client_secret_file = "{secret}"
scopes = ["openid", "profile", "email"]
name = {{ zh = "公司账号", en = "the company account" }}
organisation = "Shanghai"
[issuer.roles]
LINE1 = "LINE1"
LINE_LEAD = "LINE_LEAD"

[[issuer]]
url = "http://127.0.0.1:{nobody}"
audience = "nobody"
algorithms = ["Ed25519"]
key = "away"
client_id = "us"
client_secret_file = "{secret}"
name = "Away"
organisation = "Shanghai"
[issuer.roles]
LINE1 = "LINE1"
"""


@dataclass
class Both:
    """Our server, the company's, and the secret between them."""

    house: House
    provider: Provider
    secret: str
    at_the_company: dict[str, Browser]


@pytest.fixture(scope="module")
def their_database(servers: Addresses) -> Iterator[str]:
    with cloned_database(servers, TEMPLATE) as url:
        yield url


@pytest.fixture(scope="module")
async def both(
    settings: Settings, their_database: str, valkey_url: str, tmp_path_factory: Any
) -> AsyncIterator[Both]:
    port, folder, names = free_port(), tmp_path_factory.mktemp("issuers"), ("LINE1", "CUSTOMER")
    async with open_provider(their_database, valkey_url, *names) as provider:
        async with connected(provider.settings):
            key, secret = await create_client(
                FOUNDER,
                name="ITR",
                kind=ClientKind.WEB,
                scopes=["openid", "profile", "email", "itr"],
                redirect_uris=[f"http://127.0.0.1:{port}/oauth/callback/company"],
                now=START,
            )
            client_id = (await OAuthClient.get(id=key)).client_id
        ours = settings.model_copy(
            update={"external_issuers": written(folder, provider, client_id, str(secret))}
        )
        async with open_house(ours, "LINE2", time=RealTime(), port=port) as house:
            at_the_company = {
                name: Browser(httpx.AsyncClient(base_url=provider.url, timeout=20, trust_env=False))
                for name in names
            }
            house.browsers.extend(at_the_company.values())
            await house.register(
                "dashboard",
                ClientKind.DASHBOARD,
                redirect_uris=[CALLBACK],
                scopes=DASHBOARD_SCOPES,
            )
            yield Both(house, provider, str(secret), at_the_company)


def written(folder: Path, provider: Provider, client_id: str, secret: str) -> str:
    """The files an operator writes; returns where the issuers' is."""
    (folder / "secret").write_text(f"{secret}\n")
    given = {"provider": provider.url, "client_id": client_id, "nobody": free_port()}
    path = folder / "issuers.toml"
    path.write_text(PLACES.format(secret=folder / "secret", **given), encoding="utf-8")
    return str(path)


def authorize(house: House, **changed: str) -> str:
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
    return f"{house.issuer}/oauth/authorize?{urlencode(asked)}"


def links(browser: Browser) -> list[str]:
    """Where the buttons under the sign-in form lead."""
    assert browser.response is not None
    return [html.unescape(each) for each in LINK.findall(browser.response.text)]


async def left(both: Both, browser: Browser, page: str) -> str:
    """Open a page of ours and take its first button; returns where the provider is asked."""
    await browser.open(page)
    answer = await browser.http.get(links(browser)[0])
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def signed_in_there(
    both: Both, asked: str, name: str = "LINE1", intent: str = "allow"
) -> str:
    """Sign in at the provider unless it knows the browser; returns where it sends it back to."""
    browser = both.at_the_company[name]
    shown = await browser.open(asked)
    if 'name="password"' in shown.text:
        await browser.sign_in(email_of(name))
    return str((await browser.send(intent=intent)).headers["location"])


async def signed_in(both: Both, browser: Browser, page: str, name: str = "LINE1") -> httpx.Response:
    """All of it: from a page of ours to wherever it goes on to."""
    return await browser.open(await signed_in_there(both, await left(both, browser, page), name))


async def tokens_of(both: Both, browser: Browser, **changed: str) -> dict[str, Any]:
    """What the dashboard gets for the person at this browser, who agrees."""
    await browser.open(authorize(both.house, **changed))
    back = came_back(await browser.send(intent="allow"))
    form = {
        "grant_type": "authorization_code",
        "code": back["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return (await redeemed(both, **form)).json()


async def redeemed(both: Both, **form: str) -> httpx.Response:
    """Ask our token endpoint as the dashboard does."""
    form["client_id"] = both.house.clients["dashboard"].client_id
    async with httpx.AsyncClient(base_url=both.house.issuer, timeout=20, trust_env=False) as http:
        return await http.post("/oauth/token", data=form)


async def viewer(both: Both, token: str) -> dict[str, Any]:
    query = "{ viewer { actor { id name } roles organisation { name } } }"
    answer = await both.house.server.client.having(token).run(query)
    return answer.data["viewer"] if answer.status == 200 else {"status": answer.status}


async def is_signed_in(browser: Browser) -> bool:
    """Whether our own pages know who sits at this browser."""
    shown = await browser.http.get("/device")
    return 'name="password"' not in shown.text


async def test_a_person_signs_in_at_the_company_and_goes_on_to_the_dashboard(both: Both) -> None:
    """The whole way: button, password and consent there, consent here, code, tokens."""
    browser = both.house.browser()

    await signed_in(both, browser, authorize(both.house))
    assert "允许" in browser.page
    back = came_back(await browser.send(intent="allow"))
    answer = await redeemed(
        both,
        grant_type="authorization_code",
        code=back["code"],
        redirect_uri=CALLBACK,
        code_verifier=VERIFIER,
    )

    assert back["state"] == "s-1"
    seen = await viewer(both, answer.json()["access_token"])
    assert seen["actor"]["name"] == "LINE1"
    assert seen["roles"] == ["LINE1"]
    assert seen["organisation"]["name"] == "Shanghai"
    assert seen["actor"]["id"] != f"per_{both.house.ids['LINE1'].hex}", "nobody we knew before"


async def test_what_we_ask_the_company_is_bound_by_state_nonce_and_pkce(both: Both) -> None:
    """S15: each fresh, none of them kept here."""
    asked = [
        dict(parse_qsl(urlsplit(await left(both, browser, authorize(both.house))).query))
        for browser in (both.house.browser(), both.house.browser())
    ]

    for each in asked:
        assert each["response_type"] == "code"
        assert each["code_challenge_method"] == "S256"
        assert each["scope"] == "openid profile email"
        assert each["redirect_uri"] == f"{both.house.issuer}/oauth/callback/company"
        assert "prompt" not in each
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]


@pytest.mark.parametrize(
    ("program", "company"),
    [
        ({"prompt": "login"}, {"prompt": "login"}),
        ({"prompt": "consent"}, {}),
        ({"max_age": "600"}, {"max_age": "600"}),
    ],
)
async def test_a_program_that_wants_a_fresh_sign_in_has_the_company_asked_for_one(
    both: Both, program: dict[str, str], company: dict[str, str]
) -> None:
    browser = both.house.browser()
    asked = dict(
        parse_qsl(urlsplit(await left(both, browser, authorize(both.house, **program))).query)
    )

    assert {name: asked[name] for name in ("prompt", "max_age") if name in asked} == company


async def test_the_device_page_and_graphiql_are_reached_the_same_way(both: Both) -> None:
    code = "BCDF-GHJK"
    browser, other = both.house.browser(), both.house.browser()

    await signed_in(both, browser, f"{both.house.issuer}/device?user_code={code}")
    graphiql = f"{both.house.issuer}/graphql/signed-in"
    back = await signed_in(
        both, other, authorize(both.house, client_id="itr-graphiql", redirect_uri=graphiql)
    )

    assert f'value="{code}"' in str(browser.response and browser.response.text)
    assert urlsplit(str(back.url)).path == "/graphql/signed-in"
    assert "code" in parse_qs(urlsplit(str(back.url)).query)


async def test_signing_in_is_recorded_with_who_when_whence_and_by_which_issuer(both: Both) -> None:
    """S16."""
    before = await last_event()
    browser = both.house.browser()

    await signed_in(both, browser, authorize(both.house))

    known = await ExternalIdentity.get(issuer=both.provider.url)
    rows = await get_connection("default").execute_query_dict(
        "select type, payload, origin, actor_id, occurred_at from event"
        " where id > $1 and type = 'SignedIn'",
        [before],
    )
    person = await Person.get(id=known.person_id)
    assert len(rows) == 1
    assert rows[0]["actor_id"] == person.id
    assert '"address": "127.0.0.1"' in str(rows[0]["payload"]).replace("'", '"')
    assert both.provider.url in str(rows[0]["payload"])
    assert "127.0.0.1" in str(rows[0]["origin"])


async def test_an_id_token_says_what_the_company_says_of_how_somebody_signed_in(
    both: Both,
) -> None:
    """R6: the company's word, its time, and not ours."""
    browser = both.house.browser()
    await signed_in(both, browser, authorize(both.house))
    given = await tokens_of(both, browser, scope="itr openid")

    said = json.loads(base64.urlsafe_b64decode(given["id_token"].split(".")[1] + "=="))
    person = (await ExternalIdentity.get(issuer=both.provider.url)).person_id
    newest = await BrowserSession.filter(person_id=person).order_by("-signed_in_at").first()
    assert newest is not None
    assert newest.auth_time is not None
    assert said["amr"] == ["pwd"], "which is what the company says"
    assert said["auth_time"] == newest.auth_time.timestamp()
    assert newest.auth_time != newest.signed_in_at, "whole seconds, as an ID token has them"


async def last_event() -> int:
    rows = await get_connection("default").execute_query_dict(
        "select coalesce(max(id), 0) as id from event"
    )
    return int(rows[0]["id"])


async def test_signing_in_begins_another_session_and_ends_the_one_before(both: Both) -> None:
    """No session that somebody else put into the browser becomes the person's."""
    browser = both.house.browser()
    await browser.open(f"{both.house.issuer}/device")
    await browser.sign_in(email_of("LINE2"))
    before = browser.http.cookies["itr-session"]

    await signed_in(both, browser, authorize(both.house, prompt="login"))

    after = browser.http.cookies["itr-session"]
    assert after != before
    stolen = both.house.browser()
    stolen.http.cookies.set("itr-session", before)
    assert not await is_signed_in(stolen)
    assert await is_signed_in(browser)


async def test_a_scope_narrows_what_the_companys_roles_let_somebody_do(both: Both) -> None:
    """R-ROLE-02: narrower with each scope, never wider."""
    browser = both.house.browser()
    await signed_in(both, browser, authorize(both.house))
    full = await permissions(both, (await tokens_of(both, browser))["access_token"])
    read = await permissions(
        both, (await tokens_of(both, browser, scope="itr:read"))["access_token"]
    )

    assert read < full
    assert all(each.startswith("READ_") for each in read)


async def permissions(both: Both, token: str) -> set[str]:
    answer = await both.house.server.client.having(token).run("{ viewer { permissions } }")
    return set(answer.data["viewer"]["permissions"])


async def test_roles_follow_the_company_at_each_sign_in(both: Both) -> None:
    """S9: also tokens that were issued before."""
    browser = both.house.browser()
    await signed_in(both, browser, authorize(both.house))
    token = (await tokens_of(both, browser))["access_token"]
    assert (await viewer(both, token))["roles"] == ["LINE1"]

    async with connected(both.provider.settings):
        await assign_role(FOUNDER, both.provider.ids["LINE1"], Role.LINE_LEAD, now=START)
    await signed_in(both, both.house.browser(), authorize(both.house))

    async def roles() -> list[str]:
        return list((await viewer(both, token))["roles"])

    await eventually(roles, ["LINE1", "LINE_LEAD"], within=2)
    async with connected(both.provider.settings):
        await revoke_role(FOUNDER, both.provider.ids["LINE1"], Role.LINE_LEAD, now=START)
    await signed_in(both, both.house.browser(), authorize(both.house))
    await eventually(roles, ["LINE1"], within=2)


async def test_whoever_has_no_role_there_any_more_has_none_here(both: Both) -> None:
    """S9: found out at the next sign-in, which fails, and heard by tokens issued before."""
    browser, again = both.house.browser(), both.house.browser()
    await signed_in(both, browser, authorize(both.house))
    token = (await tokens_of(both, browser))["access_token"]

    async with connected(both.provider.settings):
        await revoke_role(FOUNDER, both.provider.ids["LINE1"], Role.LINE1, now=START)
    try:
        back = await signed_in_there(both, await left(both, again, authorize(both.house)))
        await refused(both, again, back, 403, "没有说明您在本系统中的角色")

        async def roles() -> list[str]:
            return list((await viewer(both, token))["roles"])

        await eventually(roles, [], within=2)
    finally:
        async with connected(both.provider.settings):
            await assign_role(FOUNDER, both.provider.ids["LINE1"], Role.LINE1, now=START)


async def test_what_a_program_was_given_ends_with_the_session_the_company_vouched_for(
    both: Both,
) -> None:
    """S9: roles the company took away are not lived on for weeks by refresh tokens."""
    browser = both.house.browser()
    await signed_in(both, browser, authorize(both.house))
    await tokens_of(both, browser)

    session = (
        await BrowserSession.filter(issuer=both.provider.url).order_by("-signed_in_at").first()
    )
    grant = await Grant.all().order_by("-created_at").first()

    assert session is not None
    assert grant is not None
    assert grant.expires_at == session.expires_at
    assert session.expires_at - session.signed_in_at == timedelta(hours=12)


async def test_whoever_we_deactivate_is_out_at_once_and_stays_out(both: Both) -> None:
    """S9: tokens, refresh tokens and the session end; the company's word does not help."""
    browser, again = both.house.browser(), both.house.browser()
    await signed_in(both, browser, authorize(both.house))
    tokens = await tokens_of(both, browser)
    person = (await ExternalIdentity.get(issuer=both.provider.url)).person_id

    await deactivate_person(FOUNDER, person, now=both.house.time())
    try:

        async def status() -> int:
            return int((await viewer(both, tokens["access_token"])).get("status", 200))

        await eventually(status, 401, within=2)
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        refused = await redeemed(both, **form)
        await signed_in(both, again, authorize(both.house))
        assert refused.status_code == 400
        assert not await is_signed_in(browser)
        assert "已停用" in again.page
        assert "switched off" in again.page
        assert again.response is not None
        assert again.response.status_code == 403
        assert not await is_signed_in(again)
    finally:
        await reactivate_person(FOUNDER, person, now=both.house.time())


async def refused(both: Both, browser: Browser, back: str, status: int, *said: str) -> None:
    """The browser is told so in one clear sentence, in both languages, and is not signed in."""
    answer = await browser.open(back)
    assert answer.status_code == status, answer.text
    assert all(each in browser.page for each in said), browser.page
    assert 'role="alert"' in answer.text
    assert "no-store" in answer.headers["cache-control"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert not await is_signed_in(browser)


async def test_whoever_declines_there_is_not_signed_in_here(both: Both) -> None:
    browser = both.house.browser()
    asked = await left(both, browser, authorize(both.house))
    back = await signed_in_there(both, f"{asked}&prompt=consent", intent="deny")

    await refused(both, browser, back, 403, "没有允许此次登录", "not allowed by", "access_denied")
    assert "/oauth/authorize?" in str(browser.response and browser.response.text), "a way back"


async def test_whoever_has_no_role_of_ours_is_not_signed_in(both: Both) -> None:
    """S1: and is not made a person of ours."""
    browser, before = both.house.browser(), await Person.all().count()
    asked = await left(both, browser, authorize(both.house))
    back = await signed_in_there(both, asked, "CUSTOMER")

    await refused(both, browser, back, 403, "没有说明您在本系统中的角色", "no role and")
    assert await Person.all().count() == before


async def test_a_way_back_is_taken_once(both: Both) -> None:
    browser = both.house.browser()
    back = await signed_in_there(both, await left(both, browser, authorize(both.house)))
    await browser.open(back)
    browser.http.cookies.delete("itr-session")

    await refused(both, browser, back, 400, "已过期、已完成", "is over")


async def test_a_way_back_is_no_good_in_another_browser(both: Both) -> None:
    """Nobody is signed in as somebody else by a link; the right browser still can."""
    browser, victim = both.house.browser(), both.house.browser()
    back = await signed_in_there(both, await left(both, browser, authorize(both.house)))

    await refused(both, victim, back, 400, "另一个浏览器", "another browser")
    await browser.open(back)
    assert await is_signed_in(browser)


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "guessed"},
        {"state": ""},
        {"state": None},
        {"state": "\0"},
    ],
)
async def test_an_unknown_state_signs_nobody_in(both: Both, changed: dict[str, Any]) -> None:
    browser = both.house.browser()
    back = await signed_in_there(both, await left(both, browser, authorize(both.house)))

    await refused(both, browser, with_query(back, **changed), 400, "请重新登录", "sign in again")


async def test_a_state_for_one_issuer_is_no_good_for_another(both: Both) -> None:
    browser = both.house.browser()
    back = await signed_in_there(both, await left(both, browser, authorize(both.house)))

    await refused(both, browser, back.replace("/company", "/away"), 400, "请重新登录")


@pytest.mark.parametrize("changed", [{"iss": "https://elsewhere.example"}, {"iss": None}])
async def test_an_answer_of_another_issuer_signs_nobody_in(
    both: Both, changed: dict[str, Any]
) -> None:
    """RFC 9207: the provider announces `iss`, so it has to be there and be right."""
    browser = both.house.browser()
    back = await signed_in_there(both, await left(both, browser, authorize(both.house)))

    await refused(both, browser, with_query(back, **changed), 403, "未通过校验", "did not pass")


async def test_a_code_that_is_not_ours_signs_nobody_in(both: Both) -> None:
    """PKCE: a code that was stolen from another sign-in is no good in this one."""
    thief, victim = both.house.browser(), both.house.browser()
    stolen = await signed_in_there(both, await left(both, victim, authorize(both.house)))
    back = await signed_in_there(both, await left(both, thief, authorize(both.house)))
    code = dict(parse_qsl(urlsplit(stolen).query))["code"]

    await refused(both, thief, with_query(back, code=code), 403, "未通过校验", "did not pass")


async def test_an_issuer_that_is_away_is_told_and_password_sign_in_goes_on(both: Both) -> None:
    browser = both.house.browser()
    await browser.open(authorize(both.house))

    away = await browser.http.get(links(browser)[1])

    assert away.status_code == 503
    assert "Away" in away.text
    assert "没有应答" in away.text
    await browser.open(authorize(both.house))
    await browser.sign_in(email_of("LINE2"))
    assert await is_signed_in(browser)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/oauth/authorize",
        "//evil.example/device",
        "/\\evil.example",
        "/graphql/../../evil",
        "/device/../x",
        "javascript:alert(1)",
        "http:/device",
        "",
        "/nowhere",
        "/device\0",
        "/oauth/authorize?" + "a" * 16_000,
    ],
)
async def test_nobody_is_sent_on_to_a_page_that_is_not_ours(both: Both, target: str) -> None:
    """No open redirect, and nothing is kept of the attempt."""
    before = await SignInElsewhere.all().count()
    answer = await both.house.browser().http.get("/oauth/signin/company", params={"next": target})

    assert answer.status_code == 400
    assert "不属于本系统" in answer.text
    assert "location" not in answer.headers
    assert await SignInElsewhere.all().count() == before


async def test_another_site_cannot_begin_a_sign_in(both: Both) -> None:
    """S6."""
    answer = await both.house.browser().http.get(
        "/oauth/signin/company",
        params={"next": "/device"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )

    assert answer.status_code == 403
    assert "location" not in answer.headers


async def test_an_issuer_that_there_is_not_is_not_found(both: Both) -> None:
    for path in ("/oauth/signin/nobody?next=/device", "/oauth/callback/nobody?state=x&code=y"):
        assert (await both.house.browser().http.get(path)).status_code == 404


async def test_a_way_back_is_open_for_a_quarter_of_an_hour(both: Both) -> None:
    browser = both.house.browser()
    back = await signed_in_there(both, await left(both, browser, authorize(both.house)))
    late = both.house.time() - timedelta(seconds=1)

    assert await SignInElsewhere.filter(
        expires_at__gt=late + timedelta(minutes=14), expires_at__lt=late + timedelta(minutes=16)
    ).exists()
    await SignInElsewhere.all().update(expires_at=late)

    await refused(both, browser, back, 400, "已过期", "expired")


async def test_somebody_who_does_not_come_back_is_forgotten(both: Both) -> None:
    browser = both.house.browser()
    back = await signed_in_there(both, await left(both, browser, authorize(both.house)))

    await forget_expired_access(both.house.time() + timedelta(minutes=16))

    assert await SignInElsewhere.all().count() == 0
    await refused(both, browser, back, 400, "已过期", "expired")


async def test_no_secret_of_a_federated_sign_in_is_logged_or_kept(
    both: Both, caplog: pytest.LogCaptureFixture
) -> None:
    """S15: the client's secret, code, state, nonce and cookie, in every log line and every row."""
    caplog.set_level(logging.DEBUG)
    browser = both.house.browser()
    asked = await left(both, browser, authorize(both.house))
    back = await signed_in_there(both, asked)
    kept = await rows()
    await browser.open(back)
    kept += await rows()
    said = dict(parse_qsl(urlsplit(asked).query)) | dict(parse_qsl(urlsplit(back).query))
    secrets = [both.secret, browser.http.cookies["itr-session"], browser.http.cookies["itr-form"]]
    secrets += [said["code"], said["state"], said["nonce"]]

    theirs = {"httpx", "httpcore"}
    ours = [each for each in caplog.records if each.name.partition(".")[0] not in theirs]
    logged = "\n".join(each.getMessage() + str(each.exc_text or "") for each in ours)

    assert ours
    assert [each for each in secrets if each in logged or each in kept] == []


async def rows() -> str:
    """Every row of every table of ours, as text."""
    connection = get_connection("default")
    tables = await connection.execute_query_dict(
        "select table_name as name from information_schema.tables"
        " where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    found = ""
    for table in tables:
        said = await connection.execute_query_dict(
            f'select t::text as said from "{table["name"]}" t'
        )
        found += "\n".join(str(each["said"]) for each in said)
    return found


def with_query(url: str, **changed: str | None) -> str:
    """An address with some of its parameters changed, or left out."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query)) | changed
    kept = {name: value for name, value in given.items() if value is not None}
    return parts._replace(query=urlencode(kept)).geturl()
