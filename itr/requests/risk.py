"""What threatens the promises of a request, as its alarms have told it (R-ALM-01).

SlaRisk moves with the alarms, which are events: whoever follows events need not watch the time.
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

_LAST_WARNING = (
    "(select max(percent::int) from service_level_version promise,"
    " jsonb_array_elements_text(promise.alarm_percents) percent"
    " where promise.id = {t}.service_level_version_id and percent::int < 100)"
)
RISK = (
    "(select case when bool_or(ticking.state = 'BREACHED')"
    f" then '{SlaRisk.BREACHED}' when bool_or(ticking.alarm_level > 0"
    f" and ticking.alarm_level >= {_LAST_WARNING}) then '{SlaRisk.AT_RISK}' else '{SlaRisk.OK}' end"
    f" from clock ticking where ticking.request_id = {{t}}.id"
    f" and {IS_RUNNING.replace('{t}', 'ticking')})"
)
"""The risk of a request, in SQL over its row: breached, or the last warning before it raised.

A breach that was overturned is none any more; that it was warned of remains (R-SLA-05).
"""

URGENCY = (
    f"array_position(array['{SlaRisk.BREACHED}', '{SlaRisk.AT_RISK}', '{SlaRisk.OK}'], {RISK}),"
    " (select min(due.deadline) from clock due where due.request_id = {t}.id"
    f" and {IS_RUNNING.replace('{t}', 'due')}), {{t}}.registered_at"
)
"""An order of requests in SQL: breached first, then those at risk, the earliest deadline first."""
