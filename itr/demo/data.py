"""What the demonstration data says: names, shifts, targets, prices; `demo` writes it."""

from uuid import NAMESPACE_URL, UUID, uuid5

from itr.actors.roles import Role
from itr.catalogue.rules import Pauses, Targets
from itr.catalogue.terms import ChargeKind
from itr.durations import HOUR, MINUTE
from itr.sla.calendars import CalendarDefinition, Shift
from itr.sla.clock import Target
from itr.sla.terms import Thread, WaitingReason

_NAMES = uuid5(NAMESPACE_URL, "https://itr-desk.example/demo")


def demo_id(kind: str, name: str) -> UUID:
    """The id a demonstration row has on every machine, e.g. `demo_id("person", "张伟")`."""
    return uuid5(_NAMES, f"{kind}/{name}")


SHANGHAI, BEIJING = "上海分公司", "北京分公司"
LAKE, RIDGE, GRAIN = "澄湖精密制造", "岚山医疗科技", "禾木连锁餐饮"
WHALE, STONE = "蓝鲸网络外包", "青石备件供应"

BRANCHES = (SHANGHAI, BEIJING)
CUSTOMERS = {LAKE: SHANGHAI, RIDGE: BEIJING, GRAIN: SHANGHAI}
PARTNERS = (WHALE, STONE)

PEOPLE: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("张伟", SHANGHAI, (Role.LINE1,)),
    ("李娜", BEIJING, (Role.LINE1,)),
    ("王强", SHANGHAI, (Role.LINE2,)),
    ("周敏", SHANGHAI, (Role.LINE2,)),
    ("刘洋", BEIJING, (Role.LINE3,)),
    ("陈静", SHANGHAI, (Role.LINE_LEAD,)),
    ("杨帆", SHANGHAI, (Role.LINE_LEAD, Role.LINE2)),
    ("赵磊", SHANGHAI, (Role.FIELD_ENGINEER,)),
    ("黄敏", SHANGHAI, (Role.DISPATCH_MANAGER,)),
    ("周涛", SHANGHAI, (Role.SPARES_MANAGER,)),
    ("吴霞", BEIJING, (Role.QUALITY_CONTROLLER,)),
    ("徐丽", BEIJING, (Role.COMPLAINT_HANDLER,)),
    ("孙杰", SHANGHAI, (Role.PROJECT_MANAGER,)),
    ("马超", BEIJING, (Role.CATALOGUE_MANAGER,)),
    ("朱琳", BEIJING, (Role.SALES_SUPPORT,)),
    ("胡军", SHANGHAI, (Role.BRANCH_MANAGER,)),
    ("郭平", BEIJING, (Role.BRANCH_MANAGER,)),
    ("何芳", BEIJING, (Role.ANALYST,)),
    ("高翔", SHANGHAI, (Role.PROCESS_MANAGER,)),
    ("林峰", SHANGHAI, (Role.OPERATIONS_DIRECTOR,)),
    ("大屏一号", SHANGHAI, (Role.WALLBOARD,)),
    ("罗勇", SHANGHAI, (Role.ADMIN,)),
    ("梁雪", LAKE, (Role.CUSTOMER,)),
    ("宋佳", LAKE, (Role.CUSTOMER,)),
    ("唐宁", RIDGE, (Role.CUSTOMER,)),
    ("韩梅", GRAIN, (Role.CUSTOMER,)),
    ("冯凯", WHALE, (Role.PARTNER,)),
    ("蓝鲸接口", WHALE, (Role.PARTNER,)),
    ("曹颖", STONE, (Role.PARTNER,)),
)
MACHINES = frozenset({"大屏一号", "蓝鲸接口"})

QUEUES: tuple[tuple[str, int, str, str | None, tuple[str, ...]], ...] = (
    ("上海一线", 1, SHANGHAI, "陈静", ("张伟", "赵磊")),
    ("北京一线", 1, BEIJING, "陈静", ("李娜",)),
    ("二线技术支持中心", 2, SHANGHAI, "杨帆", ("王强", "周敏", "杨帆", "赵磊")),
    ("三线研发维护", 3, BEIJING, None, ("刘洋",)),
    ("蓝鲸外包二线", 2, WHALE, None, ("冯凯", "蓝鲸接口")),
    ("青石备件队列", 2, STONE, None, ("曹颖",)),
)

