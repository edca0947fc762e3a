"""The one statement that computes figures, put together from the parts a question needs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from itr.reports.rules import MOST_ROWS, FigureFilter, Period
from itr.reports.terms import FigureDimension, FigureName
from itr.requests.rules import OPEN
from itr.visibility import Visible

_PLACED = "'RequestDispatched', 'RequestRequeued', 'RequestEscalated', 'RequestHandedBack'"

PARTS: dict[str, str] = {
    "stays": """stays as (
    select a.id as request_id,
        (array_agg(s.line order by s.number) filter (where s.queue_id is not null))[1]
            as first_line,
        max(s.line) as highest_line,
        (array_agg(s.line order by s.number desc) filter (where s.started_at <= a.delivered_at))[1]
            as solving_line
    from asked a join stint s on s.request_id = a.id group by a.id
)""",
    "moves": f"""moves as (
    select e.subject, e.subject_version, e.payload->>'queue' as queue
    from event e join asked a on a.id = e.subject where e.type in ({_PLACED})
)""",
    "journeys": """journeys as (
    select subject, count(*) > count(distinct queue) as returned from (
        select subject, queue, lag(queue) over (partition by subject order by subject_version)
            as before from moves
    ) step where queue is distinct from before group by subject
)""",
    "efforts": """efforts as (
    select e.subject, count(*) filter (where e.type = 'RequestStarted') = 1
        and count(*) filter (where e.type <> 'RequestStarted') = 0 as straight
    from event e join asked a on a.id = e.subject
    where e.type in ('RequestStarted', 'RequestRequeued', 'RequestEscalated', 'RequestHandedBack',
        'RequestWaiting', 'SolutionRejected', 'RequestReopened') group by e.subject
)""",
}
"""Common table expressions beside `asked`, the requests in question, in the order they need."""

JOINS: dict[str, str] = {
    "stays": "left join stays on stays.request_id = a.id",
    "journeys": "left join journeys on journeys.subject = a.id",
    "efforts": "left join efforts on efforts.subject = a.id",
    "customer": "left join organisation customer on customer.id = a.customer_id",
    "product": "left join product on product.id = a.product_id",
}


@dataclass(frozen=True)
class Axis:
    """A dimension in SQL: its key, the name of the key if it has one, what both need."""

    key: str
    name: str = "null::text"
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measure:
    """A figure in SQL: an aggregate over the joined requests, and what it needs."""

    sql: str
    needs: tuple[str, ...] = ()


AXES: dict[FigureDimension, Axis] = {
    FigureDimension.LINE: Axis("stays.solving_line", needs=("stays",)),
    FigureDimension.FIRST_LINE: Axis("stays.first_line", needs=("stays",)),
    FigureDimension.HIGHEST_LINE: Axis("stays.highest_line", needs=("stays",)),
    FigureDimension.PRIORITY: Axis("a.priority"),
    FigureDimension.CUSTOMER: Axis("a.customer_id", "customer.name", ("customer",)),
    FigureDimension.PRODUCT: Axis("a.product_id", "product.name", ("product",)),
    FigureDimension.IMPACT: Axis("a.impact"),
}

_OPEN = ", ".join(f"'{status.value}'" for status in sorted(OPEN))
_TAKEN = "(extract(epoch from a.delivered_at - a.registered_at) * 1000000)"

MEASURES: dict[FigureName, Measure] = {
    FigureName.REQUESTS: Measure("count(*)"),
    FigureName.DELIVERED: Measure("count(a.delivered_at)"),
    FigureName.REOPENED: Measure("count(*) filter (where a.reopen_count > 0)"),
    FigureName.RETURNED: Measure(
        "count(*) filter (where journeys.returned)", ("moves", "journeys")
    ),
    FigureName.FIRST_CONTACT: Measure(
        "count(*) filter (where a.delivered_at is not null and efforts.straight"
        " and stays.highest_line = 1)",
        ("efforts", "stays"),
    ),
    FigureName.TIME_TO_RESOLVE_MEDIAN: Measure(
        f"round(percentile_cont(0.5) within group (order by {_TAKEN}::double precision))::bigint"
    ),
    FigureName.TIME_TO_RESOLVE_P90: Measure(
        f"(percentile_disc(0.9) within group (order by {_TAKEN}))::bigint"
    ),
    FigureName.BACKLOG: Measure(f"count(*) filter (where a.status in ({_OPEN}))"),
}


@dataclass
class Statement:
    """SQL with numbered parameters, and their values."""

    values: list[Any] = field(default_factory=list)

    def value(self, value: object) -> str:
        """A parameter's place in the text."""
        self.values.append(value)
        return f"${len(self.values)}"

    def text(
        self,
        period: Period,
        by: Sequence[FigureDimension],
        where: FigureFilter,
        wanted: Collection[FigureName],
        sight: Visible,
    ) -> str:
        """The statement: keys and names of `by`, then the wanted measures, one row per keys."""
        axes = [AXES[dimension] for dimension in by]
        measures = [MEASURES[figure] for figure in wanted]
        needs = {need for axis in axes for need in axis.needs}
        needs |= {need for measure in measures for need in measure.needs}
        parts = [f"asked as materialized ({self._asked(period, where, sight)})"]
        parts += [sql for name, sql in PARTS.items() if name in needs]
        columns = [f"({axis.key})::text" for axis in axes]
        columns += [f"min({axis.name})" for axis in axes]
        columns += [measure.sql for measure in measures]
        joins = " ".join(sql for name, sql in JOINS.items() if name in needs)
        grouped = ", ".join(axis.key for axis in axes)
        return f"with {', '.join(parts)} select {', '.join(columns)} from asked a {joins}" + (
            f" group by {grouped} order by {_order(axes)} limit {MOST_ROWS + 1}" if by else ""
        )

    def _asked(self, period: Period, where: FigureFilter, sight: Visible) -> str:
        condition = sight.at("r")
        for name, value in sight.arguments.items():
            condition = condition.replace(f":{name}", self.value(value))
        conditions = [
            f"r.registered_at >= {self.value(period.start)}",
            f"r.registered_at < {self.value(period.end)}",
            condition,
            "r.parent_id is null",  # children do not count (R-REQ-09)
            *self._filtered(where),
        ]
        return (
            "select r.id, r.registered_at, r.delivered_at, r.status, r.reopen_count, r.priority,"
            " r.impact, r.customer_id, r.product_id from request r where "
            + " and ".join(conditions)
        )

    def _filtered(self, where: FigureFilter) -> Iterator[str]:
        ids = {
            "customer_id": where.customer_ids,
            "project_id": where.project_ids,
            "product_id": where.product_ids,
        }
        words = {"kind": where.kinds, "priority": where.priorities, "impact": where.impacts}
        for column, keys in ids.items():
            if keys is not None:
                yield f"r.{column} = any({self.value(list(keys))}::uuid[])"
        for column, values in words.items():
            if values is not None:
                chosen = [value.value for value in values]
                yield f"r.{column} = any({self.value(chosen)}::text[])"


def _order(axes: Sequence[Axis]) -> str:
    named = (f"min({axis.name}) nulls last, {axis.key} nulls last" for axis in axes)
    return ", ".join(named)
