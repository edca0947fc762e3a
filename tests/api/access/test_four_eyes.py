"""Nobody gets at power that decides alone: what waits for a second person, and for whom (S18)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from graphql import get_named_type
from tortoise.connection import get_connection

from api.resolvers.root import product_schema
from itr.access.models import AccessApproval, OAuthClient
from itr.access.operations.clients import create_client
from itr.access.operations.grants import client_named
from itr.access.operations.passwords import set_password
from itr.access.operations.persons import assign_role, create_person
from itr.access.secrets import is_password, is_secret
from itr.access.terms import ClientKind
from itr.actors.roles import DECIDING, Role
from itr.people.models import Person
from itr.people.operations import load_actor
from itr.settings import Settings
from tests.support.desk import FOUNDER, Desk, open_desk
from tests.support.firms import key_in

MUTATIONS = product_schema()._schema.mutation_type.fields
WAITING = """{ accessApprovals(first: 100, filter: { state: { eq: PENDING } }) { nodes {
    id kind role state person { id name } clientName email askedBy { name } } } }"""
OLD, SECOND = "a password of one's own", "second admin"


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    """A desk with two administrators, a director who can sign in, and a machine that decides."""
    async with open_desk(settings) as opened:
        await _furnish(opened)
        yield opened


async def _furnish(desk: Desk) -> None:
    where, now = desk.ids["Shanghai"], desk.time.now
    for name, roles, machine in (
        (SECOND, [Role.ADMIN], False),
        ("machine", [Role.LINE1, Role.PROCESS_MANAGER], True),
        ("robot", [Role.ADMIN], True),
    ):
        desk.ids[name] = await create_person(FOUNDER, where, name, roles, machine=machine, now=now)
    for name in ("ADMIN", SECOND, "OPERATIONS_DIRECTOR", "PROCESS_MANAGER", "LINE1"):
        email = f"{name.lower().replace(' ', '')}@desk.example"
        await Person.filter(id=desk.ids[name]).update(email=email)


@pytest.fixture(autouse=True)
async def as_at_first(desk: Desk) -> None:
    """Nothing waits, and the director has a password of his own."""
    await AccessApproval.filter(state="PENDING").update(state="WITHDRAWN")
    director = desk.ids["OPERATIONS_DIRECTOR"]
    await set_password(FOUNDER, director, OLD, now=desk.time.now)


async def do(desk: Desk, mutation: str, fields: str = "", who: str = "ADMIN", **given: Any) -> Any:
    """What a mutation answers."""
    kind = get_named_type(MUTATIONS[mutation].args["input"].type)
    document = f"""mutation($input: {kind}!) {{ {mutation}(input: $input) {{
        {fields} userErrors {{ code path }} }} }}"""
    return (await desk.as_(who).run(document, {"input": given})).data[mutation]


async def codes(desk: Desk, mutation: str, who: str, **given: Any) -> list[str]:
    """The codes with which a mutation is refused."""
    answer = await do(desk, mutation, "", who, **given)
    return [error["code"] for error in answer["userErrors"]]


async def waiting(desk: Desk, who: str = "OPERATIONS_DIRECTOR") -> list[dict[str, Any]]:
    """What waits for a second person."""
    found: list[dict[str, Any]] = (await desk.as_(who).run(WAITING)).data["accessApprovals"][
        "nodes"
    ]
    return found


async def newcomer(desk: Desk, *roles: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """Somebody an administrator adds: the id, and all that was answered."""
    given = {"organisationId": desk.public("org", "Shanghai"), "name": "New", "roles": roles}
    answer = await do(desk, "createPerson", "person { id roles } pending", **given | more)
    assert answer["userErrors"] == []
    return answer["person"]["id"], answer


async def told(desk: Desk, name: str) -> list[str]:
    """What stands in somebody's list of their access, newest first."""
    query = "{ notifications(first: 20) { nodes { kind text } } }"
    nodes = (await desk.as_(name).run(query)).data["notifications"]["nodes"]
    return [each["text"] for each in nodes if each["kind"] == "ACCESS"]


