"""Administering OAuth clients by GraphQL: secrets told once, addresses judged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import get_named_type

from api.resolvers.root import product_schema
from itr.access.models import AccessApproval, OAuthClient
from itr.access.operations.approvals import approve
from itr.access.secrets import is_password, is_secret
from itr.people.models import Person
from itr.settings import Settings
from tests.support.desk import Desk, open_desk
from tests.support.firms import key_in

MUTATIONS = product_schema()._schema.mutation_type.fields
FIELDS = """client { id clientId name kind scopes redirectAddresses active version actor { name } }
    secret userErrors { code path message } clientMutationId"""
MUTATION = """mutation($input: %sInput!) { done: %s(input: $input) { %s } }"""
TAKES = {"deactivateOAuthClient": "OAuthClient", "rotateOAuthClientSecret": "OAuthClient"}
ADDRESS = "https://dashboard.example/back"


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        await Person.filter(id=opened.ids["PARTNER"]).update(machine=True)
        yield opened


async def do(desk: Desk, mutation: str, who: str = "ADMIN", **given: Any) -> Any:
    """What a mutation answers."""
    takes = TAKES.get(mutation, mutation[0].upper() + mutation[1:])
    query = MUTATION % (takes, mutation, FIELDS)
    return (await desk.as_(who).run(query, {"input": given})).body


async def created(desk: Desk, **given: Any) -> dict[str, Any]:
    """A client that was added."""
    answer = await do(desk, "createOAuthClient", **{"name": "Client", **given})
    done: dict[str, Any] = answer["data"]["done"]
    assert done["userErrors"] == [], done
    return done


async def refused(desk: Desk, mutation: str, **given: Any) -> tuple[str, str]:
    """Code and path of the only refusal."""
    (error,) = (await do(desk, mutation, **given))["data"]["done"]["userErrors"]
    return error["code"], "/".join(error["path"])


async def test_a_secret_is_told_once_and_kept_as_a_digest(desk: Desk) -> None:
    """R4, S15, S13: the same key again has the same outcome, and says the secret was told."""
    machine = {"kind": "MACHINE", "actorId": desk.public("per", "PARTNER"), "name": "Client"}

    first = await created(desk, **machine, clientMutationId="once")
    answer = await do(desk, "createOAuthClient", **machine, clientMutationId="once")

    again = answer["data"]["done"]
    assert first["secret"].startswith("itr_cs_")
    assert again["secret"] is None
    assert again["client"] == first["client"]
    (error,) = again["userErrors"]
    assert (error["code"], error["path"]) == ("SECRET_TOLD", ["input", "clientMutationId"])
    row = await OAuthClient.get(client_id=first["client"]["clientId"])
    assert row.secret_hash is not None
    assert first["secret"] not in row.secret_hash
    assert is_secret(first["secret"], row.secret_hash)


async def test_another_secret_is_told_once_too(desk: Desk) -> None:
    """R4."""
    machine = {"kind": "MACHINE", "actorId": desk.public("per", "PARTNER")}
    which = {"id": (await created(desk, **machine))["client"]["id"], "clientMutationId": "another"}

    first = (await do(desk, "rotateOAuthClientSecret", **which))["data"]["done"]
    again = (await do(desk, "rotateOAuthClientSecret", **which))["data"]["done"]

    assert first["secret"]
    assert first["userErrors"] == []
    assert again["secret"] is None
    assert [error["code"] for error in again["userErrors"]] == ["SECRET_TOLD"]
    assert again["client"] == first["client"]


async def test_where_there_was_no_secret_none_was_told(desk: Desk) -> None:
    """R4: a key repeated answers what it answered."""
    board = {"kind": "DASHBOARD", "redirectAddresses": [ADDRESS], "clientMutationId": "no secret"}

    assert await created(desk, **board) == await created(desk, **board)


def test_whatever_tells_a_secret_is_known_here() -> None:
    """R4: a mutation that is added to these answers SECRET_TOLD where its key is repeated."""
    telling = {
        name
        for name, each in MUTATIONS.items()
        if any(
            "this one time" in (field.description or "")
            for field in get_named_type(each.type).fields.values()
        )
    }

    assert telling == {
        "createOAuthClient", "rotateOAuthClientSecret", "resetPassword",
        "createWallboard", "changeOAuthClient", "deactivateOAuthClient",
    }  # fmt: skip


async def test_a_dashboard_has_addresses_and_no_secret(desk: Desk) -> None:
    made = await created(desk, kind="DASHBOARD", redirectAddresses=[ADDRESS])

    assert made["secret"] is None
    assert made["client"]["redirectAddresses"] == [ADDRESS]
    assert made["client"]["scopes"] == ["itr"]
    assert made["client"]["actor"] is None


@pytest.mark.parametrize(
    "address",
    [
        "http://dashboard.example/back",
        "https://dashboard.example/back#here",
        "https://*.example/back",
        "https://me:secret@dashboard.example/",
        "https:///back",
        "https://dashboard.example:port/",
        "javascript:alert(1)",
        "data:text/html,x",
        "/graphql/signed-in",
        "//dashboard.example",
        "app:/back",
        "https://dashboard.example/ back",
        "https://dashboard.example/\u0000",
        "",
    ],
)
async def test_an_unsafe_address_is_refused(desk: Desk, address: str) -> None:
    given = {"name": "Bad", "kind": "DASHBOARD", "redirectAddresses": [ADDRESS, address]}

    code, path = await refused(desk, "createOAuthClient", **given)

    assert (code, path) == ("BAD_REDIRECT_ADDRESS", "input/redirectAddresses/1")


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"kind": "DASHBOARD"}, "REQUIRED", "input/redirectAddresses"),
        ({"kind": "MACHINE"}, "REQUIRED", "input/actorId"),
        ({"kind": "WALLBOARD"}, "UNKNOWN_SCOPE", "input/scopes"),
        ({"kind": "MACHINE", "scopes": ["openid", "itr"]}, "UNKNOWN_SCOPE", "input/scopes"),
        (
            {"kind": "WEB", "scopes": ["openid"], "redirectAddresses": [ADDRESS]},
            "REQUIRED",
            "input/scopes",
        ),
        (
            {"kind": "MACHINE", "redirectAddresses": [ADDRESS]},
            "NO_REDIRECT_ADDRESS",
            "input/redirectAddresses",
        ),
        (
            {"kind": "WEB", "scopes": ["root"], "redirectAddresses": [ADDRESS]},
            "UNKNOWN_SCOPE",
            "input/scopes",
        ),
        ({"kind": "MACHINE", "actorId": "per_nobody"}, "NOT_FOUND", "input/actorId"),
        (
            {"kind": "DASHBOARD", "redirectAddresses": [ADDRESS] * 21},
            "INVALID",
            "input/redirectAddresses",
        ),
    ],
)
async def test_a_client_that_makes_no_sense_is_refused(
    desk: Desk, given: dict[str, Any], code: str, path: str
) -> None:
    answer = await refused(desk, "createOAuthClient", name="Odd", **given)

    assert answer == (code, path)


async def test_a_machine_is_no_person(desk: Desk) -> None:
    """What a program does does not stand under a person's name."""
    for kind, who, scopes in (
        ("MACHINE", "rival", ["itr"]),
        ("MACHINE", "WALLBOARD", ["itr"]),
        ("WALLBOARD", "PARTNER", ["itr:board"]),
    ):
        given = {"kind": kind, "actorId": desk.public("per", who), "scopes": scopes}

        assert await refused(desk, "createOAuthClient", name="Odd", **given) == (
            "NOT_A_MACHINE",
            "input/actorId",
        )


