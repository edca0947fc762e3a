"""Alarms and what else falls due tell the right people, by the right channels, once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from itr.access.operations.persons import deactivate_person
from itr.catalogue.alarm_rules import UnknownRecipient
from itr.catalogue.operations import save_service_level
from itr.catalogue.projects import create_project
from itr.database import connected
from itr.requests import operations
from itr.requests.due_timers import fire_due_timers
from itr.requests.intake import Intake
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Request
from itr.requests.priority import Classification
from itr.requests.terms import RequestKind
from itr.settings import Settings
from itr.sla.models import ControlPoint
from itr.sla.terms import Thread, WaitingReason
from itr.tickets.firing import fire_due
from itr.tickets.reminders import fire_due_reminders
from tests.support.desk import ALL_PAUSE, FOUNDER, START, furnish, hours, level_named, targets
from tests.support.notified import listed, reach_everybody, sent, unreachable
from tests.workers.alarms import P1, P3, fire_all, owned, person, promise, registered

Ids = dict[str, UUID]
HOUR = 3600.0
MOMENT = timedelta(microseconds=1)


@pytest.fixture(scope="module")
async def ids(settings: Settings) -> AsyncIterator[Ids]:
    async with connected(settings):
        found = await furnish(START)
        await promise(found, (10 * HOUR, 200 * HOUR, 400 * HOUR), now=START)
        await reach_everybody()
        yield found


async def number_of(key: UUID) -> str:
    return str((await Request.get(id=key)).number)


async def in_lists(key: UUID) -> list[tuple[str, int]]:
    """Who has which level of the response in their list."""
    return [
        (each["who"], each["percent"])
        for each in await listed(key, "ALARM")
        if each["thread"] == Thread.RESPONSE
    ]


async def by_sms(key: UUID) -> list[tuple[str, str]]:
    """Who was sent an alarm of the response by SMS, and what it says of the level."""
    found = await sent(await number_of(key))
    assert all(address == f"tel {who}" for who, _, address, _ in found)
    words = {"75 %": "75", "90 %": "90", "响应已超时": "100"}
    return [
        (who, level)
        for who, channel, _, text in found
        for word, level in words.items()
        if channel == "SMS" and "响应" in text and word in text and "升级" not in text
    ]


@pytest.mark.parametrize(
    ("classification", "at_breach"),
    [(P3, ["PROCESS_MANAGER"]), (P1, ["OPERATIONS_DIRECTOR", "PROCESS_MANAGER"])],
    ids=["P3", "P1"],
)
async def test_each_level_tells_its_people_by_its_channels(
    ids: Ids, classification: Classification, at_breach: list[str]
) -> None:
    """R-ALM-01: 50 % list; 75 % list and SMS; 90 % SMS to two; breach SMS further up."""
    key = await owned(ids, START, classification)
    lists, messages = [], []
    for moment in (hours(5), hours(7.5), hours(9), hours(10) + MOMENT):
        await fire_all(START + moment)
        lists.append(await in_lists(key))
        messages.append(sorted(set(await by_sms(key)) - set().union(*messages)))

    assert lists == [
        [("LINE1", 50)],
        [("LINE1", 50), ("LINE1", 75)],
        [("LINE1", 50), ("LINE1", 75)],
        [("LINE1", 50), ("LINE1", 75)],
    ]
    assert messages == [
        [],
        [("LINE1", "75")],
        [("LINE1", "90"), ("LINE_LEAD", "90")],
        [(who, "100") for who in at_breach],
    ]


async def test_what_nobody_owns_yet_is_the_dispatch_managers(ids: Ids) -> None:
    """R-ALM-01, R-ROLE-07."""
    began = START + hours(20)
    key = await registered(ids, began)

    await fire_all(began + hours(7.5))

    assert await in_lists(key) == [("DISPATCH_MANAGER", 75)]
    assert (await listed(key, "ALARM"))[0]["standsIn"] is True
    assert await by_sms(key) == [("DISPATCH_MANAGER", "75")]


async def test_of_several_levels_due_together_only_the_highest_tells(ids: Ids) -> None:
    """R-ALM-02, situation 25: late, with the original deadline, after an outage."""
    began = START + hours(40)
    key = await owned(ids, began)

    await fire_all(began + hours(9.5))

    assert await in_lists(key) == []
    assert sorted(await by_sms(key)) == [("LINE1", "90"), ("LINE_LEAD", "90")]
    assert all(
        "（迟发）" in text for _, _, _, text in await sent(await number_of(key)) if "90" in text
    )


async def test_a_higher_priority_that_breaches_at_once_tells_once(ids: Ids) -> None:
    """Situation 17, R-SLA-08: three hours in, one of them paused; elapsed and paused are kept."""
    level = {
        **targets(RESPONSE=10, RESTORATION=16, RESOLUTION=40, CLOSURE=400),
        **{
            key: value
            for key, value in targets(
                RESPONSE=1, RESTORATION=16, RESOLUTION=40, CLOSURE=400
            ).items()
            if key[0] == "P1"
        },
    }
    await save_service_level(
        FOUNDER, name="house", calendar_id=ids["always"], targets=level, pauses=ALL_PAUSE, now=START
    )
    began = START + hours(60)
    key = await owned(ids, began)
    line1 = await person(ids, "LINE1")
    await operations.wait_request(
        line1, key, reason=WaitingReason.CUSTOMER, note=None, now=began + hours(1)
    )
    await operations.resume_request(line1, key, answer=None, now=began + hours(2))
    await operations.reclassify_request(line1, key, P1, now=began + hours(3))

    for later in (0, 1, 2):
        await fire_all(began + hours(3) + timedelta(seconds=later))

    assert await in_lists(key) == []
    assert sorted(await by_sms(key)) == [("OPERATIONS_DIRECTOR", "100"), ("PROCESS_MANAGER", "100")]
    await promise(ids, (10 * HOUR, 200 * HOUR, 400 * HOUR), now=START)


async def test_nobody_is_told_while_it_waits(ids: Ids) -> None:
    """R-ALM-02, situation 14."""
    began = START + hours(80)
    key = await owned(ids, began)
    await operations.wait_request(
        await person(ids, "LINE1"),
        key,
        reason=WaitingReason.CUSTOMER,
        note=None,
        now=began + hours(1),
    )

    await fire_all(began + hours(19))

    assert await in_lists(key) == []
    assert await by_sms(key) == []


async def test_five_workers_tell_once(ids: Ids) -> None:
    """R-ALM-02, R-NOT-01, situation 27: whoever takes the rows tells, nobody else."""
    began = START + hours(120)
    keys = [await owned(ids, began) for _ in range(12)]

    async def work() -> None:
        while (await fire_due(began + hours(7.5), limit=5)).clocks:
            pass

    await asyncio.gather(*(work() for _ in range(5)))
    await fire_all(began + hours(7.5))

    for key in keys:
        assert await in_lists(key) == [("LINE1", 75)]
        assert await by_sms(key) == [("LINE1", "75")]


async def test_an_alarm_due_while_a_pause_is_saved_tells_once_or_not_at_all(ids: Ids) -> None:
    """Situation 27."""
    began = START + hours(160)
    line1 = await person(ids, "LINE1")
    keys = [await owned(ids, began) for _ in range(6)]
    due = began + hours(7.5)

    await asyncio.gather(
        *(
            operations.wait_request(line1, key, reason=WaitingReason.CUSTOMER, note=None, now=due)
            for key in keys
        ),
        *(fire_due(due, limit=3) for _ in range(10)),
    )
    for key in keys:
        await operations.resume_request(line1, key, answer=None, now=due + hours(1))
    await fire_all(due + hours(1.5))

    for key in keys:
        assert await in_lists(key) == [("LINE1", 75)]


async def test_who_has_no_telephone_finds_it_in_the_list(ids: Ids) -> None:
    """R-NOT-01: told by what reaches them."""
    began = START + hours(200)
    key = await owned(ids, began)
    await unreachable(ids["LINE1"])

    await fire_all(began + hours(9))

    assert await in_lists(key) == [("LINE1", 90)]
    assert await by_sms(key) == [("LINE_LEAD", "90")]
    await reach_everybody()


async def test_a_level_of_its_own_tells_as_it_says(ids: Ids) -> None:
    """R-ALM-01: percentages, channels and recipients are settings; in English for who reads it."""
    rules = {
        "levels": {
            "60": [{"recipient": "PROCESS_MANAGER", "channels": ["EMAIL"]}],
            "100": [{"recipient": "OWNER", "channels": ["LIST"], "priorities": ["P1"]}],
        }
    }
    await save_service_level(
        FOUNDER,
        name="house",
        calendar_id=ids["always"],
        targets=targets(RESPONSE=10, RESTORATION=200, RESOLUTION=400, CLOSURE=400),
        pauses=ALL_PAUSE,
        percents=(60, 100),
        alarm_rules=rules,
        now=START,
    )
    began = START + hours(240)
    key = await owned(ids, began)

    await fire_all(began + hours(6))
    await fire_all(began + hours(11))

    assert await in_lists(key) == []
    assert [
        (who, channel, address) for who, channel, address, _ in await sent(await number_of(key))
    ][:1] == [("PROCESS_MANAGER", "EMAIL", "PROCESS_MANAGER@itr.example")]
    await promise(ids, (10 * HOUR, 200 * HOUR, 400 * HOUR), now=START)


async def test_a_level_whose_rules_nobody_could_follow_is_not_saved(ids: Ids) -> None:
    """R-ALM-01."""
    with pytest.raises(UnknownRecipient) as refused:
        await save_service_level(
            FOUNDER,
            name="house",
            calendar_id=ids["always"],
            targets=targets(RESPONSE=1, RESTORATION=2, RESOLUTION=4, CLOSURE=400),
            alarm_rules={"levels": {"90": [{"recipient": "BOSS", "channels": ["SMS"]}]}},
            now=START,
        )

    assert refused.value.path == ("alarm_rules", "levels", "90", 0, "recipient")


async def test_a_step_reminds_its_owner_and_steps_outside_the_house_the_dispatch_manager(
    ids: Ids,
) -> None:
    """R-CP-02, R-ROLE-06: control points are ours alone."""
    began = START + hours(280)
    key = await owned(ids, began)
    while await fire_due_reminders(began + hours(3)):
        pass
    first = await listed(key, "CONTROL_POINT")
    await operations.deliver_request(
        await person(ids, "LINE1"), key, solution="ok", restores_service=True, now=began + hours(3)
    )

    while await fire_due_reminders(began + hours(2000)):
        pass

    assert [(each["who"], each["point"]) for each in first] == [("LINE1", 8)]
    later = {(each["who"], each["point"]) for each in await listed(key, "CONTROL_POINT")}
    assert ("DISPATCH_MANAGER", 27) in later
    assert not {who for who, _ in later} & {"bolt", "CUSTOMER"}


async def test_a_customer_is_reminded_to_confirm_by_list_and_letter(ids: Ids) -> None:
    """R-REQ-04: at half of the window, with the instant at which silence confirms."""
    began = START + hours(320)
    key = await owned(ids, began)
    await operations.deliver_request(
        await person(ids, "LINE1"), key, solution="ok", restores_service=True, now=began
    )

    while await fire_due_timers(began + hours(13)):
        pass
    while await fire_due_timers(began + hours(14)):
        pass

    told = await listed(key, "CONFIRMATION")
    assert [each["who"] for each in told] == ["bolt"]
    assert datetime.fromisoformat(told[0]["deadline"]) == began + hours(24)
    messages = await sent(await number_of(key))
    assert [(who, channel) for who, channel, _, _ in messages] == [("bolt", "EMAIL")]


async def delivered_for_bolt(ids: Ids, at: datetime, project_id: UUID | None) -> UUID:
    """A request line 1 registered for Bolt without naming a contact, and delivered at once."""
    line1 = await person(ids, "LINE1")
    wanted = Intake(
        kind=RequestKind.TECHNICAL,
        title="on behalf",
        description="nobody in particular called",
        product_id=ids["router"],
        customer_id=ids["Bolt"],
        project_id=project_id,
    )
    key = await operations.submit_request(line1, wanted, now=at)
    manager = await person(ids, "PROCESS_MANAGER")
    await operations.agree_to_charge(manager, key, RequestVerb.WAIVE_CHARGE, now=at)
    await operations.accept_request(line1, key, P3, now=at)
    dispatcher = await person(ids, "DISPATCH_MANAGER")
    queue = {"queue_id": ids["queue1"], "assignee_id": line1.id}
    await operations.dispatch_request(dispatcher, key, **queue, now=at)
    await operations.start_request(line1, key, now=at)
    await operations.deliver_request(line1, key, solution="ok", restores_service=True, now=at)
    return key


async def test_without_a_contact_the_projects_is_asked_to_confirm_else_the_dispatch_manager(
    ids: Ids,
) -> None:
    """R-REQ-04, point 27: never the one of us who registered the request."""
    began = START + hours(340)
    project = await create_project(
        FOUNDER, name="roll-out", customer_id=ids["Bolt"], contact_id=ids["bolt"], now=began
    )
    known = await delivered_for_bolt(ids, began, project)
    unknown = await delivered_for_bolt(ids, began, None)

    while await fire_due_timers(began + hours(14)):
        pass

    for key, who in ((known, "bolt"), (unknown, "DISPATCH_MANAGER")):
        confirms = await ControlPoint.get(request_id=key, number=27)
        assert confirms.owner_id == ids[who]
        assert [each["who"] for each in await listed(key, "CONFIRMATION")] == [who]
        letters = [each for each in await sent(await number_of(key)) if each[1] == "EMAIL"]
        assert {each[0] for each in letters} == {who}


async def test_an_emergency_is_told_and_so_is_a_bulletin_that_does_not_come(ids: Ids) -> None:
    """R-REQ-11."""
    began = START + hours(360)
    key = await owned(ids, began, P1)
    await operations.declare_emergency(
        await person(ids, "PROCESS_MANAGER"), key, reason="核心网中断", found=None, now=began
    )
    declared = {each["who"] for each in await listed(key, "BULLETIN")}
    while await fire_due_timers(began + hours(1.6)):
        pass

    assert declared == {"LINE1", "LINE_LEAD", "OPERATIONS_DIRECTOR"}
    overdue = [each for each in await listed(key, "BULLETIN") if "reason" not in each]
    assert [each["who"] for each in overdue] == ["LINE1", "PROCESS_MANAGER"]
    assert datetime.fromisoformat(overdue[0]["deadline"]) == began + hours(1.5)


async def test_missing_contract_data_are_a_task_for_the_catalogue_manager(ids: Ids) -> None:
    """R-ENT-01: NO_DATA serves without a promise and asks for the record."""
    from itr.catalogue.operations import ContractLineDraft, save_contract

    began = START + hours(400)
    contract = await save_contract(
        FOUNDER,
        number="C-incomplete",
        customer_id=ids["Bolt"],
        starts_on=START.date(),
        ends_on=(START + timedelta(days=300)).date(),
        lines=[ContractLineDraft(number=1)],
        now=began,
    )
    key = await registered(ids, began)
    await operations.accept_request(await person(ids, "LINE1"), key, P3, now=began)

    told = await listed(key, "TASK")

    assert contract
    assert [each["who"] for each in told] == ["CATALOGUE_MANAGER"]
    await save_contract(
        FOUNDER,
        number="C-incomplete",
        customer_id=ids["Bolt"],
        starts_on=START.date(),
        ends_on=START.date(),
        lines=[ContractLineDraft(number=1, service_level_id=await level_named("gold"))],
        now=began,
    )


async def test_whoever_has_left_is_not_told(ids: Ids) -> None:
    """R-ROLE-07: an owner who is gone leaves it to the dispatch manager."""
    began = START + hours(440)
    key = await owned(ids, began)
    await deactivate_person(FOUNDER, ids["LINE1"], now=began)

    await fire_all(began + hours(7.5))

    assert await in_lists(key) == [("DISPATCH_MANAGER", 75)]
