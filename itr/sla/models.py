"""Tables of service time: calendars, their materialised spans, clocks, timers."""

from typing import Any
from uuid import UUID

from tortoise import fields

from itr.columns import enum_or_null, text_or_null
from itr.sla.terms import (
    BreachReason,
    BreachReasonState,
    ClockState,
    ControlPointState,
    RecalculationKind,
    RecalculationStatus,
    Thread,
    WaitingReason,
)
from itr.tables import Table


class Calendar(Table):
    """A working calendar, outside service level versions (R-CAT-03); its highest version counts.

    `base` is set on the twin that counts for customers who opted out of make-up days (R-CAL-03):
    the same calendar without them, renewed with it.
    """

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=200, unique=True)
    base: fields.ForeignKeyNullableRelation["Calendar"] = fields.ForeignKeyField(
        "itr.Calendar", related_name="twins", null=True, on_delete=fields.RESTRICT
    )
    base_id: UUID | None

    class Meta:
        table = "calendar"


class CalendarVersion(Table):
    """What a calendar said from some edit on; never changed afterwards (R-SLA-10)."""

    id = fields.UUIDField(primary_key=True)
    calendar: fields.ForeignKeyRelation[Calendar] = fields.ForeignKeyField(
        "itr.Calendar", related_name="versions", on_delete=fields.RESTRICT
    )
    calendar_id: UUID
    number = fields.IntField()
    time_zone = fields.CharField(max_length=64)
    always_open = fields.BooleanField(default=False)
    definition: fields.JSONField[dict[str, object]] = fields.JSONField()
    created_by = fields.UUIDField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "calendar_version"
        unique_together = (("calendar", "number"),)


class Clock(Table):
    """One thread of one request, as the fold of its events stands (R-SLA-02, R-SLA-03).

    `waited_us` is the working time of its pauses by reason, but for the one that goes on: that is
    `waiting_for`, since the position `waiting_since_us`. Null: it was not worked out yet.
    `thread_no` is the thread's place among those of its request; lists are read in its order.
    """

    id = fields.UUIDField(primary_key=True)
    request: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "itr.Request", related_name="clocks", on_delete=fields.RESTRICT
    )
    request_id: UUID
    thread = fields.CharEnumField(Thread, max_length=12)
    thread_no = fields.SmallIntField(null=True)
    state = fields.CharEnumField(ClockState, max_length=10)
    calendar_version: fields.ForeignKeyRelation[CalendarVersion] = fields.ForeignKeyField(
        "itr.CalendarVersion", related_name="clocks", on_delete=fields.RESTRICT
    )
    calendar_version_id: UUID
    version = fields.IntField(default=1)
    revision = fields.IntField(default=1)
    target_us = fields.BigIntField(null=True)
    target_days = fields.DecimalField(max_digits=9, decimal_places=3, null=True)
    started_at = fields.DatetimeField()
    deadline = fields.DatetimeField(null=True)
    base_us = fields.BigIntField(null=True)
    deadline_us = fields.BigIntField(null=True)
    elapsed_us = fields.BigIntField(default=0)
    remaining_us = fields.BigIntField(null=True)
    paused_since = fields.DatetimeField(null=True)
    pause_reasons: fields.JSONField[list[str]] = fields.JSONField(default=list)
    waited_us: fields.JSONField[dict[str, int] | None] = fields.JSONField(null=True)
    waiting_for: WaitingReason | None = enum_or_null(WaitingReason, 16)
    waiting_since_us = fields.BigIntField(null=True)
    completed_at = fields.DatetimeField(null=True)
    breached_at = fields.DatetimeField(null=True)
    overturned_at = fields.DatetimeField(null=True)
    overturns = fields.IntField(default=0, db_default=0)
    breach_reason: BreachReason | None = enum_or_null(BreachReason, 40)
    breach_note: str | None = text_or_null()
    breach_reason_state: BreachReasonState | None = enum_or_null(BreachReasonState, 8)
    breach_reason_by = fields.UUIDField(null=True)
    breach_reason_at = fields.DatetimeField(null=True)
    breach_decided_by = fields.UUIDField(null=True)
    breach_decided_at = fields.DatetimeField(null=True)
    provisional = fields.BooleanField(default=False)
    next_alarm_at = fields.DatetimeField(null=True)
    alarm_level = fields.SmallIntField(default=0)

    class Meta:
        table = "clock"
        unique_together = (("request", "thread"),)


