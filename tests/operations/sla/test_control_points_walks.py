"""Whatever is done to a request, its steps stay somebody's and add up (R-CP-02, R-ROLE-07)."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from tortoise.connection import get_connection

from itr.errors import DomainError
from itr.events.log import Audience
from itr.requests import operations as o
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Request, Stint
from itr.requests.rules import OPEN
from itr.requests.terms import RequestKind, RequestStatus
from itr.requests.waiting import open_reasons
from itr.requests.waits import work_out_waits
from itr.sla.clocks import histories_of
from itr.sla.control_points import STEPS
from itr.sla.models import Clock
from itr.sla.operations import calendars_of_versions
from itr.sla.terms import ControlPointState, WaitingReason
from tests.operations.sla.test_control_points import CRITICAL, FAULT, House, Story, house, submitted
from tests.support.clock_events import load_clock_events
from tests.support.waiting import waited

__all__ = ["house"]

pytestmark = pytest.mark.usefixtures("database")

Act = tuple[str, Callable[..., Awaitable[Any]], tuple[Any, ...], dict[str, Any]]


def something(house: House, chance: random.Random, story: Story) -> Act:
    """Any verb, by anybody, in any direction."""
    queue = house.ids[chance.choice(["one", "two", "three", "firm"])]
    members = {"one": "hotline", "two": "expert", "three": "guru", "firm": "partner"}
    name = chance.choice(list(members))
    placed = {
        "queue_id": house.ids[name],
        "assignee_id": chance.choice([None, house.who(members[name])]),
    }
    owner = chance.choice(list(members.values()))
    reason = chance.choice(list(WaitingReason))
    acts: list[Act] = [
        ("hotline", o.accept_request, (chance.choice([FAULT, CRITICAL]),), {}),
        ("hotline", o.reclassify_request, (chance.choice([FAULT, CRITICAL]),), {}),
        ("dispatcher", o.dispatch_request, (), placed),
        (owner, o.start_request, (), {}),
        (owner, o.start_request, (), {}),
        (owner, o.wait_request, (), {"reason": reason, "note": None}),
        (owner, o.resume_request, (), {"answer": None}),
        (owner, o.resume_request, (), {"answer": None, "reason": reason}),
        ("customer", o.resume_request, (), {"answer": "X-200"}),
        (owner, o.restore_request, (), {"workaround": "备用"}),
        (owner, o.requeue_request, (), {"queue_id": queue, "reason": "下班"}),
        (owner, o.change_line, (RequestVerb.ESCALATE,), {**placed, "reason": "升级"}),
        (owner, o.change_line, (RequestVerb.HAND_BACK,), {**placed, "reason": "退回"}),
        (owner, o.respond_to_request, (), {"text": "在看"}),
        (owner, o.note_on_request, (), {"text": "备注", "audience": Audience.INTERNAL}),
        (
            owner,
            o.deliver_request,
            (),
            {"solution": "换", "restores_service": chance.random() < 0.5},
        ),
        ("customer", o.confirm_request, (), {"verified_by": None}),
        (
            "customer",
            o.reject_solution,
            (),
            {"reason": "不通", "service_down": chance.random() < 0.5},
        ),
        (
            "customer",
            o.reopen_request,
            (),
            {"reason": "又断", "service_down": chance.random() < 0.5},
        ),
        ("hotline", o.close_request, (), {}),
        (
            owner,
            o.plan_request,
            (),
            {"summary": "更换", "expected_at": story.now + timedelta(days=1)},
        ),
    ]
    if chance.random() < 0.01:
        acts = [("customer", o.cancel_request, (), {"reason": "不需要了"})]
    return chance.choice(acts)


@pytest.mark.parametrize("seed", range(10))
async def test_a_walk_of_random_verbs_leaves_exactly_one_owner_for_every_open_step(
    house: House, seed: int
) -> None:
    """R-ROLE-07, R-CP-02: and an open request always has an open step, an ended one none."""
    chance = random.Random(seed)
    story = await submitted(house, kind=chance.choice(list(RequestKind)))
    done = 0
    for _ in range(70):
        story.now += timedelta(minutes=chance.choice([0, 1, 50, 300]))
        who, act, more, given = something(house, chance, story)
        try:
            await partial(story.does, who, act, *more, **given)()
        except DomainError:
            continue
        done += 1
        await check(story)
        await check_waits(story)
        await check_journey(story)
    assert done
    await Clock.filter(request_id=story.id).update(waited_us=None)
    while await work_out_waits():
        pass
    await check_waits(story)


async def check_waits(story: Story) -> None:
    """Each clock has waited as long and for what its events say, found one by one (R-OLA-03)."""
    connection = get_connection("default")
    histories = histories_of(await load_clock_events(connection, story.id))
    rows = await Clock.filter(request_id=story.id)
    calendars = await calendars_of_versions({row.calendar_version_id for row in rows})
    for row in rows:
        calendar = calendars[row.calendar_version_id]
        found = Counter(row.waited_us)
        if row.waiting_for is not None and row.waiting_since_us is not None:
            found[row.waiting_for.value] += calendar.position_us(story.now) - row.waiting_since_us
        assert +found == waited(histories[row.thread], calendar, story.now), row.thread


async def check_journey(story: Story) -> None:
    """L11: what stands on the request is what its stays and its log say (R-KPI-01)."""
    request, connection = await Request.get(id=story.id), get_connection("default")
    events = await connection.execute_query_dict(
        "select type, payload->>'queue' as queue from event where subject = $1"
        " order by subject_version",
        [story.id],
    )
    placed = [each["queue"] for each in events if each["type"] in PLACED]
    stays = [queue for queue, _ in groupby(placed)]
    tried = [each["type"] for each in events if each["type"] in EFFORTS]
    lines = await Stint.filter(request_id=story.id).values_list("line", flat=True)
    at_once = tried == ["RequestStarted"] and max(lines) == 1 and request.delivered_at is not None

    assert request.returned == (len(stays) > len(set(stays)))
    assert request.first_contact == at_once
    asked = (request.queues_been, request.takings, request.returned, request.first_contact)
    if random.Random(len(events)).random() < 0.1:
        await Request.filter(id=story.id).update(
            queues_been=[], takings=0, returned=False, first_contact=False
        )
        for each in WORKED_OUT.split(";\n")[:2]:
            await connection.execute_query(each)
        request = await Request.get(id=story.id)
        assert asked == (
            request.queues_been, request.takings, request.returned, request.first_contact,
        )  # fmt: skip


PLACED = ("RequestDispatched", "RequestRequeued", "RequestEscalated", "RequestHandedBack")
EFFORTS = (*PLACED[1:], "RequestStarted", "RequestWaiting", "SolutionRejected", "RequestReopened")
(_MIGRATION,) = Path("migrations").glob("*_journeys_of_requests.py")
WORKED_OUT = import_module(f"migrations.{_MIGRATION.stem}").WORKED_OUT
"""What a migration worked out of the log for requests of earlier versions."""


async def check(story: Story) -> None:
    request = await Request.get(id=story.id)
    points = await story.points()
    unfinished = await story.open()
    assert all(unfinished.values()), unfinished
    assert bool(unfinished) == (request.status in OPEN), (request.status, unfinished)
    assert (request.status is RequestStatus.WAITING) == bool(open_reasons(request))
    for reason, number in ((WaitingReason.CUSTOMER, 10), (WaitingReason.CHANGE_WINDOW, 22)):
        assert number not in unfinished or reason in open_reasons(request)
    if request.kind is not RequestKind.TECHNICAL:
        assert not [row for row in points.values() if row.thread == "RESTORATION"]
    for number, row in points.items():
        assert row.thread is STEPS[number].thread
        assert row.elapsed_us >= 0
        if row.completed_at is None:
            assert row.on_time is row.ended is None
            assert (row.base_us is None) == (row.next_reminder_at is None) or row.reminded == 100
        else:
            assert row.base_us is row.next_reminder_at is None
            assert row.ended is not None
            if row.ended is ControlPointState.PASSED:
                assert row.on_time is row.owner_id is row.deadline is None
                assert row.elapsed_us == 0
            else:
                assert row.owner_id is not None
