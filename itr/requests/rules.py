"""The lifecycle of a request: which moves there are and what they need (R-REQ-01)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from itr.errors import DomainError
from itr.requests.terms import RequestKind, RequestStatus
from itr.sla.terms import Thread

S = RequestStatus

OPEN = frozenset(S) - {S.CLOSED, S.CANCELLED, S.REJECTED}
BEFORE_DELIVERED = frozenset(
    {S.REGISTERED, S.AUTHORISED, S.DISPATCHED, S.IN_PROGRESS, S.WAITING, S.RESTORED}
)
IN_HAND = frozenset({S.IN_PROGRESS, S.RESTORED, S.WAITING})

LINES = (1, 2, 3)
REOPEN_WITHIN = timedelta(days=7)
LONGEST_TITLE = 400


class ReopenTooLate(DomainError):
    """Past seven days a new, linked request is made instead."""

    code = "REOPEN_TOO_LATE"
    zh = "关闭超过 7 天，不能重新打开；请提交新请求并关联原请求。"
    en = "It was closed more than 7 days ago; submit a new request that follows it."


class ChargeNotAccepted(DomainError):
    """No contract covers it and nobody has agreed to the price yet (R-ENT-01)."""

    code = "CHARGE_NOT_ACCEPTED"
    zh = "该请求需收费（{price}），尚未获客户接受或流程经理豁免。"
    en = "This is chargeable ({price}); the customer has not accepted, nobody has waived it."


class NotServed(DomainError):
    """The product is not served (R-ENT-01)."""

    code = "NOT_SERVED"
    zh = "该产品不在服务范围内。"
    en = "This product is not served."


class NothingToReauthorise(DomainError):
    """Only what was accepted without data is authorised once more (R-ENT-02)."""

    code = "NOTHING_TO_REAUTHORISE"
    zh = "只有“资料缺失”的请求可在补全后重新鉴权一次。"
    en = "Only a request accepted with no data is authorised again, once."


class SameLine(DomainError):
    """Escalating and handing back change the line (R-LIN-01)."""

    code = "WRONG_LINE"
    zh = "升级须到更高的支持线，退回须到更低的支持线（当前第 {line} 线）。"
    en = "Escalation goes to a higher line, handing back to a lower one (now on line {line})."


class NotInQueue(DomainError):
    """Work goes to people of the queue it is in (R-ORG-04)."""

    code = "NOT_IN_QUEUE"
    zh = "此人不在该队列中。"
    en = "This person does not belong to the queue."


class AlreadyOwned(DomainError):
    """Somebody has it in hand."""

    code = "ALREADY_OWNED"
    zh = "该请求已有责任人。"
    en = "Somebody already owns this request."


class NotWaitingFor(DomainError):
    """What is not open cannot end (R-REQ-03)."""

    code = "NOT_WAITING_FOR"
    zh = "该请求未因此原因等待。"
    en = "The request does not wait for this."


class TimeGoesBackwards(DomainError):
    """A date that lies on the wrong side of now."""

    code = "DATE_IN_PAST"
    zh = "日期不能早于现在。"
    en = "The date may not lie in the past."


@dataclass(frozen=True)
class PlaceOfWork:
    """A queue as dispatching needs it; `members` may take work of it.

    Without a queue it is a line alone, where nobody's work waits for the dispatch manager.
    """

    queue_id: UUID | None
    line: int
    partner_id: UUID | None
    members: frozenset[UUID]


def has_technical_steps(kind: RequestKind) -> bool:
    """Whether there is service to restore: a RESTORATION thread and its points (R-CP-04)."""
    return kind is RequestKind.TECHNICAL


def may_change_line(*, line: int, to: int, up: bool) -> bool:
    """Escalating leads to a higher line, handing back to a lower one (R-LIN-01)."""
    return to > line if up else to < line


def reopens_in_time(closed_at: datetime | None, now: datetime) -> bool:
    """Whether closing is at most seven days ago, or has not come yet."""
    return closed_at is None or now - closed_at <= REOPEN_WITHIN


def ensure_ahead(value: datetime, now: datetime, *field: str) -> datetime:
    """Refuse a date before now."""
    if value < now:
        raise TimeGoesBackwards(path=field)
    return value


def ensure_reopens_in_time(closed_at: datetime | None, now: datetime) -> None:
    """A request reopens within seven days of closing, later a new one follows it."""
    if not reopens_in_time(closed_at, now):
        raise ReopenTooLate()


def threads_of(kind: RequestKind) -> tuple[Thread, ...]:
    """The threads that start at registration; CLOSURE starts at delivery (R-SLA-01, R-CP-04)."""
    if has_technical_steps(kind):
        return (Thread.RESPONSE, Thread.RESTORATION, Thread.RESOLUTION)
    return (Thread.RESPONSE, Thread.RESOLUTION)
