"""Erasing a person: nothing anywhere says who they were, and all goes on without them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from graphql import get_named_type
from tortoise.connection import get_connection
from tortoise.exceptions import IntegrityError, OperationalError

from api.resolvers.root import product_schema
from itr import imports
from itr.access.models import AccessApproval, Erasure, ExternalIdentity, OAuthClient
from itr.access.operations.clients import create_client
from itr.access.operations.consents import remember_consent
from itr.access.operations.erasing_texts import SETTLED, erase_texts
from itr.access.operations.external import Vouched, person_vouched_for
from itr.access.operations.passwords import set_password
from itr.access.operations.persons import create_person, erase_person
from itr.access.operations.signing_in import sign_in
from itr.access.terms import ClientKind
from itr.actors.roles import OrganisationKind, Role
from itr.addresses import credentials
from itr.catalogue.organisations import create_organisation
from itr.events.work import transaction
from itr.people.models import Person
from itr.people.operations import load_actor
from itr.people.rules import PersonErased
from itr.settings import Settings
from tests.operations.imports.test_importing import BPI, HEADER, lines
from tests.support.desk import FOUNDER, Desk, open_desk
from tests.support.firms import key_in
from tests.support.other_servers import are_asked_for
from tests.support.requests import CRITICAL, brought_to, submitted, timeline
from tests.support.requests import do as verb

NAME, BEFORE = "Xaver Quillfeather Sweden", "Xaver Quillmaiden"
EMAIL, PHONE = "xaver@quillfeather.example", "13987654321"
WORDS = ("Quillfeather", "Quillmaiden", "quillfeather", "quillmaiden", PHONE, "139-8765-4321")
WHO, SECOND, PASSWORD = "xaver", "second admin", "correct horse battery"
ERASED = "〔已删除 erased〕"
MUTATIONS = product_schema()._schema.mutation_type.fields


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    """A desk with two administrators and somebody who may do everything."""
    async with open_desk(settings) as opened:
        now = opened.time.now
        opened.ids["Volvo IT"] = await create_organisation(
            FOUNDER, kind=OrganisationKind.BRANCH, name="Volvo IT", now=now
        )
        opened.ids[SECOND] = await create_person(
            FOUNDER, opened.ids["Shanghai"], SECOND, [Role.ADMIN], now=now
        )
        for name in ("ADMIN", SECOND):
            await Person.filter(id=opened.ids[name]).update(email=f"{opened.ids[name]}@house")
        inside = sorted(set(Role) - {Role.CUSTOMER, Role.PARTNER, Role.WALLBOARD})
        opened.ids[WHO] = await create_person(
            FOUNDER, opened.ids["Volvo IT"], BEFORE, inside, email=EMAIL, phone=PHONE, now=now
        )
        yield opened


async def do(desk: Desk, mutation: str, fields: str = "", who: str = "ADMIN", **given: Any) -> Any:
    """What a mutation answers."""
    kind = get_named_type(MUTATIONS[mutation].args["input"].type)
    document = f"""mutation($input: {kind}!) {{ {mutation}(input: $input) {{
        {fields} userErrors {{ code }} }} }}"""
    return (await desk.as_(who).run(document, {"input": given})).data[mutation]


async def codes(desk: Desk, mutation: str, who: str = "ADMIN", **given: Any) -> list[str]:
    """The codes with which it is refused."""
    return [each["code"] for each in (await do(desk, mutation, "", who, **given))["userErrors"]]


async def waiting(desk: Desk) -> str:
    """The id of the one erasure that waits for a second person."""
    row = await AccessApproval.get(kind="ERASURE", state="PENDING")
    return f"apr_{row.id.hex}"


async def erased(desk: Desk, who: str) -> None:
    """Have somebody erased by two administrators, and the worker do all that follows."""
    asked = await do(desk, "erasePerson", "pending", id=desk.public("per", who))
    assert asked == {"pending": True, "userErrors": []}
    done = await do(desk, "approveAccess", "", SECOND, id=await waiting(desk))
    assert done == {"userErrors": []}
    await texts_done(desk.time.now)
    await texts_done(desk.time.now + SETTLED)


async def texts_done(now: datetime) -> None:
    """All that a worker does about texts at that time."""
    while await erase_texts(now):
        pass


async def everything_is_done_by(desk: Desk, folder: Path) -> str:
    """A life at the desk, and talk of it wherever there can be talk; a request he still has."""
    whom = f"ask {NAME}, {PHONE} or +86 139-8765-4321, {EMAIL.upper()}"
    person = desk.public("per", WHO)
    await do(desk, "changePerson", id=person, name=NAME)
    members = {"leadId": person, "memberIds": [person, desk.public("per", "LINE1")]}
    queue = await do(
        desk, "createQueue", "queue { id }", name=f"queue of {NAME}", line=1, **members
    )
    place = queue["queue"]["id"]
    about = {"title": f"as {NAME} said", "description": whom}
    about["customerId"] = desk.public("org", "Acme")
    done = await submitted(desk, WHO, **about)
    held = await submitted(desk, "LINE1", **about, contactId=desk.public("per", "CUSTOMER"))
    for request in (done, held):
        at = {"id": request["id"]}
        await verb(desk, "LINE1", "acceptRequest", **at, **CRITICAL)
        given = {"queueId": place, "assigneeId": person}
        await verb(desk, "DISPATCH_MANAGER", "dispatchRequest", **at, **given)
        await verb(desk, WHO, "startRequest", **at)
        await verb(desk, "LINE1", "noteOnRequest", **at, text=whom)
        await verb(desk, WHO, "respondToRequest", **at, text=f"{NAME} here: {whom}")
        await verb(desk, WHO, "logCall", **at, summary=whom)
        await verb(desk, WHO, "declareEmergency", **at, reason=whom)
        await verb(desk, WHO, "publishBulletin", **at, kind="FIRST", text=whom)
        await verb(desk, "LINE1", "openProblem", **at, title=f"problem of {NAME}")
        await verb(desk, "LINE1", "escalateToManagement", **at, reason=whom)
        await verb(desk, WHO, "waitRequest", **at, reason="CUSTOMER", note=whom)
        await verb(desk, WHO, "resumeRequest", **at, answer=whom)
        await verb(desk, WHO, "restoreRequest", **at, workaround=whom)
    at = {"id": done["id"]}
    plan = {"summary": whom, "expectedAt": "2030-01-01T00:00:00Z"}
    await verb(desk, WHO, "planRequest", id=held["id"], **plan)
    await verb(desk, WHO, "deliverRequest", **at, solution=whom, restoresService=True)
    await verb(desk, "CUSTOMER", "rejectSolution", **at, reason=whom)
    await verb(desk, WHO, "deliverRequest", **at, solution=whom, restoresService=True)
    await verb(desk, "CUSTOMER", "confirmRequest", **at)
    await verb(desk, WHO, "closeRequest", **at)
    await access_is_had_by(desk)
    await do(desk, "createOrganisation", kind="CUSTOMER", name=f"{NAME} & sons")
    await set_password(FOUNDER, desk.ids["LINE1"], PASSWORD, now=desk.time.now)
    given = {"id": desk.public("per", "LINE1"), "email": EMAIL}
    assert await codes(desk, "changePerson", **given) == ["EMAIL_TAKEN"], "PostgreSQL logs it, too"
    export = folder / "export.csv"
    worked = lines("SR-X", "2012-03-01 08:00 Accepted/In Progress V1 1 Xaver")
    export.write_text(HEADER + worked.replace("Sweden,Xaver", "Sweden,Xaver Quillfeather"))
    return str(held["id"])


async def access_is_had_by(desk: Desk) -> None:
    """He signs in, here and from elsewhere, consents, asks for a role and approves one."""
    now, key = desk.time.now, desk.ids[WHO]
    await set_password(FOUNDER, key, PASSWORD, now=now)
    await sign_in(EMAIL, PASSWORD, address="127.0.0.1", now=now)
    actor = await load_actor(key)
    assert actor is not None
    client, _ = await create_client(
        FOUNDER, name=f"app of {NAME}", kind=ClientKind.WEB, scopes=["itr"], now=now,
        redirect_uris=["https://x.example/"],
    )  # fmt: skip
    async with transaction() as work:
        row = await OAuthClient.get(id=client)
        await remember_consent(work, actor, row, scope="itr", now=now)
    said = Vouched(
        "https://idp.example", EMAIL, "Somebody", None, "Volvo IT", frozenset({Role.LINE1})
    )
    await person_vouched_for(said, now=now)
    await ExternalIdentity.filter(subject=EMAIL).update(person_id=key)
    with pytest.raises(IntegrityError):  # as two processes that see them first; PostgreSQL logs it
        await ExternalIdentity.create(id=uuid4(), issuer=said.issuer, subject=EMAIL, person_id=key)
    given = {"organisationId": desk.public("org", "Shanghai"), "name": "Newcomer", "roles": []}
    made = await do(desk, "createPerson", "person { id }", WHO, **given)
    await do(desk, "assignRole", who=WHO, id=made["person"]["id"], role="PROCESS_MANAGER")
    other = await AccessApproval.get(kind="ROLE", state="PENDING")
    await do(desk, "approveAccess", who=SECOND, id=f"apr_{other.id.hex}")
    await do(desk, "changePerson", id=desk.public("per", WHO), email="xaver2@quillfeather.example")


_COLUMNS = """
select table_schema || '.' || quote_ident(table_name) as name, quote_ident(column_name) as part
from information_schema.columns where table_schema not in ('pg_catalog', 'information_schema')
"""


async def places_of(settings: Settings, words: tuple[str, ...]) -> list[str]:
    """Every column of every table in which any of these words stands."""
    owner = await asyncpg.connect(**credentials(settings.owner_database_url))
    try:
        found = []
        for name, part in await owner.fetch(_COLUMNS):
            count = await owner.fetchval(
                f"select count(*) from {name} where {part}::text ilike any($1)",
                [f"%{word}%" for word in words],
            )
            found += [f"{name}.{part}"] * bool(count)
        return sorted(found)
    finally:
        await owner.close()


def files_with(words: tuple[str, ...]) -> list[str]:
    """Every file of this process's home in which any of these stands, but those of PostgreSQL."""
    homes = Path(tempfile.gettempdir()).glob(f"itr-test-{os.getpid()}-*/home")
    kept = [path for home in homes for path in _beside_data(home) if path.is_file()]
    assert are_asked_for() or any(path.name == "postgres.log" for path in kept)
    return [path.name for path in kept if any(word.encode() in path.read_bytes() for word in words)]


