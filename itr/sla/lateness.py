"""How late a clock is and which steps share in it, in SQL (R-OLA-03); `:now` is the instant.

The same rule as `attribution`, said for the database: a step's part is in proportion to its
overrun or, where no step overran, to the time it took.
"""

from itr.sla.control_points import steps_within
from itr.sla.positions import POSITION_OF
from itr.sla.terms import Thread

BREACHED = (
    "({t}.breached_at is not null"
    " or ({t}.state = 'RUNNING' and coalesce({t}.deadline < :now, false)))"
)
"""Whether a clock passed its deadline, also when nobody has recorded it yet (R-SLA-05)."""


APPROVED_REASON = "(case when {t}.breach_reason_state = 'APPROVED' then {t}.breach_reason end)"
"""The coded reason of a breach, once a manager has approved it."""


def _spent(step: str) -> str:
    """The working time a step took so far."""
    position = POSITION_OF.replace("{calendar}", f"{step}.calendar_version_id")
    return (
        f"(case when {step}.base_us is null then {step}.elapsed_us"
        f" else {position} - {step}.base_us end)"
    )


def _overran(step: str) -> str:
    return f"coalesce({_spent(step)} > {step}.budget_us, false)"


def _numbers(thread: Thread) -> str:
    return f"'{{{','.join(map(str, steps_within(thread)))}}}'::smallint[]"


_WITHIN = " ".join(f"when '{thread}' then {_numbers(thread)}" for thread in Thread)

STEP_OF_CLOCK = "({t}.request_id = {clock}.request_id and {t}.number = any(case {clock}.thread " + (
    f"{_WITHIN} end))"
)
"""Whether a step `{t}` divides the time of the thread of `{clock}`."""

LATENESS = (
    "(case when {t}.base_us is null then -{t}.remaining_us else "
    + POSITION_OF.replace("{calendar}", "{t}.calendar_version_id")
    + " - {t}.deadline_us end)"
)
"""Microseconds a clock is or was beyond its deadline; null and not above zero: it is not late."""

SPENT = _spent("{t}")
OVERRUN = f"greatest(0, coalesce({SPENT} - {{t}}.budget_us, 0))"

SHARES_IN_LATENESS = (
    f"({STEP_OF_CLOCK} and ({_overran('{t}')} or ({SPENT} > 0 and not exists"
    " (select 1 from control_point rival where "
    + STEP_OF_CLOCK.replace("{t}", "rival")
    + f" and {_overran('rival')}))))"
)
"""Whether a step `{t}` has a part in the lateness of `{clock}`, if that is late."""
