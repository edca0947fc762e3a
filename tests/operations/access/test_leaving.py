"""What somebody leaves open passes on, by name, in the transaction of their leaving (R-ROLE-07)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tortoise.connection import get_connection

from itr.access.operations.leaving import pass_on_what_was_left_behind
from itr.access.operations.persons import assign_role, create_person, deactivate_person, revoke_role
from itr.actors.roles import Role
from itr.catalogue.models import Project
from itr.catalogue.projects import create_project
from itr.people.models import Person, Queue
from itr.people.operations import create_queue
from itr.requests import operations
from itr.requests.models import Escalation, Request
from itr.requests.terms import RequestStatus
from itr.settings import Settings
from itr.sla.models import ControlPoint
from itr.tickets.terms import ManagementStep
from tests.support.desk import FOUNDER, Desk, open_desk
from tests.support.notified import listed
from tests.support.requests import ask, brought_to, do, read, refused, request_columns, timeline

MANY = 1_000


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_desk(settings) as opened:
        yield opened


async def hired(desk: Desk, name: str, *roles: Role, queue: str | None = None) -> UUID:
    """Somebody new, who may take work of the queue."""
    where = "Firm" if Role.PARTNER in roles else "Acme" if Role.CUSTOMER in roles else "Shanghai"
    key = await create_person(FOUNDER, desk.ids[where], name, roles, now=desk.time.now)
    desk.ids[name] = key
    if queue is not None:
        from itr.people.operations import add_queue_member

        await add_queue_member(FOUNDER, desk.ids[queue], key, now=desk.time.now)
    return key


async def gone(desk: Desk, name: str) -> None:
    """The person's access ends, and with it what they have open."""
    await deactivate_person(FOUNDER, desk.ids[name], now=desk.time.now)


async def owners_of_open_steps(id: str) -> set[UUID | None]:
    """Who has the open steps of a request."""
    key = UUID(id.partition("_")[2])
    rows = await ControlPoint.filter(request_id=key, completed_at__isnull=True)
    assert rows
    return {row.owner_id for row in rows}


async def test_27_a_dispatched_request_of_somebody_deactivated_is_the_dispatch_managers(
    desk: Desk,
) -> None:
    """27, R-ROLE-07: the owner named is active, the step is in somebody's work, all is told."""
    await hired(desk, "leaver", Role.LINE1, queue="queue1")
    request = await brought_to(desk, "AUTHORISED")
    queue = desk.public("que", "queue1")
    given = {"queueId": queue, "assigneeId": desk.public("per", "leaver")}
    await do(desk, "DISPATCH_MANAGER", "dispatchRequest", id=request["id"], **given)

    await gone(desk, "leaver")

    found = await read(desk, "LINE1", request["id"], "status assignee { name active }")
    assert found == {
        "status": "DISPATCHED",
        "assignee": {"name": "DISPATCH_MANAGER", "active": True},
    }
    work = await ask(
        desk, "DISPATCH_MANAGER", "{ myWork(first: 100) { nodes { request { id } } } }"
    )
    assert request["id"] in [each["request"]["id"] for each in work["myWork"]["nodes"]]
    assert [each["type"] for each in await timeline(desk, "LINE1", request["id"])][-1] == (
        "RequestPassedOn"
    )
    told = await listed(UUID(request["id"].partition("_")[2]), "ASSIGNMENT")
    assert [each["who"] for each in told] == ["DISPATCH_MANAGER"]


@pytest.mark.parametrize("status", ["IN_PROGRESS", "WAITING", "RESTORED", "DELIVERED", "CONFIRMED"])
async def test_in_every_open_state_a_request_keeps_its_state_and_gets_a_living_owner(
    desk: Desk, status: str
) -> None:
    """R-ROLE-07: nothing else about it changes, and its version rises."""
    await hired(desk, f"owner of {status}", Role.LINE1, queue="queue1")
    request = await brought_to(desk, status, owner=f"owner of {status}")
    before = await read(desk, "LINE1", request["id"], "version status clocks { state deadline }")
    assert before is not None

    await gone(desk, f"owner of {status}")

    after = await read(desk, "LINE1", request["id"], "version status clocks { state deadline }")
    assert after == before | {"version": before["version"] + 1}
    owners = await owners_of_open_steps(request["id"])
    assert desk.ids[f"owner of {status}"] not in owners
    assert owners <= {desk.ids["DISPATCH_MANAGER"], desk.ids["CUSTOMER"], desk.ids["LINE1"]}


async def test_what_has_ended_stays_theirs(desk: Desk) -> None:
    """R-ROLE-07: only open work passes on."""
    await hired(desk, "finisher", Role.LINE1, queue="queue1")
    request = await brought_to(desk, "CLOSED", owner="finisher")

    await gone(desk, "finisher")

    found = await read(desk, "LINE1", request["id"], "version assignee { name }")
    assert found == {"version": request["version"], "assignee": {"name": "finisher"}}


