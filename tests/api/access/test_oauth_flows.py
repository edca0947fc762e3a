"""Every way to get a token, completed by Authlib's client over real sockets."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from joserfc import jwt
from joserfc.jwk import KeySet

from itr.access.terms import ClientKind
from itr.people.models import Person
from itr.settings import Settings
from tests.support.sign_in import (
    CALLBACK,
    DASHBOARD_SCOPES,
    House,
    came_back,
    email_of,
    open_house,
)
from tests.support.trusted import trust

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Authlib would rather have another HTTP library
    from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError

VERIFIER = "v" * 64
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
VIEWER = "{ viewer { actor { name } roles permissions } }"


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    async with open_house(settings, "LINE1", "PROCESS_MANAGER") as opened:
        await trust(VIEWER)
        await Person.filter(id__in=[opened.ids["PARTNER"], opened.ids["WALLBOARD"]]).update(
            machine=True
        )
        await opened.register(
            "dashboard",
            ClientKind.DASHBOARD,
            redirect_uris=[CALLBACK],
            scopes=DASHBOARD_SCOPES,
        )
        await opened.register(
            "web", ClientKind.WEB, redirect_uris=[CALLBACK], scopes=DASHBOARD_SCOPES
        )
        await opened.register("machine", ClientKind.MACHINE, actor_id=opened.ids["PARTNER"])
        await opened.register(
            "wallboard",
            ClientKind.WALLBOARD,
            actor_id=opened.ids["WALLBOARD"],
            scopes=["itr:board"],
        )
        yield opened


def client_of(house: House, name: str, **more: Any) -> AsyncOAuth2Client:
    """Authlib's client, as a developer sets it up."""
    known = house.clients[name]
    method = "client_secret_basic" if known.secret else "none"
    return AsyncOAuth2Client(
        known.client_id,
        known.secret,
        token_endpoint_auth_method=method,
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        trust_env=False,
        **more,
    )


async def discovered(house: House) -> dict[str, Any]:
    """The server's metadata, as a client finds it."""
    url = get_well_known_url(house.issuer, external=True)
    async with httpx.AsyncClient(trust_env=False) as http:
        found: dict[str, Any] = (await http.get(url)).json()
    return found


async def viewer(house: House, token: str) -> dict[str, Any]:
    """Who the API says holds the token."""
    answer = await house.server.client.having(token).run(VIEWER)
    found: dict[str, Any] = answer.data["viewer"]
    return found


async def device_shown(house: House, oauth: AsyncOAuth2Client) -> dict[str, Any]:
    """What a device is given to show, and to wait with."""
    answer = await oauth.request(
        "POST",
        (await discovered(house))["device_authorization_endpoint"],
        data={"client_id": oauth.client_id},
        withhold_token=True,
    )
    found: dict[str, Any] = answer.json()
    return found


async def signed_in(house: House, oauth: AsyncOAuth2Client, **more: Any) -> dict[str, Any]:
    """The code flow from end to end: address, sign-in page, consent, code, tokens."""
    metadata = await discovered(house)
    url, state = oauth.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=VERIFIER, **more
    )
    browser = house.browser()
    await browser.open(url)
    await browser.sign_in(email_of("LINE1"))
    assert browser.away or "LINE1" in browser.page
    back = await browser.send(intent="allow")
    told = came_back(back)
    assert told["state"] == state
    assert told["iss"] == house.issuer
    tokens: dict[str, Any] = await oauth.fetch_token(
        metadata["token_endpoint"],
        authorization_response=back.headers["location"],
        code_verifier=VERIFIER,
    )
    return tokens


