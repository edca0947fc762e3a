"""Saving service levels, version by version, and switching them off (R-CAT-03)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import Permission
from itr.catalogue.in_force import current_terms
from itr.catalogue.keeping import ensure_exists, keep, record
from itr.catalogue.models import (
    ServiceLevel,
    ServiceLevelVersion,
    ServicePause,
    ServiceTarget,
)
from itr.catalogue.rules import (
    HouseLevelStays,
    Matrix,
    Targets,
    problems_of_service_level,
    problems_of_window,
)
from itr.catalogue.underpinning import problems_of_underpinning
from itr.errors import NotFound, Stale, refuse
from itr.events.work import Work, transaction
from itr.people.names import kept_whole
from itr.sla.alarms import PERCENTS
from itr.sla.models import Calendar
from itr.sla.operations import current_calendars
from itr.sla.reach import problems_of_reach
from itr.sla.recalculations import begin
from itr.sla.terms import RecalculationKind, Thread, WaitingReason
from itr.texts import ensure_name


async def save_service_level(
    actor: Actor,
    *,
    name: str,
    calendar_id: UUID,
    targets: Targets,
    now: datetime,
    pauses: Collection[tuple[WaitingReason, Thread]] = (),
    percents: Sequence[int] = PERCENTS,
    matrix: Matrix | None = None,
    confirmation_days: int = 3,
    ola_shares: Mapping[str, str] | None = None,
    alarm_rules: Mapping[str, Any] | None = None,
    house: bool | None = None,
    service_level_id: UUID | None = None,
    version_id: UUID | None = None,
    expected_version: int | None = None,
    new: bool | None = None,
) -> UUID:
    """Make a new version of the service level with this name, or the first; returns its id.

    Open requests keep the version they were accepted under (R-CAT-03). `house` says whether it
    becomes the house level (None: as before), `ola_shares` the shares of control points by number,
    `alarm_rules` whom its alarms tell (None: R-ALM-01's own; see `problems_of_alarm_rules`),
    `new` whether there may be one already (None: as it happens to be). A level that was switched
    off is on again. Raises Forbidden, NotFound for the calendar, NameTaken, Stale, and what the
    `problems_of_…` functions find, TooLittleWorkingTime among it.
    """
    ensure_may(actor, Permission.MANAGE_SERVICE_LEVELS)
    name = ensure_name(name, "name")
    refuse(
        problems_of_service_level(
            targets,
            percents=percents,
            matrix=matrix,
            confirmation_days=confirmation_days,
            ola_shares=ola_shares,
            alarm_rules=alarm_rules,
        )
    )
    with kept_whole("name"):
        async with transaction() as work:
            await ensure_exists(Calendar, calendar_id, "calendar_id")
            working = (await current_calendars([calendar_id]))[calendar_id].working
            refuse(problems_of_reach(working, targets.values(), now, "targets"))
            refuse(problems_of_window(targets, ola_shares, confirmation_days, working, now))
            if house:
                await ServiceLevel.filter(house=True).exclude(name=name).update(house=False)
            level = await keep(ServiceLevel, service_level_id, new, name=name, active=True)
            refuse(await problems_of_underpinning(level.id, targets, ola_shares))
            if house is not None:
                await ServiceLevel.filter(id=level.id).update(house=house)
            version = ServiceLevelVersion(
                id=version_id or uuid4(),
                number=await _next_number(level.id, expected_version),
                calendar_id=calendar_id,
                matrix=matrix,
                alarm_percents=list(percents),
                alarm_rules=None if alarm_rules is None else dict(alarm_rules),
                confirmation_days=confirmation_days,
                ola_shares=None if ola_shares is None else dict(ola_shares),
            )
            await _add_version(work, actor, level, version, now)
            await _add_promises(version, targets, pauses)
    return version.id


async def switch_off_service_level(
    actor: Actor, service_level_id: UUID, *, now: datetime, expected_version: int | None = None
) -> UUID:
    """Promise nothing any more: no new request gets the level, the clocks of open ones go.

    A version without targets follows, and the open requests are moved to it by the worker, in
    small transactions; returns the level's id. Again is nothing. Raises Forbidden, NotFound,
    Stale, HouseLevelStays.
    """
    ensure_may(actor, Permission.MANAGE_SERVICE_LEVELS)
    async with transaction() as work:
        which = ServiceLevel.filter(id=service_level_id).select_for_update(no_key=True)
        level = await which.first()
        if level is None:
            raise NotFound(path=["id"])
        number = await _next_number(level.id, expected_version)
        if level.house:
            raise HouseLevelStays(path=["id"])
        work.subject_id = level.id
        if not level.active:
            return level.id
        level.active = False
        await level.save(update_fields=["active"])
        terms = await current_terms(level.id)
        last = await ServiceLevelVersion.get(id=terms.version_id)
        version = ServiceLevelVersion(
            id=uuid4(),
            number=number,
            calendar_id=last.calendar_id,
            matrix=last.matrix,
            alarm_percents=last.alarm_percents,
            alarm_rules=last.alarm_rules,
            confirmation_days=last.confirmation_days,
        )
        await _add_version(work, actor, level, version, now, verb="SwitchedOff")
        wanted = {"version": str(version.id), "level": str(level.id)}
        await begin(work, actor, RecalculationKind.SWITCH_OFF, wanted, now)
        work.subject_id = level.id
    return level.id


async def level_of(version_id: UUID) -> UUID:
    """The service level a version belongs to."""
    return (await ServiceLevelVersion.get(id=version_id)).service_level_id


async def _next_number(level_id: UUID, expected: int | None) -> int:
    """The number of the level's next version. Raises Stale if it is at another than expected."""
    current = await ServiceLevelVersion.filter(service_level_id=level_id).count()
    if expected is not None and expected != current:
        raise Stale(current=current, path=["expectedVersion"])
    return current + 1


async def _add_version(
    work: Work,
    actor: Actor,
    level: ServiceLevel,
    version: ServiceLevelVersion,
    now: datetime,
    *,
    verb: str = "Saved",
) -> None:
    version.service_level_id = level.id
    version.created_by, version.created_at = actor.id, now
    await version.save(force_create=True)
    told = {"name": level.name, "version": str(version.id), "number": version.number}
    await record(work, actor, "ServiceLevel", level.id, now, told, verb=verb)


async def _add_promises(
    version: ServiceLevelVersion,
    targets: Targets,
    pauses: Collection[tuple[WaitingReason, Thread]],
) -> None:
    await ServiceTarget.bulk_create(
        ServiceTarget(
            id=uuid4(),
            version=version,
            priority=str(priority),
            thread=thread,
            target_us=target.us,
            target_days=None if target.days is None else _decimal(target.days),
        )
        for (priority, thread), target in targets.items()
    )
    await ServicePause.bulk_create(
        ServicePause(id=uuid4(), version=version, reason=reason, thread=thread)
        for reason, thread in sorted(set(pauses))
    )


def _decimal(days: Any) -> Decimal:
    return Decimal(int(days * 1000)) / 1000
