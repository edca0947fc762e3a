"""What service levels and contracts must satisfy to be saved (R-CAT-01, R-CAT-02, R-CAT-03)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol
from uuid import UUID

from itr.catalogue.alarm_rules import problems_of_alarm_rules
from itr.catalogue.terms import FaultLevel, Impact, Priority, QuotaUnit
from itr.errors import DomainError, InvalidInput, PathItem, Required
from itr.sla.clock import Target
from itr.sla.control_points import (
    DEFAULT_SHARES,
    Shares,
    WindowBeyondBudget,
    longest_window,
    problems_of_shares,
    shares_of,
    window_fits,
)
from itr.sla.terms import Thread, WaitingReason
from itr.sla.working_time import WorkingCalendar

Targets = Mapping[tuple[str, Thread], Target]
Pauses = frozenset[tuple[WaitingReason, Thread]]
Matrix = Mapping[str, Mapping[str, str]]

IN_ORDER = (Thread.RESPONSE, Thread.RESTORATION, Thread.RESOLUTION)
LONGEST_US = 10 * 366 * 24 * 3_600_000_000
LONGEST_DAYS = 3_660


@dataclass(frozen=True)
class ServiceTerms:
    """One version of a service level, as everything that runs under it reads it.

    `matrix` maps fault level to impact to priority; None is the default one (R-PRI-01).
    """

    version_id: UUID
    service_level_id: UUID
    name: str
    calendar_id: UUID
    targets: Targets
    pauses: Pauses
    percents: tuple[int, ...]
    matrix: Matrix | None
    confirmation_days: int
    shares: Shares = field(default_factory=lambda: DEFAULT_SHARES)
    alarm_rules: str | None = None
    """Whom its alarms tell how, as it is kept; None: R-ALM-01's own."""
    budgets: dict[tuple[int, str, bool], Target | None] = field(
        init=False,
        default_factory=dict,
        compare=False,
        repr=False,
    )
    """The budgets of steps by number, priority and kind, as far as they were worked out."""

    def target(self, priority: str, thread: Thread) -> Target | None:
        """What is promised for a thread at a priority, if anything."""
        return self.targets.get((str(priority), thread))

    def pauses_thread(self, reason: WaitingReason, thread: Thread) -> bool:
        """Whether waiting for that reason stops that thread's clock."""
        return (reason, thread) in self.pauses


class TargetsOutOfOrder(DomainError):
    """Response comes first, restoration next, resolution last (R-CAT-03)."""

    code = "TARGETS_OUT_OF_ORDER"
    zh = "{priority} 的目标必须满足：响应 ≤ 恢复 ≤ 解决。"
    en = "The targets of {priority} must satisfy response ≤ restoration ≤ resolution."


class MixedUnits(DomainError):
    """The targets of one priority share one unit (R-CP-01)."""

    code = "MIXED_UNITS"
    zh = "{priority} 的目标必须使用同一单位（工作小时或工作日）。"
    en = "The targets of {priority} must all be in working hours or all in working days."


class BadTarget(DomainError):
    """A target is one positive amount, in microseconds or in thousandths of a day."""

    code = "BAD_TARGET"
    zh = "目标时间无效：须为正值、不超过十年，天数最多三位小数。"
    en = "The target must be positive, at most ten years, and in days have at most 3 decimals."


class BadPercents(DomainError):
    """Alarm levels rise from 1 to 100 and end with the breach (R-ALM-01)."""

    code = "BAD_PERCENTS"
    zh = "告警百分比须从小到大、在 1 到 100 之间、最后一级为 100，且最多 10 级。"
    en = "Alarm percentages rise between 1 and 100, end with 100, and are at most ten."


class IncompleteMatrix(DomainError):
    """Every fault level and impact has exactly one priority (R-PRI-02)."""

    code = "INCOMPLETE_MATRIX"
    zh = "优先级矩阵缺少或多出条目：{fault_level} × {impact}。"
    en = "The priority matrix lacks, or has no use for, {fault_level} × {impact}."


