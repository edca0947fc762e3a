"""How each figure is computed, in words (R-KPI-02)."""

from collections.abc import Mapping

from itr.errors import Language
from itr.figures.terms import FigureName

F = FigureName


def _median(zh: str, en: str) -> tuple[str, str]:
    return (
        f"{zh}的中位数（percentile_cont 0.5）。",
        f"Median of {en} (percentile_cont 0.5).",
    )


def _p90(zh: str, en: str) -> tuple[str, str]:
    return (
        f"{zh}的 90 分位（percentile_disc 0.9）。",
        f"90th percentile of {en} (percentile_disc 0.9).",
    )


_RESOLVED = (
    "自注册至最后一次交付方案的实际时长（仅计已交付的请求）",
    "the real time from registration to the last delivery, over requests with a delivery",
)
_AGE = (
    "未结请求自注册至现在的实际时长",
    "the real time from registration until now, over requests still open",
)
_RESPONSE = (
    "响应时钟所计的工作时间（按请求的服务日历，暂停不计；仅计响应已完成的请求）",
    "the working time the RESPONSE clock counted (by the request's calendar, without pauses), over"
    " requests whose thread is completed",
)
_RESTORATION = (
    "恢复时钟所计的工作时间（按请求的服务日历，暂停不计；仅计恢复已完成的请求）",
    "the working time the RESTORATION clock counted (by the request's calendar, without pauses),"
    " over requests whose thread is completed",
)
_RESOLUTION = (
    "解决时钟所计的工作时间（按请求的服务日历，暂停与已解决期间不计；仅计解决已完成的请求）",
    "the working time the RESOLUTION clock counted (by the request's calendar, without pauses and"
    " without the time it stood solved), over requests whose thread is completed",
)

_WAITED = (
    "时段内请求各线索暂停期间的工作时间之和（按线索自己的日历；同一次等待暂停几个线索就计几次；"
    "仅服务级别会为之暂停的等待；不属于超时时长）",
    "Working time in which the threads of the period's requests were paused, by each thread's own"
    " calendar: a wait that pauses two threads counts in both, one that its service level pauses"
    " nothing for in none. It is no part of any lateness",
)
_FOR_CUSTOMER = "；只计等待客户", "; waiting for the customer only"
_OF_BREACHED = "；只计曾经超时的线索", "; of threads that were ever breached only"


def _waited(*only: tuple[str, str]) -> tuple[str, str]:
    zh, en = (f"{_WAITED[place]}{''.join(each[place] for each in only)}" for place in (0, 1))
    return f"{zh}。", f"{en}."


