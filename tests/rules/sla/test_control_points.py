"""The thirty control points: shares, budgets, and what each move does to them (R-CP)."""

from collections.abc import Collection
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itr.sla.calendars import CalendarDefinition, Shift
from itr.sla.clock import Target
from itr.sla.control_point_moves import HAND_OVER, MOVES, Changes, Situation, changes_of
from itr.sla.control_points import (
    DEFAULT_SHARES,
    STEPS,
    Shares,
    StepOwner,
    budget_of,
    longest_window,
    problems_of_shares,
    shares_of,
    steps_within,
    window_fits,
)
from itr.sla.terms import Thread, WaitingReason
from itr.sla.working_time import calendar_of

T = Thread
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def hours(response: int, restoration: int, resolution: int, closure: int) -> dict[Thread, Target]:
    amounts = zip(T, (response, restoration, resolution, closure), strict=True)
    return {thread: Target(us=amount) for thread, amount in amounts}


def situation(**more: object) -> Situation:
    given: dict[str, object] = {
        "technical": True,
        "service_down": True,
        "answered": False,
        "line": 1,
        "waiting_for": (),
        "by_owner": False,
        "dropped": False,
        **more,
    }
    return Situation(**given)  # type: ignore[arg-type]


def moved(
    event: str, *, open: Collection[int] = (), done: Collection[int] = (), **more: object
) -> Changes:
    return changes_of(event, situation(**more), open=set(open), done=set(done))


def test_there_are_thirty_each_with_a_thread_an_owner_and_a_share_and_each_thread_is_whole() -> (
    None
):
    """R-CP-01."""
    assert list(STEPS) == list(range(1, 31))
    for thread in T:
        assert sum(step.share for step in STEPS.values() if step.thread is thread) == 100
    assert [n for n, step in STEPS.items() if step.conditional] == [
        4, 10, 11, 14, 17, 18, 19, 20, 21, 22,
    ]  # fmt: skip
    assert STEPS[6].owner is StepOwner.DISPATCH_MANAGER
    assert STEPS[27].owner is StepOwner.CUSTOMER


def test_budgets_come_from_what_the_thread_before_leaves() -> None:
    """R-CP-01: T1, T2 − T1, T3 − T2, T4."""
    targets = hours(100, 300, 900, 1000)

    def budget(number: int, *, restoration: bool = True) -> int | None:
        found = budget_of(number, DEFAULT_SHARES, targets, restoration=restoration)
        return None if found is None else found.us

    assert budget(1) == 10
    assert budget(13) == 50
    assert budget(23) == 90
    assert budget(23, restoration=False) == 120
    assert budget(27) == 300


def test_a_base_of_zero_is_measured_without_a_budget() -> None:
    """R-CP-01."""
    assert budget_of(13, DEFAULT_SHARES, hours(8, 8, 9, 0), restoration=True) is None
    assert budget_of(27, DEFAULT_SHARES, hours(8, 8, 9, 0), restoration=True) is None
    assert budget_of(27, DEFAULT_SHARES, {}, restoration=True) is None


def test_a_share_of_working_days_is_in_working_days() -> None:
    """R-CP-01, R-CAL-04."""
    targets: dict[Thread, Target | None] = {
        thread: Target(days=days) for thread, days in zip(T, (1, 5, 15, 10), strict=True)
    }

    assert budget_of(13, DEFAULT_SHARES, targets, restoration=True) == Target(days=Fraction(1))
    assert budget_of(23, DEFAULT_SHARES, targets, restoration=True) == Target(days=Fraction(3, 2))


@st.composite
def some_shares(draw: st.DrawFn) -> dict[str, str]:
    """Shares that never exceed a whole in any thread."""
    shares: dict[str, str] = {}
    for thread in T:
        left = 100_000
        for number, step in STEPS.items():
            if step.thread is thread:
                share = draw(st.integers(0, left))
                shares[str(number)] = f"{share / 1000:.3f}"
                left -= share
    return shares


