"""Figures as the API shows them (R-KPI-01)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from api.schema.figures.drilling import request_filter
from api.schema.vocabulary import described
from itr.catalogue.terms import EntitlementOutcome, Impact, Priority
from itr.errors import Language
from itr.figures.formulas import formula_of
from itr.figures.rules import Question, Row
from itr.figures.terms import FigureDimension, FigureInstant, FigureName
from itr.requests.terms import RequestKind

D, F = FigureDimension, FigureName

described(
    FigureDimension,
    "What figures can be split by (R-KPI-01). 统计维度",
    {
        D.DAY: "The day its instant falls on. 日",
        D.WEEK: "The week its instant falls in, from Monday. 周",
        D.MONTH: "The month its instant falls in. 月",
        D.LINE: "The line that delivered the accepted solution (R-LIN-02): 991. 解决的支持线",
        D.DELIVERING_LINE: "Line of the last delivered solution, accepted or not. 最后交付的支持线",
        D.FIRST_LINE: "The line it was first dispatched to. 首次派单的支持线",
        D.HIGHEST_LINE: "The highest line it reached. 到达的最高支持线",
        D.PRIORITY: "Its priority. 优先级",
        D.IMPACT: "Who is affected. 影响范围",
        D.KIND: "What sort of request. 请求类别",
        D.ENTITLEMENT: "What authorisation found. 鉴权结果",
        D.CUSTOMER: "Whose request it is. 客户",
        D.PROJECT: "The project it is of. 项目",
        D.CONTRACT: "The contract that entitles it. 合同",
        D.PRODUCT: "What it is about. 产品",
        D.BRANCH: "The serving branch. 分公司",
        D.QUEUE: "The queue it is in, or was last. 队列",
        D.PERSON: "Its owner, now or last. 责任人",
        D.PARTNER: "The partner firm it is with now. 合作伙伴",
        D.CONTROL_POINT: "Which of the thirty; of tasks and lateness only. 控制点",
        D.STEP_LINE: "The line a control point was on; of tasks and lateness only. 环节支持线",
        D.STEP_PERSON: "Who acted at a control point, or has it; of tasks and lateness only."
        " 环节责任人",
        D.STEP_PARTNER: "The partner firm that had a control point; of tasks and lateness only."
        " 环节合作伙伴",
        D.BREACH_REASON: "The approved reason of the breach; of breaches, lateness and waiting"
        " only. 超时原因",
        D.THREAD: "The time thread; of breaches, lateness and waiting only. 时间线索",
        D.WAITING_REASON: "What was waited for; of waiting only. 等待原因",
    },
)
described(
    FigureInstant,
    "Which instant of a request must lie in the period, and decides its bucket. 时间口径",
    {
        FigureInstant.REGISTERED: "When it was registered. 注册时间",
        FigureInstant.DELIVERED: "When a solution was delivered last. 交付时间",
        FigureInstant.CLOSED: "When it was closed. 关闭时间",
    },
)
described(
    FigureName,
    "What is measured (R-KPI-01). 指标",
    {
        F.REQUESTS: "Requests. 请求数",
        F.SHARE: "Share of requests. 占比",
        F.DELIVERED: "Requests with a delivered solution. 已交付",
        F.CLOSED: "Closed requests. 已关闭",
        F.CLOSED_PROMISED: "Closed and entitled requests. 已关闭且有权",
        F.CLOSED_ON_TIME: "Of these, those with every promised thread met. 按时关闭",
        F.ON_TIME_CLOSING_RATE: "On-time closing rate, SLA. 按时关闭率",
        F.SOURCE_JUDGED: "Imported ones their system judged itself. 来源已判断",
        F.SOURCE_MET: "Of these, those it says were met. 来源判断达成",
        F.SOURCE_MET_RATE: "Rate met as the source says. 来源达成率",
        F.REOPENED: "Requests that were opened again. 重新打开",
        F.REOPEN_RATE: "Reopen rate. 重开率",
        F.RETURNED: "Requests that came back to an earlier team. 返回原队列",
        F.FIRST_CONTACT: "Resolved at first contact. 首次联系解决",
        F.FIRST_CONTACT_RATE: "First-contact resolution. 首次联系解决率",
        F.SOLVED_BY_LINE_1: "Solved by line 1. 一线解决",
        F.SOLVED_BY_LINE_2: "Solved by line 2. 二线解决",
        F.SOLVED_BY_LINE_3: "Solved by line 3. 三线解决",
        F.LINE_1_SHARE: "991: what line 1 solves of all. 一线解决占比",
        F.LINE_2_SHARE_OF_REST: "991: what line 2 solves of the rest. 二线解决剩余占比",
        F.LINE_3_SHARE: "991: what line 3 solves of all. 三线解决占比",
        F.BACKLOG: "Still open. 未结",
        F.BREACHED_NOW: "Still open and past a deadline now. 现已超时",
        F.BACKLOG_AGE_MEDIAN: "Age of the backlog, median. 未结时长中位数",
        F.BACKLOG_AGE_P90: "Age of the backlog, 90th percentile. 未结时长 90 分位",
        F.TIME_TO_RESOLVE_MEDIAN: "Real time to resolve, median. 解决时长中位数",
        F.TIME_TO_RESOLVE_P90: "Real time to resolve, 90th percentile. 解决时长 90 分位",
        F.RESPONSE_TIME_MEDIAN: "Working time to respond, median. 响应工时中位数",
        F.RESPONSE_TIME_P90: "Working time to respond, 90th percentile. 响应工时 90 分位",
        F.RESTORATION_TIME_MEDIAN: "Working time to restore, median. 恢复工时中位数",
        F.RESTORATION_TIME_P90: "Working time to restore, 90th percentile. 恢复工时 90 分位",
        F.RESOLUTION_TIME_MEDIAN: "Working time to resolve, median. 解决工时中位数",
        F.RESOLUTION_TIME_P90: "Working time to resolve, 90th percentile. 解决工时 90 分位",
        F.TASKS: "Completed control points. 已完成控制点",
        F.TASKS_ON_TIME: "Control points within budget. 按时完成的控制点",
        F.ON_TIME_TASK_RATE: "On-time task rate, OLA. 任务按时率",
        F.TASKS_PASSED: "Control points passed without an act. 略过的控制点",
        F.BREACHES: "Breached threads. 超时线索数",
        F.BREACHES_UNEXPLAINED: "Breached threads without an approved reason. 未说明的超时",
        F.LATENESS: "Working time beyond the deadline. 超时时长",
        F.WAITING: "Working time paused threads waited. 等待时长",
        F.WAITING_OF_BREACHED: "The same of breached threads. 超时线索的等待时长",
        F.CUSTOMER_WAIT: "Working time paused threads waited for the customer. 等待客户时长",
        F.CUSTOMER_WAIT_OF_BREACHED: "The same of breached threads, to stand beside their lateness."
        " 超时线索的等待客户时长",
    },
)


@strawberry.input(description="A stretch of time, its start included, its end not. 时段")
class PeriodInput:
    """A stretch of time, its start included, its end not."""

    from_: datetime = strawberry.field(name="from", description="Its start, included.")
    to: datetime = strawberry.field(description="Its end, not included.")


@strawberry.input(description="Only requests for which all of this holds. 筛选")
class FigureFilter:
    """Only requests for which all of this holds; an empty list lets none through."""

    customer_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of one of these customers."
    )
    project_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of one of these projects."
    )
    contract_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Entitled by one of these contracts."
    )
    product_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="About one of these products."
    )
    branch_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Served by one of these branches."
    )
    queue_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="In one of these queues, or there last."
    )
    person_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Owned by one of these people, now or last."
    )
    partner_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="With one of these partner firms now."
    )
    lines: list[int] | None = strawberry.field(
        default=None, description="Solved by one of these lines."
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
    entitlements: list[EntitlementOutcome] | None = strawberry.field(
        default=None, description="With one of these outcomes of authorisation."
    )


@strawberry.type(description="Which value of a dimension a row is about. 维度值")
class FigureKey:
    """Which value of a dimension a row is about."""

    dimension: FigureDimension = strawberry.field(description="The dimension.")
    value: str | None = strawberry.field(
        description="A number (line, control point), an enum value, an id, or a bucket's first"
        " day; null where there is none."
    )
    name: str | None = strawberry.field(description="What people call it.")


@strawberry.type(description="How a figure is computed (R-KPI-02). 计算公式")
class FigureFormula:
    """How a figure is computed."""

    figure: FigureName = strawberry.field(description="Which figure.")
    formula: str = strawberry.field(description="Its formula, in the reader's language.")


@cache
def formulas_in(language: Language) -> list[FigureFormula]:
    """Every figure's formula, made once."""
    return [FigureFormula(figure=each, formula=formula_of(each, language)) for each in FigureName]