class BadConfirmationWindow(DomainError):
    """A confirmation window of working days (R-REQ-04)."""

    code = "BAD_CONFIRMATION_WINDOW"
    zh = "确认期须为 1 到 60 个工作日。"
    en = "The confirmation window is 1 to 60 working days."


class BadPeriod(DomainError):
    """A contract ends on or after the day it starts (R-CAT-02)."""

    code = "BAD_PERIOD"
    zh = "合同结束日期不能早于开始日期。"
    en = "A contract cannot end before it starts."


class BadQuota(DomainError):
    """A quota names its unit and a number (R-ENT-03)."""

    code = "BAD_QUOTA"
    zh = "配额须同时给出单位和数量（0 到 1 000 000）。"
    en = "A quota has both a unit and a number from 0 to 1,000,000."


class BadLineNumber(DomainError):
    """The lines of a contract are told apart by their numbers."""

    code = "BAD_LINE_NUMBER"
    zh = "合同行号须为 1 到 10 000 且不重复。"
    en = "The lines of a contract have different numbers from 1 to 10,000."


class CustomerOfContract(DomainError):
    """Requests are pinned to a contract: it never moves to another customer (R-ENT-02)."""

    code = "CUSTOMER_OF_CONTRACT"
    zh = "合同不能转给另一客户。"
    en = "A contract cannot move to another customer."


class HouseLevelStays(DomainError):
    """Somebody has to run the clocks of what no contract covers (R-ENT-04)."""

    code = "HOUSE_LEVEL_STAYS"
    zh = "内部服务级别不能停用；请先将另一级别设为内部级别。"
    en = "The house level cannot be switched off; make another one the house level first."


class LineOfContract(Protocol):
    """What the rules read of a contract line."""

    @property
    def number(self) -> int:
        """Its number."""

    @property
    def quota_unit(self) -> QuotaUnit | None:
        """What its quota counts."""

    @property
    def quota(self) -> int | None:
        """How many."""


def problems_of_contract(
    starts_on: date, ends_on: date, lines: Sequence[LineOfContract]
) -> list[DomainError]:
    """Everything that keeps a contract from being saved (R-CAT-02, R-ENT-03)."""
    problems: list[DomainError] = []
    if ends_on < starts_on:
        problems.append(BadPeriod(path=["ends_on"]))
    seen: set[int] = set()
    for index, line in enumerate(lines):
        if not 1 <= line.number <= 10_000 or line.number in seen:
            problems.append(BadLineNumber(path=["lines", index, "number"]))
        seen.add(line.number)
        whole = (line.quota is None) == (line.quota_unit is None)
        if not whole or not 0 <= (line.quota or 0) <= 1_000_000:
            problems.append(BadQuota(path=["lines", index, "quota"]))
    return problems


def ensure_amount(amount: Decimal, *path: PathItem) -> Decimal:
    """Money to the hundredth, not negative, below a million millions."""
    if not amount.is_finite() or not 0 <= amount < 10**12 or amount != round(amount, 2):
        raise InvalidInput(
            path=path,
            zh_reason="金额须不小于零、小于一万亿，最多两位小数。",
            en_reason="An amount is from 0 to below 10^12 with at most 2 decimals.",
        )
    return amount


def ensure_tax(percent: Decimal, *path: PathItem) -> Decimal:
    """A tax on a price, in per cent from 0 to 100 with at most three decimals."""
    if not percent.is_finite() or not 0 <= percent <= 100 or percent != round(percent, 3):
        raise InvalidInput(
            path=path,
            zh_reason="税率须为 0 到 100 的百分数，最多三位小数。",
            en_reason="A tax is a percentage from 0 to 100 with at most 3 decimals.",
        )
    return percent


