"""Control points as the API shows them: whose each step is, by when, and how it ended (R-CP)."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, computed, one, public_id, sql
from api.planner.stored import Node, stored
from api.schema.people.types import Organisation, Person
from api.schema.sla.attribution import name_of
from api.schema.sla.positions import POSITION_NOW
from api.schema.vocabulary import described
from itr.actors.roles import Permission
from itr.sight.requests import visible_parts
from itr.sla.control_points import StepOwner
from itr.sla.terms import ControlPointState, Thread

if TYPE_CHECKING:
    from api.schema.requests.types import ServiceRequest

described(
    ControlPointState,
    "How a control point stands, or how it ended. 环节状态",
    {
        ControlPointState.OPEN: "Somebody's to do. 进行中",
        ControlPointState.COMPLETED: "Done by an act. 已完成",
        ControlPointState.PASSED: "Passed by the workflow without an act of its own: without time,"
        " neither on time nor late. 略过",
        ControlPointState.GIVEN_UP: "Given up when the request was. 放弃",
    },
)
described(
    StepOwner,
    "Who has a control point: the owner of the request, or somebody of a role. 环节责任角色",
    {
        StepOwner.OWNER: "The owner of the request. 责任人",
        StepOwner.LINE1: "Line 1. 一线",
        StepOwner.LINE2: "Line 2. 二线",
        StepOwner.LINE3: "Line 3. 三线",
        StepOwner.LINE_LEAD: "The line lead. 组长",
        StepOwner.DISPATCH_MANAGER: "The dispatch manager. 服务调度经理",
        StepOwner.PROCESS_MANAGER: "The process manager. 流程经理",
        StepOwner.SPARES_MANAGER: "The spares manager. 备件经理",
        StepOwner.QUALITY_CONTROLLER: "The quality controller. 质控专员",
        StepOwner.CUSTOMER: "The customer. 客户",
    },
)

_NOW_US = POSITION_NOW.value("us", id="calendar_version_id")
_IS_OPEN = POSITION_NOW.value("is_open", id="calendar_version_id")
_CHANGES_AT = POSITION_NOW.value("changes_at", id="calendar_version_id")
_ELAPSED = (
    "(case when {t}.base_us is null then {t}.elapsed_us"
    " else coalesce({now_us}, 0) - {t}.base_us end)"
)


@stored(
    table="control_point",
    key="cpt",
    visible=visible_parts,
    permission=Permission.READ_INTERNAL,
    order="number",
)
@strawberry.type(description="One of the thirty steps of a request (R-CP-01). 流程作业控制点")
class ControlPoint(Node):
    """One of the thirty steps of a request: whose, by when, and how it ended."""

    id: strawberry.ID = public_id()
    number: int = column(filter=True, order=True, description="Which of the thirty.")
    thread: Thread = column(filter=True, description="The thread it has a share of.")
    name: str = computed(
        ["number"],
        lambda values, context: name_of(values["number"], context.language),
        description="Its name in your language.",
    )
    owner_role: StepOwner = column(filter=True, description="Whose it is by the process.")
    owner: Person | None = one(
        "owner_id",
        filter=True,
        description="The named person; the dispatch manager for nobody. Once completed, who acted;"
        " null where it was passed.",
    )
    state: ControlPointState = sql(
        "case when {t}.completed_at is null then 'OPEN'"
        f" else coalesce({{t}}.ended, '{ControlPointState.COMPLETED}') end",
        filter=True,
        description="How it stands, or how it ended.",
    )
    line: int = column(filter=True, description="On which line it is, or was last.")
    partner: Organisation | None = one(
        "partner_id", filter=True, description="With which partner firm."
    )
    budget: timedelta | None = column(
        "budget_us", description="Working time it may take; null: it is only measured (R-CP-01)."
    )
    started_at: datetime = column(filter=True, order=True, description="When it was first due.")
    deadline: datetime | None = column(
        filter=True, order=True, description="When its budget is spent; null while paused."
    )
    elapsed: timedelta = sql(
        _ELAPSED,
        uses={"now_us": _NOW_US},
        description="Working time it took so far; none if passed.",
    )
    remaining: timedelta | None = sql(
        f"case when {{t}}.ended is distinct from '{ControlPointState.PASSED}'"
        " then {t}.budget_us - " + _ELAPSED + " end",
        uses={"now_us": _NOW_US},
        description="Working time left; negative is its overrun. Null where it was passed.",
    )
    counting: bool = sql(
        "({t}.base_us is not null and coalesce({is_open}, false))",
        uses={"is_open": _IS_OPEN},
        description="Whether it counts at this instant.",
    )
    counting_changes_at: datetime | None = sql(
        "case when {t}.base_us is not null then {changes_at} end",
        uses={"changes_at": _CHANGES_AT},
        description="When counting next begins or ends by the calendar.",
    )
    completed_at: datetime | None = column(
        filter=True, order=True, description="When it was done, passed or given up."
    )
    on_time: bool | None = column(
        filter=True,
        description="Whether it was done within its budget; null while it is open, without a"
        " budget, and when it was passed or given up.",
    )
    overdue: bool = sql(
        "coalesce(not {t}.on_time, {t}.completed_at is null and ({t}.deadline < :now"
        " or ({t}.base_us is null and {t}.elapsed_us > {t}.budget_us)), false)",
        filter=True,
        description="Whether it went over its budget.",
    )
    reminded: int = column(description="Highest reminder its owner got, in percent.")
    next_reminder_at: datetime | None = column(description="When its owner is reminded next.")
    request: Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")] | None = one(
        "request_id", description="The request it is a step of."
    )


@filter_for(ControlPoint)
class ControlPointFilter:
    """Only control points for which all of this holds."""


@order_for(ControlPoint)
class ControlPointOrder:
    """What to sort control points by, and which way."""


@connection_of(ControlPoint)
class ControlPointConnection:
    """A page of control points."""
