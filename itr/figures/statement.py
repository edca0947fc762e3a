"""The one statement that computes figures, put together from the parts a question needs."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from itr.actors.actor import Actor
from itr.figures.measures import AXES, JOINS, MEASURES, PARTS, SOURCES, STAYS, TABLES
from itr.figures.rules import MOST_ROWS, Question, buckets_of
from itr.figures.terms import (
    BUCKETS,
    COUNTS_STEPS,
    OF_REQUESTS,
    OF_STAYS,
    OF_STEPS,
    UNITS,
    FigureDimension,
    FigureInstant,
    FigureName,
    Unit,
)
from itr.requests.routing import SOLVED_BY_LINE
from itr.sight.requests import visible_requests
from itr.sight.row_filter import RowFilter

_INSTANTS = {
    FigureInstant.REGISTERED: "r.registered_at",
    FigureInstant.DELIVERED: "r.delivered_at",
    FigureInstant.CLOSED: "r.closed_at",
}
_OF_REQUEST = (
    "id, registered_at, delivered_at, status, reopen_count, priority, impact, kind,"
    " entitlement_outcome, contract_line_id, customer_id, product_id, project_id, branch_id,"
    " queue_id, assignee_id, partner_id, returned, first_contact, source_met"
)
_KEPT = (
    "q.id, q.is_child, q.registered_at, q.delivered_at, q.status, q.reopen_count, q.solved_by_line,"
    " q.returned, q.first_contact, q.source_met"
)
_NARROWED = {
    FigureDimension.LINE: "{solved} = any({values})",
    FigureDimension.PRIORITY: "r.priority = any({values})",
    FigureDimension.IMPACT: "r.impact = any({values})",
    FigureDimension.KIND: "r.kind = any({values})",
    FigureDimension.ENTITLEMENT: "r.entitlement_outcome = any({values})",
    FigureDimension.CUSTOMER: "r.customer_id = any({values})",
    FigureDimension.PROJECT: "r.project_id = any({values})",
    FigureDimension.CONTRACT: "r.contract_line_id in (select agreed.id from contract_line agreed"
    " where agreed.contract_id = any({values}))",
    FigureDimension.PRODUCT: "r.product_id = any({values})",
    FigureDimension.BRANCH: "r.branch_id = any({values})",
    FigureDimension.QUEUE: "r.queue_id = any({values})",
    FigureDimension.PERSON: "r.assignee_id = any({values})",
    FigureDimension.PARTNER: "r.partner_id = any({values})",
}
"""What a filter says of the request's own row, so that nothing else is looked at at all."""
_PARAMETER = re.compile(r"\$(\d+)")
_SOLVED = SOLVED_BY_LINE.replace("{t}", "r")