@strawberry.type(description="The figures of the requests that share these values. 指标行")
class FigureRow:
    """The figures of the requests that share the keys' values."""

    asked: strawberry.Private[Question]
    row: strawberry.Private[Row]
    given: strawberry.Private[Mapping[str, Any] | None]
    keys: list[FigureKey] = strawberry.field(description="One value per dimension asked for.")
    requests: int = strawberry.field(description="Requests of the period. 请求数")
    share: Decimal | None = strawberry.field(
        description="Their part of 1, to six places; null where a key has no value. Those of all"
        " rows make 1. 占比"
    )
    delivered: int | None = strawberry.field(
        description="Those with a delivered solution; the n of `timeToResolve…`. 已交付"
    )
    closed: int | None = strawberry.field(description="Those closed. 已关闭")
    closed_promised: int | None = strawberry.field(
        description="Those closed and entitled: what SLA rates are of. 已关闭且有权"
    )
    closed_on_time: int | None = strawberry.field(
        description="Of `closedPromised`, those with every promised thread met. 按时关闭"
    )
    on_time_closing_rate: Decimal | None = strawberry.field(
        description="`closedOnTime` ÷ `closedPromised`, SLA. 按时关闭率"
    )
    source_judged: int | None = strawberry.field(
        description="Those imported from a system that judged its own promise. 来源已判断"
    )
    source_met: int | None = strawberry.field(
        description="Of `sourceJudged`, those that system says were met. 来源判断达成"
    )
    source_met_rate: Decimal | None = strawberry.field(
        description="`sourceMet` ÷ `sourceJudged`. 来源达成率"
    )
    reopened: int | None = strawberry.field(
        description="Those sent back or opened again at least once. 重新打开的请求"
    )
    reopen_rate: Decimal | None = strawberry.field(description="`reopened` ÷ `delivered`. 重开率")
    returned: int | None = strawberry.field(
        description="Those that came back to an earlier team. 返回原队列的请求"
    )
    first_contact: int | None = strawberry.field(
        description="Those resolved at first contact. 首次联系解决的请求"
    )
    first_contact_rate: Decimal | None = strawberry.field(
        description="`firstContact` ÷ `delivered`. 首次联系解决率"
    )
    solved_by_line_1: int | None = strawberry.field(
        description="Those whose accepted solution line 1 delivered. 一线解决"
    )
    solved_by_line_2: int | None = strawberry.field(
        description="Those whose accepted solution line 2 delivered. 二线解决"
    )
    solved_by_line_3: int | None = strawberry.field(
        description="Those whose accepted solution line 3 delivered. 三线解决"
    )
    line_1_share: Decimal | None = strawberry.field(
        description="Line 1 of all solved; 991 wants 0.9. 一线解决占比"
    )
    line_2_share_of_rest: Decimal | None = strawberry.field(
        description="Line 2 of what line 1 did not solve; 991 wants 0.9. 二线解决剩余占比"
    )
    line_3_share: Decimal | None = strawberry.field(
        description="Line 3 of all solved; 991 wants 0.01 at most. 三线解决占比"
    )
    backlog: int | None = strawberry.field(description="Those still open now. 未结的请求")
    breached_now: int | None = strawberry.field(
        description="Those still open with a running clock past its deadline. 现已超时的请求"
    )
    backlog_age_median: timedelta | None = strawberry.field(
        description="Real time since they were registered, median. 未结时长中位数"
    )
    backlog_age_p90: timedelta | None = strawberry.field(
        description="Real time since they were registered, 90th percentile. 未结时长 90 分位"
    )
    time_to_resolve_median: timedelta | None = strawberry.field(
        description="Real time to the last delivery, median. 解决时长中位数"
    )
    time_to_resolve_p90: timedelta | None = strawberry.field(
        description="Real time to the last delivery, 90th percentile. 解决时长 90 分位"
    )
    response_time_median: timedelta | None = strawberry.field(
        description="Working time the RESPONSE clock counted, median. 响应工时中位数"
    )
    response_time_p90: timedelta | None = strawberry.field(
        description="Working time the RESPONSE clock counted, 90th percentile. 响应工时 90 分位"
    )
    restoration_time_median: timedelta | None = strawberry.field(
        description="Working time the RESTORATION clock counted, median. 恢复工时中位数"
    )
    restoration_time_p90: timedelta | None = strawberry.field(
        description="Working time the RESTORATION clock counted, 90th percentile. 恢复工时 90 分位"
    )
    resolution_time_median: timedelta | None = strawberry.field(
        description="Working time the RESOLUTION clock counted, median. 解决工时中位数"
    )
    resolution_time_p90: timedelta | None = strawberry.field(
        description="Working time the RESOLUTION clock counted, 90th percentile. 解决工时 90 分位"
    )
    tasks: int | None = strawberry.field(
        description="Control points completed by an act that had a budget. 已完成控制点"
    )
    tasks_on_time: int | None = strawberry.field(
        description="Of `tasks`, those within budget. 按时完成的控制点"
    )
    on_time_task_rate: Decimal | None = strawberry.field(
        description="`tasksOnTime` ÷ `tasks`, OLA. 任务按时率"
    )
    tasks_passed: int | None = strawberry.field(
        description="Control points passed without an act, which the rate leaves out. 略过的控制点"
    )
    breaches: int | None = strawberry.field(
        description="Threads that were ever breached. 超时线索数"
    )
    breaches_unexplained: int | None = strawberry.field(
        description="Of `breaches`, those without an approved reason. 未说明的超时"
    )
    lateness: timedelta | None = strawberry.field(
        description="Working time beyond the deadline, by cause if asked so (R-OLA-03). 超时时长"
    )
    waiting: timedelta | None = strawberry.field(
        description="Working time in which threads were paused; no part of lateness. 等待时长"
    )
    waiting_of_breached: timedelta | None = strawberry.field(
        description="Of `waiting`, that of threads that were ever breached. 超时线索的等待时长"
    )
    customer_wait: timedelta | None = strawberry.field(
        description="Of `waiting`, that for the customer. 等待客户时长"
    )
    customer_wait_of_breached: timedelta | None = strawberry.field(
        description="Of `customerWait`, that of threads that were ever breached: it stands beside"
        " their lateness (R-OLA-03). 超时线索的等待客户时长"
    )

    @strawberry.field(
        description="How each figure is computed. 计算公式",
        deprecation_reason="Use Query.figureFormulas, once for all rows. Removal on 2027-06-01.",
    )
    def formulas(self, info: strawberry.Info) -> list[FigureFormula]:
        """Every figure's formula, in the reader's language."""
        return formulas_in(info.context.language)

    @strawberry.field(
        description="The requests behind a figure of this row: a value of `RequestFilter`, to be"
        " given to `requests(filter:)` as it is; a rate opens to what it divides by. 下钻"
    )
    def drill_down(
        self,
        of: Annotated[FigureName, strawberry.argument(description="Which figure.")],
    ) -> JSON:
        """The filter under which `requests` lists exactly those behind a figure (R-KPI-02)."""
        return JSON(request_filter(self.asked, self.row.keys, of, self.given))