async def test_a_wallboard_belongs_to_a_branch(desk: Desk) -> None:
    given = {"name": "Hall", "branchId": desk.public("org", "Acme")}

    assert await refused(desk, "createWallboard", **given) == (
        "WRONG_ORGANISATION",
        "input/branchId",
    )


async def test_a_client_is_changed_rotated_and_ended(desk: Desk) -> None:
    made = await created(desk, kind="WEB", redirectAddresses=[ADDRESS])
    which = {"id": made["client"]["id"]}

    changed = await do(
        desk, "changeOAuthClient", **which, name="Other", redirectAddresses=[ADDRESS + "/2"]
    )
    assert changed["data"]["done"]["client"]["name"] == "Other"
    assert changed["data"]["done"]["client"]["redirectAddresses"] == [ADDRESS + "/2"]
    assert await refused(desk, "changeOAuthClient", **which, expectedVersion=1) == (
        "STALE",
        "input/expectedVersion",
    )
    rotated = (await do(desk, "rotateOAuthClientSecret", **which))["data"]["done"]
    assert rotated["secret"] not in (None, made["secret"])
    ended = (await do(desk, "deactivateOAuthClient", **which))["data"]["done"]
    assert ended["client"]["active"] is False
    assert await refused(desk, "rotateOAuthClientSecret", **which) == (
        "CLIENT_INACTIVE",
        "input/id",
    )


SET = """firstParty signOutAddresses idTokenAlgorithm redirectAddresses"""


