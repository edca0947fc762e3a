"""Each dimension and each figure in SQL, and what it needs beside the requests in question.

`a` is a request in question with its keys; `s` is what a unit counts beside requests: a step, a
breached clock, a part of a lateness, what a clock waited for.
"""

from collections.abc import Callable
from dataclasses import dataclass

from itr.actors.actor import Actor
from itr.catalogue.terms import EntitlementOutcome
from itr.figures.terms import FigureDimension, FigureName, Unit
from itr.requests.risk import BREACHED_NOW
from itr.requests.rules import OPEN
from itr.requests.terms import RequestStatus
from itr.sight.catalogue import visible_contracts, visible_products
from itr.sight.people import (
    visible_organisations,
    visible_persons,
    visible_projects,
    visible_queues,
)
from itr.sight.row_filter import RowFilter
from itr.sla.lateness import APPROVED_REASON, BREACHED, LATENESS, OVERRUN, SPENT, STEP_OF_CLOCK
from itr.sla.terms import ClockState, ControlPointState, Thread, WaitingReason
from itr.sla.waits import WAITS

D, F = FigureDimension, FigureName


@dataclass(frozen=True)
class Join:
    """A table joined for a name: what is out of sight counts as none (R-ROLE-04)."""

    table: str
    on: str
    visible: Callable[[Actor], RowFilter]
    before: str = ""


@dataclass(frozen=True)
class Axis:
    """A dimension in SQL: its key, the name of the key if it has one, the join both need."""

    key: str
    name: str = "null::text"
    join: str | None = None


@dataclass(frozen=True)
class Measure:
    """A figure in SQL: an aggregate over its unit, and the tables it needs."""

    sql: str
    needs: tuple[str, ...] = ()


JOINS: dict[str, Join] = {
    "customer": Join("organisation", "customer.id = q.customer_id", visible_organisations),
    "branch": Join("organisation", "branch.id = q.branch_id", visible_organisations),
    "partner": Join("organisation", "partner.id = q.partner_id", visible_organisations),
    "project": Join("project", "project.id = q.project_id", visible_projects),
    "product": Join("product", "product.id = q.product_id", visible_products),
    "queue": Join("queue", "queue.id = q.queue_id", visible_queues),
    "owner": Join("person", "owner.id = q.assignee_id", visible_persons),
    "contract": Join(
        "contract",
        "contract.id = entitling.contract_id",
        visible_contracts,
        "left join contract_line entitling on entitling.id = q.contract_line_id",
    ),
    "doer": Join("person", "doer.id = s.owner_id", visible_persons),
    "helper": Join("organisation", "helper.id = s.partner_id", visible_organisations),
}

AXES: dict[FigureDimension, Axis] = {
    D.LINE: Axis("q.solved_by_line"),
    D.DELIVERING_LINE: Axis("stays.delivering_line"),
    D.FIRST_LINE: Axis("stays.first_line"),
    D.HIGHEST_LINE: Axis("stays.highest_line"),
    D.PRIORITY: Axis("q.priority"),
    D.IMPACT: Axis("q.impact"),
    D.KIND: Axis("q.kind"),
    D.ENTITLEMENT: Axis("q.entitlement_outcome"),
    D.CUSTOMER: Axis("customer.id", "customer.name", "customer"),
    D.PROJECT: Axis("project.id", "project.name", "project"),
    D.CONTRACT: Axis("contract.id", "contract.number", "contract"),
    D.PRODUCT: Axis("product.id", "product.name", "product"),
    D.BRANCH: Axis("branch.id", "branch.name", "branch"),
    D.QUEUE: Axis("queue.id", "queue.name", "queue"),
    D.PERSON: Axis("owner.id", "owner.name", "owner"),
    D.PARTNER: Axis("partner.id", "partner.name", "partner"),
    D.CONTROL_POINT: Axis("s.number"),
    D.STEP_LINE: Axis("s.line"),
    D.STEP_PERSON: Axis("doer.id", "doer.name", "doer"),
    D.STEP_PARTNER: Axis("helper.id", "helper.name", "helper"),
    D.THREAD: Axis("s.thread"),
    D.BREACH_REASON: Axis("s.reason"),
    D.WAITING_REASON: Axis("s.waited_for"),
}
"""All but the buckets of time, whose bounds are the question's."""

