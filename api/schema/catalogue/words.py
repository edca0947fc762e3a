"""The catalogue's words as the API describes them."""

from api.schema.vocabulary import described
from itr.catalogue.terms import ChargeKind, EntitlementOutcome, Phase, Priority, QuotaUnit
from itr.sla.terms import Thread, WaitingReason

described(
    EntitlementOutcome,
    "What authorisation found (R-ENT-01). 鉴权结果",
    {
        EntitlementOutcome.ENTITLED: "A contract line covers it. 有权",
        EntitlementOutcome.NO_DATA: "Served without a promise; the record is incomplete. 资料缺失",
        EntitlementOutcome.CHARGEABLE: "Served at the catalogue price. 收费",
        EntitlementOutcome.NOT_SERVED: "Only emergency recovery. 不在服务范围",
    },
)
described(
    ChargeKind,
    "What kind of work an item charges for. 收费类别",
    {
        ChargeKind.CONSULTING: "Consulting. 咨询",
        ChargeKind.IMPLEMENTATION: "Implementation. 实施",
        ChargeKind.SUPPORT: "Support. 支持",
        ChargeKind.MAINTENANCE: "Maintenance. 维保",
        ChargeKind.TRAINING: "Training. 培训",
    },
)
described(
    QuotaUnit,
    "What a contract line's quota counts. 配额单位",
    {
        QuotaUnit.REQUEST: "Requests, taken at authorisation. 请求",
        QuotaUnit.VISIT: "Visits, taken when a visit is dispatched. 上门",
    },
)
described(
    Phase,
    "Where in the contract's life a request falls. 阶段",
    {
        Phase.DELIVERY: "During delivery under contract. 交付期",
        Phase.AFTER_ACCEPTANCE: "After acceptance. 验收后",
    },
)
described(
    Thread,
    "The four time threads of a request (R-SLA-01). 时间控制线索",
    {
        Thread.RESPONSE: "Registration to the first answer by a person. 响应",
        Thread.RESTORATION: "Registration to service restored. 恢复",
        Thread.RESOLUTION: "Registration to solution delivered. 解决",
        Thread.CLOSURE: "Delivery to closing. 关闭",
    },
)
described(
    WaitingReason,
    "Why a request waits (R-REQ-03). 等待原因",
    {
        WaitingReason.CUSTOMER: "For the customer's answer. 等待客户",
        WaitingReason.THIRD_PARTY: "For a third party. 等待第三方",
        WaitingReason.SPARE_PART: "For a spare part. 等待备件",
        WaitingReason.CHANGE_WINDOW: "For a change window. 等待变更窗口",
    },
)
described(
    Priority,
    "Derived from problem type, fault level and impact (R-PRI-01). 优先级",
    {
        Priority.P1: "Most urgent. 紧急",
        Priority.P2: "High. 高",
        Priority.P3: "Medium. 中",
        Priority.P4: "Low. 低",
    },
)