async def test_a_role_that_decides_is_held_once_a_second_person_approves(desk: Desk) -> None:
    """V12, S18: the others are held at once; both are told, and the log has it all."""
    id_, added = await newcomer(desk, "LINE1", "PROCESS_MANAGER", email="new@desk.example")
    assert added["person"]["roles"] == ["LINE1"]
    assert added["pending"] is True
    (wish,) = await waiting(desk)
    assert (wish["kind"], wish["role"], wish["askedBy"]) == (
        "ROLE",
        "PROCESS_MANAGER",
        {"name": "ADMIN"},
    )

    fields = "approval { state decidedBy { name } }"
    done = await do(desk, "approveAccess", fields, "OPERATIONS_DIRECTOR", id=wish["id"])

    assert done["approval"] == {"state": "APPROVED", "decidedBy": {"name": "OPERATIONS_DIRECTOR"}}
    actor = await load_actor(key_in(id_))
    assert actor is not None
    assert actor.roles == {Role.LINE1, Role.PROCESS_MANAGER}
    assert await waiting(desk) == []
    desk.ids["new"] = key_in(id_)
    role = "the role PROCESS_MANAGER of New"
    assert await told(desk, "OPERATIONS_DIRECTOR") == [
        f"ADMIN asks for {role}; somebody else has to approve it within 24 hours, or it lapses."
    ]
    assert await told(desk, "ADMIN") == [
        f"OPERATIONS_DIRECTOR has approved {role}; it is in effect now."
    ]
    mails = await get_connection("default").execute_query_dict(
        "select text from outbox where person_id = $1 and channel = 'EMAIL'",
        [key_in(id_)],
    )
    assert len(mails) == 2
    facts = await get_connection("default").execute_query_dict(
        "select type, actor_id from event where subject = $1 order by subject_version",
        [key_in(wish["id"])],
    )
    assert [(each["type"], each["actor_id"]) for each in facts] == [
        ("ApprovalAsked", desk.ids["ADMIN"]),
        ("ApprovalApproved", desk.ids["OPERATIONS_DIRECTOR"]),
    ]


async def test_whoever_asked_whom_it_is_for_and_machines_are_no_second_person(desk: Desk) -> None:
    """V12."""
    await do(desk, "assignRole", id=desk.public("per", SECOND), role="OPERATIONS_DIRECTOR")
    (wish,) = await waiting(desk)

    for who in ("ADMIN", SECOND, "robot"):
        assert await codes(desk, "approveAccess", who, id=wish["id"]) == ["SECOND_PERSON_NEEDED"]
    answer = await desk.as_("PROCESS_MANAGER").run(WAITING)

    assert answer.code == "FORBIDDEN"
    assert [each["id"] for each in await waiting(desk)] == [wish["id"]]


async def test_what_nobody_approves_in_a_day_lapses(desk: Desk) -> None:
    """V12."""
    id_, _ = await newcomer(desk, "ADMIN")
    (wish,) = await waiting(desk)
    desk.time.pass_(timedelta(hours=24))

    late = await codes(desk, "approveAccess", "OPERATIONS_DIRECTOR", id=wish["id"])

    assert late == ["NOT_PENDING"]
    assert await waiting(desk) == []
    actor = await load_actor(key_in(id_))
    assert actor is not None
    assert actor.roles == frozenset()
    again = await do(desk, "assignRole", "pending", id=id_, role="ADMIN")
    assert again["pending"] is True


