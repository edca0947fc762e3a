"""Saving working calendars, keeping their spans ahead of time, and reading the ones in force."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from tortoise.connection import get_connection

from itr.actors.actor import SYSTEM, Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import Permission
from itr.errors import NotFound, Stale, refuse
from itr.events.log import Fact
from itr.events.work import Work, transaction
from itr.passed_over import INCOMPUTABLE, PassedOver
from itr.people.models import Organisation
from itr.people.names import NameTaken, kept_whole
from itr.sla.calendar_errors import NoWorkingTime, problems_of_calendar
from itr.sla.calendars import CalendarDefinition, DatedException
from itr.sla.clock_facts import Target
from itr.sla.models import Calendar, CalendarVersion
from itr.sla.reach import problems_of_reach
from itr.sla.spans import FIRST_SPAN, insert_spans, spans_to_keep, years_ahead
from itr.sla.working_time import WorkingCalendar, calendar_of
from itr.texts import ensure_name

logger = logging.getLogger("itr.calendars")

_compiled: dict[UUID, WorkingCalendar] = {}
_unreadable = PassedOver()


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
    expected_version: int | None = None,
    new: bool | None = None,
) -> UUID:
    """Keep a calendar, or a new version of the one with this name; returns the calendar's id.

    `calendar_id` names the calendar to change (its name too), or the id a new one shall have.
    `new` says whether there may be one already; None: as it happens to be.
    Raises Forbidden, the errors of `calendar_errors` (several at once as Refused),
    TooLittleWorkingTime for what is promised by it, NotFound,
    NameTaken, Stale. Its clocks are recomputed by whoever hears the fact CalendarSaved (R-SLA-10).
    """
    ensure_may(actor, Permission.MANAGE_CALENDARS)
    name = ensure_name(name, "name")
    refuse(problems_of_calendar(definition))
    with kept_whole("name"):
        async with transaction() as work:
            calendar = await _lock_or_create(name, calendar_id, new)
            await _ensure_version(calendar, expected_version)
            await _ensure_enough(calendar, definition, now)
            await _renew(work, actor, calendar, definition, now)
            work.subject_id = calendar.id
    return calendar.id


async def correct_calendar(
    actor: Actor,
    calendar_id: UUID,
    *,
    exceptions: Sequence[DatedException],
    dropped: Collection[date],
    now: datetime,
    expected_version: int | None = None,
) -> UUID:
    """Make single dates different from what the calendar says, or no longer so (R-CAL-03).

    An exception given replaces the one its date had; dates of `dropped` follow the week and the
    country's holidays again. Raises Forbidden, NotFound, Stale and the errors of
    `calendar_errors`, with the places of the exceptions as given.
    """
    ensure_may(actor, Permission.MANAGE_CALENDARS)
    async with transaction() as work:
        calendar = await _lock_or_create("", calendar_id, False)
        await _ensure_version(calendar, expected_version)
        newest = (await current_calendars([calendar_id]))[calendar_id].working.definition
        corrected = corrected_definition(newest, exceptions, dropped)
        refuse(problems_of_calendar(corrected))
        await _ensure_enough(calendar, corrected, now)
        await _renew(work, actor, calendar, corrected, now)
        work.subject_id = calendar.id
    return calendar.id


def corrected_definition(
    definition: CalendarDefinition,
    exceptions: Sequence[DatedException],
    dropped: Collection[date],
) -> CalendarDefinition:
    """The definition with these exceptions first, and no others for their dates or the dropped."""
    replaced = {exception.date for exception in exceptions} | set(dropped)
    kept = (each for each in definition.exceptions if each.date not in replaced)
    return replace(definition, exceptions=(*exceptions, *kept))


async def keep_twins(work: Work, actor: Actor, now: datetime) -> None:
    """Make the twin without make-up days of every calendar that has such days and no twin yet.

    For whoever lets a customer opt out, in the transaction that does (R-CAL-03).
    """
    await work.connection.execute_query(_TWINS_ONE_AT_A_TIME)
    twins = {each.base_id for each in await Calendar.exclude(base_id=None)}
    for calendar in await Calendar.filter(base_id=None).exclude(id__in=twins):
        newest = (await current_calendars([calendar.id]))[calendar.id].working.definition
        await _renew_twin(work, actor, calendar, newest, now, wanted=True)


async def current_calendars(
    calendar_ids: Iterable[UUID], *, customer_id: UUID | None = None
) -> dict[UUID, CurrentCalendar]:
    """The highest version of each calendar, by calendar id. Raises NotFound if one is missing.

    For a customer who opted out of make-up days it is that of the calendar's twin (R-CAL-03).
    """
    wanted = set(calendar_ids)
    rows = await get_connection("default").execute_query_dict(
        _IN_FORCE, [list(wanted), customer_id]
    )
    versions: dict[UUID, UUID] = {row["calendar_id"]: row["id"] for row in rows}
    if versions.keys() != wanted:
        raise NotFound()
    working = await calendars_of_versions(versions.values())
    return {
        calendar_id: CurrentCalendar(calendar_id, version_id, working[version_id])
        for calendar_id, version_id in versions.items()
    }


_IN_FORCE = """
select distinct on (asked.id) asked.id as calendar_id, v.id
from unnest($1::uuid[]) as asked (id)
left join calendar twin on twin.base_id = asked.id and exists (
    select 1 from organisation o where o.id = $2::uuid and not o.make_up_days)