async def test_losing_the_role_is_leaving_as_far_as_the_role_goes(desk: Desk) -> None:
    """R-ROLE-07: who may still work on requests keeps them, who may not passes them on."""
    await hired(desk, "versatile", Role.LINE1, Role.FIELD_ENGINEER, Role.ANALYST, queue="queue1")
    request = await brought_to(desk, "IN_PROGRESS", owner="versatile")
    assignee = "assignee { name }"

    await revoke_role(FOUNDER, desk.ids["versatile"], Role.LINE1, now=desk.time.now)
    kept = await read(desk, "LINE1", request["id"], assignee)
    await revoke_role(FOUNDER, desk.ids["versatile"], Role.FIELD_ENGINEER, now=desk.time.now)

    assert kept == {"assignee": {"name": "versatile"}}
    assert await read(desk, "LINE1", request["id"], assignee) == {
        "assignee": {"name": "DISPATCH_MANAGER"}
    }


async def test_a_partners_technician_who_goes_leaves_it_to_us(desk: Desk) -> None:
    """R-ROLE-07, R-ROLE-08: the firm reads it on the timeline, the customer does not."""
    await hired(desk, "technician", Role.PARTNER, queue="queueFirm")
    request = await brought_to(desk, "IN_PROGRESS", owner="technician", queue="queueFirm")

    await gone(desk, "technician")

    assert await owners_of_open_steps(request["id"]) == {desk.ids["DISPATCH_MANAGER"]}
    for who, reads in (("PARTNER", True), ("CUSTOMER", False)):
        types = [each["type"] for each in await timeline(desk, who, request["id"])]
        assert ("RequestPassedOn" in types) is reads


async def test_steps_of_a_role_go_to_another_of_the_role_else_to_the_next_above(
    desk: Desk,
) -> None:
    """R-ROLE-07: spare parts to another spares manager, then to the director."""
    for each in ("spares 1", "spares 2"):
        await hired(desk, each, Role.SPARES_MANAGER)
    await gone(desk, "SPARES_MANAGER")
    request = await brought_to(desk, "IN_PROGRESS")
    await do(desk, "LINE1", "waitRequest", id=request["id"], reason="SPARE_PART")
    step = {"request_id": UUID(request["id"].partition("_")[2]), "number": 21}
    first = (await ControlPoint.get(**step)).owner_id
    holders = {desk.ids[each]: each for each in ("spares 1", "spares 2")}

    await gone(desk, holders.pop(first))
    second = (await ControlPoint.get(**step)).owner_id
    await gone(desk, holders.pop(second))

    assert (await ControlPoint.get(**step)).owner_id == desk.ids["OPERATIONS_DIRECTOR"]


async def test_an_escalation_goes_on_standing_with_somebody(desk: Desk) -> None:
    """R-ROLE-07, R-ESC-02: the director's go to another director, else to the process manager."""
    director = await hired(desk, "second director", Role.OPERATIONS_DIRECTOR)
    request = await brought_to(desk, "IN_PROGRESS")
    key = UUID(request["id"].partition("_")[2])
    escalated = {"reason": "停产", "to": ManagementStep.OPERATIONS_DIRECTOR}
    await operations.escalate_to_management(
        await desk.actor("LINE1"), key, **escalated, now=desk.time.now
    )
    first = (await Escalation.get(request_id=key)).person_id
    other = {director, desk.ids["OPERATIONS_DIRECTOR"]} - {first}
    assert first is not None

    await deactivate_person(FOUNDER, first, now=desk.time.now)
    assert {(await Escalation.get(request_id=key)).person_id} == other
    await deactivate_person(FOUNDER, other.pop(), now=desk.time.now)

    assert (await Escalation.get(request_id=key)).person_id == desk.ids["PROCESS_MANAGER"]
    told = [each["who"] for each in await listed(key, "ESCALATION")]
    assert told[-1] == "PROCESS_MANAGER"
    await Person.filter(id=desk.ids["OPERATIONS_DIRECTOR"]).update(active=True)


async def test_without_a_dispatch_manager_the_next_above_has_it(desk: Desk) -> None:
    """R-ROLE-07: the process manager, also of what the dispatch manager had."""
    request = await brought_to(desk, "IN_PROGRESS")
    try:
        await gone(desk, "DISPATCH_MANAGER")
        await hired(desk, "short stay", Role.LINE2, queue="queueAll")
        other = await submitted_to(desk, "short stay", "queueAll")
        await gone(desk, "short stay")
        found = await read(desk, "LINE1", other, "assignee { name }")
    finally:
        await Person.filter(id=desk.ids["DISPATCH_MANAGER"]).update(active=True)

    assert request["status"] == "IN_PROGRESS"
    assert found == {"assignee": {"name": "PROCESS_MANAGER"}}


