"""Figures as the API shows them (R-KPI-01)."""

from datetime import datetime, timedelta
from decimal import Decimal

import strawberry

import api.schema.requests  # noqa: F401 - describes the words that filters take
from api.schema.vocabulary import described
from itr.reports.rules import formula_of
from itr.reports.terms import FigureDimension, FigureName
from itr.requests.terms import Impact, Priority, RequestKind

described(
    FigureDimension,
    "What figures can be split by (R-KPI-01). 统计维度",
    {
        FigureDimension.LINE: "Line of the last delivered solution (R-LIN-02): 991. 解决的支持线",
        FigureDimension.FIRST_LINE: "The line it was first dispatched to. 首次派单的支持线",
        FigureDimension.HIGHEST_LINE: "The highest line it reached. 到达的最高支持线",
        FigureDimension.PRIORITY: "Its priority. 优先级",
        FigureDimension.CUSTOMER: "Whose request it is. 客户",
        FigureDimension.PRODUCT: "What it is about. 产品",
        FigureDimension.IMPACT: "Who is affected. 影响范围",
    },
)
described(
    FigureName,
    "What is measured (R-KPI-01). 指标",
    {
        FigureName.REQUESTS: "Requests. 请求数",
        FigureName.SHARE: "Share of requests. 占比",
        FigureName.DELIVERED: "Requests with a delivered solution. 已交付",
        FigureName.REOPENED: "Requests that were opened again. 重新打开",
        FigureName.RETURNED: "Requests that came back to an earlier team. 返回原队列",
        FigureName.FIRST_CONTACT: "Resolved at first contact. 首次联系解决",
        FigureName.TIME_TO_RESOLVE_MEDIAN: "Time to resolve, median. 解决时长中位数",
        FigureName.TIME_TO_RESOLVE_P90: "Time to resolve, 90th percentile. 解决时长 90 分位",
        FigureName.BACKLOG: "Still open. 未结",
    },
)


@strawberry.input(description="A stretch of time, its start included, its end not. 时段")
class PeriodInput:
    """A stretch of time, its start included, its end not."""

    from_: datetime = strawberry.field(name="from", description="Its start, included.")
    to: datetime = strawberry.field(description="Its end, not included.")


@strawberry.input(description="Only requests for which all of this holds. 筛选")
class FigureFilter:
    """Only requests for which all of this holds."""

    customer_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of one of these customers."
    )
    project_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of one of these projects."
    )
    product_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="About one of these products."
    )
    kinds: list[RequestKind] | None = strawberry.field(
        default=None, description="Of one of these sorts."
    )
    priorities: list[Priority] | None = strawberry.field(
        default=None, description="At one of these priorities."
    )
    impacts: list[Impact] | None = strawberry.field(
        default=None, description="With one of these impacts."
    )


@strawberry.type(description="Which value of a dimension a row is about. 维度值")
class FigureKey:
    """Which value of a dimension a row is about."""

    dimension: FigureDimension = strawberry.field(description="The dimension.")
    value: str | None = strawberry.field(
        description="1, 2, 3 for lines, the enum value, or the id; null where requests have none."
    )
    name: str | None = strawberry.field(description="What people call it.")


@strawberry.type(description="How a figure is computed (R-KPI-02). 计算公式")
class FigureFormula:
    """How a figure is computed."""

    figure: FigureName = strawberry.field(description="Which figure.")
    formula: str = strawberry.field(description="Its formula, in the reader's language.")


@strawberry.type(description="The figures of the requests that share these values. 指标行")
class FigureRow:
    """The figures of the requests that share the keys' values."""

    keys: list[FigureKey] = strawberry.field(description="One value per dimension asked for.")
    requests: int = strawberry.field(description="Requests registered in the period. 请求数")
    share: Decimal | None = strawberry.field(
        description="Their part of 1, to six places; null where a key has no value. 占比"
    )
    delivered: int | None = strawberry.field(
        description="Those with a delivered solution; the n of `timeToResolve…`. 已交付"
    )
    reopened: int | None = strawberry.field(
        description="Those sent back or opened again at least once. 重新打开的请求"
    )
    returned: int | None = strawberry.field(
        description="Those that came back to an earlier team. 返回原队列的请求"
    )
    first_contact: int | None = strawberry.field(
        description="Those resolved at first contact. 首次联系解决的请求"
    )
    time_to_resolve_median: timedelta | None = strawberry.field(
        description="Registration to the last delivery, median. 解决时长中位数"
    )
    time_to_resolve_p90: timedelta | None = strawberry.field(
        name="timeToResolveP90",
        description="Registration to the last delivery, 90th percentile. 解决时长 90 分位",
    )
    backlog: int | None = strawberry.field(description="Those still open now. 未结的请求")

    @strawberry.field(description="How each figure is computed. 计算公式")
    def formulas(self, info: strawberry.Info) -> list[FigureFormula]:
        """Every figure's formula, in the reader's language."""
        language = info.context.language
        return [
            FigureFormula(figure=each, formula=formula_of(each, language)) for each in FigureName
        ]