@given(
    some_shares(),
    st.lists(st.integers(1, 10**13), min_size=3, max_size=3).map(sorted),
    st.booleans(),
)
def test_shares_that_may_be_saved_never_promise_beyond_the_resolution_target(
    saved: dict[str, str], amounts: list[int], restoration: bool
) -> None:
    """R-OLA-02, R-CP-01: the steps up to delivery never promise more than T3."""
    assert problems_of_shares(saved) == []
    shares: Shares = shares_of(saved)
    targets = hours(amounts[0], amounts[1], amounts[2], 0)

    budgets = [
        budget_of(number, shares, targets, restoration=restoration)
        for number in steps_within(T.RESOLUTION)
        if restoration or STEPS[number].thread is not T.RESTORATION
    ]

    assert sum(budget.us or 0 for budget in budgets if budget) <= amounts[2]


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ({"13": "40"}, "OLA_ABOVE_SLA"),
        ({"31": "1"}, "UNKNOWN_CONTROL_POINT"),
        ({"01": "1"}, "UNKNOWN_CONTROL_POINT"),
        ({"1": "-1"}, "BAD_SHARE"),
        ({"1": "1.0001"}, "BAD_SHARE"),
        ({"1": "NaN"}, "BAD_SHARE"),
        ({"1": "much"}, "BAD_SHARE"),
        ({"1": "101"}, "BAD_SHARE"),
    ],
)
def test_shares_that_cannot_support_the_sla_are_refused(shares: dict[str, str], code: str) -> None:
    """R-OLA-02."""
    problems = problems_of_shares(shares)

    assert [problem.code for problem in problems] == [code]
    assert problems[0].message("zh")
    assert problems[0].message("en")


def test_shares_can_be_moved_between_the_steps_of_a_thread() -> None:
    """R-OLA-01: what is not named keeps its default."""
    saved = {"13": "30", "15": "10"}

    assert problems_of_shares(saved) == []
    assert shares_of(saved)[13] == 30
    assert shares_of(saved)[9] == 15


def test_a_window_of_days_is_measured_by_its_longest_stretch() -> None:
    """R-CP-03."""
    always = calendar_of(CalendarDefinition("Asia/Shanghai", always_open=True))
    window = longest_window(always, 3, NOW)

    assert window == 72 * 3_600_000_000
    for closure, fits in ((240, True), (239, False), (0, True)):
        targets = hours(1, 2, 3, closure * 3_600_000_000)
        assert window_fits(3, targets, DEFAULT_SHARES, window_us=window) is fits
    for days, fits in ((10, True), (9, False)):
        assert (
            window_fits(3, {T.CLOSURE: Target(days=days)}, DEFAULT_SHARES, window_us=window) is fits
        )


@pytest.mark.parametrize("hour", [1, 7, 15])
def test_the_longest_window_is_the_same_at_whatever_hour_it_is_asked_for(hour: int) -> None:
    """R-CP-03: a Friday of ten hours, whatever is left of today."""
    days = [*((day, "09:00", "13:00") for day in range(4)), (4, "08:00", "18:00")]
    uneven = calendar_of(CalendarDefinition("UTC", tuple(Shift(*day) for day in days)))
    asked = NOW.replace(hour=hour)

    longest = [longest_window(uneven, days, asked) / 3_600_000_000 for days in (1, 2, 5)]

    assert longest == [10, 14, 26]


def test_what_is_cancelled_gives_its_open_steps_up() -> None:
    """R-CP-02."""
    assert moved("RequestCancelled", open={6}, dropped=True) == Changes(drops=frozenset({6}))


def test_a_delivery_passes_what_was_skipped_on_the_way_and_completes_what_it_is() -> None:
    """R-CP-02: to deliver is an act and an answer; nobody verified, looked up or reviewed."""
    changes = moved(
        "RequestDelivered",
        open={9, 13, 17, 21},
        answered=True,
        answers=True,
        by_owner=True,
        service_down=False,
    )

    assert changes.acts == {8, 25}
    assert changes.passes == {9, 12, 13, 23, 24, 26}
    assert changes.ends == {17, 21}
    assert changes.opens == {27}


NO_ACT_YET = {9, 12, 13, 15, 23, 24, 26, 28, 29}
"""Steps that no verb is the act of."""


def test_a_customer_answered_long_ago_makes_nobody_the_one_who_answered() -> None:
    """R-CP-02: a point credits who acted, never who might have."""
    assert moved("RequestReplied", answered=True).passes == {8}
    assert moved("RequestReplied", answered=True, answers=True).acts == {8}


def test_silence_is_no_act() -> None:
    """R-CP-02, R-REQ-04."""
    changes = moved("RequestConfirmed", open={27}, answered=True, done={8}, unattended=True)

    assert changes == Changes(passes=frozenset({8, 27}), opens=frozenset({30}))
    assert moved("RequestConfirmed", open={27}).acts == {27}


