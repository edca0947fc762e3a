"""Tokens of another OpenID provider: a second instance of this server, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.oauth.issuers import Issuers
from api.oauth.tokens import Unauthenticated
from itr.access.models import ExternalIdentity
from itr.access.operations.external import (
    Vouched,
    no_longer_vouched_for,
    person_vouched_for,
)
from itr.access.operations.persons import assign_role, revoke_role
from itr.access.operations.signing_keys import rotate_signing_key
from itr.actors.roles import Role
from itr.database import connected
from itr.issuers.external import ExternalIssuer, read_issuers
from itr.people.models import Person
from itr.people.operations import load_actor
from itr.settings import Settings, WrongSettings
from tests.api.throwaway import eventually
from tests.support.databases import TEMPLATE, cloned_database, environment
from tests.support.desk import FOUNDER, START
from tests.support.ports import free_port
from tests.support.provider import Provider, open_provider
from tests.support.sign_in import House, RealTime, open_house

if TYPE_CHECKING:
    from embedded import Addresses


@pytest.fixture(scope="module")
def their_database(servers: Addresses) -> Iterator[str]:
    """The other instance's own."""
    with cloned_database(servers, TEMPLATE) as url:
        yield url


@pytest.fixture(scope="module")
async def provider(their_database: str, valkey_url: str) -> AsyncIterator[Provider]:
    async with open_provider(their_database, valkey_url, "LINE1") as opened:
        yield opened


def mapping(provider: Provider, folder: Path, **changed: str) -> Path:
    """The configuration an operator writes."""
    said = {
        "url": f'"{provider.url}"',
        "audience": f'"{provider.url}/graphql"',
        "algorithms": '["Ed25519"]',
    } | changed
    lines = ["[[issuer]]", *(f"{name} = {value}" for name, value in said.items())]
    lines += ["[issuer.roles]", 'LINE1 = ["LINE1"]', 'LINE2 = "LINE2"']
    lines += ["[issuer.organisations]", f'"org_{provider.ids["Shanghai"].hex}" = "Beijing"']
    path = folder / "issuers.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
