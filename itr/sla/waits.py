"""How long a clock stood still and for what: the working time its pauses cover (R-OLA-03)."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from itr.sla.clock_history import History, Mark
from itr.sla.positions import POSITION_OF
from itr.sla.terms import WaitingReason

PAUSED = "PAUSED:"


@dataclass(frozen=True, slots=True)
class Waits:
    """Working microseconds of the pauses by reason.

    What is waited for now is not in `ended_us`: it counts from the position `since_us` on.
    """

    ended_us: Mapping[str, int]
    reason: str | None = None
    since_us: int | None = None


def waits_of(history: History) -> Waits:
    """The pauses of a history walked to its end.

    Each part of one is for the reason it had then, of several open at once for the one told last.
    """
    end = history.untargeted_since or history.cancelled_at or history.completed_at
    marks = history.marks if end is None else [*history.marks, Mark(end, "")]
    position = history.calendar.position_us
    ended: dict[str, int] = {}
    for (start, mark, _), (stop, *_) in pairwise(marks):
        if mark.startswith(PAUSED) and (end is None or start < end):
            waited = position(stop if end is None else min(stop, end)) - position(start)
            ended[_reason(mark)] = ended.get(_reason(mark), 0) + waited
    ended = {reason: us for reason, us in ended.items() if us}
    since, mark, _ = marks[-1]
    if mark.startswith(PAUSED):
        return Waits(ended, _reason(mark), position(since))
    return Waits(ended)


def _reason(mark: str) -> str:
    return mark.removeprefix(PAUSED)


def wait_for(reason: WaitingReason, position: str) -> str:
    """Microseconds a clock `{t}` waited for something, its calendar standing at `position`."""
    return (
        f"(coalesce(({{t}}.waited_us->>'{reason}')::bigint, 0) + case when {{t}}.waiting_for ="
        f" '{reason}' then coalesce({position} - {{t}}.waiting_since_us, 0) else 0 end)"
    )


_POSITION = POSITION_OF.replace("{calendar}", "{t}.calendar_version_id")
CUSTOMER_WAIT = wait_for(WaitingReason.CUSTOMER, _POSITION)
WAITS = (
    "(select key as waited_for, value::bigint as us from jsonb_each_text({t}.waited_us)"
    f" union all select {{t}}.waiting_for, {_POSITION} - {{t}}.waiting_since_us"
    " where {t}.waiting_for is not null)"
)
"""What a clock `{t}` waited for, in SQL: a row for each wait that ended, one for what goes on."""
