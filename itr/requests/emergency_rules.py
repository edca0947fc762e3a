"""Emergency recovery: when it may be declared, and which bulletin comes when (R-REQ-11)."""

from datetime import datetime, timedelta

from itr.catalogue.terms import Priority
from itr.errors import DomainError
from itr.requests.terms import BulletinKind, RequestKind

BULLETIN_EVERY = timedelta(minutes=30)
"""Real time between two bulletins, whatever the calendar."""


class NoEmergency(DomainError):
    """Only a P1 outage is an emergency (R-REQ-11)."""

    code = "NOT_AN_OUTAGE"
    zh = "只有 P1 级、业务中断的技术类请求才能宣布紧急恢复。"
    en = "Only a technical P1 request whose service is down can be declared an emergency."


class AlreadyEmergency(DomainError):
    """It is one already."""

    code = "ALREADY_EMERGENCY"
    zh = "该请求已处于紧急恢复。"
    en = "The request is an emergency already."


class NotAnEmergency(DomainError):
    """Bulletins are for emergencies."""

    code = "NOT_AN_EMERGENCY"
    zh = "该请求不是紧急恢复，不能发布通报。"
    en = "The request is no emergency; there is no bulletin to publish."


class BulletinOutOfTurn(DomainError):
    """First, progress while service is down, recovery once it is up, then the cause."""

    code = "BULLETIN_OUT_OF_TURN"
    zh = "通报顺序应为：首次、进展（业务中断期间）、恢复（业务恢复后）、原因。"
    en = (
        "Bulletins come in turn: the first, progress while service is down, "
        "recovery once it is up, then the cause."
    )


class ProblemMissing(DomainError):
    """An emergency closes with the problem behind it (R-REQ-11)."""

    code = "PROBLEM_MISSING"
    zh = "紧急恢复的请求须先关联问题才能关闭。"
    en = "An emergency needs a linked problem before it is closed."


def is_outage(kind: RequestKind, *, service_down: bool) -> bool:
    """Whether there is service of ours to bring back."""
    return kind is RequestKind.TECHNICAL and service_down


def ensure_outage(kind: RequestKind, priority: str, *, service_down: bool) -> None:
    """Refuse to call anything but a P1 outage an emergency."""
    if priority != Priority.P1 or not is_outage(kind, service_down=service_down):
        raise NoEmergency()


def comes_now(
    kind: BulletinKind, *, told: frozenset[str], service_down: bool, expected: bool
) -> bool:
    """Whether a bulletin of this kind comes now; `expected`: recovery has not been told yet."""
    if kind is BulletinKind.FIRST:
        return service_down and BulletinKind.FIRST not in told
    if kind is BulletinKind.PROGRESS:
        return service_down and BulletinKind.FIRST in told
    if kind is BulletinKind.RECOVERY:
        return expected and not service_down
    return not expected and not service_down


def due_times(first: datetime, now: datetime) -> list[datetime]:
    """The due times that have passed by `now`, and last the one that comes next."""
    due = [first]
    while due[-1] <= now:
        due.append(due[-1] + BULLETIN_EVERY)
    return due