STAYS = """stays as (
    select q.id as request_id,
        (array_agg(s.line order by s.number) filter (where s.queue_id is not null))[1]
            as first_line,
        max(s.line) as highest_line,
        (array_agg(s.line order by s.number desc) filter (where s.started_at <= q.delivered_at))[1]
            as delivering_line
    from asked q join stint s on s.request_id = q.id group by q.id
)"""

_STEP = (
    "c.id as clock_id, c.request_id, c.thread, c.reason, c.us, p.number, p.line, p.owner_id,"
    " p.partner_id"
)
_WITHIN = STEP_OF_CLOCK.replace("{t}", "p").replace("{clock}", "c")
_OVERRUN, _SPENT = OVERRUN.replace("{t}", "p"), SPENT.replace("{t}", "p")

PARTS: dict[str, str] = {
    "broken": f"""broken as (
    select distinct c.request_id from clock c join asked q on q.id = c.request_id
    where {BREACHED.replace("{t}", "c")}
)""",
    "late": f"""late as (
    select * from (
        select c.id, c.request_id, c.thread, {APPROVED_REASON.replace("{t}", "c")} as reason,
            {LATENESS.replace("{t}", "c")} as us
        from clock c join asked q on q.id = c.request_id offset 0
    ) every where us > 0
)""",
    "parts": f"""overran as (
    select {_STEP}, {_OVERRUN} as weight from late c join control_point p on {_WITHIN}
    where {_OVERRUN} > 0
), weighed as (
    select * from overran
    union all
    select {_STEP}, {_SPENT} from (
        select * from late l where not exists (select 1 from overran o where o.clock_id = l.id)
    ) c join control_point p on {_WITHIN} where {_SPENT} > 0
), divided as (
    select clock_id, request_id, thread, reason, us, number, line, owner_id, partner_id,
        div(us::numeric * weight, sum(weight) over each) as share,
        mod(us::numeric * weight, sum(weight) over each) as rest
    from weighed window each as (partition by clock_id)
), parts as (
    select request_id, thread, reason, number, line, owner_id, partner_id,
        share + (row_number() over (partition by clock_id order by rest desc, number)
            <= us - sum(share) over (partition by clock_id))::int as us
    from divided
    union all
    select request_id, thread, reason, null, null, null, null, us from late l
    where not exists (select 1 from divided d where d.clock_id = l.id)
)""",
}
"""Common table expressions beside `asked`, in the order they need each other."""


def _met(name: str, thread: Thread) -> str:
    return (
        f"left join clock {name} on {name}.request_id = a.id and {name}.thread = '{thread}'"
        f" and {name}.completed_at is not null and {name}.state <> '{ClockState.CANCELLED}'"
    )


TABLES: dict[str, str] = {
    "broken": "left join broken on broken.request_id = a.id",
    "responded": _met("responded", Thread.RESPONSE),
    "restored": _met("restored", Thread.RESTORATION),
    "resolved": _met("resolved", Thread.RESOLUTION),
}
"""What the figures of requests join."""

SOURCES: dict[Unit, str] = {
    Unit.REQUEST: "keyed a",
    Unit.TASK: "keyed a join control_point s on s.request_id = a.id and s.on_time is not null",
    Unit.PASSED: (
        "keyed a join control_point s on s.request_id = a.id"
        f" and s.ended = '{ControlPointState.PASSED}'"
    ),
    Unit.BREACH: (
        f"keyed a join (select c.*, {APPROVED_REASON.replace('{t}', 'c')} as reason from clock c"
        f" where {BREACHED.replace('{t}', 'c')}) s on s.request_id = a.id"
    ),
    Unit.LATENESS: "keyed a join {lateness} s on s.request_id = a.id",
    Unit.WAIT: (
        "keyed a join (select c.request_id, c.thread, w.waited_for, w.us,"
        f" {APPROVED_REASON.replace('{t}', 'c')} as reason,"
        f" {BREACHED.replace('{t}', 'c')} as broken"
        f" from clock c cross join lateral {WAITS.replace('{t}', 'c')} w"
        " where (c.waited_us <> '{}' or c.waiting_for is not null) and w.us > 0) s"
        " on s.request_id = a.id"
    ),
}
"""What each unit counts."""


def _real(since: str, until: str) -> str:
    return f"(extract(epoch from {until} - {since}) * 1000000)"


