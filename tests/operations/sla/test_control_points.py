"""The thirty control points, opened and completed by the workflow's own moves (R-CP)."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from tortoise.connection import get_connection

from itr.actors.actor import SYSTEM, Actor
from itr.actors.roles import Role
from itr.catalogue.operations import ContractLineDraft, save_service_level
from itr.catalogue.terms import FaultLevel, Impact
from itr.database import Database
from itr.events.log import Audience
from itr.people.operations import create_queue
from itr.requests import operations
from itr.requests.intake import Intake
from itr.requests.lifecycle import RequestVerb
from itr.requests.priority import Classification
from itr.requests.store import working_on
from itr.requests.terms import ProblemType, RequestKind
from itr.requests.verbs.closing import confirm_by_silence
from itr.settings import Settings
from itr.sla.models import CalendarVersion, ControlPoint
from itr.sla.operations import calendars_of_versions, save_calendar
from itr.sla.terms import ControlPointState, Thread, WaitingReason
from tests.support import desk_data as desk
from tests.support.databases import as_owner

(_MIGRATION,) = Path("migrations").glob("*_control_points_passed_without_an_act.py")
WORKED_OUT = import_module(f"migrations.{_MIGRATION.stem}").WORKED_OUT

pytestmark = pytest.mark.usefixtures("database")

MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
MINUTE = 60_000_000
HOUR = 60 * MINUTE
FAULT = Classification(ProblemType.FAULT, FaultLevel.MINOR, Impact.GROUP)  # P3
CRITICAL = Classification(ProblemType.FAULT, FaultLevel.CRITICAL, Impact.ENTERPRISE)  # P1


@dataclass
class House:
    """A branch with people, queues and a house level: 10, 30, 80 and 240 hours; P1 a tenth."""

    people: dict[str, Actor] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)

    def who(self, name: str) -> UUID:
        """Somebody's id."""
        return self.people[name].id


@pytest.fixture(scope="module")
async def house(database: Database) -> House:
    """Somewhere to work."""
    made = House()
    branch, firm = await desk.branch(), await desk.partner()
    customer = await desk.organisation(branch=branch)
    for name, of, role in (
        ("hotline", branch, Role.LINE1),
        ("expert", branch, Role.LINE2),
        ("guru", branch, Role.LINE3),
        ("lead", branch, Role.LINE_LEAD),
        ("dispatcher", branch, Role.DISPATCH_MANAGER),
        ("process", branch, Role.PROCESS_MANAGER),
        ("spares", branch, Role.SPARES_MANAGER),
        ("quality", branch, Role.QUALITY_CONTROLLER),
        ("customer", customer, Role.CUSTOMER),
        ("partner", firm, Role.PARTNER),
    ):
        made.people[name] = await desk.person(of, role)
    for name, line, member in (("one", 1, "hotline"), ("two", 2, "expert"), ("three", 3, "guru")):
        made.ids[name] = await create_queue(
            desk.SETUP,
            name=desk.named("queue"),
            line=line,
            branch_id=branch,
            lead_id=made.who("lead"),
            member_ids=[made.who(member)],
            now=MONDAY,
        )
    made.ids["firm"] = await desk.queue(2, partner_id=firm, members=[made.who("partner")])
    level = uuid4()
    slow, fast = desk.hours(10, 30, 80), desk.hours(1, 3, 8)
    await save_service_level(
        desk.SETUP,
        name=desk.named("house"),
        calendar_id=await desk.calendar(),
        targets={key: (fast if key[0] == "P1" else slow)[key] for key in slow}
        | {key: target for key, target in slow.items() if key[1] is Thread.CLOSURE},
        pauses=[
            (reason, thread)
            for reason in WaitingReason
            for thread in (Thread.RESTORATION, Thread.RESOLUTION)
        ],
        house=True,
        service_level_id=level,
        now=MONDAY,
    )
    await desk.contract(customer, ContractLineDraft(number=1, service_level_id=level))
    made.ids["customer"] = customer
    made.ids["product"] = await desk.product()
    return made


