"""What a recalculation finds, side by side, and what keeps one from being done (R-SLA-12)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from itr.errors import DomainError, Stale
from itr.sla.terms import ClockState, RecalculationKind, Thread

GOOD_FOR = timedelta(hours=24)
"""How long a preview may be applied: what flips depends on the hour, too."""
RATE_STEP = Decimal("0.000001")
CANCELLABLE = frozenset(
    {
        RecalculationKind.WHAT_IF,
        RecalculationKind.MIGRATION_PREVIEW,
        RecalculationKind.MIGRATION,
    }
)


class PreviewNotReady(DomainError):
    """Only a preview that was computed to its end can be applied (R-CAT-03)."""

    code = "PREVIEW_NOT_READY"
    zh = "预览尚未完成（当前状态 {status}）；完成后才能执行迁移。"
    en = "The preview is {status}; it can be applied once it is DONE."


class PreviewOutdated(Stale):
    """The world has moved on since the preview: look again before applying it."""

    zh = "预览之后情况已变化，请重新预览后再执行。"
    en = "Things have changed since the preview; preview again before applying."


class CannotCancel(DomainError):
    """What follows a decision is carried out; only what somebody asked for can be called off."""

    code = "CANNOT_CANCEL"
    zh = "该计算不能取消。"
    en = "This computation cannot be called off."


class NothingToCompare(DomainError):
    """A what-if names another service level version, another calendar version, or both."""

    code = "NOTHING_TO_COMPARE"
    zh = "须给出要比较的服务级别版本或日历版本。"
    en = "Name the service level version or the calendar version to compare with."


@dataclass(frozen=True, slots=True)
class Standing:
    """How a clock stands: its state, its deadline, and whether it ever breached."""

    state: ClockState
    deadline: datetime | None
    breached: bool

    @property
    def promised(self) -> bool:
        """Whether it counts in a rate: its promise was not dropped."""
        return self.state is not ClockState.CANCELLED


@dataclass(frozen=True, slots=True)
class Found:
    """One clock both ways; None where there is no such clock."""

    thread: Thread
    priority: str
    before: Standing | None
    after: Standing | None

    @property
    def flips(self) -> bool:
        """Whether it would breach and does not, or the other way round."""
        return _breached(self.before) != _breached(self.after)

    @property
    def differs(self) -> bool:
        """Whether a deadline or state changes at all."""
        return self.flips or _seen(self.before) != _seen(self.after)


def _breached(standing: Standing | None) -> bool:
    return standing is not None and standing.breached


def _seen(standing: Standing | None) -> tuple[ClockState, datetime | None] | None:
    return None if standing is None else (standing.state, standing.deadline)


@dataclass
class Tally:
    """Clocks and breaches per thread and priority, both ways; kept as JSON between batches."""

    counts: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    requests: int = 0
    flips: int = 0
    changes: int = 0
    skipped: int = 0

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> "Tally":
        """What `to_json` wrote; nothing yet is an empty one."""
        value = value or {}
        return cls(
            counts={(each[0], each[1]): list(each[2:]) for each in value.get("counts", ())},
            **{name: value.get(name, 0) for name in ("requests", "flips", "changes", "skipped")},
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "counts": [[*key, *counts] for key, counts in sorted(self.counts.items())],
            "requests": self.requests,
            "flips": self.flips,
            "changes": self.changes,
            "skipped": self.skipped,
        }

    def add(self, found: Iterable[Found]) -> None:
        """Count the clocks of one request."""
        self.requests += 1
        for each in found:
            counts = self.counts.setdefault((each.thread.value, each.priority), [0, 0, 0, 0])
            for place, standing in ((0, each.before), (2, each.after)):
                counts[place] += standing is not None and standing.promised
                counts[place + 1] += _breached(standing)
            self.flips += each.flips
            self.changes += each.differs


def rate_of(breached: int, clocks: int) -> Decimal | None:
    """What part of the clocks breached, to six places; None of none."""
    if not clocks:
        return None
    return (Decimal(breached) / clocks).quantize(RATE_STEP, ROUND_HALF_UP)