def _beside_data(home: Path) -> Iterator[Path]:
    for each in home.iterdir():
        if each.name != "servers":
            yield each
            yield from each.rglob("*") if each.is_dir() else ()


@pytest.fixture(autouse=True)
async def nothing_waits(desk: Desk) -> None:
    """What another test left waiting is withdrawn."""
    del desk
    await AccessApproval.filter(state="PENDING").update(state="WITHDRAWN")


async def facts_naming(words: tuple[str, ...]) -> list[str]:
    """The kinds of facts in which any of these stands, but where people wrote it."""
    rows = await get_connection("default").execute_query_dict(
        "select distinct type from event where (payload - $2::text[])::text ilike any($1)"
        " or actor_name ilike any($1)",
        [[f"%{word}%" for word in words], ["text", "reason", "title", "rootCause", "name"]],
    )
    return [row["type"] for row in rows]


async def test_nothing_anywhere_says_who_was_erased(
    desk: Desk, settings: Settings, tmp_path: Path
) -> None:
    """R-ROLE-09: every column of every table, the log, and all files of the home."""
    held = await everything_is_done_by(desk, tmp_path)
    await imports.run(settings, BPI, tmp_path / "export.csv", lambda *_: None)
    before = await places_of(settings, WORDS)
    assert "public.event.payload" in before
    assert "public.request.title" in before
    assert "public.outbox.text" in before
    assert "public.notification.facts" in before
    events = await get_connection("default").execute_query_dict("select count(*) n from event")
    assert await facts_naming(WORDS) == [], "but for what people wrote, the log has ids"

    await erased(desk, WHO)

    left = set(await places_of(settings, WORDS))
    assert left == {"public.organisation.name"}, "what a firm is called is the firm's"
    assert files_with(WORDS) == []
    row = await Erasure.get(person_id=desk.ids[WHO])
    assert row.words == []
    assert row.events > 20
    after = await get_connection("default").execute_query_dict("select count(*) n from event")
    assert after[0]["n"] > events[0]["n"], "nothing was taken out of the log"
    entries = await timeline(desk, "CUSTOMER", held)
    said = [each["text"] for each in entries if each["type"] == "RequestReplied"]
    assert said == [f"{ERASED} here: ask {ERASED}, {ERASED} or {ERASED}, {ERASED}"]
    names = {each["actorName"] for each in entries if each["type"] == "RequestReplied"}
    assert names == {f"已删除 erased {desk.ids[WHO].hex[:6]}"}
    await what_he_had_goes_on(desk, held)