def _median(value: str, only: str = "") -> str:
    return (
        f"round(percentile_cont(0.5) within group (order by {value}::double precision)"
        f"{only})::bigint"
    )


def _p90(value: str, only: str = "") -> str:
    return f"(percentile_disc(0.9) within group (order by {value}){only})::bigint"


def _count(condition: str) -> str:
    return f"count(*) filter (where {condition})"


def _sum(condition: str) -> str:
    return f"sum(s.us) filter (where {condition})::bigint"


_FOR_CUSTOMER = f"s.waited_for = '{WaitingReason.CUSTOMER}'"
_OPEN = "a.status in (" + ", ".join(f"'{status}'" for status in sorted(OPEN)) + ")"
_IS_OPEN = f" filter (where {_OPEN})"
_CLOSED = f"a.status = '{RequestStatus.CLOSED}'"
_PROMISED = f"{_CLOSED} and a.entitlement_outcome = '{EntitlementOutcome.ENTITLED}'"
_RESOLVED = _real("a.registered_at", "a.delivered_at")
_AGE = _real("a.registered_at", ":now")

MEASURES: dict[FigureName, Measure] = {
    F.REQUESTS: Measure("count(*)"),
    F.DELIVERED: Measure("count(a.delivered_at)"),
    F.CLOSED: Measure(_count(_CLOSED)),
    F.CLOSED_PROMISED: Measure(_count(_PROMISED)),
    F.CLOSED_ON_TIME: Measure(_count(f"{_PROMISED} and broken.request_id is null"), ("broken",)),
    F.SOURCE_JUDGED: Measure(_count("a.source_met is not null")),
    F.SOURCE_MET: Measure(_count("a.source_met")),
    F.REOPENED: Measure(_count("a.reopen_count > 0")),
    F.RETURNED: Measure(_count("a.returned")),
    F.FIRST_CONTACT: Measure(_count("a.first_contact")),
    F.SOLVED_BY_LINE_1: Measure(_count("a.solved_by_line = 1")),
    F.SOLVED_BY_LINE_2: Measure(_count("a.solved_by_line = 2")),
    F.SOLVED_BY_LINE_3: Measure(_count("a.solved_by_line = 3")),
    F.BACKLOG: Measure(_count(_OPEN)),
    F.BREACHED_NOW: Measure(_count(BREACHED_NOW.replace("{t}", "a"))),
    F.BACKLOG_AGE_MEDIAN: Measure(_median(_AGE, _IS_OPEN)),
    F.BACKLOG_AGE_P90: Measure(_p90(_AGE, _IS_OPEN)),
    F.TIME_TO_RESOLVE_MEDIAN: Measure(_median(_RESOLVED)),
    F.TIME_TO_RESOLVE_P90: Measure(_p90(_RESOLVED)),
    F.RESPONSE_TIME_MEDIAN: Measure(_median("responded.elapsed_us"), ("responded",)),
    F.RESPONSE_TIME_P90: Measure(_p90("responded.elapsed_us"), ("responded",)),
    F.RESTORATION_TIME_MEDIAN: Measure(_median("restored.elapsed_us"), ("restored",)),
    F.RESTORATION_TIME_P90: Measure(_p90("restored.elapsed_us"), ("restored",)),
    F.RESOLUTION_TIME_MEDIAN: Measure(_median("resolved.elapsed_us"), ("resolved",)),
    F.RESOLUTION_TIME_P90: Measure(_p90("resolved.elapsed_us"), ("resolved",)),
    F.TASKS: Measure("count(*)"),
    F.TASKS_ON_TIME: Measure(_count("s.on_time")),
    F.TASKS_PASSED: Measure("count(*)"),
    F.BREACHES: Measure("count(*)"),
    F.BREACHES_UNEXPLAINED: Measure(_count("s.reason is null")),
    F.LATENESS: Measure("sum(s.us)::bigint"),
    F.WAITING: Measure("sum(s.us)::bigint"),
    F.WAITING_OF_BREACHED: Measure(_sum("s.broken")),
    F.CUSTOMER_WAIT: Measure(_sum(_FOR_CUSTOMER)),
    F.CUSTOMER_WAIT_OF_BREACHED: Measure(_sum(f"{_FOR_CUSTOMER} and s.broken")),
}
