"""What a request waits for: each reason opens and ends by itself (R-REQ-03)."""

from datetime import datetime

from itr.requests.models import Request
from itr.sla.terms import WaitingReason


def open_reasons(request: Request) -> tuple[WaitingReason, ...]:
    """What it waits for, in the order it was told; nothing unless it waits.

    `waiting_reason` is the last of them, and all there is on a row from before they were kept
    apart.
    """
    last = request.waiting_reason
    if last is None:
        return ()
    told = tuple(WaitingReason(each["reason"]) for each in request.waits)
    return told if last in told else (last,)


def open_reason(request: Request, reason: WaitingReason, at: datetime) -> None:
    """Wait for this too; told again it is the same wait."""
    if reason not in open_reasons(request):
        told = {"reason": reason.value, "since": at.isoformat()}
        _keep(request, [*_kept(request), told])


def end_reason(request: Request, reason: WaitingReason) -> None:
    """Wait for this no more."""
    _keep(request, [each for each in _kept(request) if each["reason"] != reason.value])


def end_all(request: Request) -> None:
    """Wait for nothing any more."""
    _keep(request, [])
    request.returns_to = None


def _kept(request: Request) -> list[dict[str, str]]:
    since = {each["reason"]: each["since"] for each in request.waits}
    before = request.updated_at.isoformat()
    return [
        {"reason": each.value, "since": since.get(each.value, before)}
        for each in open_reasons(request)
    ]


def _keep(request: Request, waits: list[dict[str, str]]) -> None:
    request.waits = waits
    request.waiting_reason = WaitingReason(waits[-1]["reason"]) if waits else None