@dataclass
class Story:
    """One request, and time that passes."""

    house: House
    id: UUID
    now: datetime

    async def does(
        self, who: str, act: Callable[..., Awaitable[UUID]], *more: Any, **given: Any
    ) -> None:
        """Somebody uses a verb."""
        await act(self.house.people[who], self.id, *more, now=self.now, **given)

    async def after(self, hours: float) -> "Story":
        """Time passes."""
        self.now += timedelta(hours=hours)
        return self

    async def accepted(self, classification: Classification = FAULT) -> None:
        await self.does("hotline", operations.accept_request, classification)

    async def dispatched(self, queue: str = "one", to: str | None = None) -> None:
        await self.does(
            "dispatcher",
            operations.dispatch_request,
            queue_id=self.house.ids[queue],
            assignee_id=self.house.who(to) if to else None,
        )

    async def begun(self, who: str = "hotline", queue: str = "one") -> None:
        await self.accepted()
        await self.dispatched(queue)
        await self.does(who, operations.start_request)

    async def delivered(self, who: str = "hotline", *, restores: bool = True) -> None:
        await self.does(
            who, operations.deliver_request, solution="换模块", restores_service=restores
        )

    async def point(self, number: int) -> ControlPoint:
        return await ControlPoint.get(request_id=self.id, number=number)

    async def points(self) -> Mapping[int, ControlPoint]:
        rows = await ControlPoint.filter(request_id=self.id).order_by("number")
        return {row.number: row for row in rows}

    async def on_the_clock(self, number: int) -> int:
        """What a step that counts around the clock took so far."""
        row = await self.point(number)
        assert row.base_us is not None
        calendar = (await calendars_of_versions([row.calendar_version_id]))[row.calendar_version_id]
        return calendar.position_us(self.now) - row.base_us

    async def open(self) -> dict[int, UUID | None]:
        """The open steps and who has each."""
        points = await self.points()
        return {n: row.owner_id for n, row in points.items() if row.completed_at is None}


async def submitted(
    house: House, who: str = "customer", kind: RequestKind = RequestKind.TECHNICAL
) -> Story:
    intake = Intake(
        kind=kind,
        title="不通",
        description="从今天早上起",
        customer_id=house.ids["customer"],
        product_id=house.ids["product"],
    )
    made = await operations.submit_request(house.people[who], intake, now=MONDAY)
    return Story(house, made, MONDAY)


async def test_each_move_opens_the_next_step_and_completes_the_one_before(house: House) -> None:
    """R-CP-01, R-CP-02, R-ROLE-07."""
    story = await submitted(house)
    assert await story.open() == {2: house.who("dispatcher")}

    await story.accepted()
    assert await story.open() == {6: house.who("dispatcher")}

    await story.dispatched()
    assert await story.open() == {7: house.who("dispatcher")}

    await story.does("hotline", operations.start_request)
    mine = house.who("hotline")
    assert await story.open() == {8: mine, 9: mine}

    await story.does("hotline", operations.respond_to_request, text="在看")
    assert await story.open() == {9: mine}

    await story.does(
        "hotline", operations.plan_request, summary="更换", expected_at=story.now + timedelta(1)
    )
    assert await story.open() == {13: mine}

    await story.does("hotline", operations.restore_request, workaround="备用链路")
    assert await story.open() == {23: mine}

    await story.delivered()
    assert await story.open() == {27: house.who("customer")}

    await story.does("customer", operations.confirm_request, verified_by=None)
    assert await story.open() == {30: mine}

    await story.does("hotline", operations.close_request)
    assert await story.open() == {}
    conditional = {4, 10, 11, 14, 17, 18, 19, 20, 21, 22}
    assert set(await story.points()) == set(range(1, 31)) - conditional
    passed = {9, 12, 13, 15, 23, 24, 26, 28, 29}
    for number, row in (await story.points()).items():
        if number in passed:
            assert (row.ended, row.on_time, row.elapsed_us, row.owner_id) == (
                ControlPointState.PASSED, None, 0, None,
            )  # fmt: skip
        else:
            assert (row.ended, row.on_time) == (ControlPointState.COMPLETED, True)


