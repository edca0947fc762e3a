"""What a request's stays and moves say of it, in SQL over its row `{t}` (R-LIN-01, R-LIN-02)."""

from itr.requests.terms import RequestStatus

PLACED = "'RequestDispatched', 'RequestRequeued', 'RequestEscalated', 'RequestHandedBack'"
"""The events that put a request into a queue."""

EFFORTS = (
    "'RequestStarted', 'RequestRequeued', 'RequestEscalated', 'RequestHandedBack',"
    " 'RequestWaiting', 'SolutionRejected', 'RequestReopened'"
)
"""The events that tell whether the first person who took it resolved it at once."""

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

RETURNED = (
    "coalesce((select count(*) > count(distinct queue) from (select e.payload->>'queue' as queue,"
    " lag(e.payload->>'queue') over (order by e.subject_version) as before"
    f" from event e where e.subject = {{t}}.id and e.type in ({PLACED})) step"
    " where queue is distinct from before), false)"
)
"""Whether it came back to a queue it had left."""

FIRST_CONTACT = (
    f"({{t}}.delivered_at is not null and coalesce({HIGHEST_LINE} = 1, false) and"
    " (select count(*) filter (where e.type = 'RequestStarted') = 1"
    " and count(*) filter (where e.type <> 'RequestStarted') = 0"
    f" from event e where e.subject = {{t}}.id and e.type in ({EFFORTS})))"
)
"""Whether line 1 delivered in the hands of the first person who took it, and nothing else was."""
