"""Saving working calendars, keeping their spans ahead of time, and reading the ones in force."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from itr.actor import SYSTEM, Actor
from itr.errors import NotFound, refuse
from itr.events.log import Fact
from itr.events.work import transaction
from itr.people.names import kept_whole
from itr.people.permission import ensure_may
from itr.people.roles import Permission
from itr.people.rules import ensure_name
from itr.sla.calendar_errors import problems_of_calendar
from itr.sla.calendars import CalendarDefinition
from itr.sla.models import Calendar, CalendarVersion
from itr.sla.working_time import BeyondCalendar, WorkingCalendar, WorkingSpan, calendar_of

FIRST_SPAN = datetime(2009, 1, 1, tzinfo=UTC)
YEARS_AHEAD = 3
ALWAYS = WorkingSpan(
    starts_at=datetime(2000, 1, 1, tzinfo=UTC),
    ends_at=datetime(9999, 12, 31, tzinfo=UTC),
    before_us=0,
    before_days=0,
)

_compiled: dict[UUID, WorkingCalendar] = {}


@dataclass(frozen=True)
class CurrentCalendar:
    """The version of a calendar that counts now, ready for arithmetic."""

    calendar_id: UUID
    version_id: UUID
    working: WorkingCalendar


async def save_calendar(
    actor: Actor,
    *,
    name: str,
    definition: CalendarDefinition,
    now: datetime,
    calendar_id: UUID | None = None,
) -> UUID:
    """Keep a calendar, or a new version of the one with this name; returns the calendar's id.

    `calendar_id` names the calendar to change (its name too), or the id a new one shall have.
    Raises Forbidden, the errors of `calendar_errors` (several at once as Refused), NotFound.
    Its clocks are recomputed by whoever hears the fact CalendarSaved (R-SLA-10).
    """
    ensure_may(actor, Permission.MANAGE_CALENDARS)
    name = ensure_name(name, "name")
    refuse(problems_of_calendar(definition))
    spans = _spans_to_keep(calendar_of(definition), FIRST_SPAN, _years_ahead(now))
    with kept_whole("name"):
        async with transaction() as work:
            calendar = await _lock_or_create(name, calendar_id)
            version = await _add_version(actor, calendar, definition, now)
            await _insert_spans(work.connection, version.id, spans)
            work.record(_calendar_saved(actor, calendar, version, now))
            work.subject_id = calendar.id
    return calendar.id


async def current_calendars(calendar_ids: Iterable[UUID]) -> dict[UUID, CurrentCalendar]:
    """The highest version of each calendar, by calendar id. Raises NotFound if one is missing."""
    wanted = set(calendar_ids)
    rows = await get_connection("default").execute_query_dict(
        "select distinct on (calendar_id) calendar_id, id from calendar_version"
        " where calendar_id = any($1) order by calendar_id, number desc",
        [list(wanted)],
    )
    versions: dict[UUID, UUID] = {row["calendar_id"]: row["id"] for row in rows}
    if versions.keys() != wanted:
        raise NotFound()
    working = await calendars_of_versions(versions.values())
    return {
        calendar_id: CurrentCalendar(calendar_id, version_id, working[version_id])
        for calendar_id, version_id in versions.items()
    }


async def calendars_of_versions(version_ids: Iterable[UUID]) -> dict[UUID, WorkingCalendar]:
    """The arithmetic of calendar versions, compiled once per process: a version never changes."""
    wanted = set(version_ids)
    missing = wanted - _compiled.keys()
    if missing:
        for version in await CalendarVersion.filter(id__in=missing):
            definition = CalendarDefinition.from_json(version.definition)
            _compiled[version.id] = calendar_of(definition)
    return {version_id: _compiled[version_id] for version_id in wanted}


async def extend_spans(now: datetime) -> int:
    """Materialise what is missing of the coming year; returns how many versions were extended.

    The worker calls this now and then; each version is a transaction of its own, and a second
    worker doing the same adds nothing.
    """
    ahead = now.replace(year=now.year + 1, day=min(now.day, 28))
    rows = await get_connection("default").execute_query_dict(
        "select v.id, (select max(s.ends_at) from calendar_span s"
        " where s.calendar_version_id = v.id) as until"
        " from calendar_version v where not v.always_open"
    )
    behind = {row["id"]: row["until"] for row in rows if row["until"] and row["until"] < ahead}
    working = await calendars_of_versions(behind)
    for version_id, until in behind.items():
        async with transaction() as work:
            spans = _spans_to_keep(working[version_id], until, _years_ahead(now))
            await _insert_spans(work.connection, version_id, spans)
    return len(behind)


async def _lock_or_create(name: str, calendar_id: UUID | None) -> Calendar:
    which = {"id": calendar_id} if calendar_id else {"name": name}
    calendar = await Calendar.filter(**which).select_for_update(no_key=True).first()
    if calendar is None:
        return await Calendar.create(id=calendar_id or uuid4(), name=name)
    if calendar.name != name:
        calendar.name = name
        await calendar.save(update_fields=["name"])
    return calendar


async def _add_version(
    actor: Actor, calendar: Calendar, definition: CalendarDefinition, now: datetime
) -> CalendarVersion:
    return await CalendarVersion.create(
        id=uuid4(),
        calendar=calendar,
        number=1 + await CalendarVersion.filter(calendar_id=calendar.id).count(),
        time_zone=definition.time_zone,
        always_open=definition.always_open,
        definition=definition.to_json(),
        created_by=actor.id,
        created_at=now,
    )


def _calendar_saved(
    actor: Actor, calendar: Calendar, version: CalendarVersion, now: datetime
) -> Fact:
    return Fact(
        type="CalendarSaved",
        subject_type="calendar",
        subject=calendar.id,
        subject_version=version.number,
        stream=calendar.id,
        by=actor,
        occurred_at=now,
        payload={
            "name": calendar.name,
            "version": str(version.id),
            "definition": version.definition,
        },
    )


def _years_ahead(now: datetime) -> datetime:
    return datetime(now.year + YEARS_AHEAD + 1, 1, 1, tzinfo=UTC)


def _spans_to_keep(working: WorkingCalendar, start: datetime, end: datetime) -> list[WorkingSpan]:
    if working.definition.always_open:
        return [ALWAYS]
    try:
        return list(working.spans(start, end))
    except BeyondCalendar:
        return []


_INSERT_SPANS = """
insert into calendar_span (calendar_version_id, starts_at, ends_at, before_us, before_days)
select $1, * from unnest($2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::int[])
on conflict do nothing
"""


async def _insert_spans(
    connection: BaseDBAsyncClient, version_id: UUID, spans: Sequence[WorkingSpan]
) -> None:
    rows = [(span.starts_at, span.ends_at, span.before_us, span.before_days) for span in spans]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    await connection.execute_query(_INSERT_SPANS, [version_id, *columns])


async def refresh_calendars(now: datetime) -> int:
    """Make a new version of each calendar whose country has published holidays since (R-CAL-03).

    What is materialised of the coming years is compared with what the calendar says now; the
    clocks are recomputed by the sweep that follows any edit. Returns how many changed.
    """
    changed = 0
    for version in await _newest_with_holidays():
        definition = CalendarDefinition.from_json(version.definition)
        if await _spans_still_hold(version.id, calendar_of(definition), now):
            continue
        async with transaction() as work:
            calendar = await _lock_calendar(version.calendar_id)
            if await CalendarVersion.exists(
                calendar_id=version.calendar_id, number__gt=version.number
            ):
                continue
            renewed = await _add_version(SYSTEM, calendar, definition, now)
            until = _years_ahead(now)
            spans = _spans_to_keep(calendar_of(definition), FIRST_SPAN, until)
            await _insert_spans(work.connection, renewed.id, spans)
            work.record(_calendar_saved(SYSTEM, calendar, renewed, now))
        changed += 1
    return changed


_NEWEST_WITH_HOLIDAYS = """
select id from (select distinct on (calendar_id) id, definition from calendar_version
    order by calendar_id, number desc) newest
where definition->>'country_holidays' is not null
"""
_MATERIALISED = """
select starts_at, ends_at, before_us from calendar_span
where calendar_version_id = $1 and starts_at >= $2 order by starts_at
"""


async def _newest_with_holidays() -> list[CalendarVersion]:
    rows = await get_connection("default").execute_query_dict(_NEWEST_WITH_HOLIDAYS)
    return await CalendarVersion.filter(id__in=[row["id"] for row in rows])


async def _spans_still_hold(version_id: UUID, working: WorkingCalendar, now: datetime) -> bool:
    """Whether what is materialised from this year on is what the calendar says now."""
    this_year = datetime(now.year, 1, 1, tzinfo=UTC)
    kept = await get_connection("default").execute_query_dict(
        _MATERIALISED, [version_id, this_year]
    )
    if not kept:
        return True
    said = _spans_to_keep(working, this_year, kept[-1]["ends_at"])
    return [(row["starts_at"], row["ends_at"], row["before_us"]) for row in kept] == [
        (span.starts_at, span.ends_at, span.before_us)
        for span in said
        if span.starts_at >= this_year
    ]


async def _lock_calendar(calendar_id: UUID) -> Calendar:
    return await Calendar.filter(id=calendar_id).select_for_update(no_key=True).get()
