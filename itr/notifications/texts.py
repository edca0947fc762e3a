"""The sentences people are told, in Chinese and English; no customer's words but a reason's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from itr.errors import Language
from itr.notifications.terms import NotificationKind
from itr.sla.control_points import STEPS
from itr.sla.terms import Thread

_THREADS: Mapping[Language, Mapping[str, str]] = {
    "zh": dict(zip(Thread, ("响应", "恢复", "解决", "关闭"), strict=True)),
    "en": dict(zip(Thread, ("response", "restoration", "resolution", "closure"), strict=True)),
}
_ACCESS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "ROLE": "角色 {role}",
        "CLIENT": "OAuth 客户端",
        "CLIENT_SECRET": "OAuth 客户端新密钥",
        "FIRST_PARTY": "免除某 OAuth 客户端的同意页",
        "PASSWORD": "新密码",
        "EMAIL": "新邮箱",
        "REACTIVATION": "重新启用",
        "ERASURE": "删除个人数据",
    },
    "en": {
        "ROLE": "the role {role}",
        "CLIENT": "an OAuth client",
        "CLIENT_SECRET": "another secret of an OAuth client",
        "FIRST_PARTY": "an OAuth client that asks nobody for consent,",
        "PASSWORD": "a new password",
        "EMAIL": "a new e-mail address",
        "REACTIVATION": "the reactivation",
        "ERASURE": "the erasure",
    },
}
_UTC = "UTC"
LONGEST_REASON = 200
"""Characters of a reason that a message repeats."""

_SENTENCES: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "ALARM": "{number}（{priority}）{thread}时限已用 {percent} %，截止 {deadline}。",
        "BREACH": "{number}（{priority}）{thread}已超时，时限为 {deadline}。",
        "CONTROL_POINT": "{number} 环节“{step}”的时间已用 {percent} %，截止 {deadline}。",
        "CONTROL_POINT_OVER": "{number} 环节“{step}”已超时，时限为 {deadline}。",
        "CONFIRMATION": "{number} 的解决方案已交付，请在 {deadline} 前确认；届时未答复即视为确认。",
        "BULLETIN": "{number} 紧急恢复：应于 {deadline} 发布的通报尚未发布。",
        "EMERGENCY": "{number} 已宣布紧急恢复：{reason}。首次通报须于 {deadline} 前发布。",
        "TASK": "{number} 受理时合同资料不全，请补全以便重新鉴权。",
        "CHARGE": "{number} 不在合同范围内，需收费：请查看项目、价格与税，再决定是否接受。",
        "ASSIGNMENT": "{number}（{priority}）转交给您：原责任人已离任或不再担任该职。",
        "ESCALATION": "{number}（{priority}）已升级至您：{reason}。请于 {deadline} 前确认。",
        "ESCALATION_AGAIN": "{number}（{priority}）的升级尚无人确认，再次提醒：{reason}。",
        "ACCESS_PENDING": "{by} 为 {whom} 申请{what}，须由另一人在 24 小时内批准，否则作废。",
        "ACCESS_APPROVED": "{by} 已批准：{whom} 的{what}现已生效。",
        "ACCESS_REFUSED": "{by} 未批准：{whom} 的{what}不会生效。",
        "ACCESS_WITHDRAWN": "{by} 已撤回：{whom} 的{what}不会生效。",
        "ALARMED": "{thread}时限已用 {percent} %",
        "late": "（迟发）",
        "stands_in": "无人负责，由您处理。",
    },
    "en": {
        "ALARM": "{number} ({priority}): {percent} % of the {thread} time is used, due {deadline}.",
        "BREACH": "{number} ({priority}): the {thread} time is over, it was due {deadline}.",
        "CONTROL_POINT": '{number}: {percent} % of the time for "{step}" is used, due {deadline}.',
        "CONTROL_POINT_OVER": '{number}: the time for "{step}" is over, it was due {deadline}.',
        "CONFIRMATION": "{number}: the solution is delivered; please confirm it by {deadline}."
        " No answer by then counts as confirmed.",
        "BULLETIN": "{number}, emergency: the bulletin due {deadline} has not been published.",
        "EMERGENCY": "{number} is declared an emergency: {reason}. First bulletin by {deadline}.",
        "TASK": "{number} was accepted while its contract data are incomplete;"
        " please complete them so that it can be authorised again.",
        "CHARGE": "{number} is covered by no contract and is charged: please look at item, price"
        " and tax, and decide whether to accept.",
        "ASSIGNMENT": "{number} ({priority}) is passed on to you: whoever had it has left"
        " or no longer holds the role.",
        "ESCALATION": "{number} ({priority}) is escalated to you: {reason}."
        " Please acknowledge by {deadline}.",
        "ESCALATION_AGAIN": "{number} ({priority}): nobody has acknowledged the escalation yet."
        " Told again: {reason}.",
        "ACCESS_PENDING": "{by} asks for {what} of {whom}; somebody else has to approve it within"
        " 24 hours, or it lapses.",
        "ACCESS_APPROVED": "{by} has approved {what} of {whom}; it is in effect now.",
        "ACCESS_REFUSED": "{by} has not approved {what} of {whom}; it will not take effect.",
        "ACCESS_WITHDRAWN": "{by} has taken back {what} of {whom}; it will not take effect.",
        "ALARMED": "{percent} % of the {thread} time is used",
        "late": " (late)",
        "stands_in": " Nobody is in charge of it; it is yours.",
    },
}


def text_of(kind: str, payload: Mapping[str, Any], language: str) -> str:
    """The sentence of a notification in its reader's language; Chinese unless that is English.

    `payload` are a notification's facts: number, priority, zone, and what the kind needs.
    """
    tongue: Language = "en" if language == "en" else "zh"
    sentences = _SENTENCES[tongue]
    text = sentences[_which(kind, payload)].format(**_filled(payload, tongue))
    if payload.get("late"):
        text += sentences["late"]
    if payload.get("standsIn"):
        text += sentences["stands_in"]
    return text


def _which(kind: str, payload: Mapping[str, Any]) -> str:
    over = payload.get("percent") == 100
    match NotificationKind(kind):
        case NotificationKind.ALARM if over:
            return "BREACH"
        case NotificationKind.CONTROL_POINT if over:
            return "CONTROL_POINT_OVER"
        case NotificationKind.BULLETIN if "reason" in payload:
            return "EMERGENCY"
        case NotificationKind.ACCESS:
            return f"ACCESS_{payload['state']}"
        case NotificationKind.ESCALATION if payload.get("again") or not payload.get("deadline"):
            return "ESCALATION_AGAIN"
    return kind


def _filled(payload: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """The words as the sentences name them: instants local, threads and steps by name."""
    filled = dict(payload)
    if payload.get("deadline"):
        filled["deadline"] = _local(payload["deadline"], payload.get("zone") or _UTC)
    if payload.get("thread"):
        filled["thread"] = _THREADS[language][payload["thread"]]
    if payload.get("what"):
        filled["what"] = _ACCESS[language][payload["what"]].format(role=payload.get("role"))
    if "point" in payload:
        step = STEPS[payload["point"]]
        filled["step"] = step.zh if language == "zh" else step.en
    if payload.get("reason"):
        filled["reason"] = payload["reason"][:LONGEST_REASON]
    elif payload.get("thread"):
        filled["reason"] = _SENTENCES[language]["ALARMED"].format(**filled)
    return filled


def _local(instant: str, zone: str) -> str:
    """An instant as people of the calendar's zone write it."""
    return f"{datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
