"""Dividing a lateness over the steps that caused it (R-OLA-03)."""

from hypothesis import given
from hypothesis import strategies as st

from itr.sla.attribution import Part, Spent, attribute, divide, summed
from itr.sla.control_points import steps_within
from itr.sla.terms import Thread

amounts = st.integers(0, 10**14)
steps = st.lists(
    st.builds(
        Spent,
        number=st.integers(1, 30),
        elapsed_us=amounts,
        budget_us=st.none() | amounts,
        line=st.sampled_from([1, 2, 3]),
        partner=st.sampled_from([None, "firm"]),
        person=st.sampled_from(["anna", "bert", None]),
    ),
    max_size=30,
)


def spent(number: int, elapsed: int, budget: int | None, line: int = 1) -> Spent:
    return Spent(number, elapsed, budget, line)


@given(st.integers(1, 10**15), steps)
def test_the_parts_of_a_lateness_sum_exactly(lateness: int, taken: list[Spent]) -> None:
    """R-OLA-03: by step, and thereby by line, partner and person."""
    parts = attribute(lateness, taken)
    nobodys = sum(part.us for part in parts if part.step is None)

    assert sum(part.us for part in parts) == lateness
    assert all(part.us > 0 for part in parts)
    for key in (lambda s: s.line, lambda s: s.partner, lambda s: s.person):
        assert sum(summed(parts, key).values()) + nobodys == lateness


@given(st.integers(0, 10**15), st.lists(amounts, min_size=1, max_size=30).filter(any))
def test_each_part_is_within_one_of_its_exact_proportion(total: int, weights: list[int]) -> None:
    """R-OLA-03: largest remainder."""
    for part, weight in zip(divide(total, weights), weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


def test_a_lateness_is_in_proportion_to_overrun() -> None:
    """R-OLA-03."""
    on_time, late, later = spent(2, 10, 20), spent(6, 30, 20), spent(13, 90, 70, line=2)

    parts = attribute(100, [on_time, late, later])

    assert parts == [Part(late, 33), Part(later, 67)]
    assert summed(parts, lambda step: step.line) == {1: 33, 2: 67}


def test_where_nothing_overran_its_budget_time_spent_decides_and_else_nobody() -> None:
    """R-OLA-03: a point without a budget is measured and cannot overrun."""
    first, second = spent(9, 30, None), spent(13, 10, 20)

    assert attribute(40, [first, second]) == [Part(first, 30), Part(second, 10)]
    assert attribute(40, [spent(9, 0, 5)]) == [Part(None, 40)]
    assert attribute(0, [first]) == []


def test_a_thread_is_divided_among_the_steps_that_lie_within_it() -> None:
    """R-CP-01: each base is what the thread before leaves, so lateness may come from before."""
    assert steps_within(Thread.RESPONSE) == list(range(1, 9))
    assert steps_within(Thread.RESTORATION) == list(range(1, 17))
    assert steps_within(Thread.RESOLUTION) == list(range(1, 26))
    assert steps_within(Thread.CLOSURE) == list(range(26, 31))
