"""Administration by GraphQL: who is there, what they may do, and the end of their access."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from graphql import get_named_type

from api.app import create_app
from api.oauth.tokens import issue_token
from api.resolvers.root import product_schema
from itr.access.operations.passwords import set_password
from itr.access.operations.persons import assign_role, create_person, revoke_role
from itr.actors.roles import Role
from itr.people.models import FormerDetail
from itr.settings import Settings
from tests.api.throwaway import eventually
from tests.support.client import Answer, served
from tests.support.desk import FOUNDER, Desk, open_desk
from tests.support.desk_data import facts_of
from tests.support.firms import key_in
from tests.support.requests import new_key, submitted

PERSON = """person { id name email phone active machine roles organisation { name } }
    userErrors { path code message }"""
QUEUE = "queue { name line members { name } partner { name } } userErrors { path code message }"
FIELDS = get_named_type(product_schema()._schema.mutation_type).fields


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def call(desk: Desk, mutation: str, fields: str, who: str = "ADMIN", **given: Any) -> Answer:
    """An administrator's mutation."""
    kind = get_named_type(FIELDS[mutation].args["input"].type)
    document = f"mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {fields} }} }}"
    return await desk.as_(who).run(document, {"input": given})


async def done(desk: Desk, mutation: str, fields: str = PERSON, **given: Any) -> Any:
    """What a mutation that must succeed answers."""
    payload = (await call(desk, mutation, fields, **given)).data[mutation]
    assert payload.pop("userErrors") == [], payload
    ((_, thing),) = payload.items()
    return thing


async def refused(desk: Desk, mutation: str, **given: Any) -> tuple[str, list[str]]:
    """Code and path of the only refusal."""
    payload = (await call(desk, mutation, "userErrors { path code message }", **given)).data
    (error,) = payload[mutation]["userErrors"]
    assert error["message"]
    return error["code"], error["path"]


async def newcomer(desk: Desk, *roles: str, where: str = "Shanghai", **more: Any) -> str:
    """A person just added; the id."""
    given = {"organisationId": desk.public("org", where), "name": "新人 New", "roles": list(roles)}
    person = await done(desk, "createPerson", **given | more)
    id_: str = person["id"]
    return id_


async def administrator(desk: Desk) -> str:
    """Another administrator, appointed on the server; the id."""
    id_ = await newcomer(desk)
    await assign_role(FOUNDER, key_in(id_), Role.ADMIN, now=desk.time.now)
    return id_


async def test_a_person_is_added_corrected_and_found(desk: Desk) -> None:
    """R-ROLE-01: what is left out of a correction stays."""
    id_ = await newcomer(desk, "LINE1", "LINE2", email="li@house.example", phone="139 0000 0000")

    changed = await done(desk, "changePerson", id=id_, name="李娜 Li Na", phone=None)

    assert changed == {
        "id": id_,
        "name": "李娜 Li Na",
        "email": "li@house.example",
        "phone": None,
        "active": True,
        "machine": False,
        "roles": ["LINE1", "LINE2"],
        "organisation": {"name": "Shanghai"},
    }
    query = '{ persons(filter: { email: { eq: "li@house.example" } }) { nodes { id } } }'
    assert (await desk.as_("ADMIN").run(query)).data["persons"]["nodes"] == [{"id": id_}]


async def test_what_was_known_of_a_person_stays_on_record(desk: Desk) -> None:
    """S16, R-ROLE-09: the log has who, when, from where and of what; a row has what it was."""
    id_ = await newcomer(desk, "LINE1", email="old@house.example")
    for _ in range(2):
        await done(desk, "changePerson", id=id_, email="new@house.example")

    created, changed = await facts_of(key_in(id_))

    assert created["actor_id"] == changed["actor_id"] == desk.ids["ADMIN"]
    assert orjson.loads(changed["payload"]) == {"change": "CHANGED", "fields": {"email": {}}}
    former = await FormerDetail.filter(person_id=key_in(id_)).values("field", "value", "version")
    was = {"field": "email", "value": "old@house.example", "version": 2}
    assert former == [was]


