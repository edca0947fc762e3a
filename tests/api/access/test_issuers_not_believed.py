"""What an issuer may say at a sign-in, and what is not believed whatever it says."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from joserfc.jwk import OctKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.oauth import issuer_http
from api.oauth.issuer_http import LARGEST_ANSWER, Unreachable
from api.oauth.issuer_metadata import IssuerMetadata
from itr.access.models import BrowserSession, ExternalIdentity
from itr.actors.roles import Role
from itr.people.models import Person, RoleAssignment
from itr.settings import Settings
from tests.support.dishonest_issuer import (
    ANOTHER,
    CLIENT_ID,
    KEY,
    SECRET,
    Dishonest,
    open_dishonest,
)
from tests.support.sign_in import Browser, House, RealTime, open_house

FILE = """
[[issuer]]
url = "{url}"
audience = "itr-api"
algorithms = ["Ed25519"]
key = "company"
client_id = "{client_id}"
client_secret_variable = "COMPANY_SECRET"
name = {{ zh = "公司账号", en = "the company account" }}
organisation = "Shanghai"
[issuer.roles]
agent = "LINE1"
"""
NOW = int(datetime.now(UTC).timestamp())
AWAY, NOT_BELIEVED, NOBODY = (503, "没有应答"), (403, "未通过校验"), (403, "没有说明您在本系统")


@dataclass
class Table:
    """Our server, the issuer, and a browser at which nobody is signed in."""

    house: House
    issuer: Dishonest
    browser: Browser

    @property
    def issuer_metadata(self) -> IssuerMetadata:
        found: IssuerMetadata = self.house.server.app.state.services.issuers.signing_in[0]
        return found

    async def left(self) -> str:
        """Where the browser is sent."""
        answer = await self.browser.http.get("/oauth/signin/company?next=/device")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def came_back(self, **changed: str) -> httpx.Response:
        """How the browser is received that was sent to the issuer and back."""
        return await self.browser.http.get(self.issuer.back(await self.left(), **changed))

    async def refused(self, said: tuple[int, str], **changed: str) -> None:
        """Nobody is signed in, and the browser is told why."""
        before = await BrowserSession.all().count()
        answer = await self.came_back(**changed)
        assert (answer.status_code, said[1] in answer.text) == (said[0], True), answer.text
        assert "itr-session" not in answer.headers.get("set-cookie", "")
        assert await BrowserSession.all().count() == before


def written(folder: Path, issuer: Dishonest) -> str:
    """The file an operator writes; returns where it is."""
    path = folder / "issuers.toml"
    path.write_text(FILE.format(url=issuer.url, client_id=CLIENT_ID), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[Dishonest]:
    async with open_dishonest() as opened:
        yield opened


@pytest.fixture(scope="module")
async def house(
    settings: Settings, issuer: Dishonest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    path = written(tmp_path_factory.mktemp("issuers"), issuer)
    ours = settings.model_copy(update={"external_issuers": path})
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COMPANY_SECRET", SECRET)
        async with open_house(ours, time=RealTime()) as opened:
            yield opened


@pytest.fixture
async def table(house: House, issuer: Dishonest) -> Table:
    issuer.be_honest()
    found = Table(house, issuer, house.browser())
    await found.issuer_metadata.fetch()
    return found


async def test_an_honest_answer_signs_in(table: Table) -> None:
    """So that each refusal below is for the one thing that was changed."""
    answer = await table.came_back()

    assert (answer.status_code, answer.headers["location"]) == (303, "/device")
    known = await ExternalIdentity.get(issuer=table.issuer.url, subject="somebody")
    assert (await Person.get(id=known.person_id)).name == "Somebody"


@pytest.mark.parametrize(
    ("offered", "by_form"),
    [(["client_secret_post"], True), (["client_secret_post", "client_secret_basic"], False)],
)
async def test_the_secret_is_shown_to_the_token_endpoint_as_it_wants_it(
    table: Table, offered: list[str], by_form: bool
) -> None:
    table.issuer.metadata = {"token_endpoint_auth_methods_supported": offered}
    await table.issuer_metadata.fetch()

    await table.came_back()

    asked = table.issuer.asked[0]
    assert asked["grant_type"] == "authorization_code"
    assert asked["code"] == "a-code"
    assert len(asked["code_verifier"]) >= 43
    assert (asked.get("client_secret") == SECRET) is by_form


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": "another", "azp": CLIENT_ID},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": NOW - 3600},
        {"iat": NOW + 3600},
        {"nbf": NOW + 3600},
        {"at_hash": "another"},
        *({name: None} for name in ("iss", "aud", "sub", "exp", "iat")),
    ],
)
async def test_an_id_token_for_anybody_else_or_any_other_time_is_not_believed(
    table: Table, claims: dict[str, Any]
) -> None:
    table.issuer.claims = claims

    await table.refused(NOT_BELIEVED)


async def test_a_signature_by_another_key_is_not_believed(table: Table) -> None:
    table.issuer.key = ANOTHER

    await table.refused(NOT_BELIEVED)


async def test_a_key_that_was_never_published_is_not_believed(table: Table) -> None:
    table.issuer.header = {"kid": "two"}

    await table.refused(NOT_BELIEVED)


async def test_the_algorithm_is_the_one_pinned(table: Table) -> None:
    """Neither a secret made of the public key nor none at all will do."""
    table.issuer.key = OctKey.import_key(KEY.as_dict(private=False)["x"])
    table.issuer.header = {"alg": "HS256"}
    await table.refused(NOT_BELIEVED)

    table.issuer.be_honest()
    payload = table.issuer.id_token().split(".")[1]
    header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').decode().rstrip("=")
    table.issuer.answer = JSONResponse({"id_token": f"{header}.{payload}.", "access_token": "x"})
    await table.refused(NOT_BELIEVED)


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": []},
        {"roles": None},
        {"roles": ["customer"]},
        {"roles": {"agent": True}},
        {"sub": ""},
        {"sub": "x" * 301},
        {"sub": "a\0b"},
    ],
)
async def test_claims_that_map_to_nobody_sign_nobody_in(
    table: Table, claims: dict[str, Any]
) -> None:
    before = await Person.all().count()
    table.issuer.claims = claims

    await table.refused(NOBODY)

    assert await Person.all().count() == before


STRANGE: list[Any] = [None, "a\0b", 1e300, [None], {"a": 1}]
CLAIMS = ("aud", "exp", "iat", "sub", "name", "email", "roles", "azp", "auth_time")


async def test_no_claim_whatever_it_holds_breaks_a_sign_in_or_raises_anybody(
    table: Table,
) -> None:
    """S17: every claim with every strange value: signed in as claimed, or told why not."""
    for claim, value in itertools.product(CLAIMS, STRANGE):
        table.issuer.claims = {claim: value}
        answer = await table.came_back()
        let_in = answer.status_code == 303
        assert let_in or answer.status_code == 403, (claim, value, answer.status_code)
        assert not (let_in and claim in ("aud", "roles")), (claim, value)
        if let_in:
            table.browser.http.cookies.delete("itr-session")

    known = await ExternalIdentity.filter(issuer=table.issuer.url).values_list(
        "person_id", flat=True
    )
    held = await RoleAssignment.filter(person_id__in=list(known)).values_list("role", flat=True)
    assert set(held) == {Role.LINE1}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (JSONResponse({"error": "invalid_grant"}, 400), NOT_BELIEVED),
        (JSONResponse({"error": "invalid_client"}, 401), NOT_BELIEVED),
        (JSONResponse({"access_token": "x"}), NOT_BELIEVED),
        (JSONResponse({"id_token": 7}), NOT_BELIEVED),
        (JSONResponse(["id_token"]), NOT_BELIEVED),
        (Response(b"\xff\xfe", media_type="application/json"), NOT_BELIEVED),
        (Response("<html>", 502), AWAY),
        (Response("x" * (LARGEST_ANSWER + 1)), AWAY),
    ],
)
async def test_an_answer_that_is_none_signs_nobody_in(
    table: Table, answer: Response, said: tuple[int, str]
) -> None:
    table.issuer.answer = answer

    await table.refused(said)


async def test_a_redirect_is_not_followed(table: Table) -> None:
    """S15: an issuer does not have us ask around."""
    table.issuer.answer = RedirectResponse(f"{table.issuer.url}/inside", 307)

    await table.refused(AWAY)

    assert table.issuer.visited == []


async def test_an_issuer_that_is_slow_is_given_up(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_http, "PATIENCE", 0.05)
    table.issuer.wait = 1.0

    await table.refused(AWAY)


@pytest.mark.parametrize("place", ["token_endpoint", "jwks_uri", "authorization_endpoint"])
@pytest.mark.parametrize("where", ["http://localhost:{port}/inside", "file:///etc/passwd", "", 7])
async def test_what_its_metadata_names_is_asked_at_its_own_host_only(
    table: Table, place: str, where: Any
) -> None:
    """S15: not even at another name of this machine, where somebody would answer."""
    port = table.issuer.url.rpartition(":")[2]
    leads_to = where.format(port=port) if isinstance(where, str) else where
    table.issuer.metadata = {place: leads_to}
    if place == "jwks_uri":
        with pytest.raises(Unreachable):
            await table.issuer_metadata.fetch()
    else:
        await table.issuer_metadata.fetch()
    if place == "authorization_endpoint":
        answer = await table.browser.http.get("/oauth/signin/company?next=/device")
        assert answer.status_code == 503
    elif place == "token_endpoint":
        await table.refused(AWAY)

    assert table.issuer.visited == []


@pytest.mark.parametrize("said", ["<script>alert(1)</script>", "a\nb", "x" * 5000, "\u202e"])
async def test_what_an_issuer_says_went_wrong_is_one_harmless_word(table: Table, said: str) -> None:
    answer = await table.came_back(error=quote(said), error_description=quote(said))

    assert answer.status_code == 403
    shown = re.search(r"（(.*?)）", answer.text)
    assert shown is not None
    assert re.fullmatch(r"[\w. -]{1,60}", shown[1])
    assert said not in answer.text
    assert table.issuer.asked == [], "and no code is redeemed"


async def test_a_parameter_given_twice_is_no_answer(table: Table) -> None:
    back = table.issuer.back(await table.left())

    answer = await table.browser.http.get(f"{back}&code=another")

    assert answer.status_code == 400
    assert table.issuer.asked == []


async def test_an_id_token_is_no_access_token_even_for_one_audience(table: Table) -> None:
    """An ID token of ours carries a nonce, whatever else its issuer leaves out."""
    table.issuer.nonce = "n"
    table.issuer.claims = {"aud": "itr-api"}
    refused = await table.house.server.client.having(table.issuer.id_token()).run(
        "{ viewer { roles } }"
    )
    table.issuer.claims = {"aud": "itr-api", "nonce": None}
    taken = await table.house.server.client.having(table.issuer.id_token()).run(
        "{ viewer { roles } }"
    )

    assert (refused.status, taken.status) == (401, 200)
