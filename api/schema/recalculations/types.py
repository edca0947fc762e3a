"""What-ifs and migrations as the API shows them (R-SLA-12, R-CAT-03)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, computed, connection, one, public_id, sql
from api.planner.fields import payload_field
from api.planner.stored import Node, stored
from api.schema.catalogue.service_levels import ServiceLevel, ServiceLevelVersion
from api.schema.figures.types import PeriodInput
from api.schema.inputs import MutationInput, id_of
from api.schema.payloads import Payload
from api.schema.people.types import Organisation, Person
from api.schema.sla.calendars import CalendarVersion
from api.schema.vocabulary import described
from itr.actors.roles import Permission
from itr.catalogue.terms import Priority
from itr.recalculations.rules import Tally, rate_of
from itr.sight.recalculations import visible_recalculation_lines, visible_recalculations
from itr.sla.terms import ClockState, RecalculationKind, RecalculationStatus, Thread

if TYPE_CHECKING:
    from api.schema.requests.types import ServiceRequest

described(
    RecalculationKind,
    "What a long computation over many requests is for. 重算类别",
    {
        RecalculationKind.WHAT_IF: "Closed requests under another promise. 假设分析",
        RecalculationKind.MIGRATION_PREVIEW: "What moving open requests would do. 迁移预览",
        RecalculationKind.MIGRATION: "Moving open requests to a new version. 迁移",
        RecalculationKind.SWITCH_OFF: "A service level was switched off. 停用服务级别",
        RecalculationKind.MAKE_UP_DAYS: "A customer opted out of make-up days, or in. 调休设置",
    },
)
described(
    RecalculationStatus,
    "How far a long computation is. 重算状态",
    {
        RecalculationStatus.WAITING: "Not begun. 等待",
        RecalculationStatus.RUNNING: "Under way. 进行中",
        RecalculationStatus.DONE: "Come to its end. 完成",
        RecalculationStatus.CANCELLED: "Called off. 已取消",
        RecalculationStatus.FAILED: "Failed. 失败",
    },
)


@strawberry.type(description="Breaches of one thread and priority, side by side. 超时率对比")
class BreachComparison:
    """Breaches of one thread and priority as they are and as they would be."""

    thread: Thread = strawberry.field(description="Of this thread,")
    priority: Priority | None = strawberry.field(
        description="at the priority the requests have; null for all of the thread."
    )
    clocks: int = strawberry.field(description="Clocks with a promise, as they are.")
    breached: int = strawberry.field(description="Of them breached.")
    breach_rate: Decimal | None = strawberry.field(
        description="breached ÷ clocks, to six places; null without clocks."
    )
    clocks_then: int = strawberry.field(description="Clocks with a promise, as they would be.")
    breached_then: int = strawberry.field(description="Of them breached.")
    breach_rate_then: Decimal | None = strawberry.field(
        description="breachedThen ÷ clocksThen, to six places; null without clocks."
    )


def _comparison(values: Mapping[str, Any], _context: Any) -> list[BreachComparison]:
    """All of each thread, then each of its priorities."""
    counts = Tally.from_json(values["result"]).counts
    rows = []
    for thread in Thread:
        of_thread = {key[1]: row for key, row in counts.items() if key[0] == thread}
        if of_thread:
            whole = [sum(column) for column in zip(*of_thread.values(), strict=True)]
            rows.append(_row(thread, None, whole))
        rows += [_row(thread, Priority(each), row) for each, row in sorted(of_thread.items())]
    return rows


def _row(thread: Thread, priority: Priority | None, counts: list[int]) -> BreachComparison:
    clocks, breached, clocks_then, breached_then = counts
    return BreachComparison(
        thread=thread,
        priority=priority,
        clocks=clocks,
        breached=breached,
        breach_rate=rate_of(breached, clocks),
        clocks_then=clocks_then,
        breached_then=breached_then,
        breach_rate_then=rate_of(breached_then, clocks_then),
    )


def _counted(name: str) -> Any:
    return lambda values, _context: (values["result"] or {}).get(name, 0)


@stored(
    table="recalculation_line",
    key="rcn",
    visible=visible_recalculation_lines,
    permission=Permission.MANAGE_SERVICE_LEVELS,
)
@strawberry.type(description="A clock that would be otherwise: state and deadline. 重算差异")
class RecalculationLine(Node):
    """A clock that would be otherwise: state and deadline, as they are and as they would be."""

    id: strawberry.ID = public_id()
    request: Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")] | None = one(
        "request_id", filter=True, description="Of which request."
    )
    thread: Thread = column(filter=True, description="Which thread.")
    priority: Priority = column(filter=True, description="At which priority.")
    flips: bool = column(
        filter=True, description="Whether it would breach and does not, or the other way round."
    )
    state: ClockState | None = column(
        "state_before", description="As it is; null: there is no such clock."
    )
    state_then: ClockState | None = column(
        "state_after", filter=True, description="As it would be; null: there would be none."
    )
    deadline: datetime | None = column("deadline_before", description="As it is.")
    deadline_then: datetime | None = column("deadline_after", description="As it would be.")


@filter_for(RecalculationLine)
class RecalculationLineFilter:
    """Only clocks for which all of this holds."""


@connection_of(RecalculationLine)
class RecalculationLineConnection:
    """A page of clocks that would be otherwise."""


_PERIOD = "case when {{t}}.kind = 'WHAT_IF' then ({{t}}.wanted->>'{}')::timestamptz end"


@stored(
    table="recalculation",
    key="rcl",
    visible=visible_recalculations,
    permission=Permission.MANAGE_SERVICE_LEVELS,
    order="-created_at",
)
@strawberry.type(description="A long computation over many requests. 重算")
class Recalculation(Node):
    """A long computation over many requests, worked off by a worker."""

    id: strawberry.ID = public_id()
    kind: RecalculationKind = column(filter=True, description="What it is for.")
    status: RecalculationStatus = column(filter=True, description="How far it is.")
    version: int = column(description="Rises with every step that is told.")
    done: int = column(description="Requests done.")
    total: int | None = column(description="Requests there are; null before it begins.")
    skipped: int = computed(
        ["result"], _counted("skipped"), description="Requests of them that could not be computed."
    )
    flips: int = computed(
        ["result"], _counted("flips"), description="Clocks that would breach and do not, or do."
    )
    changes: int = computed(
        ["result"], _counted("changes"), description="Clocks whose state or deadline would differ."
    )
    comparison: list[BreachComparison] = computed(
        ["result"],
        _comparison,
        description="Breaches side by side, of each thread and then its priorities (R-SLA-12).",
    )
    lines: RecalculationLineConnection = connection(
        "recalculation_id",
        description="What a what-if flips; what a migration's preview changes.",
    )
    service_level_version: ServiceLevelVersion | None = one(
        on="{t}.id = ({parent}.wanted->>'version')::uuid",
        description="The version computed or moved to.",
    )
    calendar_version: CalendarVersion | None = one(
        on="{t}.id = ({parent}.wanted->>'calendar')::uuid",
        description="The calendar version computed with.",
    )
    from_version: ServiceLevelVersion | None = one(
        on="{t}.id::text = {parent}.wanted->>'from'",
        description="Of a migration: only requests under this version; null: all older ones.",
    )
    preview: (
        Annotated["Recalculation", strawberry.lazy("api.schema.recalculations.types")] | None
    ) = one(
        on="{t}.id = ({parent}.wanted->>'preview')::uuid",
        description="Of a migration: the preview it confirmed.",
    )
    service_level: ServiceLevel | None = one(
        on="{t}.id = ({parent}.wanted->>'level')::uuid",
        description="Only requests accepted under this service level.",
    )
    customer: Organisation | None = one(
        on="{t}.id = ({parent}.wanted->>'customer')::uuid",
        description="Only requests of this customer.",
    )
    closed_from: datetime | None = sql(
        _PERIOD.format("from"), description="Of a what-if: requests closed since then."
    )
    closed_to: datetime | None = sql(
        _PERIOD.format("to"), description="Of a what-if: requests closed before then."
    )
    created_by: Person | None = one("created_by", description="Who asked for it.")
    created_at: datetime = column(filter=True, order=True, description="When.")
    finished_at: datetime | None = column(description="When it ended; null while it has not.")


@filter_for(Recalculation)
class RecalculationFilter:
    """Only computations for which all of this holds."""


@order_for(Recalculation)
class RecalculationOrder:
    """What to sort computations by, and which way."""


@connection_of(Recalculation)
class RecalculationConnection:
    """A page of computations."""


@strawberry.input(description="Closed requests to recompute under another promise (R-SLA-12).")
class StartWhatIfInput(MutationInput):
    """Closed requests to recompute under another promise."""

    period: PeriodInput = strawberry.field(description="Requests closed in this period.")
    service_level_version_id: UUID | None = id_of(
        ServiceLevelVersion,
        default=None,
        description="Under this version: its targets, pauses, matrix and calendar.",
    )
    calendar_version_id: UUID | None = id_of(
        CalendarVersion, default=None, description="Counted by this version of a calendar."
    )
    service_level_id: UUID | None = id_of(
        ServiceLevel, default=None, description="Only requests accepted under this service level."
    )
    customer_id: UUID | None = id_of(
        Organisation, default=None, description="Only requests of this customer."
    )


@strawberry.input(description="A migration of open requests to look at first (R-CAT-03).")
class PreviewMigrationInput(MutationInput):
    """A migration of open requests to look at first."""

    service_level_version_id: UUID = id_of(
        ServiceLevelVersion,
        description="The newest version of its service level, to which to move.",
    )
    from_version_id: UUID | None = id_of(
        ServiceLevelVersion,
        default=None,
        description="Only requests under this version; left out, all older ones.",
    )


@strawberry.input(description="A migration that was previewed, to be carried out (R-CAT-03).")
class ApplyMigrationInput(MutationInput):
    """A migration that was previewed, to be carried out."""

    preview_id: UUID = id_of(
        Recalculation, description="The preview it confirms; STALE when things have changed since."
    )


@strawberry.input(description="A computation to call off.")
class CancelRecalculationInput(MutationInput):
    """A computation to call off."""

    id: UUID = id_of(Recalculation, description="Which one.")


@strawberry.type(description="What a mutation on a long computation answers.")
class RecalculationPayload(Payload):
    """What a mutation on a long computation answers."""

    recalculation: Recalculation | None = payload_field(
        "key", description="As it stands now; null when nothing was done."
    )


@strawberry.type(description="How far a long computation is; a message comes with every step.")
class RecalculationProgress:
    """How far a long computation is."""

    key: strawberry.Private[UUID]
    cursor: str = strawberry.field(description="Where in the event log this stands, sealed.")
    version: int = strawberry.field(description="The higher version wins.")

    recalculation: Recalculation | None = payload_field(
        "key", description="As it is now; read anew."
    )