async def test_the_metadata_is_what_rfc_8414_asks_for(house: House) -> None:
    metadata = AuthorizationServerMetadata(await discovered(house))
    metadata.validate()

    assert metadata["issuer"] == house.issuer
    assert metadata["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.parametrize("name", ["dashboard", "web"])
async def test_a_person_signs_in_with_code_and_pkce(house: House, name: str) -> None:
    async with client_of(house, name, scope="itr openid profile") as oauth:
        tokens = await signed_in(house, oauth, nonce="n-1")

    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    seen = await viewer(house, tokens["access_token"])
    assert seen["actor"]["name"] == "LINE1"
    assert "ACCEPT_REQUEST" in seen["permissions"]


async def test_the_id_token_says_who_signed_in_and_is_signed_by_a_published_key(
    house: House,
) -> None:
    async with client_of(house, "dashboard", scope="openid email") as oauth:
        tokens = await signed_in(house, oauth, nonce="n-2")
        metadata = await discovered(house)
        keys = KeySet.import_key_set((await oauth.get(metadata["jwks_uri"])).json())

    token = jwt.decode(tokens["id_token"], keys, algorithms=["Ed25519"])

    assert token.claims["iss"] == house.issuer
    assert token.claims["aud"] == [house.clients["dashboard"].client_id]
    assert token.claims["nonce"] == "n-2"
    assert token.claims["email"] == email_of("LINE1")
    assert token.claims["sub"] == f"per_{house.ids['LINE1'].hex}"


async def test_a_partners_machine_signs_in_with_its_secret(house: House) -> None:
    async with client_of(house, "machine") as oauth:
        metadata = await discovered(house)
        tokens = await oauth.fetch_token(
            metadata["token_endpoint"], grant_type="client_credentials"
        )

    assert "refresh_token" not in tokens
    assert (await viewer(house, tokens["access_token"]))["roles"] == ["PARTNER"]


async def test_a_refreshed_token_is_another_and_the_client_goes_on(house: House) -> None:
    async with client_of(house, "dashboard", scope="itr") as oauth:
        first = await signed_in(house, oauth)
        metadata = await discovered(house)
        second = await oauth.refresh_token(metadata["token_endpoint"])

    assert second["refresh_token"] != first["refresh_token"]
    assert (await viewer(house, second["access_token"]))["actor"]["name"] == "LINE1"


async def test_a_scope_narrows_what_the_person_may_do(house: House) -> None:
    async with client_of(house, "dashboard", scope="itr:read") as oauth:
        tokens = await signed_in(house, oauth)

    seen = await viewer(house, tokens["access_token"])
    assert seen["roles"] == ["LINE1"]
    assert seen["permissions"]
    assert all(each.startswith("READ_") for each in seen["permissions"])


async def test_a_wallboard_is_let_in_by_the_code_on_its_screen(house: House) -> None:
    metadata = await discovered(house)
    async with client_of(house, "wallboard") as oauth:
        shown = await device_shown(house, oauth)

        async def ask() -> dict[str, Any]:
            found: dict[str, Any] = await oauth.fetch_token(
                metadata["token_endpoint"], grant_type=DEVICE, device_code=shown["device_code"]
            )
            return found

        with pytest.raises(OAuthError, match="authorization_pending"):
            await ask()
        browser = house.browser()
        await browser.open(shown["verification_uri"])
        await browser.sign_in(email_of("PROCESS_MANAGER"))
        await browser.send(user_code=shown["user_code"].lower(), intent="look")
        assert shown["user_code"] in browser.page
        await browser.send(intent="allow")
        tokens = await ask()

    assert (await viewer(house, tokens["access_token"]))["permissions"] == ["READ_BOARD"]
    assert tokens["refresh_token"]


async def test_tokens_can_be_looked_into_and_ended(house: House) -> None:
    metadata = await discovered(house)
    async with client_of(house, "web", scope="itr") as oauth:
        tokens = await signed_in(house, oauth)
        before = await oauth.introspect_token(
            metadata["introspection_endpoint"], token=tokens["access_token"]
        )
        await oauth.revoke_token(metadata["revocation_endpoint"], token=tokens["refresh_token"])
        after = await oauth.introspect_token(
            metadata["introspection_endpoint"], token=tokens["access_token"]
        )

    assert before.json()["active"] is True
    assert before.json()["sub"] == f"per_{house.ids['LINE1'].hex}"
    assert after.json() == {"active": False}