async def test_a_point_credits_who_acted_never_who_might_have(house: House) -> None:
    """R-CP-02: line 1 dispatched, a colleague answered, the owner told of the part."""
    story = await submitted(house)
    await story.accepted()
    assert (await story.open())[6] == house.who("dispatcher")
    await story.does(
        "hotline",
        operations.dispatch_request,
        queue_id=house.ids["two"],
        assignee_id=house.who("expert"),
    )
    await story.does("expert", operations.start_request)
    await story.does("hotline", operations.log_call, summary="已联系")
    await story.does("expert", operations.wait_request, reason=WaitingReason.SPARE_PART, note=None)
    assert (await story.open())[21] == house.who("spares")
    await (await story.after(1)).does("expert", operations.resume_request, answer=None)

    points = await story.points()
    credited = {number: points[number].owner_id for number in (1, 2, 3, 5, 6, 7, 8, 20, 21)}
    hotline, expert = house.who("hotline"), house.who("expert")
    assert credited == {
        1: house.who("customer"), 2: hotline, 3: hotline, 5: hotline, 6: hotline,
        7: expert, 8: hotline, 20: expert, 21: expert,
    }  # fmt: skip
    await story.does("expert", operations.wait_request, reason=WaitingReason.SPARE_PART, note=None)
    assert (await story.open())[21] == house.who("spares")  # open again it is not the expert's


async def test_what_nobody_confirmed_is_passed(house: House) -> None:
    """R-CP-02, R-REQ-04: the window closed by itself."""
    story = await submitted(house)
    await story.begun()
    await story.delivered()
    await story.after(24 * 14)
    async with working_on(SYSTEM, story.id, story.now) as work:
        confirm_by_silence(work)

    confirms = await story.point(27)
    assert (confirms.ended, confirms.on_time, confirms.elapsed_us) == (
        ControlPointState.PASSED, None, 0,
    )  # fmt: skip
    assert set(await story.open()) == {30}


async def test_points_of_earlier_versions_come_to_the_same(
    house: House, settings: Settings
) -> None:
    """R-CP-02: what a migration works out of the log is what the verbs would have written."""
    story = await submitted(house)
    await story.begun()
    await (await story.after(1)).does("lead", operations.log_call, summary="已联系")
    await (await story.after(1)).delivered()
    await (await story.after(24 * 14)).does("hotline", operations.note_on_request, text="等",
                                            audience=Audience.INTERNAL)  # fmt: skip
    async with working_on(SYSTEM, story.id, story.now) as work:
        confirm_by_silence(work)
    await (await story.after(1)).does("hotline", operations.close_request)
    written = {n: (row.ended, row.owner_id) for n, row in (await story.points()).items()}
    somebody = house.who("guru")
    await ControlPoint.filter(request_id=story.id).update(
        ended=None, on_time=True, owner_id=somebody
    )

    for statement in WORKED_OUT.split(";\n")[:3]:
        await as_owner(settings, statement)

    found = {n: (row.ended, row.owner_id) for n, row in (await story.points()).items()}
    assert found == written
    assert {ended for ended, _ in found.values()} == {
        ControlPointState.COMPLETED, ControlPointState.PASSED,
    }  # fmt: skip


async def test_what_went_past_is_completed_once_somebody_does_it(house: House) -> None:
    """R-CP-02: only acts complete a point, also one that was passed before."""
    story = await submitted(house)
    await story.begun()
    await story.delivered(restores=False)
    await story.does("customer", operations.confirm_request, verified_by=None)
    assert (await story.point(16)).ended is ControlPointState.PASSED
    await story.does("customer", operations.reopen_request, reason="又断了", service_down=True)
    await story.does("hotline", operations.restore_request, workaround="备用链路")

    restored = await story.point(16)
    assert (restored.ended, restored.owner_id) == (
        ControlPointState.COMPLETED, house.who("hotline"),
    )  # fmt: skip