async def what_he_had_goes_on(desk: Desk, held: str) -> None:
    """R-ROLE-07: his request is somebody else's and is closed like any other."""
    query = (
        "query($id: ID!) { node(id: $id) { ... on ServiceRequest { assignee { name } title } } }"
    )
    found = (await desk.as_("LINE1").run(query, {"id": held})).data["node"]
    assert found == {"assignee": {"name": "DISPATCH_MANAGER"}, "title": f"as {ERASED} said"}
    await verb(desk, "DISPATCH_MANAGER", "requeueRequest", id=held, reason="erased")
    await verb(desk, "LINE1", "startRequest", id=held)
    await verb(desk, "LINE1", "deliverRequest", id=held, solution="done", restoresService=True)
    await verb(desk, "CUSTOMER", "confirmRequest", id=held)
    closed = await verb(desk, "LINE1", "closeRequest", id=held)
    assert closed["status"] == "CLOSED"
    found = await get_connection("default").execute_query_dict(
        "select count(*) as n from person p where p.name ilike '%erased%'"
        " and p.password_hash is null and p.email is null and p.phone is null and not p.active"
    )
    assert found[0]["n"] == 1


async def newcomer(desk: Desk, name: str, *roles: Role, **more: Any) -> str:
    """Somebody new, who is known to the desk by this name."""
    branch, now = desk.ids["Shanghai"], desk.time.now
    desk.ids[name] = await create_person(FOUNDER, branch, name, roles, now=now, **more)
    return desk.public("per", name)


