"""What each figure is: its formula in words, and what a question for figures must satisfy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from itr.errors import InvalidInput, Language
from itr.reports.terms import FigureDimension, FigureName
from itr.requests.terms import Impact, Priority, RequestKind

MOST_DIMENSIONS = 3
MOST_ROWS = 5000
SHARE_STEP = Decimal("0.000001")

FORMULAS: Mapping[FigureName, tuple[str, str]] = {
    FigureName.REQUESTS: (
        "时段内注册的请求数。",
        "Requests registered in the period.",
    ),
    FigureName.SHARE: (
        "本行请求数 ÷ 各维度均有值的全部行请求数；维度无值的行没有占比。按支持线即 991 "
        "占比：分母为交付过方案的请求。",
        "Requests of the row ÷ requests of all rows whose dimensions have a value; a row without "
        "one has no share. By line these are the 991 shares, of requests with a delivery.",
    ),
    FigureName.DELIVERED: (
        "其中至少交付过一次方案的请求数。",
        "Those of them with at least one delivered solution.",
    ),
    FigureName.REOPENED: (
        "其中方案交付后被退回、或确认或关闭后重新打开过至少一次的请求数。",
        "Those whose delivered solution was sent back, or that were opened again after "
        "confirmation or closing, at least once.",
    ),
    FigureName.RETURNED: (
        "其中离开某队列后又回到该队列的请求数（同一队列连续出现只算一次停留）。",
        "Those that came back to a queue they had left; staying in a queue counts once.",
    ),
    FigureName.FIRST_CONTACT: (
        "其中由一线首位接单人直接交付、未等待、未退回队列、未升级或退回、未重新打开的请求数。",
        "Those delivered by line 1 in the hands of the first person who took them: never waiting, "
        "requeued, handed up or back, or reopened.",
    ),
    FigureName.TIME_TO_RESOLVE_MEDIAN: (
        "自注册至最后一次交付方案的实际时长的中位数（percentile_cont 0.5），仅计已交付的请求。",
        "Median real time from registration to the last delivery (percentile_cont 0.5), over "
        "requests with a delivery.",
    ),
    FigureName.TIME_TO_RESOLVE_P90: (
        "自注册至最后一次交付方案的实际时长的 90 分位（percentile_disc 0.9），仅计已交付的请求。",
        "90th percentile of real time from registration to the last delivery (percentile_disc "
        "0.9), over requests with a delivery.",
    ),
    FigureName.BACKLOG: (
        "其中现在尚未关闭、取消或拒绝的请求数。",
        "Those of them not closed, cancelled or rejected as of now.",
    ),
}


@dataclass(frozen=True)
class Period:
    """A stretch of time, its start included, its end not."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class FigureFilter:
    """Only requests for which all of this holds; an empty list lets none through."""

    customer_ids: Sequence[UUID] | None = None
    project_ids: Sequence[UUID] | None = None
    product_ids: Sequence[UUID] | None = None
    kinds: Sequence[RequestKind] | None = None
    priorities: Sequence[Priority] | None = None
    impacts: Sequence[Impact] | None = None


@dataclass(frozen=True)
class Key:
    """Which value of a dimension a row is about; None where requests have none."""

    dimension: FigureDimension
    value: str | None
    name: str | None


@dataclass(frozen=True)
class Row:
    """The figures of the requests that share the keys' values."""

    keys: tuple[Key, ...]
    values: Mapping[FigureName, int | Decimal | None]


def formula_of(figure: FigureName, language: Language) -> str:
    """How a figure is computed, in the reader's language (R-KPI-02)."""
    zh, en = FORMULAS[figure]
    return zh if language == "zh" else en


def ensure_period(period: Period) -> None:
    """Refuse a period that ends before it starts."""
    if period.end <= period.start:
        raise InvalidInput(
            path=["period", "to"],
            zh_reason="时段的结束必须晚于开始。",
            en_reason="The period must end after it starts.",
        )


def ensure_dimensions(by: Sequence[FigureDimension]) -> None:
    """Refuse more dimensions than a table can show, and the same one twice."""
    if len(by) > MOST_DIMENSIONS or len(set(by)) != len(by):
        raise InvalidInput(
            path=["by"],
            zh_reason=f"最多 {MOST_DIMENSIONS} 个维度，且不能重复。",
            en_reason=f"At most {MOST_DIMENSIONS} dimensions, each once.",
        )


def shares_of(counts: Sequence[int | None]) -> list[Decimal | None]:
    """What part each count is of their sum, in decimal arithmetic; None has no part."""
    total = sum(count for count in counts if count is not None)
    return [
        None
        if count is None or total == 0
        else (Decimal(count) / total).quantize(SHARE_STEP, ROUND_HALF_UP)
        for count in counts
    ]