def test_a_request_without_technical_steps_never_has_them() -> None:
    """Domain section 3: no RESTORATION thread."""
    for event in MOVES:
        changes = moved(event, open={10}, technical=False, waiting_for=(WaitingReason.CUSTOMER,))
        entered = changes.opens | changes.acts | (changes.passes - {10})
        assert not {n for n in entered if STEPS[n].thread is T.RESTORATION}


@pytest.mark.parametrize("line", [1, 2, 3])
def test_each_line_has_a_step_of_taking_over(line: int) -> None:
    """R-LIN-01, R-CP-01."""
    assert HAND_OVER[line] in moved("RequestEscalated", line=line).opens


events = st.sampled_from([*MOVES, "RequestNoted", "RequestReplied", "RequestReopened"])


@given(
    events,
    st.sets(st.integers(1, 30)),
    st.sets(st.integers(1, 30)),
    st.builds(
        situation,
        technical=st.booleans(),
        service_down=st.booleans(),
        answered=st.booleans(),
        line=st.sampled_from([1, 2, 3]),
        waiting_for=st.lists(st.sampled_from(WaitingReason), unique=True),
        by_owner=st.booleans(),
        dropped=st.booleans(),
        with_partner=st.booleans(),
        answers=st.booleans(),
        unattended=st.booleans(),
    ),
)
def test_no_move_does_two_things_to_one_step(
    event: str, open: set[int], done: set[int], stands: Situation
) -> None:
    """R-CP-02."""
    changes = changes_of(event, stands, open=open, done=done - open)

    kinds = (changes.acts, changes.passes, changes.opens, changes.ends, changes.drops)
    assert sum(map(len, kinds)) == len(frozenset().union(*kinds))
    assert changes.ends <= open
    assert not changes.opens & open
    assert not (changes.acts | changes.ends) & NO_ACT_YET
    if stands.unattended:
        assert not changes.acts | changes.ends


def test_a_partner_is_engaged_from_hand_over_until_it_is_taken_back() -> None:
    """R-REQ-10, R-CP-01."""
    assert moved("RequestHandedToPartner", open={7}) == Changes(
        opens=frozenset({19}), passes=frozenset({7})
    )
    assert moved("RequestTakenBack", open={19}, line=2) == Changes(
        opens=frozenset({17}), ends=frozenset({19})
    )


def test_a_third_party_we_still_wait_for_stays_engaged_whoever_waits() -> None:
    """R-CP-02, R-LIN-01: going up the lines ends the engagement of a firm that had it only."""
    up = {"event": "RequestEscalated", "open": {19}, "line": 2}

    assert moved(**up).ends == {19}
    assert moved(**up, waiting_for=(WaitingReason.THIRD_PARTY,)).ends == set()
    assert moved(**up, with_partner=True).ends == set()


def test_an_emergency_and_a_child_have_steps_of_their_own() -> None:
    """R-REQ-11, R-REQ-09: children have control points only."""
    assert moved("EmergencyDeclared").acts == {14}
    assert moved("ChildRequestOpened") == Changes(
        acts=frozenset({1}), passes=frozenset({2, 3, 5, 6}), opens=frozenset({7})
    )


def test_each_reason_waited_for_has_its_step_and_ends_it_by_itself() -> None:
    """R-REQ-03, R-CP-02: the answer opens 11 while the spare part is still on its way."""
    customer, part = WaitingReason.CUSTOMER, WaitingReason.SPARE_PART

    second = moved("RequestWaiting", open={10}, waiting_for=(customer, part))
    answered = moved("WaitingReasonEnded", open={10, 21}, waiting_for=(part,))
    arrived = moved("WaitingReasonEnded", open={10, 21}, waiting_for=(customer,))

    assert (second.acts, second.opens, second.ends) == ({20}, {21}, set())
    assert (answered.opens, answered.ends) == ({11}, {10})
    assert (arrived.opens, arrived.ends) == (set(), {21})


def test_what_was_entered_before_the_kind_lacked_it_still_ends() -> None:
    """R-CP-04: a point of RESTORATION is entered no more, but no open one is left behind."""
    closed = moved("RequestClosed", open={9, 13, 30}, technical=False)

    assert {9, 13} <= closed.passes
