"""Where a request has been and who resolved it: kept on its row, or in SQL over its row `{t}`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from itr.requests.models import Request
from itr.requests.terms import RequestStatus

_PLACED = frozenset(
    {"RequestDispatched", "RequestRequeued", "RequestEscalated", "RequestHandedBack"}
)
"""The events that put a request into a queue."""
_DETOURS = frozenset(
    {
        "RequestRequeued",
        "RequestEscalated",
        "RequestHandedBack",
        "RequestWaiting",
        "SolutionRejected",
        "RequestReopened",
    }
)
"""The events after which nobody resolves it at first contact any more."""


def follow(request: Request, event: str, payload: Mapping[str, Any], lines: Iterable[int]) -> None:
    """Keep on the request what an event makes of its routing; `lines` are those it was on.

    It has returned once it is put into a queue it had left; staying in one counts once. It was
    resolved at first contact when line 1 delivered it in the hands of the first who took it.
    """
    if event in _PLACED and "queue" in payload:  # a person may have it in hand without one
        _put_into(request, str(payload["queue"]))
    if event == "RequestStarted":
        request.takings += 1
    elif event in _DETOURS:
        request.takings += 2  # never again only the first
    straight = request.takings == 1 and max(lines, default=0) == 1
    request.first_contact = straight and request.delivered_at is not None


def _put_into(request: Request, queue: str) -> None:
    before: Sequence[str] = request.queues_been or []
    if before[-1:] == [queue]:
        return
    request.returned = request.returned or queue in before
    request.queues_been = [*(each for each in before if each != queue), queue]


FIRST_LINE = (
    "(select s.line from stint s where s.request_id = {t}.id and s.queue_id is not null"
    " order by s.number limit 1)"
)
"""The line it was first dispatched to."""

HIGHEST_LINE = "(select max(s.line) from stint s where s.request_id = {t}.id)"
"""The highest line it reached."""

SOLVED_BY_LINE = (
    f"(case when {{t}}.status in ('{RequestStatus.CONFIRMED}', '{RequestStatus.CLOSED}')"
    " then {t}.solved_by_line end)"
)
"""The line that solved it, by delivering the solution that was accepted: the 991 of R-LIN-02.

What was rejected, cancelled or is not yet answered is nobody's.
"""

COUNTS = "({t}.parent_id is null and {t}.merged_into_id is null)"
"""Whether it is a request of its own: children and duplicates are not counted (R-REQ-09, 13)."""

DELIVERING_LINE = (
    "(select s.line from stint s where s.request_id = {t}.id and s.started_at <= {t}.delivered_at"
    " order by s.number desc limit 1)"
)
"""The line of the last delivered solution."""