async def test_two_people_erase_and_neither_is_who_is_erased(desk: Desk) -> None:
    """S18, R-ROLE-09: until somebody else approves it, nothing has happened."""
    id_ = await newcomer(desk, "Ann Asked", Role.LINE1, email="ann@asked.example")
    await do(desk, "erasePerson", id=id_)
    await do(desk, "erasePerson", id=id_)
    wish = await waiting(desk)

    for who in ("ADMIN", "Ann Asked"):
        assert await codes_or_forbidden(desk, "approveAccess", who, wish) != []
    assert (await Person.get(id=desk.ids["Ann Asked"])).name == "Ann Asked"
    assert (await do(desk, "refuseAccess", who=SECOND, id=wish))["userErrors"] == []

    row = await Person.get(id=desk.ids["Ann Asked"])
    assert (row.name, row.active, row.erased_at) == ("Ann Asked", True, None)
    entries = "{ notifications(first: 100) { nodes { text } } }"
    told = (await desk.as_("ADMIN").run(entries)).data["notifications"]["nodes"]
    said = f"{SECOND} has not approved the erasure of Ann Asked; it will not take effect."
    assert {"text": said} in told


async def codes_or_forbidden(desk: Desk, mutation: str, who: str, id_: str) -> list[str]:
    """Why somebody may not."""
    kind = get_named_type(MUTATIONS[mutation].args["input"].type)
    document = f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ userErrors {{ code }} }} }}"
    answer = await desk.as_(who).run(document, {"i": {"id": id_}})
    if answer.errors:
        return [answer.code]
    return [each["code"] for each in answer.data[mutation]["userErrors"]]


async def test_nobody_erases_themselves_a_machine_or_anybody_twice(desk: Desk) -> None:
    """R-ROLE-09: and who was erased is never changed, appointed or let in again."""
    id_ = await newcomer(desk, "Bob Begone", Role.LINE1, email="bob@begone.example")
    machine = await newcomer(desk, "robot", Role.LINE1, machine=True)
    await erased(desk, "Bob Begone")

    assert await codes(desk, "erasePerson", id=desk.public("per", "ADMIN")) == ["OWN_ERASURE"]
    assert await codes(desk, "erasePerson", id=machine) == ["MACHINE_HAS_NO_DATA"]
    for mutation, more in {
        "erasePerson": {},
        "reactivatePerson": {},
        "changePerson": {"name": "Bob"},
        "assignRole": {"role": "LINE1"},
    }.items():
        assert await codes(desk, mutation, id=id_, **more) == ["PERSON_ERASED"], mutation
    assert await codes(desk, "resetPassword", id=id_) == ["NOT_FOUND"]
    query = "query($i: ID!) { node(id: $i) { ... on Person { name erasedAt textsErasedAt } } }"
    shown = (await desk.as_("ADMIN").run(query, {"i": id_})).data["node"]
    assert shown["name"].startswith("已删除 erased")
    assert None not in shown.values()


async def test_the_last_who_administers_is_not_erased(desk: Desk) -> None:
    """R-ROLE-09: neither asked for nor, where another has gone meanwhile, approved."""
    others = Person.filter(role_assignments__role=Role.ADMIN).exclude(id=desk.ids[SECOND])
    gone = [each.id for each in await others]
    await do(desk, "erasePerson", id=desk.public("per", SECOND))
    await Person.filter(id__in=gone).update(active=False)
    wish = await waiting(desk)

    refused = await codes(desk, "approveAccess", "OPERATIONS_DIRECTOR", id=wish)

    await Person.filter(id__in=gone, erased_at=None).update(active=True)
    assert refused == ["LAST_ADMIN"]
    assert (await Person.get(id=desk.ids[SECOND])).active


