"""Reasons of breaches as the API shows them (R-SLA-05)."""

from datetime import datetime

import strawberry

from api.planner.declare import column, one
from api.planner.stored import embedded
from api.schema.people.types import Person
from api.schema.vocabulary import described
from itr.sla.terms import BreachReason, BreachReasonState

described(
    BreachReason,
    "Why a promise was broken (R-SLA-05). 超时原因",
    {
        BreachReason.CUSTOMER_WAIT: "The customer kept us waiting. 等待客户",
        BreachReason.THIRD_PARTY: "A partner firm or supplier was late. 第三方延误",
        BreachReason.SPARE_PART: "A spare part was late. 备件延误",
        BreachReason.CHANGE_WINDOW: "No change window came in time. 等待变更窗口",
        BreachReason.STAFFING: "Nobody was free. 人手不足",
        BreachReason.SKILL: "Nobody at hand knew how. 技能不足",
        BreachReason.WRONG_CLASSIFICATION: "It was classified wrongly. 分类错误",
        BreachReason.WRONG_DISPATCH: "It lay with the wrong people. 派单错误",
        BreachReason.TOOL_FAILURE: "Our own tools failed. 工具或系统故障",
        BreachReason.FORCE_MAJEURE: "Force majeure. 不可抗力",
        BreachReason.OTHER: "Another, told in the note. 其他（见说明）",
    },
)
described(
    BreachReasonState,
    "Where the reason of a breach stands. 原因状态",
    {
        BreachReasonState.GIVEN: "Given, waiting for a manager. 待批准",
        BreachReasonState.APPROVED: "Approved by a manager. 已批准",
        BreachReasonState.REFUSED: "Refused; another is due. 已退回",
    },
)


@embedded
@strawberry.type(description="The reason given for a breach, and who decided on it. 超时说明")
class BreachExplanation:
    """The reason given for a breach, and who decided on it (R-SLA-05)."""

    reason: BreachReason = column("breach_reason", description="The coded reason.")
    note: str | None = column("breach_note", description="In words.")
    state: BreachReasonState = column("breach_reason_state", description="Where it stands.")
    given_by: Person | None = one("breach_reason_by", description="Who gave it.")
    given_at: datetime = column("breach_reason_at", description="When.")
    decided_by: Person | None = one("breach_decided_by", description="Who decided on it.")
    decided_at: datetime | None = column("breach_decided_at", description="When.")
