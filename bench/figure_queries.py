"""How long figures take over everything there is, and the requests behind them.

    python -m bench --only figures

The shared database gets stays, moves and control points first, made by the database itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg
import httpx

from bench.dashboard import token_for
from bench.figures import Table
from bench.servers import Api, Stand
from itr.actors.roles import Role
from itr.addresses import credentials

ROUNDS = 5

_STAYS = """
insert into stint (id, request_id, number, line, queue_id, started_at)
select gen_random_uuid(), r.id, n, case when n = 1 then 1 when r.dice < 0.97 then 2 else 3 end,
    r.queue_id, r.registered_at + n * interval '20 minutes'
from (select *, random() as dice from request asked
    where not exists (select 1 from stint s where s.request_id = asked.id)) r,
    generate_series(1, case when r.dice < 0.8 then 1 when r.dice < 0.97 then 2 else 3 end) n
"""
_MOVES = """
insert into event (type, subject_type, subject, subject_version, stream, audience, customer_id,
    branch_id, actor_id, actor_name, occurred_at, historic, payload)
select kind.type, 'request', r.id, 100 + kind.place, r.id, 'PUBLIC', r.customer_id, r.branch_id,
    r.requester_id, 'bench', r.registered_at + kind.place * interval '5 minutes', true,
    case when kind.type = 'RequestStarted' then '{}'::jsonb
        else jsonb_build_object('queue', r.queue_id) end
from request r, (values ('RequestDispatched', 1), ('RequestStarted', 2), ('RequestRequeued', 3),
    ('RequestStarted', 4)) as kind (type, place)
where not exists (select 1 from control_point p where p.request_id = r.id)
and kind.place <= case when r.number < 'SR-M' or random() < 0.7 then 2 else 4 end
"""
_STEPS = """
insert into control_point (id, request_id, number, thread, owner_id, owner_role, line,
    calendar_version_id, budget_us, started_at, elapsed_us, completed_at, on_time, reminded,
    revision)
select gen_random_uuid(), c.request_id, n, case when n <= 8 then 'RESPONSE' when n <= 16
    then 'RESTORATION' when n <= 25 then 'RESOLUTION' else 'CLOSURE' end, r.assignee_id, 'OWNER',
    1, c.calendar_version_id, budget, c.started_at, elapsed, r.updated_at, elapsed <= budget, 0, 1
from clock c join request r on r.id = c.request_id,
    lateral (select n, (random() * 36e9)::bigint as budget, (random() * 30e9)::bigint as elapsed
        from unnest(array[1, 6, 8, 13, 25, 27]) n) step
where c.thread = 'RESPONSE'
and not exists (select 1 from control_point p where p.request_id = c.request_id)
"""

_PERIOD = 'period: {from: "2000-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z"}'
QUESTIONS: Mapping[str, tuple[str, str]] = {
    "按时关闭率 on-time closing rate": ("", "requests closed onTimeClosingRate"),
    "991": ("", "line1Share line2ShareOfRest line3Share"),
    "首次联系解决 first contact, 返回 returned": ("", "firstContactRate returned"),
    "未结 backlog, 客户 × 月 customer × month": (
        "by: [CUSTOMER, MONTH]",
        "backlog backlogAgeP90 reopenRate",
    ),
    "响应/恢复/解决工时 working times, 优先级 priority": (
        "by: [PRIORITY]",
        "responseTimeP90 restorationTimeP90 resolutionTimeP90 resolutionTimeMedian",
    ),
    "任务按时率 on-time task rate, 控制点 control point": (
        "by: [CONTROL_POINT]",
        "tasks onTimeTaskRate",
    ),
    "超时 lateness": ("", "breaches lateness"),
    "超时归因 lateness by cause, 环节 × 人 step × person": (
        "by: [CONTROL_POINT, STEP_PERSON]",
        "lateness",
    ),
    "全部 every figure": (
        "",
        "requests share delivered closedOnTime onTimeClosingRate reopenRate returned"
        " firstContactRate line1Share backlogAgeMedian timeToResolveP90 responseTimeP90"
        " restorationTimeP90 resolutionTimeP90 onTimeTaskRate breaches lateness",
    ),
}
OPENED = {
    "CLOSED_ON_TIME": "by: [MONTH]",
    "FIRST_CONTACT": "by: [CUSTOMER]",
    "TASKS": "by: [CONTROL_POINT]",
    "LATENESS": "by: [CONTROL_POINT]",
}


def run(stand: Stand, *, quick: bool) -> list[Table]:
    """Ask each question some times; then open a row of some and list what is behind it."""
    requests = asyncio.run(_enriched(stand))
    token = asyncio.run(token_for(stand, Role.ANALYST))
    rounds = 1 if quick else ROUNDS
    with stand.api("api", "cli", "serve") as api:
        asked = [
            (name, *_timed(api, token, f"{{ figures({_PERIOD} {by}) {{ {figures} }} }}", rounds))
            for name, (by, figures) in QUESTIONS.items()
        ]
        opened = [(name, *_opened(api, token, name, by, rounds)) for name, by in OPENED.items()]
    columns = ("", "行 rows", "毫秒 ms")
    return [
        Table(f"指标 Figures, {requests:,} 个请求 requests", columns, asked),
        Table("下钻 Opening a figure: 第一页与总数 first page and count", columns, opened),
    ]


async def _enriched(stand: Stand) -> int:
    connection = await asyncpg.connect(**credentials(stand.addresses.owner_url))
    try:
        for statement in (_STAYS, _MOVES, _STEPS, "analyze"):
            await connection.execute(statement)
        number: int = await connection.fetchval("select count(*) from request")
    finally:
        await connection.close()
    return number


def _timed(
    api: Api, token: str, query: str, rounds: int, variables: Mapping[str, Any] | None = None
) -> tuple[str, str]:
    """How many rows come back, and the median of the milliseconds it took."""
    taken, rows = [], 0
    for _ in range(rounds):
        begun = perf_counter()
        data = _ask(api, token, query, variables)
        taken.append(1000 * (perf_counter() - begun))
        rows = len(data["figures"]) if "figures" in data else data["requests"]["totalCount"]
    return f"{rows:,}", f"{median(taken):,.0f}"


def _opened(api: Api, token: str, figure: str, by: str, rounds: int) -> tuple[str, str]:
    query = f"{{ figures({_PERIOD} {by}) {{ drillDown(of: {figure}) }} }}"
    rows = _ask(api, token, query)["figures"]
    listed = """query($filter: RequestFilter) {
        requests(filter: $filter, first: 50) { totalCount nodes { id number title } } }"""
    return _timed(api, token, listed, rounds, {"filter": rows[len(rows) // 2]["drillDown"]})


def _ask(
    api: Api, token: str, query: str, variables: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    answer = httpx.post(
        f"http://127.0.0.1:{api.port}/graphql",
        content=json.dumps({"query": query, "variables": variables}),
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        timeout=60,
    ).json()
    if "errors" in answer:
        raise AssertionError(answer["errors"])
    data: dict[str, Any] = answer["data"]
    return data
