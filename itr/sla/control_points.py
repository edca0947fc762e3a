"""The thirty control points: whose each step is, and its share of the promise (R-CP, R-OLA)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from math import ceil

from itr.errors import DomainError, PathItem
from itr.sla.clock_facts import Target
from itr.sla.terms import Thread, WaitingReason
from itr.sla.working_time import WorkingCalendar


class StepOwner(StrEnum):
    """Who has a step: the owner of the request, or somebody of a role (R-CP-01)."""

    OWNER = "OWNER"
    LINE1 = "LINE1"
    LINE2 = "LINE2"
    LINE3 = "LINE3"
    LINE_LEAD = "LINE_LEAD"
    DISPATCH_MANAGER = "DISPATCH_MANAGER"
    PROCESS_MANAGER = "PROCESS_MANAGER"
    SPARES_MANAGER = "SPARES_MANAGER"
    QUALITY_CONTROLLER = "QUALITY_CONTROLLER"
    CUSTOMER = "CUSTOMER"


@dataclass(frozen=True, slots=True)
class Step:
    """One of the thirty; a conditional one counts only when it is entered."""

    number: int
    thread: Thread
    zh: str
    en: str
    owner: StepOwner
    share: int
    conditional: bool = False


_O = StepOwner
_RESPONSE, _RESTORATION, _RESOLUTION, _CLOSURE = Thread

STEPS: Mapping[int, Step] = {
    step.number: step
    for step in (
        Step(1, _RESPONSE, "注册", "Register", _O.LINE1, 10),
        Step(2, _RESPONSE, "分类", "Classify", _O.LINE1, 10),
        Step(3, _RESPONSE, "鉴权", "Authorise", _O.LINE1, 15),
        Step(
            4,
            _RESPONSE,
            "裁定鉴权例外",
            "Decide entitlement exception",
            _O.PROCESS_MANAGER,
            15,
            conditional=True,
        ),
        Step(5, _RESPONSE, "定优先级", "Prioritise", _O.LINE1, 5),
        Step(6, _RESPONSE, "派单", "Dispatch", _O.DISPATCH_MANAGER, 15),
        Step(7, _RESPONSE, "接单", "Accept assignment", _O.OWNER, 15),
        Step(8, _RESPONSE, "首次响应", "First response", _O.OWNER, 15),
        Step(9, _RESTORATION, "技术校验", "Technical verification", _O.OWNER, 15),
        Step(10, _RESTORATION, "请求信息", "Request information", _O.OWNER, 10, conditional=True),
        Step(
            11,
            _RESTORATION,
            "核对收到的信息",
            "Check information received",
            _O.OWNER,
            5,
            conditional=True,
        ),
        Step(12, _RESTORATION, "查询案例", "Look up cases", _O.OWNER, 10),
        Step(13, _RESTORATION, "故障定位", "Localise the fault", _O.OWNER, 25),
        Step(
            14,
            _RESTORATION,
            "裁定紧急恢复",
            "Decide on emergency recovery",
            _O.PROCESS_MANAGER,
            5,
            conditional=True,
        ),
        Step(15, _RESTORATION, "准备规避措施", "Prepare workaround", _O.OWNER, 15),
        Step(
            16,
            _RESTORATION,
            "交付规避措施并确认业务",
            "Deliver workaround, confirm service",
            _O.OWNER,
            15,
        ),
        Step(17, _RESOLUTION, "移交二线", "Hand over to line 2", _O.LINE2, 10, conditional=True),
        Step(18, _RESOLUTION, "移交三线", "Hand over to line 3", _O.LINE3, 15, conditional=True),
        Step(
            19,
            _RESOLUTION,
            "协调第三方",
            "Engage third party",
            _O.DISPATCH_MANAGER,
            10,
            conditional=True,
        ),
        Step(20, _RESOLUTION, "申请备件", "Request spare part", _O.OWNER, 5, conditional=True),
        Step(
            21,
            _RESOLUTION,
            "备件到货",
            "Deliver spare part",
            _O.SPARES_MANAGER,
            15,
            conditional=True,
        ),
        Step(
            22, _RESOLUTION, "审批变更", "Approve change", _O.PROCESS_MANAGER, 10, conditional=True
        ),
        Step(23, _RESOLUTION, "准备方案", "Prepare solution", _O.OWNER, 15),
        Step(24, _RESOLUTION, "评审方案", "Review solution", _O.LINE_LEAD, 10),
        Step(25, _RESOLUTION, "交付方案", "Deliver solution", _O.OWNER, 10),
        Step(26, _CLOSURE, "完成服务记录", "Complete the service record", _O.OWNER, 20),
        Step(27, _CLOSURE, "客户确认", "Customer confirms", _O.CUSTOMER, 30),
        Step(
            28,
            _CLOSURE,
            "评分或发出邀请",
            "Rating given, or invitation sent",
            _O.QUALITY_CONTROLLER,
            20,
        ),
        Step(
            29,
            _CLOSURE,
            "记录经验、商机与需求",
            "Capture lessons, opportunities, requirements",
            _O.OWNER,
            10,
        ),
        Step(30, _CLOSURE, "关闭请求", "Close", _O.LINE1, 20),
    )
}
"""The table of R-CP-01."""

RUN_THROUGH = {19: WaitingReason.THIRD_PARTY, 21: WaitingReason.SPARE_PART}
"""They run through the pauses they cause; else steps pause with their thread (R-CP-02)."""
CUSTOMER_CONFIRMS = 27
REMINDERS = (80, 100)
"""At these shares of its budget a step reminds its owner (R-CP-02)."""

Shares = Mapping[int, Fraction]
DEFAULT_SHARES: Shares = {number: Fraction(step.share) for number, step in STEPS.items()}

_UP_TO: Mapping[Thread, frozenset[Thread]] = {
    Thread.RESPONSE: frozenset({Thread.RESPONSE}),
    Thread.RESTORATION: frozenset({Thread.RESPONSE, Thread.RESTORATION}),
    Thread.RESOLUTION: frozenset({Thread.RESPONSE, Thread.RESTORATION, Thread.RESOLUTION}),
    Thread.CLOSURE: frozenset({Thread.CLOSURE}),
}


def steps_within(thread: Thread) -> list[int]:
    """The steps that divide a thread's time: those that begin and end within it (R-CP-01).

    RESPONSE, RESTORATION and RESOLUTION all count from registration, and each one's own steps
    have only what the thread before leaves of its target.
    """
    return [number for number, step in STEPS.items() if step.thread in _UP_TO[thread]]


class UnknownStep(DomainError):
    """There are thirty control points (R-CP-01)."""

    code = "UNKNOWN_CONTROL_POINT"
    zh = "没有编号为 {number} 的控制点（1 到 30）。"
    en = "There is no control point {number}; they are numbered 1 to 30."


class BadShare(DomainError):
    """A share is a percentage that is not negative (R-OLA-01)."""

    code = "BAD_SHARE"
    zh = "控制点 {number} 的占比须为 0 到 100 之间、最多三位小数的百分数。"
    en = "The share of control point {number} is a percentage from 0 to 100, at most 3 decimals."


class SharesAboveWhole(DomainError):
    """An OLA that cannot support the SLA is never saved (R-OLA-02)."""

    code = "OLA_ABOVE_SLA"
    zh = "{thread} 各控制点占比合计为 {total}%，超过 100%。"
    en = "The shares of {thread} add up to {total} %, more than 100 %."


class WindowBeyondBudget(DomainError):
    """A confirmation window longer than the customer's step has is refused (R-CP-03)."""

    code = "WINDOW_BEYOND_BUDGET"
    zh = "{priority}：确认期 {days} 个工作日超过控制点 27（客户确认）的预算。"
    en = "{priority}: a window of {days} working days is longer than the budget of point 27."