async def test_what_was_refused_or_taken_back_never_takes_effect(desk: Desk) -> None:
    """V12: also a role that is withdrawn before anybody approved it."""
    id_, _ = await newcomer(desk, "ADMIN", "PROCESS_MANAGER", "OPERATIONS_DIRECTOR")
    by_role = {each["role"]: each["id"] for each in await waiting(desk)}
    fields = "approval { state }"

    refused = await do(desk, "refuseAccess", fields, SECOND, id=by_role["ADMIN"])
    taken = await do(desk, "refuseAccess", fields, "ADMIN", id=by_role["PROCESS_MANAGER"])
    await do(desk, "withdrawRole", id=id_, role="OPERATIONS_DIRECTOR")

    assert refused["approval"] == {"state": "REFUSED"}
    assert taken["approval"] == {"state": "WITHDRAWN"}
    for each in by_role.values():
        assert await codes(desk, "approveAccess", "OPERATIONS_DIRECTOR", id=each) == ["NOT_PENDING"]


async def test_a_client_of_a_machine_that_decides_gets_no_token_before(desk: Desk) -> None:
    """V12: with LINE1, PROCESS_MANAGER and OPERATIONS_DIRECTOR it was full power, made alone."""
    given = {"name": "c", "kind": "MACHINE", "actorId": desk.public("per", "machine")}
    fields = "client { clientId waiting } secret pending"
    made = await do(desk, "createOAuthClient", fields, **given)
    client_id = made["client"]["clientId"]
    assert (made["client"]["waiting"], made["pending"]) == (True, True)
    assert made["secret"]
    assert await client_named(client_id) is None
    (wish,) = await waiting(desk)
    assert (wish["kind"], wish["clientName"]) == ("CLIENT", "c")

    await do(desk, "approveAccess", "", "OPERATIONS_DIRECTOR", id=wish["id"])

    known = await client_named(client_id)
    assert known is not None
    assert is_secret(made["secret"], known.secret_hash or "")


async def test_another_secret_of_such_a_client_takes_the_olds_place_when_approved(
    desk: Desk,
) -> None:
    """V12: or whoever administers would have the machine's power by it."""
    key, old = await create_client(
        FOUNDER,
        name="c",
        kind=ClientKind.MACHINE,
        scopes=["itr"],
        actor_id=desk.ids["machine"],
        now=desk.time.now,
    )
    asked = await do(
        desk, "rotateOAuthClientSecret", "client { id } secret pending", id=f"cli_{key.hex}"
    )
    before = await OAuthClient.get(id=key)
    (wish,) = await waiting(desk)

    await do(desk, "approveAccess", "", SECOND, id=wish["id"])

    after = await OAuthClient.get(id=key)
    assert asked["pending"] is True
    assert is_secret(old or "", before.secret_hash or "")
    assert is_secret(asked["secret"], after.secret_hash or "")
    assert (await AccessApproval.get(id=key_in(wish["id"]))).secret_hash is None


async def test_a_directors_new_password_is_good_once_approved_and_is_changed_first(
    desk: Desk,
) -> None:
    """V12: an administrator reset it and signed in as him."""
    director = desk.ids["OPERATIONS_DIRECTOR"]
    reset = await do(
        desk, "resetPassword", "password pending", id=desk.public("per", "OPERATIONS_DIRECTOR")
    )
    before = await Person.get(id=director)
    (wish,) = await waiting(desk, SECOND)
    assert await codes(desk, "approveAccess", "OPERATIONS_DIRECTOR", id=wish["id"]) == [
        "SECOND_PERSON_NEEDED"
    ]

    await do(desk, "approveAccess", "", SECOND, id=wish["id"])

    after = await Person.get(id=director)
    assert reset["pending"] is True
    assert is_password(OLD, before.password_hash)
    assert is_password(reset["password"], after.password_hash)
    assert after.must_change_password
    heard = "second admin has approved a new password of OPERATIONS_DIRECTOR; it is in effect now."
    assert heard in await told(desk, "OPERATIONS_DIRECTOR")
    assert heard in await told(desk, "ADMIN")


async def test_the_newest_of_two_passwords_that_wait_counts(desk: Desk) -> None:
    """V12."""
    whose = desk.public("per", "OPERATIONS_DIRECTOR")
    await do(desk, "resetPassword", "password", id=whose)
    second = await do(desk, "resetPassword", "password", id=whose)
    (wish,) = await waiting(desk, SECOND)

    await do(desk, "approveAccess", "", SECOND, id=wish["id"])

    after = await Person.get(id=desk.ids["OPERATIONS_DIRECTOR"])
    assert is_password(second["password"], after.password_hash)