class Statement:
    """SQL with numbered parameters, and their values."""

    def __init__(self, asked: Question, actor: Actor) -> None:
        self.asked = asked
        self.actor = actor
        self.values: list[Any] = []

    def text(self, computed: Sequence[FigureName]) -> str:
        """The statement: keys and names of `by`, then the figures, one row per keys.

        Each unit is counted by itself and the counts are laid beside each other.
        """
        units = [unit for unit in Unit if any(UNITS[figure] is unit for figure in computed)]
        parts = list(self._parts(computed))
        counted = " union all ".join(self._unit(unit, computed) for unit in units)
        places = range(len(self.asked.by))
        columns = [f"k{place}::text" for place in places]
        columns += [f"min(n{place})" for place in places]
        columns += [f"max(f{place})" for place in range(len(computed))]
        grouped = ", ".join(f"k{place}" for place in places)
        order = ", ".join(
            f"min(counted.n{place}) nulls last, counted.k{place} nulls last" for place in places
        )
        text = f"with {', '.join(parts)} select {', '.join(columns)} from ({counted}) counted" + (
            f" group by {grouped} order by {order} limit {MOST_ROWS + 1}" if grouped else ""
        )
        if ":now" in text:
            text = text.replace(":now", f"{self._value(self.asked.now)}::timestamptz")
        return text

    def _parts(self, computed: Sequence[FigureName]) -> Iterator[str]:
        """The requests in question, what is known of them, and their keys."""
        needs = {need for figure in computed for need in MEASURES[figure].needs}
        dimensions = {*self.asked.by, *self.asked.where}
        if FigureName.LATENESS in computed:
            needs |= {"late", "parts"} if self._splits_steps() else {"late"}
        yield f"asked as ({self._requests()})"
        if dimensions & OF_STAYS:
            yield STAYS
        yield from (sql for name, sql in PARTS.items() if name in needs)
        yield f"keyed as ({self._keyed(dimensions)})"

    def _requests(self) -> str:
        """Those of the period within sight; what was merged into another is that other."""
        instant, period = _INSTANTS[self.asked.instant], self.asked.period
        conditions = [
            f"{instant} >= {self._value(period.start)}",
            f"{instant} < {self._value(period.end)}",
            self._sees(visible_requests(self.actor), "r"),
            "r.merged_into_id is null",  # a duplicate is counted as what it ended in (R-REQ-13)
            *self._narrowed(),
        ]
        columns = ", ".join(f"r.{name}" for name in _OF_REQUEST.split(", "))
        return (
            f"select {columns}, {_SOLVED} as solved_by_line, {instant} as instant,"
            " r.parent_id is not null as is_child"
            f" from request r where {' and '.join(conditions)}"
        )

    def _narrowed(self) -> Iterator[str]:
        if (among := self.asked.among) is not None:
            before = len(self.values)
            self.values += among.values
            select = _PARAMETER.sub(lambda found: f"${int(found[1]) + before}", among.sql)
            yield f"r.id in ({select})"
        for dimension, values in self.asked.where.items():
            if dimension in _NARROWED:
                wanted = self._value(list(values))
                yield _NARROWED[dimension].format(solved=_SOLVED, values=wanted)

    def _keyed(self, dimensions: set[FigureDimension]) -> str:
        of_requests = sorted(dimensions & OF_REQUESTS)
        axes = {each: self._axis(each) for each in of_requests}
        columns = [_KEPT, "q.entitlement_outcome"]
        for place, each in enumerate(self.asked.by):
            if each in axes:
                key, name = axes[each]
                columns += [f"{key} as k{place}", f"{name} as n{place}"]
        joins = [self._join(each) for each in of_requests]
        if dimensions & OF_STAYS:
            joins.append("left join stays on stays.request_id = q.id")
        wanted = [
            f"{axes[each][0]} = any({self._value(list(values))})"
            for each, values in self.asked.where.items()
            if each not in _NARROWED or AXES[each].join is not None  # what is out of sight is none
        ]
        return f"select {', '.join(columns)} from asked q {' '.join(joins)}" + (
            f" where {' and '.join(wanted)}" if wanted else ""
        )

    def _unit(self, unit: Unit, computed: Sequence[FigureName]) -> str:
        """What one unit counts, by the question's keys; nothing for the figures of others."""
        places = range(len(self.asked.by))
        columns = [column for place in places for column in self._key(place)]
        needs: dict[str, None] = {}
        for place, figure in enumerate(computed):
            mine = UNITS[figure] is unit
            columns.append(f"{MEASURES[figure].sql if mine else 'null::bigint'} as f{place}")
            needs |= dict.fromkeys(MEASURES[figure].needs if mine else ())
        lateness = "parts" if self._splits_steps() else "late"
        tables = [SOURCES[unit].replace("{lateness}", lateness), *(TABLES[name] for name in needs)]
        tables += [self._join(each) for each in self.asked.by if each not in OF_REQUESTS]
        alone = "" if unit in COUNTS_STEPS else " where not a.is_child"  # R-REQ-09
        grouped = ", ".join(str(number + 1) for number in range(2 * len(places)))
        return f"select {', '.join(columns)} from {' '.join(tables)}{alone}" + (
            f" group by {grouped}" if grouped else ""
        )

    def _key(self, place: int) -> tuple[str, str]:
        dimension = self.asked.by[place]
        if dimension in OF_REQUESTS:
            return f"a.k{place}", f"a.n{place}"
        axis = AXES[dimension]
        return f"{axis.key} as k{place}", f"{axis.name} as n{place}"

    def _axis(self, dimension: FigureDimension) -> tuple[str, str]:
        """The key of a dimension of requests, and the key's name."""
        if dimension in BUCKETS:
            starts = [bucket.start for bucket in buckets_of(self.asked, dimension)]
            bounds = f"{self._value(starts)}::timestamptz[]"
            return f"width_bucket(q.instant, {bounds})", "null::text"
        axis = AXES[dimension]
        return axis.key, axis.name

    def _join(self, dimension: FigureDimension) -> str:
        name = None if dimension in BUCKETS else AXES[dimension].join
        if name is None:
            return ""
        join = JOINS[name]
        seen = self._sees(join.visible(self.actor), name)
        return f"{join.before} left join {join.table} {name} on {join.on} and {seen}"

    def _splits_steps(self) -> bool:
        return any(each in OF_STEPS for each in self.asked.by)

    def _sees(self, visible: RowFilter, alias: str) -> str:
        sql, values = visible.numbered(alias, len(self.values))
        self.values += values
        return sql

    def _value(self, value: object) -> str:
        """A parameter's place in the text."""
        self.values.append(value)
        return f"${len(self.values)}"