def shares_of(saved: Mapping[str, str] | None) -> Shares:
    """The share of each step: as saved, else the default (R-OLA-01)."""
    if not saved:
        return DEFAULT_SHARES
    return {**DEFAULT_SHARES, **{int(key): Fraction(share) for key, share in saved.items()}}


def problems_of_shares(saved: Mapping[str, str] | None) -> list[DomainError]:
    """Everything that keeps OLA shares from being saved (R-OLA-02)."""
    problems: list[DomainError] = []
    for key, share in (saved or {}).items():
        path: list[PathItem] = ["ola_shares", key]
        if key not in _KEYS:
            problems.append(UnknownStep(path=path, number=key))
        elif not _is_share(share):
            problems.append(BadShare(path=path, number=key))
    if problems:
        return problems
    for thread in Thread:
        total = sum(share for number, share in shares_of(saved).items() if _is_of(number, thread))
        if total > 100:
            problems.append(
                SharesAboveWhole(path=["ola_shares"], thread=thread.value, total=float(total))
            )
    return problems


_KEYS = frozenset(str(number) for number in STEPS)


def _is_share(text: str) -> bool:
    try:
        share = Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        return False
    return share.is_finite() and 0 <= share <= 100 and share == round(share, 3)


def _is_of(number: int, thread: Thread) -> bool:
    return STEPS[number].thread is thread


def base_of(
    thread: Thread, targets: Mapping[Thread, Target | None], *, restoration: bool
) -> Fraction | None:
    """What a thread's steps share, in the unit of the targets (R-CP-01); None without a target.

    What is promised for the last thread before it is not theirs; of a thread with no promise
    nothing is taken off.
    """
    own = targets.get(thread)
    if own is None:
        return None
    passed = [] if thread in (Thread.RESPONSE, Thread.CLOSURE) else [Thread.RESPONSE]
    if thread is Thread.RESOLUTION and restoration:
        passed.append(Thread.RESTORATION)
    earlier = [target for each in passed if (target := targets.get(each)) is not None]
    if not earlier:
        return Fraction(own.amount)
    if (earlier[-1].us is None) != (own.us is None):
        return None
    return max(Fraction(own.amount) - Fraction(earlier[-1].amount), Fraction(0))


def budget_of(
    number: int, shares: Shares, targets: Mapping[Thread, Target | None], *, restoration: bool
) -> Target | None:
    """How long a step may take: its share of its base (R-CP-01). None: it is only measured."""
    thread = STEPS[number].thread
    base = base_of(thread, targets, restoration=restoration)
    if base is None:
        return None
    amount = shares[number] * base / 100
    own = targets[thread]
    if own is not None and own.us is not None:
        return Target(us=int(amount)) if int(amount) else None
    return Target(days=amount) if amount else None


def window_fits(
    days: int, targets: Mapping[Thread, Target | None], shares: Shares, *, window_us: int
) -> bool:
    """Whether the customer's window to confirm is within the budget of that step (R-CP-03).

    `window_us` is the working time of such a window; without a budget every window fits.
    """
    budget = budget_of(CUSTOMER_CONFIRMS, shares, targets, restoration=True)
    if budget is None:
        return True
    return window_us <= budget.us if budget.us is not None else days <= budget.amount


def longest_window(working: WorkingCalendar, days: int, now: datetime) -> int:
    """The working time of the longest window of so many days among the next working dates.

    Of those that begin within a date none is longer than the two that begin at its ends.
    """
    today = ceil(working.day_position(now))
    ends = [working.instant_at_day(Fraction(today + ahead)) for ahead in range(14 + days)]
    return max(working.elapsed(*window) for window in zip(ends, ends[days:], strict=False))