async def house(
    settings: Settings, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    path = mapping(provider, tmp_path_factory.mktemp("issuers"))
    ours = settings.model_copy(update={"external_issuers": str(path)})
    async with open_house(ours, time=RealTime()) as opened:
        await provider.sign_in()
        yield opened


def issuer_of(house: House) -> ExternalIssuer:
    """The issuer as configured."""
    return read_issuers(house.settings.external_issuers)[0]


async def viewer(house: House, token: str) -> dict[str, Any]:
    query = "{ viewer { actor { id name } roles organisation { name } } }"
    found: dict[str, Any] = (await house.server.client.having(token).run(query)).data["viewer"]
    return found


async def test_their_people_act_here_as_the_mapping_says(house: House, provider: Provider) -> None:
    first = await viewer(house, await provider.token())
    again = await viewer(house, await provider.token())

    assert first["actor"]["name"] == "LINE1"
    assert first["roles"] == ["LINE1"]
    assert first["organisation"]["name"] == "Beijing"
    assert first == again, "one person, however many tokens"
    assert first["actor"]["id"] != f"per_{house.ids['LINE1'].hex}", "nobody we knew before"


async def test_what_changes_there_changes_here_with_the_next_token(
    house: House, provider: Provider
) -> None:
    async with connected(provider.settings):
        await assign_role(FOUNDER, provider.ids["LINE1"], Role.LINE2, now=START)
    assert (await viewer(house, await provider.token()))["roles"] == ["LINE1", "LINE2"]

    async with connected(provider.settings):
        await revoke_role(FOUNDER, provider.ids["LINE1"], Role.LINE2, now=START)
    assert (await viewer(house, await provider.token()))["roles"] == ["LINE1"]


async def test_an_older_token_shown_again_brings_no_role_back(
    house: House, provider: Provider
) -> None:
    """V12: what a newer one took stays taken, also the name and the organisation."""
    del house
    old, new = START, START + timedelta(seconds=1)
    first = Vouched(
        provider.url,
        "somebody",
        "Old",
        None,
        "Beijing",
        frozenset({Role.ADMIN, Role.LINE1}),
        said_at=old,
    )
    later = replace(first, name="New", roles=frozenset({Role.LINE1}), said_at=new)

    keys = [await person_vouched_for(said, now=new) for said in (first, later, first)]
    actor = await load_actor(keys[0])
    await no_longer_vouched_for(provider.url, "somebody", now=new, said_at=old)
    still = await load_actor(keys[0])

    assert len(set(keys)) == 1
    assert actor is not None
    assert (actor.name, actor.roles) == ("New", {Role.LINE1})
    assert still == actor


async def test_a_person_we_deactivated_stays_out_whatever_the_issuer_says(
    house: House, provider: Provider
) -> None:
    await viewer(house, await provider.token())
    known = await ExternalIdentity.get(issuer=provider.url, subject__not="somebody")
    await Person.filter(id=known.person_id).update(active=False)
    try:
        issuers = Issuers((issuer_of(house),))
        claims = await issuers.claims(await provider.token(), now=datetime.now(UTC))
        app = house.server.app.state.services.identities
        app._actors.clear()
        with pytest.raises(Unauthenticated):
            await app._load(claims)
    finally:
        await Person.filter(id=known.person_id).update(active=True)


@pytest.mark.parametrize(
    "changed",
    [
        {"audience": "another"},
        {"algorithms": ("RS256",)},
        {"roles": {"somebody": frozenset({Role.LINE1})}},
        {"organisations": {"elsewhere": "Beijing"}},
        {"organisations": {}, "organisation": "nowhere"},
        {"roles": {"LINE1": frozenset({Role.CUSTOMER})}},
    ],
)
async def test_audience_algorithm_and_mapping_are_pinned(
    house: House, provider: Provider, changed: dict[str, Any]
) -> None:
    issuers = Issuers((replace(issuer_of(house), **changed),))

    with pytest.raises(Unauthenticated):
        await issuers.claims(await provider.token(), now=datetime.now(UTC))


async def test_no_program_of_theirs_is_taken_for_one_of_ours(
    house: House, provider: Provider
) -> None:
    """S16: the log says through which program; documents and budgets are a program's own."""
    issuers = Issuers((issuer_of(house),))

    claims = await issuers.claims(await provider.token(), now=datetime.now(UTC))

    assert claims.client_id == f"{provider.client_id} {provider.url}"


def test_our_own_issuer_is_no_other_one(tmp_path: Path) -> None:
    """Our tokens are ours to judge: a mapping would give our people other roles."""
    path = tmp_path / "own.toml"
    path.write_text(GOOD.replace("https://sso.example/realms/desk", "https://desk.example"))
    given = environment(database_url="postgresql://x", valkey_url="valkey://x")
    given |= {"ITR_EXTERNAL_ISSUERS": str(path), "ITR_ISSUER": "https://desk.example/"}

    with pytest.raises(WrongSettings, match="own issuer"):
        Settings.read(given)


async def test_an_id_token_is_no_access_token(house: House, provider: Provider) -> None:
    tokens = await provider.sign_in()
    named = replace(issuer_of(house), audience=provider.client_id)

    for token in (tokens["id_token"], tokens["access_token"][:-4], "a.b.c"):
        assert (await house.server.client.having(token).run("{ viewer { roles } }")).status == 401
    with pytest.raises(Unauthenticated):
        await Issuers((named,)).claims(tokens["access_token"], now=datetime.now(UTC))


async def test_an_issuer_that_is_away_lets_nobody_in_and_breaks_nothing(
    house: House, provider: Provider
) -> None:
    away = replace(issuer_of(house), url=f"http://127.0.0.1:{free_port()}")
    issuers = Issuers((away,))

    await issuers.renew()

    assert not issuers.vouches(await provider.token())


async def test_keys_rotate_there_and_old_tokens_end_here(house: House, provider: Provider) -> None:
    old = await provider.token()
    await viewer(house, old)

    async with connected(provider.settings):
        await rotate_signing_key(now=datetime.now(UTC), compromised=True)

    async def accepted() -> int:
        token = await provider.token()
        return (await house.server.client.having(token).run("{ viewer { roles } }")).status

    await eventually(accepted, 200, within=10)
    assert (await house.server.client.having(old).run("{ viewer { roles } }")).status == 401


GOOD = """
[[issuer]]
url = "https://sso.example/realms/desk"
audience = "itr-desk"
algorithms = ["RS256"]
organisation = "Shanghai"
[issuer.claims]
roles = "realm_access.roles"
[issuer.roles]
agent = ["LINE1", "LINE2"]
"""


def test_claims_are_read_where_the_mapping_says(tmp_path: Path) -> None:
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    issuer = read_issuers(str(path))[0]

    claims = {"realm_access": {"roles": ["agent", "other"]}}

    assert issuer.roles_of(claims) == {Role.LINE1, Role.LINE2}
    assert issuer.organisation_of(claims) == "Shanghai"
    assert issuer.roles_of({"realm_access": "agent"}) == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"https://sso', '"http://sso', "url must be https"),
        ('audience = "itr-desk"', "", "audience is missing"),
        ('["RS256"]', '["HS256"]', "algorithms must be"),
        ('["RS256"]', "[]", "algorithms must be"),
        ('"LINE2"', '"LINE9"', "LINE9 is no role"),
        ('organisation = "Shanghai"', "", "organisation"),
        ('roles = "realm', 'rolls = "realm', "claims.rolls is not known"),
        ("audience =", "audiance =", "audiance is not known"),
        ("[[issuer]]", "[[issuers]]", "[[issuer]]"),
        ("url =", "url", "not TOML"),
    ],
)
def test_a_wrong_mapping_is_one_sentence_at_the_start(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(GOOD.replace(old, new))
    given = environment(database_url="postgresql://x", valkey_url="valkey://x")

    with pytest.raises(WrongSettings) as refused:
        Settings.read(given | {"ITR_EXTERNAL_ISSUERS": str(path)})

    assert said in str(refused.value)
    assert "ITR_EXTERNAL_ISSUERS" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_mapping_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    given = environment(database_url="postgresql://x", valkey_url="valkey://x")

    with pytest.raises(WrongSettings, match="ITR_EXTERNAL_ISSUERS"):
        Settings.read(given | {"ITR_EXTERNAL_ISSUERS": str(tmp_path / "none.toml")})
