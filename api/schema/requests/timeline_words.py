"""The facts a request's timeline can hold, each in both languages."""

import re
from enum import Enum
from typing import Any

import strawberry

FACTS = {
    "RequestRegistered": "The request came in. 请求已注册",
    "ChildRequestOpened": "It was opened as a part of another request. 子请求已建立",
    "RequestAccepted": "It was authorised and classified. 已受理",
    "RequestReauthorised": "It was authorised once more. 已重新鉴权",
    "RequestReclassified": "It was classified anew. 已重新分类",
    "RequestCorrected": "It is another customer's, or about another product. 已更正客户或产品",
    "RequestRejected": "It was turned down. 已拒绝",
    "RequestCancelled": "It was withdrawn. 已取消",
    "ChargeOffered": "A charge was put to the customer. 已提出费用",
    "ChargeReminded": "The customer was reminded of the charge. 已提醒费用",
    "ChargeWithdrawn": "The charge was taken back. 已撤回费用",
    "ChargeAccepted": "The customer accepted the price. 已接受费用",
    "ChargeWaived": "The price was waived. 已免除费用",
    "RequestDispatched": "It was sent to a queue or person. 已派单",
    "RequestStarted": "Somebody took it. 已接单",
    "RequestPassedOn": "Whoever had it, or steps of it, left; it passed on. 已转交接替人",
    "RequestRequeued": "It went back into a queue. 已退回队列",
    "RequestEscalated": "It went to a higher line. 已升级",
    "RequestHandedBack": "It came back to a lower line. 已退回下级",
    "RequestHandedToPartner": "It went to a partner firm. 已移交合作伙伴",
    "RequestTakenBack": "It was taken back from a partner firm. 已从合作伙伴收回",
    "RequestWaiting": "It waits for somebody else. 已挂起",
    "RequestResumed": "It goes on. 已恢复处理",
    "WaitingReasonEnded": "It waits for one thing less. 一项等待已结束",
    "RequestPlanned": "The customer was told the plan. 已告知计划",
    "RequestReplied": "The customer was answered. 已公开回复",
    "RequestNoted": "Somebody wrote a note. 已记录备注",
    "CallLogged": "A call with the customer was logged. 已记录通话",
    "RequestRestored": "Service is up again by a workaround. 业务已恢复",
    "RequestDelivered": "The solution was delivered. 方案已交付",
    "ConfirmationReminded": "Half of the time to confirm is over. 已提醒确认",
    "RequestConfirmed": "The solution was accepted. 已确认",
    "SolutionRejected": "The solution was sent back. 方案被退回",
    "RequestReopened": "It was opened again. 已重新打开",
    "RequestClosed": "It was closed. 已关闭",
    "RequestSplit": "It got parts, one per product. 已拆分",
    "RequestMerged": "It ended in another request. 已合并",
    "DuplicateMerged": "A duplicate ended in it. 已并入重复请求",
    "EmergencyDeclared": "It was declared an emergency. 已宣布紧急恢复",
    "BulletinPublished": "A status bulletin was published. 已发布通报",
    "BulletinOverdue": "A status bulletin is overdue. 通报逾期",
    "ProblemLinked": "The problem behind it was linked. 已关联问题",
    "ServiceLevelMigrated": "It was moved to another version of its level. 已迁移服务级别",
    "ServiceLevelSwitchedOff": "Its level was switched off. 服务级别已停用",
    "ClockAlarmRaised": "A clock reached a level of alarm. 时钟预报警",
    "ClockRecomputed": "A clock was computed anew. 时钟已重算",
    "ControlPointReminded": "The owner of a control point was reminded. 已提醒控制点",
    "BreachExplained": "A breach was given its reason. 已填写超时原因",
    "BreachReasonApproved": "The reason of a breach was approved. 超时原因已批准",
    "BreachReasonRefused": "The reason of a breach was refused. 超时原因被退回",
    "BreachOverturned": "A breach proved to be none. 超时已被推翻",
    "EscalationOpened": "It was escalated to management. 管理升级",
    "EscalationRaised": "The escalation went one step further. 管理升级加深",
    "EscalationRepeated": "The top was told again. 再次告知最高级",
    "EscalationPassedOn": "Whom it stood with left; it passed on. 管理升级已转交",
    "EscalationAcknowledged": "Somebody took note of the escalation. 已确认升级",
    "EscalationEnded": "The escalation ended. 管理升级结束",
}
"""What happened, as the event log calls it: how it is told to people. 事实"""

FACT = r"upper(regexp_replace({t}.type, '([a-z0-9])([A-Z])', '\1_\2', 'g'))"


def _in_capitals(fact: str) -> str:
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", fact).upper()


_make_enum: Any = Enum
_facts = _make_enum(
    "TimelineFact",
    {
        _in_capitals(fact): strawberry.enum_value(_in_capitals(fact), description=told)
        for fact, told in FACTS.items()
    },
    module=__name__,
)
TimelineFact: Any = strawberry.enum(
    _facts, description="What happened to a request, in the past tense. 时间线事实"
)
