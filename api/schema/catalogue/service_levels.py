"""Service levels as the API shows them, version by version (R-CAT-03)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, computed, many, one, public_id, sql
from api.planner.stored import Node, stored
from api.schema.catalogue.alarm_rules import AlarmRules, shown_alarm_rules
from api.schema.sla.attribution import name_of
from api.schema.sla.calendars import Calendar
from itr.actors.roles import Permission
from itr.catalogue.terms import FaultLevel, Impact, Priority
from itr.sight.catalogue import (
    visible_service_level_versions,
    visible_service_levels,
    visible_service_pauses,
    visible_service_targets,
)
from itr.sla.control_points import STEPS
from itr.sla.terms import Thread, WaitingReason


@stored(
    table="service_target",
    key="tgt",
    visible=visible_service_targets,
    permission=Permission.READ_CATALOGUE,
)
@strawberry.type(description="How long one thread may take at one priority. 目标")
class ServiceTarget(Node):
    """How long one thread may take at one priority (R-CAT-03)."""

    id: strawberry.ID = public_id()
    priority: Priority = column(description="At this priority.")
    thread: Thread = column(description="For this thread.")
    target: timedelta | None = column("target_us", description="In working hours.")
    target_working_days: Decimal | None = column("target_days", description="In working days.")


@stored(
    table="service_pause",
    key="spa",
    visible=visible_service_pauses,
    permission=Permission.READ_CATALOGUE,
)
@strawberry.type(description="That a waiting reason pauses a thread (R-CAT-03). 暂停规则")
class ServicePause(Node):
    """That a waiting reason pauses a thread."""

    id: strawberry.ID = public_id()
    reason: WaitingReason = column(description="While a request waits for this,")
    thread: Thread = column(description="this thread does not count.")


@strawberry.type(description="One entry of a priority matrix (R-PRI-01). 优先级矩阵条目")
class MatrixEntry:
    """The priority of one fault level and impact."""

    fault_level: FaultLevel = strawberry.field(description="At this fault level,")
    impact: Impact = strawberry.field(description="with this impact,")
    priority: Priority = strawberry.field(description="this is the priority.")


def _matrix(values: Mapping[str, Any], _context: Any) -> list[MatrixEntry] | None:
    saved = values["matrix"]
    if saved is None:
        return None
    return [
        MatrixEntry(fault_level=level, impact=impact, priority=Priority(saved[level][impact]))
        for level in FaultLevel
        for impact in Impact
    ]


@strawberry.type(description="A control point's share of its thread's target. OLA 占比")
class ControlPointShare:
    """A control point's share of its thread's target (R-OLA-01)."""

    number: int = strawberry.field(description="Which control point.")
    name: str = strawberry.field(description="Its name in your language.")
    thread: Thread = strawberry.field(description="The thread it has a share of.")
    percent: Decimal = strawberry.field(description="Its share of what the thread leaves it.")


def _shares(values: Mapping[str, Any], context: Any) -> list[ControlPointShare]:
    saved = values["ola_shares"] or {}
    return [
        ControlPointShare(
            number=number,
            name=name_of(number, context.language),
            thread=step.thread,
            percent=Decimal(saved.get(str(number), step.share)),
        )
        for number, step in STEPS.items()
    ]


@stored(
    table="service_level_version",
    key="slv",
    visible=visible_service_level_versions,
    permission=Permission.READ_CATALOGUE,
    order="number",
)
@strawberry.type(description="What a service level promised from some edit on. 服务级别版本")
class ServiceLevelVersion(Node):
    """What a service level promised from some edit on; never changed (R-CAT-03)."""

    id: strawberry.ID = public_id()
    number: int = column(description="Which version, from 1.")
    service_level: (
        Annotated["ServiceLevel", strawberry.lazy("api.schema.catalogue.service_levels")] | None
    ) = one("service_level_id", description="Of which level.")
    calendar: Calendar | None = one("calendar_id", description="The calendar that counts.")
    matrix: list[MatrixEntry] | None = computed(
        ["matrix"], _matrix, description="Its own priority matrix; null for the default (R-PRI-01)."
    )
    alarm_percents: list[int] = computed(
        ["alarm_percents"],
        lambda values, _context: values["alarm_percents"],
        description="Levels at which an alarm fires, in percent of the target (R-ALM-01).",
    )
    alarm_rules: AlarmRules | None = computed(
        ["alarm_rules", "alarm_percents"],
        shown_alarm_rules,
        permission=Permission.READ_INTERNAL,
        description="Whom its alarms tell, and how, defaults written out (R-ALM-01, R-ESC-02).",
    )
    confirmation_working_days: int = column(
        "confirmation_days", description="Silence confirms after so many working days."
    )
    control_point_shares: list[ControlPointShare] | None = computed(
        ["ola_shares"],
        _shares,
        permission=Permission.READ_INTERNAL,
        description="The shares its control points have: the SLA carries its OLAs (R-OLA-01).",
    )
    targets: list[ServiceTarget] = many(
        "version_id", order="priority, thread", description="Its targets."
    )
    pauses: list[ServicePause] = many(
        "version_id", order="reason, thread", description="What waiting pauses which thread."
    )
    open_requests: int | None = sql(
        "(select count(*)::int from request r where r.service_level_version_id = {t}.id"
        " and r.status not in ('CLOSED', 'CANCELLED', 'REJECTED'))",
        permission=Permission.MANAGE_SERVICE_LEVELS,  # a count over all firms
        description="Open requests that keep this version until they are moved (R-CAT-03).",
    )
    created_at: datetime = column(description="Since when.")


@stored(
    table="service_level",
    key="svl",
    visible=visible_service_levels,
    permission=Permission.READ_CATALOGUE,
    order="name",
)
@strawberry.type(description="A named promise, e.g. Gold. 服务级别")
class ServiceLevel(Node):
    """A named promise; its highest version is what new requests get."""

    id: strawberry.ID = public_id()
    name: str = column(filter=True, order=True, description="Its name.")
    house: bool = column(
        description="Whether it runs the clocks where no contract does (R-ENT-04)."
    )
    active: bool = column(
        filter=True, description="Whether it still promises anything; see switchOffServiceLevel."
    )
    current: ServiceLevelVersion | None = one(
        on="{t}.service_level_id = {parent}.id and {t}.number = (select max(number)"
        " from service_level_version v where v.service_level_id = {parent}.id)",
        description="What new requests get.",
    )
    versions: list[ServiceLevelVersion] = many(
        "service_level_id", order="number", description="All versions, oldest first."
    )


@filter_for(ServiceLevel)
class ServiceLevelFilter:
    """Only service levels for which all of this holds."""


@order_for(ServiceLevel)
class ServiceLevelOrder:
    """What to sort service levels by, and which way."""


@connection_of(ServiceLevel)
class ServiceLevelConnection:
    """A page of service levels."""