async def test_a_step_has_its_share_of_its_base_as_budget_and_is_judged_by_it(house: House) -> None:
    """R-CP-01: share × base; exactly at the deadline is on time, a microsecond later is not."""
    story = await submitted(house)
    register = await story.point(2)
    assert (register.budget_us, register.deadline) == (HOUR, MONDAY + timedelta(hours=1))
    assert register.next_reminder_at == MONDAY + timedelta(minutes=48)

    await (await story.after(1)).accepted()
    dispatch = await story.point(6)
    assert (await story.point(2)).on_time is True
    assert dispatch.budget_us == 90 * MINUTE

    story.now += timedelta(hours=1.5, microseconds=1)
    await story.dispatched()
    dispatch = await story.point(6)
    assert (dispatch.on_time, dispatch.elapsed_us) == (False, 90 * MINUTE + 1)

    await story.does("hotline", operations.start_request)
    assert (await story.point(9)).budget_us == 3 * HOUR  # 15 % of 30 − 10
    await story.does("hotline", operations.restore_request, workaround="备用")
    assert (await story.point(23)).budget_us == 7.5 * HOUR  # 15 % of 80 − 30
    await story.delivered()
    assert (await story.point(27)).budget_us == 72 * HOUR


async def test_without_restoration_the_solution_has_what_the_response_leaves(house: House) -> None:
    """R-CP-01: T3 − T1, and no technical steps."""
    story = await submitted(house, kind=RequestKind.NON_TECHNICAL)
    await story.begun()

    assert set(await story.open()) == {8, 23}
    assert (await story.point(23)).budget_us == 10.5 * HOUR  # 15 % of 80 − 10
    await story.delivered()
    assert not [row for row in (await story.points()).values() if row.thread == "RESTORATION"]


async def test_another_promise_gives_open_steps_another_budget(house: House) -> None:
    """R-SLA-08, R-CP-01: a retarget keeps what was spent."""
    story = await submitted(house)
    await story.begun()
    await (await story.after(1)).does("hotline", operations.reclassify_request, CRITICAL)

    verify = await story.point(9)
    assert verify.budget_us == 18 * MINUTE  # 15 % of 3 − 1
    assert verify.deadline == MONDAY + timedelta(minutes=18)
    assert await story.on_the_clock(9) == HOUR


async def test_steps_pause_with_their_thread_but_those_that_cause_the_pause_run(
    house: House,
) -> None:
    """R-CP-02: 19 and 21 run through the pauses they cause."""
    story = await submitted(house)
    await story.begun()
    await (await story.after(1)).does(
        "hotline", operations.wait_request, reason=WaitingReason.SPARE_PART, note=None
    )
    verify, part = await story.point(9), await story.point(21)
    assert (verify.base_us, verify.elapsed_us, verify.next_reminder_at) == (None, HOUR, None)
    assert part.owner_id == house.who("spares")
    assert part.deadline is not None

    await (await story.after(2)).does(
        "hotline", operations.wait_request, reason=WaitingReason.THIRD_PARTY, note=None
    )
    assert (await story.open())[19] == house.who("dispatcher")
    assert (await story.open())[21] == house.who("spares")

    await (await story.after(3)).does("hotline", operations.resume_request, answer=None)
    assert (await story.point(19)).elapsed_us == 3 * HOUR
    assert (await story.point(21)).elapsed_us == 5 * HOUR
    await (await story.after(1)).does(
        "hotline", operations.wait_request, reason=WaitingReason.SPARE_PART, note=None
    )
    assert (await story.point(9)).elapsed_us == 2 * HOUR
    await (await story.after(1)).delivered()
    assert (await story.point(21)).elapsed_us == 6 * HOUR  # entered again it went on


