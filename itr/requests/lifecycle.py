"""The verbs of a request, each declared once (domain section 3, R-REQ-01)."""

from itr.actors.roles import Permission, Role
from itr.requests import standing
from itr.requests.rules import BEFORE_DELIVERED, IN_HAND, OPEN
from itr.requests.terms import RequestStatus
from itr.tickets.verbs import Verb, Verbs, owner_or, requester_or

S = RequestStatus
P = Permission

ALL = frozenset(S)
_LEADS = (Role.LINE_LEAD, Role.DISPATCH_MANAGER)
_REASON = ("原因", "a reason")
_REASON_AND_LINE = ("原因；另一支持线的队列", "a reason; a queue on another line")


class RequestVerb(Verbs):
    """What can be done to a request; `viewerCan` answers with these."""

    ACCEPT = Verb(
        "ACCEPT",
        P.ACCEPT_REQUEST,
        {S.REGISTERED},
        {S.AUTHORISED},
        needs=(
            "分类；有权益、资料缺失、费用已接受或豁免、或紧急恢复",
            "a classification; entitled, no data, a charge accepted or waived, or an emergency",
        ),
        called=("受理", "Authorise and classify"),
        does="Authorise and classify a request: pins its entitlement.",
        done_by=("acceptRequest",),
    )
    REJECT = Verb(
        "REJECT",
        P.REJECT_REQUEST,
        {S.REGISTERED, S.AUTHORISED},
        {S.REJECTED},
        needs=("编码的原因与一句话", "a coded reason and a sentence"),
        called=("拒绝", "Turn down"),
        does="Turn a request down; the requester is told why.",
        done_by=("rejectRequest",),
    )
    REAUTHORISE = Verb(
        "REAUTHORISE",
        P.ACCEPT_REQUEST,
        OPEN - {S.REGISTERED},
        needs=("受理时资料缺失，且未重新鉴权过", "accepted with no data, not authorised again yet"),
        called=("重新鉴权", "Authorise once more"),
        does="Authorise once more, after missing data was completed.",
        done_by=("reauthoriseRequest",),
        fits=lambda it: it.may_be_reauthorised,
    )
    RECLASSIFY = Verb(
        "RECLASSIFY",
        P.RECLASSIFY_REQUEST,
        BEFORE_DELIVERED - {S.REGISTERED},
        needs=("分类；不是子请求", "a classification; it is no child"),
        called=("重新分类", "Classify anew"),
        does="Classify anew; another priority retargets the clocks.",
        done_by=("reclassifyRequest",),
        fits=lambda it: not it.is_child,
    )
    DISPATCH = Verb(
        "DISPATCH",
        P.DISPATCH_REQUEST,
        {S.AUTHORISED, S.DISPATCHED},
        {S.DISPATCHED},
        needs=("队列，或其中一人", "a queue, or a person of it"),
        called=("派单", "Send to a queue or person"),
        does="Send a request to a queue, or to a person of it.",
        done_by=("dispatchRequest",),
    )
    START = Verb(
        "START",
        P.START_REQUEST,
        IN_HAND | {S.DISPATCHED},
        {S.IN_PROGRESS},
        needs=("派给本人，或在本人的队列中无人负责", "yours, or nobody's in a queue of yours"),
        called=("接单", "Take it and start"),
        does="Take a request and become its owner.",
        done_by=("startRequest",),
        fits=standing.may_be_started,
        may_stay=True,
    )
    WAIT = Verb(
        "WAIT",
        P.WORK_ON_REQUEST,
        IN_HAND,
        {S.WAITING},
        owner_or(),
        ("等待的对象", "for whom or what"),
        called=("挂起", "Wait for somebody else"),
        does="Wait for somebody else; pauses what the level pauses.",
        done_by=("waitRequest",),
    )
    RESUME = Verb(
        "RESUME",
        P.RESUME_REQUEST,
        {S.WAITING},
        {S.IN_PROGRESS, S.RESTORED},
        owner_or(Role.CUSTOMER),
        ("客户须答复；只结束对客户的等待", "an answer from customers, who end nothing but theirs"),
        called=("恢复处理", "Go on"),
        does="Go on; customers resume by answering.",
        done_by=("resumeRequest",),
        fits=lambda it: it.owns or it.waits_for_customer,
        may_stay=True,
    )
    RESTORE = Verb(
        "RESTORE",
        P.WORK_ON_REQUEST,
        {S.IN_PROGRESS},
        {S.RESTORED},
        owner_or(),
        ("临时方案；技术类请求", "a workaround; a technical request"),
        called=("恢复业务", "Service is up again"),
        does="Service is up again by a workaround: stops RESTORATION.",
        done_by=("restoreRequest",),
        fits=standing.may_be_restored,
    )
    REQUEUE = Verb(
        "REQUEUE",
        P.REQUEUE_REQUEST,
        IN_HAND,
        {S.DISPATCHED, S.RESTORED},
        owner_or(*_LEADS),
        _REASON,
        called=("退回队列", "Put back into a queue"),
        does="Put a request back into a queue: nobody's again.",
        done_by=("requeueRequest",),
    )
    DELIVER = Verb(
        "DELIVER",
        P.WORK_ON_REQUEST,
        IN_HAND,
        {S.DELIVERED},
        owner_or(),
        ("方案；是否恢复业务", "a solution; whether it restores service"),
        called=("交付方案", "Hand over the solution"),
        does="Deliver the solution: stops RESOLUTION, starts CLOSURE.",
        done_by=("deliverRequest",),
    )
    CONFIRM = Verb(
        "CONFIRM",
        P.CONFIRM_REQUEST,
        {S.DELIVERED},
        {S.CONFIRMED},
        needs=("验证人核对过结果", "a named verifier has checked the result"),
        called=("确认", "Accept the solution"),
        done_by=("confirmRequest",),
    )
    REJECT_SOLUTION = Verb(
        "REJECT_SOLUTION",
        P.CONFIRM_REQUEST,
        {S.DELIVERED},
        {S.IN_PROGRESS},
        needs=("原因；计为重新打开", "a reason; counts as a reopen"),
        called=("退回方案", "Send the solution back"),
        does="Send the solution back; RESOLUTION goes on.",
    )
    CLOSE = Verb(
        "CLOSE",
        P.CLOSE_REQUEST,
        {S.CONFIRMED},
        {S.CLOSED},
        owner_or(Role.LINE1),
        ("子请求已关闭；紧急恢复须关联问题", "children closed; an emergency has its problem"),
        called=("关闭", "Close"),
        does="Close a confirmed request: stops CLOSURE.",
        done_by=("closeRequest",),
        fits=standing.may_be_closed,
    )
    REOPEN = Verb(
        "REOPEN",
        P.REOPEN_REQUEST,
        {S.CONFIRMED, S.CLOSED},
        {S.IN_PROGRESS},
        needs=("原因；关闭后 7 天内", "a reason; within 7 days of closing"),
        called=("重新打开", "Open again"),
        does="Open a confirmed or closed request again, within 7 days.",
        done_by=("reopenRequest",),
        fits=standing.may_be_reopened,
    )
    CANCEL = Verb(
        "CANCEL",
        P.CANCEL_REQUEST,
        BEFORE_DELIVERED,
        {S.CANCELLED},
        requester_or(Role.LINE1),
        _REASON,
        called=("取消", "Withdraw"),
        does="Withdraw a request before its solution is delivered.",
        done_by=("cancelRequest",),
    )
    ESCALATE = Verb(
        "ESCALATE",
        P.ESCALATE_REQUEST,
        BEFORE_DELIVERED,
        {S.IN_PROGRESS, S.RESTORED},
        owner_or(Role.LINE_LEAD),
        _REASON_AND_LINE,
        called=("技术升级", "Hand up to a higher line"),
        does="Hand a request up to a higher line.",
        done_by=("escalateRequest",),
        fits=standing.goes_higher,
        may_stay=True,
    )
    HAND_BACK = Verb(
        "HAND_BACK",
        P.ESCALATE_REQUEST,
        BEFORE_DELIVERED,
        {S.IN_PROGRESS, S.RESTORED},
        owner_or(Role.LINE_LEAD),
        _REASON_AND_LINE,
        called=("退回", "Hand back to a lower line"),
        does="Hand a request back to a lower line.",
        done_by=("handBackRequest",),
        fits=standing.goes_back,
        may_stay=True,
    )
    RESPOND = Verb(
        "RESPOND",
        P.RESPOND_TO_REQUEST,
        OPEN,
        called=("回复", "Reply in public"),
        does="Reply in public; our first reply stops RESPONSE.",
        done_by=("respondToRequest",),
    )
    NOTE = Verb(
        "NOTE",
        P.NOTE_ON_REQUEST,
        ALL,
        called=("备注", "Write a note"),
        does="Write an internal note, or one shared with the partner.",
        done_by=("noteOnRequest",),
    )
    LOG_CALL = Verb(
        "LOG_CALL",
        P.LOG_CALL,
        OPEN,
        called=("通话记录", "Log a call"),
        does="Log a call with the customer; it answers them.",
    )
    PLAN = Verb(
        "PLAN",
        P.PLAN_REQUEST,
        BEFORE_DELIVERED,
        who=owner_or(Role.PROJECT_MANAGER, Role.DISPATCH_MANAGER),
        called=("计划", "Tell the plan"),
        does="Tell the customer the plan and the date to expect.",
        done_by=("planRequest",),
    )
    ACCEPT_CHARGE = Verb(
        "ACCEPT_CHARGE",
        P.ACCEPT_CHARGE,
        OPEN | {S.CLOSED},
        needs=("待定的费用；所见的价格", "a charge that waits; the price seen"),
        called=("接受收费", "Accept the price"),
        does="Accept the charge of a request, as you have seen it.",
        fits=lambda it: it.charge_pending and it.charge_priced,
    )
    WAIVE_CHARGE = Verb(
        "WAIVE_CHARGE",
        P.WAIVE_CHARGE,
        OPEN | {S.CLOSED},
        needs=("待定的费用", "a charge that waits"),
        called=("豁免收费", "Waive the price"),
        does="Waive the charge that waits for a decision.",
        fits=lambda it: it.charge_pending,
    )
    WITHDRAW_CHARGE = Verb(
        "WITHDRAW_CHARGE",
        P.ACCEPT_REQUEST,
        OPEN | {S.CLOSED},
        needs=("原因；待定的费用", "a reason; a charge that waits"),
        called=("撤回收费", "Take the charge back"),
        does="Take back a charge that waits for a decision.",
        fits=lambda it: it.charge_pending,
    )
    DECLARE_EMERGENCY = Verb(
        "DECLARE_EMERGENCY",
        P.DECLARE_EMERGENCY,
        BEFORE_DELIVERED - {S.RESTORED},
        needs=("原因；P1 业务中断", "a reason; a P1 outage"),
        called=("宣布紧急恢复", "Declare an emergency"),
        does="Declare a P1 outage an emergency: bulletins are due.",
        fits=standing.may_be_an_emergency,
    )
    PUBLISH_BULLETIN = Verb(
        "PUBLISH_BULLETIN",
        P.PUBLISH_BULLETIN,
        OPEN | {S.CLOSED},
        needs=("紧急恢复中", "it is an emergency"),
        called=("发布通报", "Publish a status bulletin"),
        does="Publish a status bulletin of an emergency.",
        fits=lambda it: it.emergency,
    )
    SPLIT = Verb(
        "SPLIT",
        P.SPLIT_REQUEST,
        IN_HAND,
        who=owner_or(*_LEADS),
        needs=("有责任人；不是子请求", "an owner; it is no child"),
        called=("拆分子请求", "Open a child per product"),
        does="Open one child per product under the same lead owner.",
        done_by=("splitRequest",),
        fits=lambda it: it.owner is not None and not it.is_child,
    )
    MERGE = Verb(
        "MERGE",
        P.MERGE_REQUESTS,
        BEFORE_DELIVERED,
        {S.CANCELLED},
        needs=("同一客户的未结请求", "an open request of the same customer"),
        called=("合并重复请求", "End it as a duplicate"),
        does="End a duplicate in the request that stays; shows the latter.",
        done_by=("mergeRequests",),
        fits=standing.may_end_in_another,
    )
    HAND_TO_PARTNER = Verb(
        "HAND_TO_PARTNER",
        P.ENGAGE_PARTNER,
        IN_HAND | {S.DISPATCHED},
        {S.WAITING},
        owner_or(*_LEADS),
        ("原因；合作伙伴的队列", "a reason; a queue of the firm"),
        called=("移交第三方", "Hand to a partner firm"),
        does="Hand a request to a partner firm under the firm's own clock.",
        fits=lambda it: it.partner is None,
        may_stay=True,
    )
    TAKE_BACK = Verb(
        "TAKE_BACK",
        P.ENGAGE_PARTNER,
        IN_HAND | {S.DISPATCHED},
        {S.IN_PROGRESS, S.RESTORED},
        owner_or(*_LEADS),
        ("原因；我方的队列", "a reason; a queue of ours"),
        called=("从第三方收回", "Take back from a partner firm"),
        does="Take a request back from a partner firm: its clock ends.",
        fits=lambda it: it.partner is not None,
        may_stay=True,
    )
    LINK_PROBLEM = Verb(
        "LINK_PROBLEM",
        P.LINK_PROBLEM,
        OPEN | {S.CLOSED},
        called=("关联问题", "Open or link a problem"),
        does="Open the problem behind a request, or link a request to one that is known.",
        done_by=("openProblem", "linkProblem"),
    )
    EXPLAIN_BREACH = Verb(
        "EXPLAIN_BREACH",
        P.EXPLAIN_BREACH,
        ALL,
        who=owner_or(Role.LINE_LEAD),
        needs=("超时的线程；编码的原因", "a breached thread; a coded reason"),
        called=("说明超时原因", "Give a breach its reason"),
        does="Give a breached thread its reason: the owner, or a line lead.",
        fits=lambda it: it.has_breach_to_explain,
    )
    APPROVE_BREACH_REASON = Verb(
        "APPROVE_BREACH_REASON",
        P.APPROVE_BREACH_REASON,
        ALL,
        needs=("他人给出的原因", "a reason somebody else gave"),
        called=("批准超时原因", "Approve the reason of a breach"),
        does="Approve the reason somebody else gave for a breach.",
        fits=lambda it: it.has_reason_to_decide,
    )
    REFUSE_BREACH_REASON = Verb(
        "REFUSE_BREACH_REASON",
        P.APPROVE_BREACH_REASON,
        ALL,
        needs=("原因；他人给出的原因", "why; a reason somebody else gave"),
        called=("退回超时原因", "Refuse the reason of a breach"),
        does="Refuse the reason somebody else gave for a breach.",
        fits=lambda it: it.has_reason_to_decide,
    )
    ESCALATE_TO_MANAGEMENT = Verb(
        "ESCALATE_TO_MANAGEMENT",
        P.ESCALATE_TO_MANAGEMENT,
        OPEN,
        needs=("原因；尚未到最高层", "a reason; it is not at the top yet"),
        called=("管理升级", "Escalate to management"),
        does="Escalate to management at any time; `escalateRequest` hands work to a higher line"
        " instead.",
        fits=standing.may_go_to_management,
    )
    ACKNOWLEDGE_ESCALATION = Verb(
        "ACKNOWLEDGE_ESCALATION",
        P.ACKNOWLEDGE_ESCALATION,
        OPEN,
        needs=("在本人或更低一级的升级", "an escalation at your step or below"),
        called=("确认升级", "Take note of an escalation"),
        does="Take note of a request's escalation: it goes no further by itself.",
        fits=standing.waits_to_be_acknowledged,
    )