async def test_administrators_say_how_a_program_is_treated(desk: Desk) -> None:
    """Issue: `firstParty` could be read and not set; 23, 24: so could the rest."""
    mutation = MUTATION.replace("%s }", f"client {{ id {SET} }} userErrors {{ code path }} }}")
    given = {
        "name": "Ours",
        "kind": "DASHBOARD",
        "redirectAddresses": [ADDRESS],
        "firstParty": True,
        "signOutAddresses": ["https://dashboard.example/"],
        "idTokenAlgorithm": "RS256",
    }
    create = mutation % ("CreateOAuthClient", "createOAuthClient")
    made = (await desk.as_("ADMIN").run(create, {"input": given})).data["done"]["client"]
    key = made.pop("id")
    assert made == {name: given[name] for name in SET.split()} | {"firstParty": False}
    (wish,) = await AccessApproval.filter(kind="FIRST_PARTY")
    director = await desk.actor("OPERATIONS_DIRECTOR")
    await approve(director, wish.id, now=desk.time.now)
    assert (await OAuthClient.get(id=key_in(key))).first_party, "once a second person approved it"

    change = mutation % ("ChangeOAuthClient", "changeOAuthClient")
    less = {"id": key, "firstParty": False, "signOutAddresses": [], "idTokenAlgorithm": "ED25519"}
    changed = (await desk.as_("ADMIN").run(change, {"input": less})).data["done"]["client"]
    assert changed == less | {"redirectAddresses": [ADDRESS]}
    wrong = {"id": key, "signOutAddresses": ["http://dashboard.example/"]}
    refusal = (await desk.as_("ADMIN").run(change, {"input": wrong})).data["done"]["userErrors"]
    assert refusal == [{"code": "BAD_REDIRECT_ADDRESS", "path": ["input", "signOutAddresses", "0"]}]
    machine = {"name": "M", "kind": "MACHINE", "actorId": desk.public("per", "PARTNER")}
    assert await refused(desk, "createOAuthClient", **machine, firstParty=True) == (
        "INVALID",
        "input/firstParty",
    )


async def test_a_client_without_a_secret_gets_none(desk: Desk) -> None:
    made = await created(desk, kind="DASHBOARD", redirectAddresses=[ADDRESS])

    answer = await refused(desk, "rotateOAuthClientSecret", id=made["client"]["id"])

    assert answer == ("HAS_NO_SECRET", "input/id")


@pytest.mark.parametrize("who", ["PROCESS_MANAGER", "LINE1", "CUSTOMER", "PARTNER"])
async def test_only_administrators_see_or_change_clients(desk: Desk, who: str) -> None:
    """R-ROLE-02, S2."""
    made = await created(desk, kind="DASHBOARD", redirectAddresses=[ADDRESS])
    public = made["client"]["id"]

    asked = await desk.as_(who).run("{ oauthClients { nodes { id } } }")
    seen = await desk.as_(who).run("query($id: ID!) { node(id: $id) { id } }", {"id": public})
    ended = await do(desk, "deactivateOAuthClient", who, id=public)

    assert asked.code == "FORBIDDEN"
    assert seen.body["data"]["node"] is None
    assert ended["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    row = await OAuthClient.get(client_id=made["client"]["clientId"])
    assert row.active


async def test_what_was_done_to_a_client_stands_in_the_log_without_its_secret(desk: Desk) -> None:
    """S16, S15."""
    from tortoise.connection import get_connection

    made = await created(desk, kind="WEB", redirectAddresses=[ADDRESS])
    row = await OAuthClient.get(client_id=made["client"]["clientId"])

    facts = await get_connection("default").execute_query_dict(
        "select type, actor_id, payload::text as said from event where subject = $1", [row.id]
    )

    assert [(each["type"], each["actor_id"]) for each in facts] == [
        ("ClientCreated", desk.ids["ADMIN"])
    ]
    assert made["secret"] not in facts[0]["said"]


RESET = """mutation($input: ResetPasswordInput!) { resetPassword(input: $input) {
  person { name } password userErrors { code path } } }"""


async def reset(desk: Desk, name: str, who: str = "ADMIN", **more: Any) -> Any:
    """Reset somebody's password."""
    given = {"id": desk.public("per", name), **more}
    return (await desk.as_(who).run(RESET, {"input": given})).body


async def test_an_administrator_gives_a_first_password_told_once(desk: Desk) -> None:
    """R4, S15."""
    await Person.filter(id=desk.ids["LINE2"]).update(email="line2@desk.example")

    done = (await reset(desk, "LINE2", clientMutationId="first"))["data"]["resetPassword"]
    again = (await reset(desk, "LINE2", clientMutationId="first"))["data"]["resetPassword"]

    person = await Person.get(id=desk.ids["LINE2"])
    assert done["person"] == {"name": "LINE2"}
    assert is_password(done["password"], person.password_hash)
    assert again["password"] is None
    assert again["person"] == done["person"]
    assert [error["code"] for error in again["userErrors"]] == ["SECRET_TOLD"]


async def test_who_cannot_sign_in_gets_no_password(desk: Desk) -> None:
    await Person.filter(id=desk.ids["LINE2"]).update(email="line2@desk.example")
    await reset(desk, "LINE2")
    await Person.filter(id=desk.ids["LINE3"]).update(email="LINE2@desk.example")
    codes = {}
    for name in ("PARTNER", "LINE1", "LINE3"):
        (error,) = (await reset(desk, name))["data"]["resetPassword"]["userErrors"]
        codes[name] = error["code"]

    assert codes == {
        "PARTNER": "MACHINE_HAS_NO_PASSWORD",
        "LINE1": "REQUIRED",
        "LINE3": "EMAIL_TAKEN",
    }
    refused = await reset(desk, "LINE2", "PROCESS_MANAGER")
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