join calendar_version v on v.calendar_id = coalesce(twin.id, asked.id)
order by asked.id, v.number desc
"""


async def calendars_of_versions(version_ids: Iterable[UUID]) -> dict[UUID, WorkingCalendar]:
    """The arithmetic of calendar versions, compiled once per process: a version never changes."""
    wanted = set(version_ids)
    missing = wanted - _compiled.keys()
    if missing:
        for version in await CalendarVersion.filter(id__in=missing):
            definition = CalendarDefinition.from_json(version.definition)
            _compiled[version.id] = calendar_of(definition)
    return {version_id: _compiled[version_id] for version_id in wanted}


async def readable_calendars(version_ids: Iterable[UUID]) -> dict[UUID, WorkingCalendar]:
    """The same of those that can be read; a broken one troubles only what counts by it."""
    found: dict[UUID, WorkingCalendar] = {}
    for version_id in set(version_ids):
        try:
            found.update(await calendars_of_versions([version_id]))
        except INCOMPUTABLE as error:
            _unreadable.note(logger, "calendar version", version_id, error)
    return found


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
    for version_id, working in (await readable_calendars(behind)).items():
        until = behind[version_id]
        async with transaction() as work:
            spans = spans_to_keep(working, until, years_ahead(now))
            await insert_spans(work.connection, version_id, spans)
    return len(behind)


async def _lock_or_create(name: str, calendar_id: UUID | None, new: bool | None) -> Calendar:
    which = {"id": calendar_id} if calendar_id else {"name": name}
    calendar = await Calendar.filter(base_id=None, **which).select_for_update(no_key=True).first()
    if calendar is None:
        if new is False:
            raise NotFound(path=["id"])
        return await Calendar.create(id=calendar_id or uuid4(), name=name)
    if new:
        raise NameTaken(path=["name"])
    if name and calendar.name != name:
        calendar.name = name
        await calendar.save(update_fields=["name"])
    return calendar


async def _ensure_version(calendar: Calendar, expected: int | None) -> None:
    """Raise Stale when the calendar has moved on since the version the caller names."""
    if expected is not None:
        current = await CalendarVersion.filter(calendar_id=calendar.id).count()
        if current != expected:
            raise Stale(current=current, path=["expectedVersion"])


_PROMISED = """
select t.target_us, t.target_days from service_target t
join service_level_version v on v.id = t.version_id where v.calendar_id = $1
"""


async def _ensure_enough(calendar: Calendar, definition: CalendarDefinition, now: datetime) -> None:
    """Refuse what has working time on single dates only, or too little for what is promised."""
    if not (definition.shifts or definition.always_open):
        raise NoWorkingTime(path=["shifts"])
    promised = await get_connection("default").execute_query_dict(_PROMISED, [calendar.id])
    targets = [Target(us=row["target_us"], days=row["target_days"]) for row in promised]
    refuse(problems_of_reach(calendar_of(definition), targets, now, "shifts"))


async def _renew(
    work: Work, actor: Actor, calendar: Calendar, definition: CalendarDefinition, now: datetime
) -> CalendarVersion:
    """Add a version with its spans, and one to the twin that counts without make-up days."""
    version = await _add_version(actor, calendar, definition, now)
    spans = spans_to_keep(calendar_of(definition), FIRST_SPAN, years_ahead(now))
    await insert_spans(work.connection, version.id, spans)
    work.record(_calendar_saved(actor, calendar, version, now))
    if calendar.base_id is None:
        await work.connection.execute_query(_TWINS_ONE_AT_A_TIME)
        wanted = await Organisation.exists(make_up_days=False)
        await _renew_twin(work, actor, calendar, definition, now, wanted=wanted)
    return version


_TWINS_ONE_AT_A_TIME = "select pg_advisory_xact_lock(71728002)"
"""So that a customer who opts out and a calendar saved beside it never miss each other."""


async def _renew_twin(
    work: Work,
    actor: Actor,
    calendar: Calendar,
    definition: CalendarDefinition,
    now: datetime,
    *,
    wanted: bool,
) -> None:
    twin = await Calendar.get_or_none(base_id=calendar.id)
    if twin is None:
        if not (wanted and definition.has_make_up_days):
            return
        name = f"{calendar.id} without make-up days"
        twin = await Calendar.create(id=uuid4(), name=name, base_id=calendar.id)
    await _renew(work, actor, twin, replace(definition, make_up_days=False), now)


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


async def refresh_calendars(now: datetime) -> int:
    """Make a new version of each calendar whose country has published holidays since (R-CAL-03).

    What is materialised of the coming years is compared with what the calendar says now; the
    clocks are recomputed by the sweep that follows any edit. Returns how many changed.
    """
    changed = 0
    for version in await _newest_with_holidays():
        readable = await readable_calendars([version.id])
        if not readable or await _spans_still_hold(version.id, readable[version.id], now):
            continue
        definition = CalendarDefinition.from_json(version.definition)
        async with transaction() as work:
            calendar = await _lock_calendar(version.calendar_id)
            if await CalendarVersion.exists(
                calendar_id=version.calendar_id, number__gt=version.number
            ):
                continue
            await _renew(work, SYSTEM, calendar, definition, now)
        changed += 1
    return changed


_NEWEST_WITH_HOLIDAYS = """
select id from (select distinct on (calendar_id) calendar_id, id, definition from calendar_version
    order by calendar_id, number desc) newest
where definition->>'country_holidays' is not null
    and calendar_id = any(array(select id from calendar where base_id is null))
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
    said = spans_to_keep(working, this_year, kept[-1]["ends_at"])
    return [(row["starts_at"], row["ends_at"], row["before_us"]) for row in kept] == [
        (span.starts_at, span.ends_at, span.before_us)
        for span in said
        if span.starts_at >= this_year
    ]


async def _lock_calendar(calendar_id: UUID) -> Calendar:
    return await Calendar.filter(id=calendar_id).select_for_update(no_key=True).get()
