"""Reasons of breaches: what they need and who decides on them (R-SLA-05)."""

from datetime import datetime
from uuid import UUID

from itr.errors import DomainError, Required
from itr.sla.models import Clock
from itr.sla.terms import BreachReason, BreachReasonState, ClockState


class NotBreached(DomainError):
    """Only a breach has a reason; one that was overturned has none any more (R-SLA-05)."""

    code = "NOT_BREACHED"
    zh = "该时间线索没有超时。"
    en = "This thread is not breached."


class BreachReasonApproved(DomainError):
    """What a manager has approved stays."""

    code = "BREACH_REASON_APPROVED"
    zh = "该超时原因已经批准。"
    en = "The reason of this breach is approved already."


class NoBreachReason(DomainError):
    """There is no reason that waits for a decision."""

    code = "NO_BREACH_REASON"
    zh = "没有待裁定的超时原因。"
    en = "No reason of this breach waits for a decision."


class OwnBreachReason(DomainError):
    """Nobody decides on the reason they gave (R-SLA-05)."""

    code = "OWN_BREACH_REASON"
    zh = "不能裁定自己填写的超时原因。"
    en = "Somebody else decides on the reason you gave."


def is_breached(clock: Clock | None, now: datetime) -> bool:
    """Whether a thread passed its deadline, also when nobody has recorded it yet."""
    if clock is None:
        return False
    if clock.breached_at is not None:
        return True
    return clock.state is ClockState.RUNNING and clock.deadline is not None and clock.deadline < now


def ensure_explains(clock: Clock, reason: BreachReason, note: str | None) -> None:
    """Refuse to explain anew what is approved, and another reason without words."""
    if clock.breach_reason_state is BreachReasonState.APPROVED:
        raise BreachReasonApproved()
    if reason is BreachReason.OTHER and note is None:
        raise Required(path=["note"])


def ensure_decides(clock: Clock, decider: UUID) -> None:
    """Refuse to decide where nothing waits, and on a reason of one's own."""
    if clock.breach_reason_state is not BreachReasonState.GIVEN:
        raise NoBreachReason()
    if clock.breach_reason_by == decider:
        raise OwnBreachReason()
