"""Figures of the process: `figures`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types.nodes import FragmentSpread, InlineFragment, SelectedField
from strawberry.utils.str_converters import to_camel_case

from api.planner.matching import matching
from api.planner.stored import stored_type
from api.resolvers.following import as_json, given_to
from api.resolvers.permissions import may
from api.schema.figures.drilling import TYPES, written
from api.schema.figures.types import (
    FigureFilter,
    FigureFormula,
    FigureKey,
    FigureRow,
    PeriodInput,
    formulas_in,
)
from api.schema.requests.types import RequestFilter, ServiceRequest
from itr.actors.roles import Permission
from itr.figures import operations, rules
from itr.figures.rules import Question
from itr.figures.terms import (
    BUCKETS,
    LINES,
    FigureDimension,
    FigureInstant,
    FigureName,
)
from itr.sla.control_points import STEPS

D, F = FigureDimension, FigureName
Selection = SelectedField | FragmentSpread | InlineFragment

FIELDS: Mapping[str, FigureName] = {to_camel_case(each.value.lower()): each for each in FigureName}
"""Which field shows which figure: only what is selected is computed."""

FILTERS: Mapping[str, FigureDimension] = {
    "customer_ids": D.CUSTOMER,
    "project_ids": D.PROJECT,
    "contract_ids": D.CONTRACT,
    "product_ids": D.PRODUCT,
    "branch_ids": D.BRANCH,
    "queue_ids": D.QUEUE,
    "person_ids": D.PERSON,
    "partner_ids": D.PARTNER,
    "lines": D.LINE,
    "kinds": D.KIND,
    "priorities": D.PRIORITY,
    "impacts": D.IMPACT,
    "entitlements": D.ENTITLEMENT,
}
LINES_IN_CHINESE = {"1": "一线", "2": "二线", "3": "三线"}


@strawberry.type
class FigureQuery:
    """Reading figures."""

    @strawberry.field(
        permission_classes=[may(Permission.READ_FIGURES)],
        description="Figures of the requests of a period, one row per combination of the"
        " dimensions, or one for all. 指标",
    )
    async def figures(
        self,
        info: strawberry.Info,
        period: PeriodInput,
        by: list[FigureDimension] | None = None,
        filter: FigureFilter | None = None,
        instant: FigureInstant = FigureInstant.REGISTERED,
        time_zone: str = "Asia/Shanghai",
        requests: Annotated[
            RequestFilter | None,
            strawberry.argument(
                description="Only requests for which this holds: what `requests(filter:)` takes."
            ),
        ] = None,  # read as the client wrote it
    ) -> list[FigureRow]:
        """Figures within the actor's sight (R-KPI-01)."""
        given = None if requests is None else given_to(info, "requests")
        asked = Question(
            period=rules.Period(period.from_, period.to),
            now=info.context.now,
            by=by or [],
            where=_where(filter),
            instant=instant,
            time_zone=time_zone,
            among=None if given is None else _among(info, given),
        )
        selections = [each for node in info.selected_fields for each in node.selections]
        rows = await operations.figures(
            info.context.pool, info.context.actor, asked, set(_wanted(selections))
        )
        shown = None if given is None else as_json(given)
        return [_row(asked, row, shown, info.context.language) for row in rows]

    @strawberry.field(
        permission_classes=[may(Permission.READ_FIGURES)],
        description="How figures are computed, in your language; all of them unless some are"
        " named. 计算公式",
    )
    def figure_formulas(
        self,
        info: strawberry.Info,
        figures: Annotated[
            list[FigureName] | None, strawberry.argument(description="Only these.")
        ] = None,
    ) -> list[FigureFormula]:
        """The formulas, once (R-KPI-02)."""
        found = formulas_in(info.context.language)
        return found if figures is None else [each for each in found if each.figure in figures]


def _wanted(selections: Iterable[Selection]) -> Iterator[FigureName]:
    """The figures that are selected, or opened."""
    for each in selections:
        if _is_left_out(each):
            continue
        if not isinstance(each, SelectedField):
            yield from _wanted(each.selections)
        elif each.name in FIELDS:
            yield FIELDS[each.name]
        elif each.name == "drillDown":
            yield FigureName(each.arguments["of"])


def _is_left_out(selection: Selection) -> bool:
    directives = selection.directives
    skipped: Any = directives.get("skip", {}).get("if", False)
    included: Any = directives.get("include", {}).get("if", True)
    return bool(skipped) or not included


def _where(given: FigureFilter | None) -> rules.FigureFilter:
    chosen = {
        dimension: getattr(given, name)
        for name, dimension in FILTERS.items()
        if given is not None and getattr(given, name) is not None
    }
    return {
        dimension: _keys(TYPES[dimension], values)
        if dimension in TYPES
        else [getattr(value, "value", value) for value in values]
        for dimension, values in chosen.items()
    }


def _keys(target: type, given: list[strawberry.ID]) -> list[UUID]:
    """The row ids; what is no id of this type finds nothing (R-ROLE-04)."""
    read = (stored_type(target).read_id(each) for each in given)
    return [UUID(parts[0]) for parts in read if parts is not None]


def _among(info: strawberry.Info, given: dict[str, Any]) -> rules.Among:
    """The requests that a client's filter keeps; what it may not ask for is refused (S4)."""
    found = matching(info.schema._schema, ServiceRequest, given, info.context, select="{t}.id")
    return rules.Among(found.sql, found.arguments)


def _row(
    asked: Question, row: rules.Row, given: Mapping[str, Any] | None, language: str
) -> FigureRow:
    figures: dict[str, Any] = {
        each.value.lower(): _shown(row.values.get(each), each) for each in FigureName
    }
    return FigureRow(
        asked=asked,
        row=row,
        given=given,
        keys=[_key(asked, key, language) for key in row.keys],
        **figures,
    )


def _shown(value: int | Decimal | None, figure: FigureName) -> int | Decimal | timedelta | None:
    """A figure as the schema has it: microseconds become durations."""
    if figure in operations.DURATIONS and value is not None:
        return timedelta(microseconds=int(value))
    return value


def _key(asked: Question, key: rules.Key, language: str) -> FigureKey:
    value, name = key.value, key.name
    if value is None:
        return FigureKey(dimension=key.dimension, value=None, name=name)
    if key.dimension in BUCKETS:
        value = rules.buckets_of(asked, key.dimension)[int(value) - 1].first.isoformat()
        name = value[:7] if key.dimension is D.MONTH else value
    elif key.dimension is D.CONTROL_POINT:
        step = STEPS[int(value)]
        name = step.zh if language == "zh" else step.en
    elif key.dimension in LINES:
        name = LINES_IN_CHINESE[value] if language == "zh" else f"Line {value}"
    else:
        value = str(written(key.dimension, value))
    return FigureKey(dimension=key.dimension, value=value, name=name)
