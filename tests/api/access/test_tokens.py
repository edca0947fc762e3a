"""Access tokens: ours only, pinned, and ended when they end."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey

from api.oauth import Keys, Unauthenticated, issue_token, verify_token
from api.oauth.tokens import ALGORITHM, TYPE, audience
from itr.settings import Settings
from tests.api.throwaway import Desk, eventually, record
from tests.support.client import Client, in_process

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PERSON = UUID("7d444840-9dc0-41d1-b245-5ffdce74fad2")
SETTINGS = Settings(
    database_url="postgresql://itr@127.0.0.1/itr",
    valkey_url="valkey://127.0.0.1",
    secret="a secret for tests, long enough to be one",  # type: ignore[arg-type]
    issuer="https://desk.example",
)


def claims(**changed: Any) -> dict[str, Any]:
    """Claims that would be good."""
    good = {
        "iss": SETTINGS.issuer,
        "aud": audience(SETTINGS),
        "sub": f"per_{PERSON.hex}",
        "client_id": "itr",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 3600,
        "jti": "1",
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(key: Any = None, *, alg: str = ALGORITHM, typ: str = TYPE, **changed: Any) -> str:
    """A token as an attacker may make one."""
    key = key or Keys.of(SETTINGS).signing_key()
    return jwt.encode({"alg": alg, "typ": typ}, claims(**changed), key, algorithms=[alg])


def test_a_token_says_who_and_for_how_long() -> None:
    token = issue_token(
        SETTINGS, PERSON, client_id="wallboard", lifetime=timedelta(minutes=5), now=NOW
    )

    verified = verify_token(SETTINGS, token, now=NOW + timedelta(minutes=4))

    assert verified.person_id == PERSON
    assert verified.client_id == "wallboard"
    assert verified.expires_at == NOW + timedelta(minutes=5)


def test_the_handmade_good_token_is_good() -> None:
    assert verify_token(SETTINGS, signed(), now=NOW).person_id == PERSON


@pytest.mark.parametrize(
    "token",
    [
        signed(iss="https://evil.example"),
        signed(iss=None),
        signed(aud="https://desk.example"),
        signed(aud=[audience(SETTINGS), "other"]),
        signed(aud=None),
        signed(exp=int(NOW.timestamp())),
        signed(exp=None),
        signed(exp="9999999999"),
        signed(iat=int(NOW.timestamp()) + 60),
        signed(sub="per_nobody"),
        signed(sub=None),
        signed(jti=None),
        signed(typ="JWT"),
        signed(OKPKey.generate_key("Ed25519")),
        signed(ECKey.generate_key("P-256"), alg="ES256"),
        signed(OctKey.import_key("a secret for tests, long enough to be one"), alg="HS256"),
        "",
        "x",
        "a.b.c",
        "é.é.é",
        "." * 3,
        "A" * 5_000,
        signed() + "A",
        signed()[:-4],
    ],
)
def test_any_other_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        verify_token(SETTINGS, token, now=NOW)


def test_a_token_without_signature_is_refused() -> None:
    def part(data: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")

    for alg in ("none", "None", ALGORITHM):
        with pytest.raises(Unauthenticated):
            token = f"{part({'alg': alg, 'typ': TYPE})}.{part(claims())}."
            verify_token(SETTINGS, token, now=NOW)


def test_another_secret_makes_other_keys() -> None:
    one, other = Keys("a" * 32), Keys("b" * 32)

    assert one.secret_for("x") == Keys("a" * 32).secret_for("x")
    assert len({one.secret_for("x"), one.secret_for("y"), other.secret_for("x")}) == 3
    assert len(one.secret_for("x")) == 32
    assert b"a" * 32 not in one.secret_for("x")


@pytest.fixture(scope="module")
def desk(settings: Settings) -> Desk:
    return Desk(settings)


@pytest.fixture(scope="module")
async def anybody(desk: Desk) -> AsyncIterator[Client]:
    async with in_process(desk.app()) as client:
        yield client


async def test_a_warm_token_costs_no_look_at_the_database(anybody: Client, desk: Desk) -> None:
    """S9."""
    client = anybody.having(desk.token())
    await client.run("{ hello }")
    loads = desk.loads

    for _ in range(20):
        assert (await client.run("{ me }")).data == {"me": "Li"}

    assert desk.loads == loads


async def test_an_event_about_a_person_is_seen_within_2_seconds(
    anybody: Client, desk: Desk, settings: Settings
) -> None:
    """S9."""
    actor = desk.person("Before")
    client = anybody.having(desk.token(actor))
    assert (await client.run("{ me }")).data == {"me": "Before"}
    desk.change(actor, name="After")
    assert (await client.run("{ me }")).data == {"me": "Before"}

    connection = await asyncpg.connect(settings.database_url)
    await record(connection, actor.id, kind="person")
    await connection.close()

    async def name() -> object:
        return (await client.run("{ me }")).data["me"]

    await eventually(name, "After", within=2)


async def test_an_event_about_an_organisation_is_about_everybody(
    anybody: Client, desk: Desk, settings: Settings
) -> None:
    actor = desk.person("Member")
    client = anybody.having(desk.token(actor))
    await client.run("{ me }")
    del desk.people[actor.id]

    connection = await asyncpg.connect(settings.database_url)
    await record(connection, uuid4(), kind="organisation")
    await connection.close()

    async def status() -> object:
        return (await client.run("{ me }")).status

    await eventually(status, 401, within=2)


async def test_a_token_ends_on_time_also_when_it_is_remembered(settings: Settings) -> None:
    """S9."""
    now = [NOW]
    desk = Desk(settings, clock=lambda: now[0])
    async with in_process(desk.app()) as client:
        ours = client.having(desk.token(lifetime=timedelta(minutes=1), now=NOW))
        assert (await ours.run("{ hello }")).status == 200

        now[0] = NOW + timedelta(minutes=1)

        assert (await ours.run("{ hello }")).status == 401
