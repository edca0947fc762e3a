"""Problems: the lifecycle of a cause (R-LNK-01)."""

from collections.abc import Mapping

from itr.errors import DomainError, Required
from itr.problems.terms import ProblemStatus

S = ProblemStatus

NEXT: Mapping[ProblemStatus, ProblemStatus | None] = {
    S.OPEN: S.ROOT_CAUSE,
    S.ROOT_CAUSE: S.KNOWN_ERROR,
    S.KNOWN_ERROR: S.SOLVED,
    S.SOLVED: S.CLOSED,
    S.CLOSED: None,
}
"""Where each state leads; a problem goes one step at a time and never back."""


class ProblemStepNotAllowed(DomainError):
    """A problem goes through its states in order."""

    code = "PROBLEM_STEP_NOT_ALLOWED"
    zh = "问题当前状态为 {current}，不能变为 {wanted}。"
    en = "A problem that is {current} does not become {wanted}."


class ProblemClosed(DomainError):
    """What is closed takes no more requests."""

    code = "PROBLEM_CLOSED"
    zh = "该问题已关闭，不能再关联请求。"
    en = "The problem is closed; nothing is linked to it any more."


class AlreadyLinked(DomainError):
    """It is this request's problem already."""

    code = "ALREADY_LINKED"
    zh = "该请求已关联此问题。"
    en = "The request is linked to this problem already."


def ensure_step(current: ProblemStatus, wanted: ProblemStatus) -> None:
    """Refuse anything but the next step."""
    if NEXT[current] is not wanted:
        raise ProblemStepNotAllowed(current=current.value, wanted=wanted.value, path=["status"])


def ensure_cause(wanted: ProblemStatus, cause: str | None) -> None:
    """A root cause that is found is told."""
    if wanted is S.ROOT_CAUSE and not (cause and cause.strip()):
        raise Required(path=["rootCause"])