CN, ALWAYS, NIGHT = "中国工作日", "全天候 24×7", "夜班"
_DAY_SHIFTS = (("09:00", "12:00"), ("13:30", "18:00"))
CALENDARS = {
    CN: CalendarDefinition(
        "Asia/Shanghai",
        shifts=tuple(
            Shift(weekday, opens, closes) for weekday in range(5) for opens, closes in _DAY_SHIFTS
        ),
        country_holidays="CN",
    ),
    ALWAYS: CalendarDefinition("Asia/Shanghai", always_open=True),
    NIGHT: CalendarDefinition(
        "Asia/Shanghai", shifts=tuple(Shift(weekday, "20:00", "08:00") for weekday in range(5))
    ),
}


def _hours(**rows: tuple[float, float, float, float]) -> Targets:
    return {
        (priority, thread): Target(us=round(amount * HOUR))
        for priority, row in rows.items()
        for thread, amount in zip(Thread, row, strict=True)
    }


def _days(**rows: tuple[int, int, int, int]) -> Targets:
    return {
        (priority, thread): Target(days=amount)
        for priority, row in rows.items()
        for thread, amount in zip(Thread, row, strict=True)
    }


def _pausing(*reasons: WaitingReason) -> Pauses:
    threads = (Thread.RESTORATION, Thread.RESOLUTION)
    return frozenset((reason, thread) for reason in reasons for thread in threads)


HOUSE, GOLD, SILVER = "内部标准", "金牌 Gold", "银牌 Silver"
QUARTER = 15 * MINUTE / HOUR
LEVELS: tuple[tuple[str, str, Targets, Pauses], ...] = (
    (
        HOUSE,
        CN,
        {
            **_hours(P1=(1, 8, 16, 80), P2=(2, 16, 32, 80), P3=(4, 32, 60, 80)),
            **_days(P4=(1, 10, 20, 10)),
        },
        _pausing(*WaitingReason),
    ),
    (
        GOLD,
        ALWAYS,
        _hours(
            P1=(QUARTER, 4, 24, 240),
            P2=(2 * QUARTER, 8, 72, 240),
            P3=(2, 24, 168, 240),
            P4=(4, 72, 336, 240),
        ),
        _pausing(WaitingReason.CUSTOMER, WaitingReason.CHANGE_WINDOW),
    ),
    (
        SILVER,
        CN,
        {
            **_hours(P1=(0.5, 8, 24, 80), P2=(1, 16, 40, 80), P3=(2, 24, 60, 80)),
            **_days(P4=(1, 5, 15, 10)),
        },
        _pausing(WaitingReason.CUSTOMER, WaitingReason.SPARE_PART, WaitingReason.CHANGE_WINDOW),
    ),
)

SWITCH, DESKTOP, VIDEO, GATEWAY, OLD = (
    "CX 核心交换机",
    "云桌面平台",
    "视频会议系统",
    "安防网关",
    "程控交换机（已停产）",
)
PRODUCTS = {SWITCH: True, DESKTOP: True, VIDEO: True, GATEWAY: True, OLD: False}

K = ChargeKind
ITEMS: tuple[tuple[str, ChargeKind, str, str | None, str, str], ...] = (
    ("远程技术支持（单次）", K.SUPPORT, "800.00", None, "4 小时内响应", "由认证工程师远程处理"),
    ("云桌面远程支持（单次）", K.SUPPORT, "1200.00", DESKTOP, "2 小时内响应", "含健康检查"),
    ("现场维保（人天）", K.MAINTENANCE, "2500.00", None, "次日到场", "到场前电话确认"),
    ("安装实施（人天）", K.IMPLEMENTATION, "3000.00", None, "按计划日期完成", "附验收单"),
    ("网络健康咨询", K.CONSULTING, "6000.00", SWITCH, "10 个工作日出报告", "报告经二线评审"),
    ("管理员培训（人次）", K.TRAINING, "1500.00", None, "考核通过率 90 %", "附课件与证书"),
)
SERVICE_PRODUCTS = {
    "远程支持服务": ("远程技术支持（单次）", "云桌面远程支持（单次）", "网络健康咨询"),
    "现场服务": ("现场维保（人天）", "安装实施（人天）"),
}
GOLD_PACKAGE, SILVER_PACKAGE = "金牌服务包", "银牌服务包"
PACKAGES = {GOLD_PACKAGE: ("远程支持服务", "现场服务"), SILVER_PACKAGE: ("远程支持服务",)}

LAKE_CONTRACT, RIDGE_CONTRACT = "HT-2025-0001", "HT-2025-0002"
PROJECTS = (
    ("澄湖智能工厂网络", LAKE, LAKE_CONTRACT, ("张伟", "王强")),
    ("岚山云桌面", RIDGE, RIDGE_CONTRACT, ("李娜", "周敏")),
)
