"""What requests of the demonstration's past were about, how bad they were and how they ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from itr.catalogue.terms import FaultLevel, Impact
from itr.demo.data import DESKTOP, GATEWAY, SWITCH, VIDEO
from itr.requests.priority import Classification
from itr.requests.terms import Channel, ProblemType, RequestKind
from itr.sla.terms import BreachReason, WaitingReason

T, F, M, K = ProblemType, FaultLevel, Impact, RequestKind


@dataclass(frozen=True)
class Matter:
    """Something customers come with; `weight` says how often."""

    title: str
    description: str
    product: str
    classification: Classification
    solution: str
    weight: int
    kind: RequestKind = K.TECHNICAL


MATTERS: Sequence[Matter] = (
    Matter(
        "核心交换机宕机，全厂断网",
        "主备引擎均无响应，告警灯常亮。",
        SWITCH,
        Classification(T.FAULT, F.CRITICAL, M.ENTERPRISE),
        "更换主控板并升级固件，观察两小时正常。",
        3,
    ),
    Matter(
        "云桌面平台无法登录",
        "全部用户提示会话已断开。",
        DESKTOP,
        Classification(T.FAULT, F.CRITICAL, M.ENTERPRISE),
        "重建连接服务，恢复全部会话。",
        2,
    ),
    Matter(
        "二楼办公区断网",
        "接入交换机端口频繁 up/down。",
        SWITCH,
        Classification(T.FAULT, F.MAJOR, M.DEPARTMENT),
        "更换光模块，清洁光纤接头。",
        12,
    ),
    Matter(
        "视频会议画面卡顿",
        "多方会议时声音不同步。",
        VIDEO,
        Classification(T.DEGRADATION, F.MAJOR, M.DEPARTMENT),
        "调整带宽策略，会议终端升级补丁。",
        10,
    ),
    Matter(
        "安防网关告警未上报",
        "固件升级后平台收不到告警。",
        GATEWAY,
        Classification(T.DEGRADATION, F.MINOR, M.GROUP),
        "修正上报地址并重启服务。",
        18,
    ),
    Matter(
        "瘦终端无法识别读卡器",
        "重新插拔后仍无法识别。",
        DESKTOP,
        Classification(T.FAULT, F.MINOR, M.GROUP),
        "更新驱动并放行设备策略。",
        22,
    ),
    Matter(
        "账号被锁定",
        "登录时提示账号已锁定。",
        DESKTOP,
        Classification(T.FAULT, F.MINOR, M.INDIVIDUAL),
        "核实身份后解锁并重设密码。",
        14,
    ),
    Matter(
        "新仓库无线覆盖咨询",
        "三千平方米仓库需要多少接入点？",
        SWITCH,
        Classification(T.CONSULTATION, F.NONE, M.INDIVIDUAL),
        "已提供点位图与设备清单。",
        12,
        K.NON_TECHNICAL,
    ),
    Matter(
        "申请策略变更说明",
        "请说明分支机构的访问策略如何配置。",
        SWITCH,
        Classification(T.CONSULTATION, F.MINOR, M.GROUP),
        "附上配置说明，电话确认已理解。",
        7,
        K.NON_TECHNICAL,
    ),
)

CHANNELS: Sequence[tuple[Channel, int]] = (
    (Channel.PHONE, 45),
    (Channel.WEB, 35),
    (Channel.EMAIL, 14),
    (Channel.MONITORING, 6),
)

WAITS: Sequence[tuple[WaitingReason, str, int]] = (
    (WaitingReason.CUSTOMER, "请提供故障时段的日志。", 55),
    (WaitingReason.SPARE_PART, "备件已调拨，等待到货。", 20),
    (WaitingReason.CHANGE_WINDOW, "等待客户的变更窗口。", 15),
    (WaitingReason.THIRD_PARTY, "等待运营商处理链路。", 10),
)

BREACHES: Sequence[tuple[BreachReason, str, int]] = (
    (BreachReason.STAFFING, "当班人手不足。", 30),
    (BreachReason.SPARE_PART, "备件到货晚于预期。", 20),
    (BreachReason.SKILL, "首次遇到该型号，需二线协助。", 20),
    (BreachReason.WRONG_DISPATCH, "最初派往了错误的队列。", 15),
    (BreachReason.THIRD_PARTY, "第三方处理超出预期。", 15),
)
