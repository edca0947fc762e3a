"""Demonstration requests: one in every state a dashboard shows, told as short stories."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from itr.catalogue.terms import FaultLevel, Impact
from itr.demo.data import DESKTOP, SWITCH, demo_id
from itr.people.operations import load_actor
from itr.requests import operations as o
from itr.requests.intake import Intake
from itr.requests.lifecycle import RequestVerb
from itr.requests.models import Request
from itr.requests.priority import Classification
from itr.requests.terms import BulletinKind, ProblemType, RejectionCode, RequestKind
from itr.sla.terms import BreachReason, Thread, WaitingReason

Progress = Callable[[float, str], object]
Step = tuple[float, str, Callable[..., Awaitable[UUID]], dict[str, Any]]

LINE1, LINE2, DISPATCHER, LEAD, MANAGER = "张伟", "王强", "黄敏", "陈静", "高翔"
_QUEUE1 = demo_id("queue", "上海一线")
_QUEUE2 = demo_id("queue", "二线技术支持中心")
_QUEUE_FIRM = demo_id("queue", "蓝鲸外包二线")


@dataclass(frozen=True)
class Story:
    """One request: who submitted it how many hours ago, and what happened to it since."""

    who: str
    hours_ago: float
    title: str
    description: str
    product: str
    steps: Sequence[Step] = ()
    kind: RequestKind = RequestKind.TECHNICAL


def _accept(after: float, problem: ProblemType, level: FaultLevel, impact: Impact) -> Step:
    return (
        after,
        LINE1,
        o.accept_request,
        {"classification": Classification(problem, level, impact)},
    )


def _dispatch(after: float, queue: UUID = _QUEUE1, assignee: str | None = None) -> Step:
    person = demo_id("person", assignee) if assignee else None
    return (after, DISPATCHER, o.dispatch_request, {"queue_id": queue, "assignee_id": person})


def _start(after: float, who: str = LINE1) -> Step:
    return (after, who, o.start_request, {})


def _reply(after: float, who: str, text: str) -> Step:
    return (after, who, o.respond_to_request, {"text": text})


def _wait(after: float, who: str, reason: WaitingReason, note: str) -> Step:
    return (after, who, o.wait_request, {"reason": reason, "note": note})


def _deliver(after: float, who: str, solution: str) -> Step:
    return (after, who, o.deliver_request, {"solution": solution, "restores_service": True})


def _up(after: float, queue: UUID, assignee: str, reason: str) -> Step:
    given = {"queue_id": queue, "assignee_id": demo_id("person", assignee), "reason": reason}
    return (after, LINE1, _escalate, given)


async def _escalate(actor: Any, request_id: UUID, **given: Any) -> UUID:
    return await o.change_line(actor, request_id, RequestVerb.ESCALATE, **given)


async def _accept_charge(actor: Any, request_id: UUID, **given: Any) -> UUID:
    seen = await o.price_of(await Request.get(id=request_id))
    return await o.agree_to_charge(actor, request_id, RequestVerb.ACCEPT_CHARGE, seen=seen, **given)


Found = tuple[ProblemType, FaultLevel, Impact]
_P1 = (ProblemType.FAULT, FaultLevel.CRITICAL, Impact.ENTERPRISE)
_P2 = (ProblemType.FAULT, FaultLevel.MAJOR, Impact.DEPARTMENT)
_P3 = (ProblemType.CONSULTATION, FaultLevel.MINOR, Impact.GROUP)


def _taken_up(found: Found, words: str, *, hurry: float = 1) -> list[Step]:
    """Accepted, dispatched, begun and answered."""
    return [
        _accept(0.05 * hurry, *found),
        _dispatch(0.08 * hurry),
        _start(0.1 * hurry),
        _reply(0.2 * hurry, LINE1, words),
    ]


def _explain(after: float) -> Step:
    given = {"reason": BreachReason.STAFFING, "note": "当班人手不足。"}
    return (after, LINE1, o.explain_breach, {"thread": Thread.RESOLUTION, **given})


STORIES = (
    Story("梁雪", 0.2, "车间网络中断", "三号车间整条产线断网，交换机告警灯常亮。", SWITCH),
    Story("梁雪", 0.6, "夜班无法登录", "夜班班长账号提示过期。", SWITCH, [_accept(0.2, *_P3)]),
    Story(
        "宋佳",
        1.5,
        "总部出口丢包",
        "总部到数据中心丢包约 30%。",
        SWITCH,
        [
            _accept(0.2, *_P1),
            _dispatch(0.08),
            _start(0.1),
            _reply(0.2, LINE1, "已定位到出口链路。"),
        ],
    ),
    Story(
        "梁雪",
        6,
        "备份任务失败",
        "昨夜备份任务报错 0x51。",
        SWITCH,
        [
            _accept(0.05, *_P2),
            _dispatch(0.08),
            _start(0.1),
            _reply(0.2, LINE1, "请提供日志。"),
            _wait(1.0, LINE1, WaitingReason.CUSTOMER, "请上传昨夜的日志。"),
        ],
    ),
    Story(
        "唐宁",
        9,
        "影像系统卡顿",
        "门诊影像调阅要等一分钟以上。",
        DESKTOP,
        [
            _accept(0.05, *_P2),
            _dispatch(0.08),
            _start(0.1),
            _reply(0.2, LINE1, "正在升级到二线。"),
            _up(1.5, _QUEUE2, LINE2, "需要抓包分析"),
            (2, LINE2, o.escalate_to_management, {"reason": "院方信息科催办", "to": None}),
        ],
    ),
    Story(
        "唐宁",
        30,
        "备用链路切换演练",
        "请协助本周末的切换演练。",
        SWITCH,
        [
            (0.02, "唐宁", _accept_charge, {}),
            _accept(0.05, *_P3),
            _dispatch(0.08),
            _start(0.1),
            _reply(0.2, LINE1, "已安排。"),
        ],
    ),
    Story(
        "梁雪",
        50,
        "电话会议无声",
        "会议室电话无声，重启无效。",
        SWITCH,
        [
            _accept(0.05, *_P2),
            _dispatch(0.08),
            _start(0.1),
            _reply(0.2, LINE1, "远程检查中。"),
            _deliver(3, LINE1, "更换声卡驱动后恢复。"),
        ],
    ),
    Story(
        "宋佳",
        80,
        "防火墙策略咨询",
        "新增分支的访问策略如何配置？",
        SWITCH,
        [
            _accept(0.05, *_P3),
            _dispatch(0.08),
            _start(0.1),
            _reply(0.2, LINE1, "附上配置说明。"),
            _deliver(1.5, LINE1, "已发送配置说明并电话确认。"),
            (20, "宋佳", o.confirm_request, {"verified_by": None}),
            (21, LINE1, o.close_request, {}),
        ],
    ),
    Story(
        "唐宁",
        12,
        "外场基站断电",
        "外场基站断电，需合作伙伴到场。",
        DESKTOP,
        [_accept(0.05, *_P2), _dispatch(0.08, _QUEUE_FIRM, "冯凯"), _start(0.1, "冯凯")],
    ),
    Story(
        "梁雪",
        26,
        "误报的告警",
        "监控误报，请忽略。",
        SWITCH,
        [(0.5, "梁雪", o.cancel_request, {"reason": "监控误报"})],
    ),
    Story(
        "韩梅",
        3,
        "收银云桌面无法打印",
        "三家门店的收银台打印无反应。",
        DESKTOP,
    ),
    Story(
        "宋佳",
        27,
        "询问打印机耗材",
        "请问办公打印机的耗材由谁提供？",
        SWITCH,
        [
            (
                0.3,
                LINE1,
                o.reject_request,
                {"code": RejectionCode.OUT_OF_SCOPE, "reason": "耗材不在服务范围内。"},
            )
        ],
        RequestKind.NON_TECHNICAL,
    ),
    Story(
        "梁雪",
        1.2,
        "访客无线无法认证",
        "访客扫码后页面打不开。",
        SWITCH,
        [_accept(0.1, *_P3), _dispatch(0.05)],
    ),
    Story(
        "梁雪",
        20,
        "二号线交换机频繁重启",
        "每隔一小时重启一次，电源模块告警。",
        SWITCH,
        [
            *_taken_up(_P2, "先收集日志，同时申请备件。"),
            _wait(1.0, LINE1, WaitingReason.CUSTOMER, "请提供机房温度记录。"),
            _wait(1.2, LINE1, WaitingReason.SPARE_PART, "电源模块已申请调拨。"),
        ],
    ),
    Story(
        "唐宁",
        7,
        "云桌面连接服务异常",
        "门诊云桌面无法新建会话。",
        DESKTOP,
        [
            *_taken_up(_P2, "正在切换连接服务。"),
            (2, LINE1, o.restore_request, {"workaround": "已切换到备用连接服务器。"}),
        ],
    ),
    Story(
        "宋佳",
        54,
        "语音网关注册失败",
        "分部话机全部显示未注册。",
        SWITCH,
        [
            *_taken_up(_P2, "正在核对注册参数。"),
            _deliver(3, LINE1, "修正注册地址后恢复。"),
            (20, "宋佳", o.confirm_request, {"verified_by": None}),
        ],
    ),
    Story(
        "梁雪",
        0.5,
        "全厂网络中断",
        "核心交换机双机无响应，全厂停产。",
        SWITCH,
        [
            *_taken_up(_P1, "已电话联系，正在赶往现场。", hurry=0.3),
            (0.15, MANAGER, o.declare_emergency, {"reason": "全厂停产", "found": None}),
            (
                0.3,
                LINE1,
                o.publish_bulletin,
                {"kind": BulletinKind.FIRST, "text": "核心交换机双机故障，工程师已到场。"},
            ),
        ],
    ),
    Story(
        "唐宁",
        28,
        "外网线路需更换光缆",
        "施工挖断光缆，需合作伙伴熔接。",
        DESKTOP,
        [
            *_taken_up(_P3, "已联系合作伙伴。"),
            (
                2,
                DISPATCHER,
                o.hand_to_partner,
                {
                    "queue_id": _QUEUE_FIRM,
                    "assignee_id": demo_id("person", "冯凯"),
                    "reason": "光缆熔接",
                    "waiting": True,
                },
            ),
        ],
    ),
    Story(
        "宋佳",
        22.6,
        "财务专线缓慢",
        "打开报表要两分钟，期限将近。",
        SWITCH,
        _taken_up(_P3, "正在核对链路质量。"),
    ),
    Story(
        "梁雪",
        300,
        "监控录像丢失",
        "夜间录像有空白时段，已超出承诺时间。",
        SWITCH,
        _taken_up(_P2, "正在比对存储日志。"),
    ),
    Story(
        "宋佳",
        310,
        "数据中心温控告警",
        "告警反复，现场无异常。",
        SWITCH,
        [*_taken_up(_P2, "正在更换传感器。"), _explain(200)],
    ),
    Story(
        "宋佳",
        320,
        "备份链路时断时续",
        "每天凌晨两点中断约十分钟。",
        SWITCH,
        [
            *_taken_up(_P2, "正在与运营商联合排查。"),
            _explain(200),
            (204, LEAD, o.approve_breach_reason, {"thread": Thread.RESOLUTION}),
        ],
    ),
)


async def seed_requests(now: datetime, progress: Progress) -> None:
    """Tell the stories, once: a database that has requests is left as it is."""
    if await Request.exists():
        return
    for number, story in enumerate(STORIES):
        progress(number / len(STORIES), story.title)
        await _tell(story, now - timedelta(hours=story.hours_ago))


async def _tell(story: Story, began: datetime) -> None:
    request_id = await o.submit_request(
        await _actor(story.who),
        Intake(
            kind=story.kind,
            title=story.title,
            description=story.description,
            product_id=demo_id("product", story.product),
        ),
        now=began,
    )
    for after, who, operation, given in story.steps:
        at = began + timedelta(hours=after)
        await operation(await _actor(who), request_id, now=at, **given)


async def _actor(name: str) -> Any:
    actor = await load_actor(demo_id("person", name))
    assert actor is not None
    return actor