async def test_who_is_about_to_decide_is_guarded_like_who_does(desk: Desk) -> None:
    """V12: or the password would be reset while the role waits, and known once it is held."""
    id_, _ = await newcomer(desk, "OPERATIONS_DIRECTOR", email="next@desk.example")

    reset = await do(desk, "resetPassword", "pending", id=id_)

    assert reset["pending"] is True
    assert (await Person.get(id=key_in(id_))).password_hash is None
    assert {each["kind"] for each in await waiting(desk)} == {"ROLE", "PASSWORD"}


async def power(desk: Desk) -> dict[str, Any]:
    """All that decides, and all by which somebody could be it."""
    del desk
    rows = get_connection("default").execute_query_dict
    roles = sorted(role.value for role in DECIDING)
    return {
        "who": await rows(
            "select p.id, r.role, p.active, p.email, p.password_hash from person p"
            " join role_assignment r on r.person_id = p.id where r.role = any($1) order by 1, 2",
            [roles],
        ),
        "what": await rows(
            "select c.id, c.secret_hash from oauth_client c where c.active and not c.waiting"
            " and exists (select 1 from role_assignment r where r.person_id = c.actor_id"
            " and r.role = any($1)) order by 1",
            [roles],
        ),
        "trusted": await rows(
            "select client_id, redirect_uris::text from oauth_client"
            " where first_party and active order by 1"
        ),
        "sessions": await rows("select count(*) from browser_session where ended_at is null"),
    }


async def test_an_administrator_alone_gets_at_nothing_that_decides(desk: Desk) -> None:
    """V12, S18: every way an administrator has, for everybody there is, one after the other."""
    director, line1 = desk.ids["OPERATIONS_DIRECTOR"], desk.ids["LINE1"]
    gone = await create_person(
        FOUNDER, desk.ids["Shanghai"], "gone", [Role.PROCESS_MANAGER], now=desk.time.now
    )
    await Person.filter(id=gone).update(active=False, email="gone@desk.example")
    key, _ = await create_client(
        FOUNDER,
        name="c",
        kind=ClientKind.MACHINE,
        scopes=["itr"],
        actor_id=desk.ids["machine"],
        now=desk.time.now,
    )
    before = await power(desk)

    for role in sorted(DECIDING):
        own, _ = await newcomer(desk, role, email=f"{role.lower()}@evil.example")
        machine, _ = await newcomer(desk, role, machine=True)
        client = {"name": "x", "kind": "MACHINE", "actorId": machine}
        await do(desk, "createOAuthClient", "secret", **client)
        await do(desk, "resetPassword", "password", id=own)
        for person in (f"per_{line1.hex}", own, machine):
            await do(desk, "assignRole", id=person, role=role)
        for each in await waiting(desk):
            assert await codes(desk, "approveAccess", "ADMIN", id=each["id"]) != []
    for person in (director, gone, desk.ids[SECOND], desk.ids["machine"], desk.ids["robot"]):
        id_ = f"per_{person.hex}"
        await do(desk, "changePerson", id=id_, email="mine@evil.example")
        await do(desk, "changePerson", id=id_, email=None)
        await do(desk, "reactivatePerson", id=id_)
        await do(desk, "resetPassword", "password", id=id_)
    await do(desk, "rotateOAuthClientSecret", "secret", id=f"cli_{key.hex}")
    evil = {"redirectAddresses": ["https://evil.example/"], "firstParty": True}
    await do(desk, "createOAuthClient", name="x", kind="DASHBOARD", **evil)
    for each in await OAuthClient.filter(kind=ClientKind.DASHBOARD):
        await do(desk, "changeOAuthClient", id=f"cli_{each.id.hex}", **evil)

    after = await power(desk)
    assert all(each in before["trusted"] for each in after.pop("trusted"))
    assert after == {name: each for name, each in before.items() if name != "trusted"}