async def test_another_issuer_brings_nobody_back(desk: Desk) -> None:
    """R-ROLE-09: a token that is still good there would make a person of them anew."""
    said = Vouched("https://idp", "c@idp", "Cid Cameback", None, "Shanghai", frozenset())
    desk.ids["Cid Cameback"] = await person_vouched_for(said, now=desk.time.now)
    await erased(desk, "Cid Cameback")

    with pytest.raises(PersonErased):
        await person_vouched_for(said, now=desk.time.now)

    assert not await Person.exists(name="Cid Cameback")


async def test_namesakes_other_words_and_firms_stay_as_they_are(desk: Desk) -> None:
    """R-ROLE-09: the name is looked for as a whole, and a person by that name keeps it."""
    await newcomer(desk, "Dan Dual", Role.LINE1, phone="021-5550 1234")
    namesake = await create_person(
        FOUNDER, desk.ids["Beijing"], "Dan Dual", [], now=desk.time.now, phone="(021) 5550 1234"
    )
    said = "Jordan Dualist, 86 21 5550-1234 and 1021555012345; dan  dual's"
    request = await brought_to(desk, "REGISTERED", description=said)

    await erased(desk, "Dan Dual")

    query = "query($i: ID!) { node(id: $i) { ... on ServiceRequest { description } } }"
    shown = (await desk.as_("LINE1").run(query, {"i": request["id"]})).data["node"]
    assert shown == {"description": f"Jordan Dualist, {ERASED} and 1021555012345; {ERASED}'s"}
    kept = await Person.get(id=namesake)
    assert (kept.name, kept.phone) == ("Dan Dual", "(021) 5550 1234")


async def test_what_was_being_written_meanwhile_is_seen_to_as_well(desk: Desk) -> None:
    """R-ROLE-09: no pass is the last before every transaction of that time has ended."""
    await newcomer(desk, "Eve Evermore", Role.LINE1)
    request = await submitted(desk)
    await erase_person(FOUNDER, desk.ids["Eve Evermore"], now=desk.time.now)
    await texts_done(desk.time.now)  # and finds nothing
    row = await Erasure.get(person_id=desk.ids["Eve Evermore"])
    assert row.finished_at is None

    await verb(desk, "LINE1", "noteOnRequest", id=request["id"], text="ask Eve Evermore")
    await texts_done(desk.time.now + SETTLED)

    await row.refresh_from_db()
    assert row.finished_at is not None
    entries = await timeline(desk, "LINE1", request["id"])
    assert [each["text"] for each in entries if each["text"]] == [f"ask {ERASED}"]


async def test_of_the_log_nothing_is_changed_but_what_somebody_erased_was_called(
    desk: Desk, settings: Settings
) -> None:
    """S16: also by the owner, who is stopped by triggers; the product calls one function."""
    await newcomer(desk, "Flo Forgotten", Role.LINE1)
    request = await submitted(desk)
    await verb(desk, "LINE1", "noteOnRequest", id=request["id"], text="Flo Forgotten was here")
    await do(desk, "erasePerson", id=desk.public("per", "Flo Forgotten"))
    await do(desk, "approveAccess", "", SECOND, id=await waiting(desk))
    owner = await asyncpg.connect(**credentials(settings.owner_database_url))
    note = "where stream = $1 and type = 'RequestNoted'"
    key = key_in(request["id"])

    for change in (
        "payload = '{}'",
        f"payload = jsonb_set(payload, '{{text}}', '\"{ERASED} was\"')",
        "payload = payload || '{\"more\": 1}'",
        "actor_id = uid",
        "occurred_at = now()",
        "actor_name = 'nobody'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(f"update event set {change} {note}", key)
    with pytest.raises(OperationalError, match="only the event log"):
        await get_connection("default").execute_query_dict(
            "select redact_events('person'::regclass::oid, id, 0, 100) from erasure"
        )

    await texts_done(desk.time.now + SETTLED)
    texts = await owner.fetch(f"select payload->>'text' as text from event {note}", key)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute(f"update event set payload = '{{}}' {note}", key)
    await owner.close()
    assert [row["text"] for row in texts] == [f"{ERASED} was here"]