FORMULAS: Mapping[FigureName, tuple[str, str]] = {
    F.REQUESTS: (
        "时段内的请求数；子请求与已并入其他请求的重复请求不计。",
        "Requests of the period; parts of another request and duplicates merged into another do not"
        " count.",
    ),
    F.SHARE: (
        "本行请求数 ÷ 各维度均有值的全部行请求数；维度无值的行没有占比。按支持线即 991 "
        "占比：分母为方案已被接受的请求。各行占比之和恰为 1。",
        "Requests of the row ÷ requests of all rows whose dimensions have a value; a row without "
        "one has no share. By line these are the 991 shares, of requests whose solution was"
        " accepted. The shares make exactly 1.",
    ),
    F.DELIVERED: (
        "其中至少交付过一次方案的请求数。",
        "Those of them with at least one delivered solution.",
    ),
    F.CLOSED: ("其中现已关闭的请求数。", "Those of them that are closed now."),
    F.CLOSED_PROMISED: (
        "其中已关闭且鉴权结果为“有权”的请求数；其他请求按内部级别计时，不计入服务级别达成率。",
        "Those closed whose entitlement is ENTITLED; the others run at the house level and are left"
        " out of SLA rates.",
    ),
    F.CLOSED_ON_TIME: (
        "已关闭且有权的请求中，所有承诺的时间线索均未超时的请求数。",
        "Of the closed and entitled ones, those none of whose promised threads was ever breached.",
    ),
    F.ON_TIME_CLOSING_RATE: (
        "按时关闭率（SLA）＝ 承诺线索全部按时的已关闭请求 ÷ 已关闭请求（均仅计有权请求）。",
        "On-time closing rate (SLA) = closed with every promised thread met ÷ closed, both of"
        " entitled requests only.",
    ),
    F.SOURCE_JUDGED: (
        "其中从另一系统导入、且该系统自己判断过承诺是否达成的请求数。",
        "Those imported from another system that judged itself whether its promise was met.",
    ),
    F.SOURCE_MET: (
        "其中来源系统自己判断为达成承诺的请求数（与本系统的时钟无关）。",
        "Of these, those whose promise that system says was met, whatever our clocks say.",
    ),
    F.SOURCE_MET_RATE: (
        "来源达成率 ＝ 来源判断为达成的请求 ÷ 来源判断过的请求。",
        "Rate met by the source = met as the source says ÷ judged by the source.",
    ),
    F.REOPENED: (
        "其中方案交付后被退回、或确认或关闭后重新打开过至少一次的请求数。",
        "Those whose delivered solution was sent back, or that were opened again after "
        "confirmation or closing, at least once.",
    ),
    F.REOPEN_RATE: (
        "重开率 ＝ 重新打开的请求 ÷ 交付过方案的请求。",
        "Reopen rate = reopened requests ÷ requests with a delivery.",
    ),
    F.RETURNED: (
        "其中离开某队列后又回到该队列的请求数（同一队列连续出现只算一次停留）。",
        "Those that came back to a queue they had left; staying in a queue counts once.",
    ),
    F.FIRST_CONTACT: (
        "其中由一线首位接单人直接交付、未等待、未退回队列、未升级或退回、未重新打开的请求数。",
        "Those delivered by line 1 in the hands of the first person who took them: never waiting, "
        "requeued, handed up or back, or reopened.",
    ),
    F.FIRST_CONTACT_RATE: (
        "首次联系解决率 ＝ 首次联系解决的请求 ÷ 交付过方案的请求。",
        "First-contact resolution = requests resolved at first contact ÷ requests with a delivery.",
    ),
    F.SOLVED_BY_LINE_1: (
        "其中已被接受的方案由一线交付的请求数；被退回、尚未确认或已取消的不算任何一线的。",
        "Those whose accepted solution line 1 delivered; what was sent back, is not confirmed yet"
        " or was cancelled is no line's.",
    ),
    F.SOLVED_BY_LINE_2: (
        "其中已被接受的方案由二线交付的请求数。",
        "Those whose accepted solution line 2 delivered.",
    ),
    F.SOLVED_BY_LINE_3: (
        "其中已被接受的方案由三线交付的请求数。",
        "Those whose accepted solution line 3 delivered.",
    ),
    F.LINE_1_SHARE: (
        "991 之一线：一线解决 ÷ 全部已解决（目标 90 %）。",
        "991, line 1: solved by line 1 ÷ all solved (target 90 %).",
    ),
    F.LINE_2_SHARE_OF_REST: (
        "991 之二线：二线解决 ÷ 一线未解决的（二线与三线解决之和；目标 90 %）。",
        "991, line 2: solved by line 2 ÷ what line 1 did not solve (lines 2 and 3; target 90 %).",
    ),
    F.LINE_3_SHARE: (
        "991 之三线：三线解决 ÷ 全部已解决（目标至多 1 %）。",
        "991, line 3: solved by line 3 ÷ all solved (target: at most 1 %).",
    ),
    F.BACKLOG: (
        "其中现在尚未关闭、取消或拒绝的请求数。",
        "Those of them not closed, cancelled or rejected as of now.",
    ),
    F.BREACHED_NOW: (
        "其中未结、且有仍在计时的时间线索现已超过期限的请求数；与大屏、列表的“现已超时”同一定义，"
        "不论告警是否已发出。",
        "Those still open with a thread that is past its deadline now and runs on; the same as on"
        " boards and in lists, whether or not an alarm told so.",
    ),
    F.BACKLOG_AGE_MEDIAN: _median(*_AGE),
    F.BACKLOG_AGE_P90: _p90(*_AGE),
    F.TIME_TO_RESOLVE_MEDIAN: _median(*_RESOLVED),
    F.TIME_TO_RESOLVE_P90: _p90(*_RESOLVED),
    F.RESPONSE_TIME_MEDIAN: _median(*_RESPONSE),
    F.RESPONSE_TIME_P90: _p90(*_RESPONSE),
    F.RESTORATION_TIME_MEDIAN: _median(*_RESTORATION),
    F.RESTORATION_TIME_P90: _p90(*_RESTORATION),
    F.RESOLUTION_TIME_MEDIAN: _median(*_RESOLUTION),
    F.RESOLUTION_TIME_P90: _p90(*_RESOLUTION),
    F.TASKS: (
        "时段内请求及其子请求的、由某人办理完成且有预算的控制点数（略过的、放弃的、只计量的不计）。",
        "Control points completed by somebody's act that had a budget, of the period's requests and"
        " of parts of requests; those passed, given up or only measured do not count.",
    ),
    F.TASKS_ON_TIME: (
        "其中在预算内完成的控制点数。",
        "Those of them completed within their budget.",
    ),
    F.ON_TIME_TASK_RATE: (
        "任务按时率（OLA）＝ 预算内完成的控制点 ÷ 已完成的控制点；略过的不计，另列其数。",
        "On-time task rate (OLA) = control points completed within budget ÷ completed; those passed"
        " are left out and told beside.",
    ),
    F.TASKS_PASSED: (
        "时段内请求及其子请求的、流程略过而无人办理的控制点数：不计时，既不算按时也不算超时。",
        "Control points the workflow passed without an act of their own, of the period's requests"
        " and of parts of requests: without time, neither on time nor late.",
    ),
    F.BREACHES: (
        "时段内请求中曾经超时的时间线索数（含无权请求按内部级别的时钟）。",
        "Time threads of the period's requests that were ever breached, those at the house level"
        " included.",
    ),
    F.BREACHES_UNEXPLAINED: (
        "其中尚无经批准的超时原因的时间线索数。",
        "Those of them whose breach has no approved reason yet.",
    ),
    F.LATENESS: (
        "时段内请求各线索现有的超时工作时间之和（逐线索计，恢复与解决同时超时则两次计入）；按环节、"
        "支持线、人员、伙伴分时，每个线索的超时按各控制点超出预算的比例分摊，各份之和恰为总数。",
        "Working time beyond the deadline as it stands now, summed over the threads of the period's"
        " requests (late in two threads counts in both). By control point, line, person or partner,"
        " each thread's lateness is divided in proportion to the overrun of its steps; the parts"
        " sum exactly.",
    ),
    F.WAITING: _waited(),
    F.WAITING_OF_BREACHED: _waited(_OF_BREACHED),
    F.CUSTOMER_WAIT: _waited(_FOR_CUSTOMER),
    F.CUSTOMER_WAIT_OF_BREACHED: _waited(_FOR_CUSTOMER, _OF_BREACHED),
}


def formula_of(figure: FigureName, language: Language) -> str:
    """How a figure is computed, in the reader's language (R-KPI-02)."""
    zh, en = FORMULAS[figure]
    return zh if language == "zh" else en