async def test_an_address_somebody_signs_in_with_is_nobody_elses(desk: Desk) -> None:
    other = await newcomer(desk, "LINE1", email="taken@house.example")
    id_ = await newcomer(desk, "LINE1")
    for each in (other, id_):
        await set_password(FOUNDER, key_in(each), "a word nobody knows", now=desk.time.now)

    taken = await refused(desk, "changePerson", id=id_, email="Taken@House.example")

    assert taken == ("EMAIL_TAKEN", ["input", "email"])


async def test_roles_are_given_and_withdrawn(desk: Desk) -> None:
    """R-ROLE-01."""
    id_ = await newcomer(desk, "LINE1")

    for _ in range(2):
        both = await done(desk, "assignRole", id=id_, role="LINE_LEAD")
    one = await done(desk, "withdrawRole", id=id_, role="LINE1")

    assert both["roles"] == ["LINE1", "LINE_LEAD"]
    assert one["roles"] == ["LINE_LEAD"]


@pytest.mark.parametrize(
    ("where", "role"),
    [("Acme", "LINE1"), ("Acme", "PARTNER"), ("Firm", "ADMIN"), ("Shanghai", "CUSTOMER")],
)
async def test_a_role_inside_is_for_our_own_people_only(desk: Desk, where: str, role: str) -> None:
    """R-ROLE-03."""
    given = {"organisationId": desk.public("org", where), "name": "x", "roles": [role]}
    assert await refused(desk, "createPerson", **given) == (
        "ROLE_NOT_FOR_ORGANISATION",
        ["input", "roles"],
    )
    fitting = {"Acme": "CUSTOMER", "Firm": "PARTNER"}.get(where, "LINE1")
    id_ = await newcomer(desk, fitting, where=where)
    code, _ = await refused(desk, "assignRole", id=id_, role=role)
    assert code == "ROLE_NOT_FOR_ORGANISATION"


async def test_nobody_gives_themselves_a_role(desk: Desk) -> None:
    """Who administers decides no business, also not by taking a role that does."""
    own = desk.public("per", "ADMIN")

    code, path = await refused(desk, "assignRole", id=own, role="OPERATIONS_DIRECTOR")

    assert (code, path) == ("OWN_ROLE", ["input", "id"])
    roles = await desk.as_("ADMIN").run("{ viewer { roles } }")
    assert roles.data == {"viewer": {"roles": ["ADMIN"]}}


async def test_somebody_has_to_be_left_who_administers(desk: Desk) -> None:
    """Nor may somebody who is not active any more be the one."""
    only = desk.public("per", "ADMIN")
    assert (await refused(desk, "withdrawRole", id=only, role="ADMIN"))[0] == "LAST_ADMIN"
    assert (await refused(desk, "deactivatePerson", id=only))[0] == "LAST_ADMIN"
    other = await administrator(desk)
    await done(desk, "deactivatePerson", id=other)
    assert (await refused(desk, "withdrawRole", id=only, role="ADMIN"))[0] == "LAST_ADMIN"
    await done(desk, "reactivatePerson", id=other)

    without = await done(desk, "withdrawRole", id=other, role="ADMIN")

    assert without["roles"] == []
    assert (await refused(desk, "deactivatePerson", id=only))[0] == "LAST_ADMIN"


async def test_two_administrators_who_leave_at_once_do_not_both_go(desk: Desk) -> None:
    """Whoever comes second is the last."""
    others = [await administrator(desk) for _ in range(4)]
    leaving = [*others, desk.public("per", "ADMIN")]
    now = desk.time.now

    async def leave(id_: str) -> bool:
        try:
            await revoke_role(FOUNDER, key_in(id_), Role.ADMIN, now=now)
        except Exception as error:
            assert getattr(error, "code", "") == "LAST_ADMIN"
            return False
        return True

    left = await asyncio.gather(*(leave(id_) for id_ in leaving))

    assert sorted(left) == [False, True, True, True, True]
    if left[-1]:
        await assign_role(FOUNDER, key_in(leaving[-1]), Role.ADMIN, now=now)
    for id_ in others:
        await revoke_role(FOUNDER, key_in(id_), Role.ADMIN, now=now)


