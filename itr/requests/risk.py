"""What threatens the promises of a request: warnings that were raised, deadlines that have passed.

SlaRisk moves with the alarms, which are events (R-ALM-01). Clocks that sleep raise none: whoever
follows events looks again when the first of these breaches.
"""

from enum import StrEnum

from itr.requests.rules import OPEN


class SlaRisk(StrEnum):
    """How the running clocks of a request stand, the worst of them."""

    OK = "OK"
    AT_RISK = "AT_RISK"
    BREACHED = "BREACHED"


IS_OPEN = "{t}.status in (" + ", ".join(f"'{status}'" for status in sorted(OPEN)) + ")"
"""Whether a request is open, in SQL over its row."""

IS_RUNNING = (
    "({t}.completed_at is null and {t}.state <> 'CANCELLED'"
    " and ({t}.base_us is not null or {t}.remaining_us is not null))"
)
"""Whether a clock has neither come to its end nor been dropped, in SQL over its row.

One that was dropped after a breach stays BREACHED (R-SLA-05); it has nothing left to count.
"""

IS_BREACHED_NOW = (
    f"({IS_RUNNING} and ({{t}}.state = 'BREACHED'"
    " or ({t}.state = 'RUNNING' and coalesce({t}.deadline < :now, false))))"
)
"""Whether a clock has run past its deadline by `:now` and runs on, in SQL over its row.

It does not matter whether an alarm told so: a clock that sleeps, or whose alarm is under way, is
breached the moment its deadline has passed. One whose breach was overturned is not (R-SLA-05).
"""

BREACHED_NOW = (
    f"({IS_OPEN} and exists (select 1 from clock late where late.request_id = {{t}}.id"
    f" and {IS_BREACHED_NOW.replace('{t}', 'late')}))"
)
"""Whether an open request has a clock that is breached now, in SQL over its row.

The one definition for lists, boards, live figures and figures.
"""

_FIRST_TO_BREACH = "{t}.next_alarm_at is null and {t}.state = 'RUNNING' and {t}.deadline >= {now}"
BREACHES_UNTOLD_AT = (
    "(select min(untold.deadline) + interval '1 microsecond' from seen"
    " join clock untold on untold.request_id = seen.id"
    f" and {_FIRST_TO_BREACH.replace('{t}', 'untold')})"
)
"""When the next of the requests `seen` breaches without any alarm to tell so, as of `{now}`."""

_LAST_WARNING = (
    "(select max(percent::int) from service_level_version promise,"
    " jsonb_array_elements_text(promise.alarm_percents) percent"
    " where promise.id = {t}.service_level_version_id and percent::int < 100)"
)
RISK = (
    f"(select case when bool_or({IS_BREACHED_NOW.replace('{t}', 'ticking')})"
    f" then '{SlaRisk.BREACHED}' when bool_or(ticking.alarm_level > 0"
    f" and ticking.alarm_level >= {_LAST_WARNING}) then '{SlaRisk.AT_RISK}' else '{SlaRisk.OK}' end"
    f" from clock ticking where ticking.request_id = {{t}}.id"
    f" and {IS_RUNNING.replace('{t}', 'ticking')})"
)
"""The risk of a request, in SQL over its row: breached now, or the last warning before it raised.

A breach that was overturned is none any more; that it was warned of remains (R-SLA-05).
"""

TIGHTEST = (
    f"(case when {IS_OPEN} then (select min(due.deadline) from clock due"
    f" where due.request_id = {{t}}.id and {IS_RUNNING.replace('{t}', 'due')}) end)"
)
"""The tightest open deadline of a request, in SQL over its row; what is over has none."""

URGENCY = (
    f"array_position(array['{SlaRisk.BREACHED}', '{SlaRisk.AT_RISK}', '{SlaRisk.OK}'], {RISK}),"
    f" {TIGHTEST}, {{t}}.registered_at"
)
"""An order of requests in SQL: breached first, then those at risk, the earliest deadline first."""
