"""`itr admin create`: the first administrator of a server of one's own."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from uuid import uuid4

from tortoise.connection import get_connection

from itr.access.operations.approvals import waiting_approvals
from itr.access.operations.persons import create_person
from itr.access.operations.signing_in import sign_in
from itr.actors.roles import OrganisationKind, Role
from itr.catalogue.organisations import create_organisation
from itr.database import connected
from itr.people.models import Person
from itr.people.operations import load_actor
from itr.settings import Settings
from tests.support.desk_data import SETUP, facts_of
from tests.support.firms import key_in

NOW = datetime.now(UTC)


def run(
    settings: Settings, *words: str, command: str = "create"
) -> subprocess.CompletedProcess[str]:
    """The command, on this database."""
    ours = {
        "ITR_DATABASE_URL": settings.database_url,
        "ITR_VALKEY_URL": settings.valkey_url,
        "ITR_SECRET": settings.secret.get_secret_value(),
    }
    return subprocess.run(
        [sys.executable, "-m", "cli", "admin", command, *words],
        env=os.environ | ours,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_an_empty_server_gets_its_first_administrator_once(settings: Settings) -> None:
    """S16: told with who ran it and where."""
    words = ["--name", "张伟 Zhang", "--email", "zhang@house.example"]

    first = run(settings, *words)
    again = run(settings, *words)
    taken = run(settings, *words, "--another")
    words[3] = "li@house.example"
    another = run(settings, *words, "--another", "--organisation", "Beijing")

    assert first.returncode == 0, first.stderr
    assert "createPerson" in first.stdout
    assert again.returncode == 2
    assert "--another" in again.stderr
    assert taken.returncode == 2
    assert "e-mail" in taken.stderr
    assert again.stderr.count("\n") == 1
    assert another.returncode == 0, another.stderr
    async with connected(settings):
        found = [re.search(r"per_[0-9a-f]{32}", each.stdout) for each in (first, another)]
        actors = [await load_actor(key_in(each[0])) for each in found if each]
        facts = await facts_of(key_in(found[0][0])) if found[0] else []
        word = first.stdout.partition("this once: ")[2].split()[0]
        _, signed_in = await sign_in("zhang@house.example", word, address="", now=datetime.now(UTC))
        origins = await get_connection("default").execute_query_dict(
            "select distinct origin->>'client' as client, origin->>'address' as address from event"
        )
    assert [actor.roles for actor in actors if actor] == [{Role.ADMIN}] * 2
    assert {actor.organisation_kind for actor in actors if actor} == {OrganisationKind.BRANCH}
    assert len({actor.organisation_id for actor in actors if actor}) == 2
    assert signed_in == actors[0].id if actors[0] else False
    assert {fact["actor_name"] for fact in facts} == {"ITR Desk"}
    assert not any(word in fact["payload"] for fact in facts)
    ours = [each["address"] for each in origins if each["client"] == "itr admin create"]
    assert ours
    assert all("@" in each for each in ours)


def test_a_name_that_is_none_is_told_in_one_sentence(settings: Settings) -> None:
    answer = run(settings, "--name", " ", "--email", "x@house.example")

    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1


async def test_the_server_approves_while_there_is_nobody_second(settings: Settings) -> None:
    """V12, S18: listed and approved by who runs it; refused once somebody else could."""
    async with connected(settings):
        branch = await create_organisation(
            SETUP, kind=OrganisationKind.BRANCH, name=f"Alone {uuid4().hex}", now=NOW
        )
        key = await create_person(SETUP, branch, "alone", [Role.ADMIN], now=NOW)
        others = Person.filter(id__not=key, active=True)
        sleeping = [each.id for each in await others]
        await others.update(active=False)
        admin = await load_actor(key)
        assert admin is not None
        wanted = await create_person(admin, branch, "2nd", [Role.OPERATIONS_DIRECTOR], now=NOW)
        await create_person(admin, branch, "3rd", [Role.PROCESS_MANAGER], now=NOW)
        wishes = {each.person_id: each.id for each in await waiting_approvals(NOW)}
        first = f"apr_{wishes.pop(wanted).hex}"
        (second,) = [f"apr_{each.hex}" for each in wishes.values()]

    listed = run(settings, command="approve")
    none = run(settings, "apr_none", command="approve")
    done = run(settings, first, command="approve")
    async with connected(settings):
        await Person.filter(id=wanted).update(password_hash="they can sign in now")
    late = run(settings, second, command="approve")

    assert {line.split()[0] for line in listed.stdout.splitlines()} == {first, second}
    assert (none.returncode, done.returncode, late.returncode) == (2, 0, 2), done.stderr
    async with connected(settings):
        actor = await load_actor(wanted)
        await Person.filter(id__in=sleeping).update(active=True)
        facts = await get_connection("default").execute_query_dict(
            "select origin->>'client' as client from event where type = 'ApprovalApproved'"
        )
    assert actor is not None
    assert actor.roles == {Role.OPERATIONS_DIRECTOR}
    assert facts == [{"client": "itr admin approve"}]
    assert late.stderr.count("\n") == 1
    assert "2nd" in late.stderr