async def submitted_to(desk: Desk, owner: str, queue: str) -> str:
    """A request somebody is to take, sent by line 1."""
    request = await brought_to(desk, "AUTHORISED")
    given = {"queueId": desk.public("que", queue), "assigneeId": desk.public("per", owner)}
    await do(desk, "LINE1", "dispatchRequest", id=request["id"], **given)
    id_: str = request["id"]
    return id_


async def test_posts_pass_on_too(desk: Desk) -> None:
    """R-ROLE-07: queues, projects and whom to ask at the customer name nobody who is gone."""
    lead = await hired(desk, "lead", Role.LINE_LEAD, Role.PROJECT_MANAGER)
    contact = await hired(desk, "contact", Role.CUSTOMER)
    now = desk.time.now
    queue = await create_queue(FOUNDER, name="led", line=1, lead_id=lead, now=now)
    project = await create_project(
        FOUNDER,
        name="led",
        customer_id=desk.ids["Acme"],
        manager_id=lead,
        contact_id=contact,
        now=now,
    )

    await gone(desk, "lead")
    await gone(desk, "contact")

    assert (await Queue.get(id=queue)).lead_id is None
    left = await Project.get(id=project)
    assert (left.manager_id, left.contact_id) == (desk.ids["PROCESS_MANAGER"], None)


async def test_nothing_can_be_given_to_somebody_who_is_gone(desk: Desk) -> None:
    """R-ROLE-07."""
    await hired(desk, "absent", Role.LINE1, queue="queue1")
    request = await brought_to(desk, "AUTHORISED")
    await gone(desk, "absent")
    given = {
        "queueId": desk.public("que", "queue1"),
        "assigneeId": desk.public("per", "absent"),
    }

    code = await refused(desk, "LINE1", "dispatchRequest", id=request["id"], **given)

    assert code == "NOT_IN_QUEUE"


async def test_a_sweep_passes_on_what_was_left_behind_before(desk: Desk) -> None:
    """R-ROLE-07: also what the database held from earlier; twice is once."""
    await hired(desk, "ghost", Role.LINE1, queue="queue1")
    request = await brought_to(desk, "IN_PROGRESS", owner="ghost")
    await Person.filter(id=desk.ids["ghost"]).update(active=False)

    await pass_on_what_was_left_behind(desk.time.now)
    await pass_on_what_was_left_behind(desk.time.now)

    found = await read(desk, "LINE1", request["id"], "version assignee { name }")
    assert found == {"version": request["version"] + 1, "assignee": {"name": "DISPATCH_MANAGER"}}


_COPY_REQUESTS = """
insert into request ({columns}) select {columns} from (
    select (jsonb_populate_record(r, jsonb_build_object(
        'id', gen_random_uuid(), 'number', 'copy ' || n, 'title', 'copy'))).*
    from request r, generate_series(1, $2::int) n where r.id = $1) copies
"""
_COPY_STEPS = """
insert into control_point select (jsonb_populate_record(p, jsonb_build_object(
    'id', gen_random_uuid(), 'request_id', r.id))).*
from control_point p, request r where p.request_id = $1 and r.title = 'copy'
"""


async def test_somebody_with_thousands_of_open_steps_can_go(desk: Desk) -> None:
    """R-ROLE-07: within the time a transaction has, with one event and one entry each."""
    await hired(desk, "busy", Role.LINE1, queue="queue1")
    request = await brought_to(desk, "IN_PROGRESS", owner="busy")
    key = UUID(request["id"].partition("_")[2])
    connection: Any = get_connection("default")
    await connection.execute_query(_COPY_REQUESTS.format(columns=request_columns()), [key, MANY])
    await connection.execute_query(_COPY_STEPS, [key])

    await gone(desk, "busy")

    left = Request.filter(assignee_id=desk.ids["busy"], status=RequestStatus.IN_PROGRESS)
    assert await left.count() == 0
    assert await ControlPoint.filter(owner_id=desk.ids["busy"], completed_at=None).count() == 0
    rows = await connection.execute_query_dict(
        "select count(*) as told from event where type = 'RequestPassedOn'"
        " and payload->>'person' = $1",
        [str(desk.ids["busy"])],
    )
    assert rows[0]["told"] == MANY + 1


async def test_a_new_role_takes_nothing_away(desk: Desk) -> None:
    """R-ROLE-01."""
    await hired(desk, "promoted", Role.LINE1, queue="queue1")
    request = await brought_to(desk, "IN_PROGRESS", owner="promoted")
    desk.time.pass_(timedelta(minutes=1))

    await assign_role(FOUNDER, desk.ids["promoted"], Role.LINE2, now=desk.time.now)

    found = await read(desk, "LINE1", request["id"], "version assignee { name }")
    assert found == {"version": request["version"], "assignee": {"name": "promoted"}}