def ensure_currency(currency: str, *path: PathItem) -> str:
    """Three capital letters, as ISO 4217 writes a currency."""
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InvalidInput(
            path=path,
            zh_reason="币种须为三个大写字母，例如 CNY。",
            en_reason="A currency is three capital letters, for example CNY.",
        )
    return currency


def problems_of_service_level(
    targets: Targets,
    *,
    percents: Sequence[int],
    matrix: Matrix | None,
    confirmation_days: int,
    ola_shares: Mapping[str, str] | None = None,
    alarm_rules: Mapping[str, Any] | None = None,
) -> list[DomainError]:
    """Everything that keeps a service level from being saved (R-CAT-03, R-ALM-01, R-PRI-02)."""
    problems: list[DomainError] = []
    for priority in Priority:
        problems.extend(_problems_of_priority(targets, priority.value))
    if not _is_percents(percents):
        problems.append(BadPercents(path=["percents"]))
    if matrix is not None:
        problems.extend(_problems_of_matrix(matrix))
    if not 1 <= confirmation_days <= 60:
        problems.append(BadConfirmationWindow(path=["confirmation_days"]))
    problems.extend(problems_of_shares(ola_shares))
    problems.extend(problems_of_alarm_rules(alarm_rules, percents))
    return problems


def problems_of_window(
    targets: Targets,
    ola_shares: Mapping[str, str] | None,
    confirmation_days: int,
    working: WorkingCalendar,
    now: datetime,
) -> list[DomainError]:
    """The priorities at which silence would confirm after the customer's step is over (R-CP-03)."""
    shares, window = shares_of(ola_shares), longest_window(working, confirmation_days, now)
    return [
        WindowBeyondBudget(path=["confirmation_days"], priority=priority, days=confirmation_days)
        for priority in Priority
        if not window_fits(
            confirmation_days, by_thread(targets, priority), shares, window_us=window
        )
    ]


def by_thread(targets: Targets, priority: str) -> dict[Thread, Target | None]:
    """What is promised at one priority."""
    return {thread: targets.get((str(priority), thread)) for thread in Thread}


def _problems_of_priority(targets: Targets, priority: str) -> Iterator[DomainError]:
    """A priority may promise nothing for a thread, but not nothing at all (R-CAT-03).

    What it promises takes time: a request cannot be closed the instant it is delivered (R-CP-03).
    """
    promised = {thread: target for thread in Thread if (target := targets.get((priority, thread)))}
    if not promised:
        yield Required(path=["targets", priority])
        return
    found = [
        BadTarget(path=["targets", priority, thread.value])
        for thread, target in promised.items()
        if not _is_target(target)
    ]
    if found:
        yield from found
        return
    if len({target.us is None for target in promised.values()}) > 1:
        yield MixedUnits(path=["targets", priority], priority=priority)
        return
    amounts = [promised[thread].amount for thread in IN_ORDER if thread in promised]
    if amounts != sorted(amounts):
        yield TargetsOutOfOrder(path=["targets", priority], priority=priority)


def _is_target(target: Target) -> bool:
    most, step = (LONGEST_DAYS, 1000) if target.us is None else (LONGEST_US, 1)
    amount = Fraction(target.amount)
    return 0 < amount <= most and (amount * step).denominator == 1


def _is_percents(percents: Sequence[int]) -> bool:
    rising = list(percents) == sorted(set(percents))
    return rising and 0 < len(percents) <= 10 and percents[0] >= 1 and percents[-1] == 100


def _problems_of_matrix(matrix: Matrix) -> Iterator[DomainError]:
    wanted = {(level.value, impact.value) for level in FaultLevel for impact in Impact}
    given = {(level, impact) for level, row in matrix.items() for impact in row}
    known = {priority.value for priority in Priority}
    wrong = {pair for pair in wanted & given if matrix[pair[0]][pair[1]] not in known}
    for level, impact in sorted((wanted ^ given) | wrong):
        yield IncompleteMatrix(path=["matrix", level, impact], fault_level=level, impact=impact)