async def test_what_the_customer_was_asked_for_is_checked_when_it_comes(house: House) -> None:
    """R-CP-02: 10 pauses with its thread, 11 lasts until the owner goes on."""
    story = await submitted(house)
    await story.begun()
    await story.does("hotline", operations.wait_request, reason=WaitingReason.CUSTOMER, note=None)
    await (await story.after(5)).does("customer", operations.resume_request, answer="X-200")

    asked, check = await story.point(10), await story.point(11)
    assert (asked.elapsed_us, asked.on_time) == (0, True)
    assert (check.owner_id, check.completed_at) == (house.who("hotline"), None)

    await (await story.after(0.5)).does(
        "hotline", operations.note_on_request, text="型号已核对", audience=Audience.INTERNAL
    )
    assert (await story.point(11)).elapsed_us == 30 * MINUTE


async def test_a_hand_over_lasts_until_somebody_of_the_other_line_takes_it(house: House) -> None:
    """R-LIN-01, R-ROLE-07: nobody's is the dispatch manager's."""
    story = await submitted(house)
    await story.begun()
    await story.does(
        "hotline",
        operations.change_line,
        RequestVerb.ESCALATE,
        queue_id=house.ids["two"],
        assignee_id=None,
        reason="需要专家",
    )
    boss = house.who("dispatcher")
    assert await story.open() == {8: boss, 9: boss, 17: boss}

    await (await story.after(2)).does("expert", operations.start_request)
    taken = await story.point(17)
    assert (taken.elapsed_us, taken.line) == (2 * HOUR, 2)
    assert (await story.open())[9] == house.who("expert")

    await story.does(
        "expert",
        operations.change_line,
        RequestVerb.ESCALATE,
        queue_id=house.ids["three"],
        assignee_id=house.who("guru"),
        reason="需要研发",
    )
    assert (await story.open())[18] == house.who("guru")
    await story.does("guru", operations.log_call, summary="已联系")
    assert set(await story.open()) == {9}


async def test_put_back_into_the_queue_it_is_to_be_accepted_again_with_what_is_left(
    house: House,
) -> None:
    """R-CP-02: entering a point again continues its budget."""
    story = await submitted(house)
    await story.accepted()
    await story.dispatched()
    await (await story.after(1)).does("hotline", operations.start_request)
    await story.does("hotline", operations.requeue_request, queue_id=None, reason="下班")

    assert (await story.open())[7] == house.who("dispatcher")
    assert (await story.point(7)).deadline == story.now + timedelta(minutes=30)


async def test_a_rejected_solution_goes_on_and_closing_starts_anew(house: House) -> None:
    """R-SLA-09, R-CP-02."""
    story = await submitted(house)
    await story.begun()
    await story.delivered()
    await (await story.after(70)).does(
        "customer", operations.reject_solution, reason="仍然不通", service_down=False
    )
    assert set(await story.open()) == {23}

    assert await (await story.after(1)).on_the_clock(23) == HOUR
    await story.delivered()
    confirms = await story.point(27)
    assert confirms.deadline == story.now + timedelta(hours=72)
    assert (await story.point(23)).ended is ControlPointState.PASSED

    await story.does("customer", operations.confirm_request, verified_by=None)
    await story.does("customer", operations.reopen_request, reason="又断了", service_down=True)
    assert set(await story.open()) == {13}
    given_up = await story.point(30)
    assert (given_up.on_time, given_up.completed_at) == (None, story.now)


async def test_a_cancelled_request_leaves_no_step_open_and_judges_none(house: House) -> None:
    """R-CP-02."""
    story = await submitted(house)
    await story.accepted()
    await (await story.after(100)).does("customer", operations.cancel_request, reason="不需要了")

    assert await story.open() == {}
    assert (await story.point(6)).on_time is None


async def test_a_solution_that_does_not_restore_leaves_the_service_to_be_confirmed(
    house: House,
) -> None:
    """R-SLA-01, R-CP-02."""
    story = await submitted(house)
    await story.begun()
    await story.delivered(restores=False)
    assert set(await story.open()) == {16, 27}

    await story.does("customer", operations.confirm_request, verified_by=None)
    assert set(await story.open()) == {30}


