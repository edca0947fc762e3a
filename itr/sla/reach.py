"""Whether what is promised by a calendar ever comes due (R-CAL-02)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction

from itr.errors import DomainError, PathItem
from itr.sla.clock_facts import Target
from itr.sla.working_time import BeyondCalendar, WorkingCalendar

YEARS = 100
_FARTHEST = timedelta(days=YEARS * 365)


class TooLittleWorkingTime(DomainError):
    """A clock on such a calendar would not come to its end in anybody's lifetime (R-CAL-02)."""

    code = "TOO_LITTLE_WORKING_TIME"
    zh = "按该日历，最长的目标 {years} 年内也不会到期。"
    en = "By this calendar the longest target would not come due within {years} years."


def problems_of_reach(
    working: WorkingCalendar, targets: Iterable[Target], now: datetime, *path: PathItem
) -> list[DomainError]:
    """Refuse a calendar by which the longest of these targets never comes due."""
    every = list(targets)
    hours = max((each.us for each in every if each.us is not None), default=None)
    days = max((each.amount for each in every if each.us is None), default=None)
    if _comes_due(working, hours, days, now):
        return []
    return [TooLittleWorkingTime(path=path, years=YEARS)]


def _comes_due(
    working: WorkingCalendar, us: int | None, days: Fraction | int | None, now: datetime
) -> bool:
    try:
        due = [working.add(now, us or 0), working.add_days(now, days or 0)]
    except BeyondCalendar:
        return False
    return max(due) - now <= _FARTHEST