async def test_an_address_and_a_return_wait_for_a_second_person_too(desk: Desk) -> None:
    """V12: notices would go elsewhere, and who was sent away would decide again."""
    whose = desk.public("per", "OPERATIONS_DIRECTOR")
    await do(desk, "changePerson", id=whose, email="new@desk.example", name="Director")
    await do(desk, "deactivatePerson", id=desk.public("per", "PROCESS_MANAGER"))
    back = desk.public("per", "PROCESS_MANAGER")
    await do(desk, "reactivatePerson", id=back)
    wishes = {each["kind"]: each for each in await waiting(desk, SECOND)}
    before = await Person.get(id=desk.ids["OPERATIONS_DIRECTOR"])
    old = "operations_director@desk.example"

    for each in wishes.values():
        await do(desk, "approveAccess", "", SECOND, id=each["id"])

    after = await Person.get(id=desk.ids["OPERATIONS_DIRECTOR"])
    assert (before.name, before.email) == ("Director", old)
    assert after.email == wishes["EMAIL"]["email"] == "new@desk.example"
    assert (await Person.get(id=desk.ids["PROCESS_MANAGER"])).active


async def test_a_client_that_asks_nobody_is_trusted_by_two_and_so_are_its_addresses(
    desk: Desk,
) -> None:
    """V12: whoever a director is led to without consent has the director's tokens."""
    given = {"name": "x", "kind": "DASHBOARD", "firstParty": True}
    fields = "client { id firstParty } pending"
    made = await do(
        desk, "createOAuthClient", fields, redirectAddresses=["https://a.example/"], **given
    )
    which = {"id": made["client"]["id"]}
    (first,) = await waiting(desk)
    await do(desk, "changeOAuthClient", redirectAddresses=["https://b.example/"], **which)
    (second,) = await waiting(desk)
    assert await codes(desk, "approveAccess", SECOND, id=first["id"]) == ["NOT_PENDING"]

    await do(desk, "approveAccess", "", SECOND, id=second["id"])

    trusted = await do(desk, "changeOAuthClient", fields, name="y", **which)
    moved = await do(
        desk, "changeOAuthClient", fields, redirectAddresses=["https://c.example/"], **which
    )
    assert (made["client"]["firstParty"], made["pending"]) == (False, True)
    assert (trusted["client"]["firstParty"], trusted["pending"]) == (True, False)
    assert (moved["client"]["firstParty"], moved["pending"]) == (False, True)


async def test_whoever_sets_the_server_up_needs_no_second(desk: Desk) -> None:
    """S18: the operator gives roles on the server, and is nobody's account."""
    await assign_role(FOUNDER, desk.ids["LINE1"], Role.PROCESS_MANAGER, now=desk.time.now)

    actor = await load_actor(desk.ids["LINE1"])
    assert actor is not None
    assert Role.PROCESS_MANAGER in actor.roles
    assert await waiting(desk) == []


async def test_what_a_second_person_looked_at_is_what_takes_effect(desk: Desk) -> None:
    """V12: led elsewhere while it waits, and not asked for again, a client is not trusted."""
    given = {"name": "x", "kind": "DASHBOARD", "firstParty": True}
    made = await do(
        desk,
        "createOAuthClient",
        "client { id }",
        redirectAddresses=["https://a.example/"],
        **given,
    )
    which = {"id": made["client"]["id"]}
    (looked_at,) = await waiting(desk)

    evil = {"redirectAddresses": ["https://evil.example/"], "firstParty": False}
    await do(desk, "changeOAuthClient", **evil, **which)

    assert await waiting(desk) == []
    assert await codes(desk, "approveAccess", SECOND, id=looked_at["id"]) == ["NOT_PENDING"]
    assert not (await OAuthClient.get(id=key_in(which["id"]))).first_party