async def test_queues_are_opened_and_staffed(desk: Desk) -> None:
    """R-ORG-04."""
    firm, member = desk.public("org", "Firm"), desk.public("per", "PARTNER")
    given = {"name": "Firm 2", "line": 2, "partnerId": firm, "memberIds": [member]}
    opened = await done(desk, "createQueue", "queue { id } userErrors { code }", **given)

    left = await done(desk, "removeQueueMember", QUEUE, id=opened["id"], personId=member)
    back = await done(desk, "addQueueMember", QUEUE, id=opened["id"], personId=member)

    assert left["members"] == []
    assert back == {
        "name": "Firm 2",
        "line": 2,
        "members": [{"name": "PARTNER"}],
        "partner": {"name": "Firm"},
    }
    wrong = {"id": opened["id"], "personId": desk.public("per", "LINE1")}
    assert await refused(desk, "addQueueMember", **wrong) == (
        "NOT_OF_ORGANISATION",
        ["input", "personId"],
    )


async def test_an_organisation_is_added_once_per_key(desk: Desk) -> None:
    """R-ORG-01, S13."""
    branch = desk.public("org", "Beijing")
    given = {"kind": "CUSTOMER", "name": "晨光 Dawn", "branchId": branch}
    fields = "organisation { id kind branch { name } } userErrors { code }"
    key = new_key()

    first, again = [
        await done(desk, "createOrganisation", fields, clientMutationId=key, **given)
        for _ in range(2)
    ]

    assert first == again
    assert first["branch"] == {"name": "Beijing"}
    code, path = await refused(desk, "createOrganisation", **given | {"branchId": first["id"]})
    assert (code, path) == ("WRONG_ORGANISATION", ["input", "branchId"])


@pytest.mark.parametrize("who", ["CUSTOMER", "LINE1", "PROCESS_MANAGER", "BRANCH_MANAGER"])
async def test_nobody_else_administers(desk: Desk, who: str) -> None:
    """R-ROLE-02."""
    id_ = desk.public("per", "colleague")

    answer = await call(desk, "deactivatePerson", "userErrors { code }", who, id=id_)

    assert answer.code == "FORBIDDEN"
    answer = await desk.as_(who).run(
        "{ viewer { actor { id } } persons(first: 100) { nodes { id roles } } }"
    )
    me = answer.data["viewer"]["actor"]["id"]
    others = [each["roles"] for each in answer.data["persons"]["nodes"] if each["id"] != me]
    assert set(map(str, others)) == {"None"}
    assert answer.withheld == [
        {"path": ["persons", "nodes", "roles"], "permission": "MANAGE_PEOPLE"}
    ]


async def test_deactivation_ends_tokens_and_sockets_within_two_seconds(
    desk: Desk, settings: Settings
) -> None:
    """S9: by the event feed, from memory; and reactivation gives the access back."""
    where, now = desk.ids["Shanghai"], desk.time.now
    person = await create_person(FOUNDER, where, "leaving", [Role.LINE1], now=now)
    id_ = f"per_{person.hex}"
    await submitted(desk)
    app = create_app(settings, clock=desk.time)
    async with served(app, settings) as server:
        token = issue_token(settings, person, now=now)
        theirs = server.client.having(token)
        async with server.socket(token) as socket:
            await socket.subscribe("subscription { requestEvents { __typename } }")
            assert (await socket.receive())["type"] == "next"

            await done(desk, "deactivatePerson", id=id_)

            code, _ = await socket.closed(timeout=2)
            assert code in (4401, 4403)
        assert (await theirs.run("{ viewer { roles } }")).status == 401
        await done(desk, "reactivatePerson", id=id_)

        async def status() -> object:
            return (await theirs.run("{ viewer { roles } }")).status

        await eventually(status, 200, within=2)