async def test_history_has_no_steps(house: House, settings: Settings) -> None:
    """R-IMP-01: nobody was reminded of them, and replaying stays fast."""
    story = await submitted(house)
    await as_owner(settings, "delete from control_point where request_id = $1", story.id)
    async with working_on(house.people["hotline"], story.id, story.now) as work:
        work.historic = True
        work.record("RequestNoted", Audience.INTERNAL)

    assert await story.points() == {}


_COUNTING = """
create table step_write (number int not null);
grant select, insert, delete on step_write to public;
create function count_step_write() returns trigger language plpgsql as $$
begin insert into step_write values (new.number); return null; end $$;
create trigger step_written after insert or update on control_point
    for each row execute function count_step_write();
"""


async def written() -> Counter[int]:
    """How often each step was written since this was asked last."""
    rows = await get_connection("default").execute_query_dict(
        "delete from step_write returning number"
    )
    return Counter(row["number"] for row in rows)


async def test_only_steps_that_changed_are_written_each_once_a_move(
    house: House, settings: Settings
) -> None:
    """R-CP-02."""
    await as_owner(settings, _COUNTING)
    story = await submitted(house)
    await story.begun()
    before = await story.points()
    await written()

    await story.does("expert", operations.note_on_request, text="看", audience=Audience.INTERNAL)
    assert await written() == {}

    await story.delivered()
    after = await story.points()
    changed = [each for each in after if before.get(each) is None or _differ(before, after, each)]
    assert await written() == dict.fromkeys(changed, 1)


def _differ(
    before: Mapping[int, ControlPoint], after: Mapping[int, ControlPoint], number: int
) -> bool:
    return dict(before[number]) != dict(after[number])


async def test_a_share_of_a_day_is_the_working_time_it_spans(house: House) -> None:
    """R-CP-01, R-CAL-04: 15 % of a day of seven and a half hours, by the contract's calendar."""
    customer, level = await desk.organisation(), uuid4()
    await save_service_level(
        desk.SETUP,
        name=desk.named("level"),
        calendar_id=await desk.calendar(desk.OFFICE),
        targets=desk.days(1, 5, 15),
        service_level_id=level,
        now=MONDAY,
    )
    await desk.contract(customer, ContractLineDraft(number=1, service_level_id=level))
    intake = Intake(
        kind=RequestKind.TECHNICAL,
        title="不通",
        description="电话",
        customer_id=customer,
        product_id=house.ids["product"],
    )
    hotline = house.people["hotline"]
    story = Story(house, await operations.submit_request(hotline, intake, now=MONDAY), MONDAY)
    await story.accepted()

    dispatch = await story.point(6)

    assert dispatch.budget_us == 67.5 * MINUTE
    assert dispatch.deadline == MONDAY + timedelta(minutes=67.5)
    await (await story.after(4)).dispatched()  # 13:00, three hours of them open
    assert (await story.point(6)).elapsed_us == 3 * HOUR


async def test_an_edited_calendar_counts_from_the_next_move(house: House) -> None:
    """R-SLA-10, R-CP-01: what was spent stays spent."""
    story = await submitted(house)
    await story.begun()
    before = await story.point(9)
    version = await CalendarVersion.get(id=before.calendar_version_id).select_related("calendar")
    await save_calendar(
        desk.SETUP,
        name=version.calendar.name,
        definition=desk.OFFICE,
        now=MONDAY + timedelta(hours=1),
    )

    await (await story.after(1)).does("hotline", operations.respond_to_request, text="在看")
    await (await story.after(3)).does(
        "hotline", operations.wait_request, reason=WaitingReason.CUSTOMER, note=None
    )

    verify = await story.point(9)
    assert verify.calendar_version_id != before.calendar_version_id
    assert verify.elapsed_us == 3 * HOUR  # 09:00 to 12:00, then lunch
    await save_calendar(
        desk.SETUP,
        name=version.calendar.name,
        definition=desk.ALWAYS,
        now=MONDAY + timedelta(hours=4),
    )