class Timer(Table):
    """Something that must happen at an instant and is not a clock (Decision 4)."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=40)
    request: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "itr.Request", related_name="timers", on_delete=fields.RESTRICT
    )
    request_id: UUID
    due_at = fields.DatetimeField()

    class Meta:
        table = "timer"
        unique_together = (("request", "kind"),)


class ControlPoint(Table):
    """One of the thirty steps of a request: whose, by when, and how it ended (R-CP-01, R-CP-02).

    Its working time counts like a clock's: `base_us` while counting, `elapsed_us` otherwise.
    Completed, it names who acted; `ended` is null while it is open.
    """

    id = fields.UUIDField(primary_key=True)
    request: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "itr.Request", related_name="control_points", on_delete=fields.RESTRICT
    )
    request_id: UUID
    number = fields.SmallIntField()
    thread = fields.CharEnumField(Thread, max_length=12)
    revision = fields.IntField(default=1)
    owner_id = fields.UUIDField(null=True)
    owner_role = fields.CharField(max_length=24)
    line = fields.SmallIntField()
    partner_id = fields.UUIDField(null=True)
    calendar_version: fields.ForeignKeyRelation[CalendarVersion] = fields.ForeignKeyField(
        "itr.CalendarVersion", related_name="control_points", on_delete=fields.RESTRICT
    )
    calendar_version_id: UUID
    budget_us = fields.BigIntField(null=True)
    started_at = fields.DatetimeField()
    deadline = fields.DatetimeField(null=True)
    base_us = fields.BigIntField(null=True)
    elapsed_us = fields.BigIntField(default=0)
    completed_at = fields.DatetimeField(null=True)
    on_time = fields.BooleanField(null=True)
    ended: ControlPointState | None = enum_or_null(ControlPointState, 10)
    reminded = fields.SmallIntField(default=0)
    next_reminder_at = fields.DatetimeField(null=True)

    class Meta:
        table = "control_point"
        unique_together = (("request", "number"),)


class Recalculation(Table):
    """A long computation over many requests: a what-if, a migration, what a switch brings about.

    `done` of `total` is its progress and `position` the last request done; `result` is what it
    found so far. It is worked off in small transactions and goes on after a restart.
    """

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharEnumField(RecalculationKind, max_length=20)
    status = fields.CharEnumField(RecalculationStatus, max_length=10)
    version = fields.IntField(default=1, db_default=1)
    wanted: fields.JSONField[dict[str, Any]] = fields.JSONField()
    position = fields.UUIDField(null=True)
    done = fields.IntField(default=0)
    total = fields.IntField(null=True)
    result: fields.JSONField[dict[str, Any] | None] = fields.JSONField(null=True)
    created_by = fields.UUIDField()
    created_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "recalculation"


class RecalculationLine(Table):
    """A clock that a recalculation finds otherwise than it is: state and deadline, both ways."""

    id = fields.UUIDField(primary_key=True)
    recalculation: fields.ForeignKeyRelation[Recalculation] = fields.ForeignKeyField(
        "itr.Recalculation", related_name="lines", on_delete=fields.CASCADE
    )
    recalculation_id: UUID
    request: fields.ForeignKeyRelation[Table] = fields.ForeignKeyField(
        "itr.Request", related_name="recalculation_lines", on_delete=fields.RESTRICT
    )
    request_id: UUID
    thread = fields.CharEnumField(Thread, max_length=12)
    priority = fields.CharField(max_length=2)
    state_before: ClockState | None = enum_or_null(ClockState, 10)
    state_after: ClockState | None = enum_or_null(ClockState, 10)
    deadline_before = fields.DatetimeField(null=True)
    deadline_after = fields.DatetimeField(null=True)
    flips = fields.BooleanField()

    class Meta:
        table = "recalculation_line"
