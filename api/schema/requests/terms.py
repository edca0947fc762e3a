"""The words of requests in the schema, each described in English and Chinese."""

from api.schema.tickets.verbs import described_verbs
from api.schema.vocabulary import described
from itr.catalogue.terms import FaultLevel, Impact
from itr.events.log import Audience
from itr.requests.lifecycle import RequestVerb
from itr.requests.terms import (
    Channel,
    Charge,
    ProblemType,
    RejectionCode,
    RequestKind,
    RequestStatus,
)

described(
    RequestKind,
    "What sort of request it is. 请求类别",
    {
        RequestKind.TECHNICAL: "A technical request. 技术类",
        RequestKind.NON_TECHNICAL: "A non-technical request: no RESTORATION. 非技术类",
        RequestKind.SPARE_PART: "A request for a spare part. 备件类",
    },
)
described(
    RequestStatus,
    "Where on the lifecycle a request stands. 请求状态",
    {
        RequestStatus.REGISTERED: "Registered. 已注册",
        RequestStatus.AUTHORISED: "Accepted: authorised and classified. 已授权",
        RequestStatus.REJECTED: "Turned down, with a reason. 已拒绝",
        RequestStatus.DISPATCHED: "Sent to a queue or person. 已派单",
        RequestStatus.IN_PROGRESS: "Being worked on. 处理中",
        RequestStatus.WAITING: "Waiting for somebody else. 等待中",
        RequestStatus.RESTORED: "Service is up by a workaround. 已恢复",
        RequestStatus.DELIVERED: "The solution is with the customer. 已交付",
        RequestStatus.CONFIRMED: "The customer has accepted it. 已确认",
        RequestStatus.CLOSED: "Closed. 已关闭",
        RequestStatus.CANCELLED: "Withdrawn. 已取消",
    },
)
described_verbs(RequestVerb, "Verb", "What can be done to a request. 操作")
described(
    ProblemType,
    "What is the matter. 问题类型",
    {
        ProblemType.FAULT: "Something is broken. 故障",
        ProblemType.DEGRADATION: "It works, but badly. 性能下降",
        ProblemType.SECURITY: "A security matter. 安全",
        ProblemType.CONSULTATION: "A question. 咨询",
        ProblemType.REQUIREMENT: "A wish. 需求",
    },
)
described(
    FaultLevel,
    "How badly it is broken. 故障级别",
    {
        FaultLevel.CRITICAL: "Nothing works. 致命",
        FaultLevel.MAJOR: "Much does not work. 严重",
        FaultLevel.MINOR: "Little does not work. 一般",
        FaultLevel.NONE: "Nothing is broken. 无故障",
    },
)
described(
    Impact,
    "Who is affected. 影响范围",
    {
        Impact.ENTERPRISE: "The whole enterprise. 全企业",
        Impact.DEPARTMENT: "A department. 部门",
        Impact.GROUP: "A group. 小组",
        Impact.INDIVIDUAL: "One person. 个人",
    },
)
described(
    Channel,
    "How a request reached us (R-REQ-06). 渠道",
    {
        Channel.PHONE: "By telephone. 电话",
        Channel.WEB: "On the web. 网站",
        Channel.EMAIL: "By e-mail. 邮件",
        Channel.PARTNER: "Through a partner. 合作伙伴",
        Channel.ON_SITE: "On site. 现场",
        Channel.MONITORING: "From monitoring. 监控",
        Channel.INSPECTION: "At an inspection. 巡检",
    },
)
described(
    Charge,
    "Where a chargeable request stands. 收费状态",
    {
        Charge.PENDING: "Nobody has agreed yet. 待确认",
        Charge.ACCEPTED: "The customer has accepted the price. 客户已接受",
        Charge.WAIVED: "The process manager has waived it. 已豁免",
        Charge.WITHDRAWN: "Taken back; nothing is charged. 已撤回",
    },
)
described(
    Audience,
    "Who may see an entry of a timeline. 可见范围",
    {
        Audience.PUBLIC: "Everybody who sees the request. 公开",
        Audience.PARTNER: "Colleagues and the partner. 与合作伙伴共享",
        Audience.INTERNAL: "Colleagues only. 内部",
    },
)
described(
    RejectionCode,
    "Why a request was turned down. 拒绝原因",
    {
        RejectionCode.NOT_SERVED: "The product is not served. 产品不在服务范围",
        RejectionCode.OUT_OF_SCOPE: "The service does not cover it. 超出服务内容",
        RejectionCode.NOT_AUTHORISED: "Nobody of the customer authorised it. 未获客户授权",
        RejectionCode.CHARGE_DECLINED: "The customer declined the price. 客户不接受收费",
        RejectionCode.INCOMPLETE: "What was asked for did not come. 资料不全",
        RejectionCode.DUPLICATE: "It was registered before. 重复登记",
        RejectionCode.NO_ISSUE: "There is nothing to resolve. 并无问题",
    },
)
