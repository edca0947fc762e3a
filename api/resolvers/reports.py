"""Figures of the process: `figures`."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import strawberry
from strawberry.types.nodes import FragmentSpread, InlineFragment, SelectedField

from api.planner.stored import stored_type
from api.resolvers.permissions import may
from api.schema.catalogue import Product
from api.schema.people import Organisation, Project
from api.schema.reports import FigureFilter, FigureKey, FigureRow, PeriodInput
from itr.people.roles import Permission
from itr.reports import operations, rules
from itr.reports.terms import FigureDimension, FigureName

F = FigureName
FIELDS = {
    "requests": F.REQUESTS,
    "share": F.SHARE,
    "delivered": F.DELIVERED,
    "reopened": F.REOPENED,
    "returned": F.RETURNED,
    "firstContact": F.FIRST_CONTACT,
    "timeToResolveMedian": F.TIME_TO_RESOLVE_MEDIAN,
    "timeToResolveP90": F.TIME_TO_RESOLVE_P90,
    "backlog": F.BACKLOG,
}
"""Which field shows which figure: only what is selected is computed."""

KINDS: dict[FigureDimension, type] = {
    FigureDimension.CUSTOMER: Organisation,
    FigureDimension.PRODUCT: Product,
}
LINES = {"zh": {"1": "一线", "2": "二线", "3": "三线"}, "en": {}}
ON_LINES = frozenset(
    {FigureDimension.LINE, FigureDimension.FIRST_LINE, FigureDimension.HIGHEST_LINE}
)


@strawberry.type
class ReportQuery:
    """Reading figures."""

    @strawberry.field(
        permission_classes=[may(Permission.READ_FIGURES)],
        description="Figures of the requests registered in a period, one row per combination of"
        " the dimensions, or one for all. 指标",
    )
    async def figures(
        self,
        info: strawberry.Info,
        period: PeriodInput,
        by: list[FigureDimension] | None = None,
        filter: FigureFilter | None = None,
    ) -> list[FigureRow]:
        """Figures within the actor's sight (R-KPI-01)."""
        rows = await operations.figures(
            info.context.pool,
            info.context.actor,
            rules.Period(period.from_, period.to),
            by or [],
            where=_where(filter),
            wanted=set(_wanted(info.selected_fields[0].selections)),
        )
        return [_row(row, info.context.language) for row in rows]


def _wanted(
    selections: Iterable[SelectedField | FragmentSpread | InlineFragment],
) -> Iterable[FigureName]:
    for each in selections:
        if isinstance(each, SelectedField):
            if each.name in FIELDS:
                yield FIELDS[each.name]
        else:
            yield from _wanted(each.selections)


def _where(given: FigureFilter | None) -> rules.FigureFilter:
    if given is None:
        return rules.FigureFilter()
    return rules.FigureFilter(
        customer_ids=_keys(Organisation, given.customer_ids),
        project_ids=_keys(Project, given.project_ids),
        product_ids=_keys(Product, given.product_ids),
        kinds=given.kinds,
        priorities=given.priorities,
        impacts=given.impacts,
    )


def _keys(target: type, given: list[strawberry.ID] | None) -> list[UUID] | None:
    """The row ids; what is no id of this type finds nothing (R-ROLE-04)."""
    if given is None:
        return None
    read = (stored_type(target).read_id(each) for each in given)
    return [UUID(parts[0]) for parts in read if parts is not None]


def _row(row: rules.Row, language: str) -> FigureRow:
    def count(figure: FigureName) -> int | None:
        value = row.values.get(figure)
        return None if value is None else int(value)

    def duration(figure: FigureName) -> timedelta | None:
        value = count(figure)
        return None if value is None else timedelta(microseconds=value)

    share = row.values[F.SHARE]
    return FigureRow(
        keys=[_key(key, language) for key in row.keys],
        requests=count(F.REQUESTS) or 0,
        share=share if isinstance(share, Decimal) else None,
        delivered=count(F.DELIVERED),
        reopened=count(F.REOPENED),
        returned=count(F.RETURNED),
        first_contact=count(F.FIRST_CONTACT),
        time_to_resolve_median=duration(F.TIME_TO_RESOLVE_MEDIAN),
        time_to_resolve_p90=duration(F.TIME_TO_RESOLVE_P90),
        backlog=count(F.BACKLOG),
    )


def _key(key: rules.Key, language: str) -> FigureKey:
    value, name = key.value, key.name
    if value is not None and key.dimension in KINDS:
        value = _written(KINDS[key.dimension])(UUID(value))
    elif value is not None and key.dimension in ON_LINES:
        name = LINES[language].get(value, f"Line {value}")
    return FigureKey(dimension=key.dimension, value=value, name=name)


def _written(target: type) -> Callable[[UUID], str]:
    return stored_type(target).write_id
