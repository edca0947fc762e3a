"""Asking for what-ifs and migrations, and calling them off (R-SLA-12, R-CAT-03)."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import OrganisationKind, Permission
from itr.catalogue.in_force import current_terms
from itr.catalogue.models import ServiceLevel, ServiceLevelVersion
from itr.errors import NotFound
from itr.events.work import transaction
from itr.figures.rules import Period, ensure_period
from itr.people.models import Organisation
from itr.recalculations.rules import (
    CANCELLABLE,
    GOOD_FOR,
    CannotCancel,
    NothingToCompare,
    PreviewNotReady,
    PreviewOutdated,
)
from itr.recalculations.scope import fingerprint
from itr.sla.clocks import MOMENT
from itr.sla.models import CalendarVersion, Recalculation
from itr.sla.operations import current_calendars
from itr.sla.recalculations import begin, progressed
from itr.sla.terms import RecalculationKind, RecalculationStatus


async def start_what_if(
    actor: Actor,
    period: Period,
    *,
    now: datetime,
    version_id: UUID | None = None,
    calendar_version_id: UUID | None = None,
    level_id: UUID | None = None,
    customer_id: UUID | None = None,
) -> UUID:
    """Recompute the requests closed in a period under another promise, changing nothing.

    Under a service level version, counted by a calendar version, or both; only those accepted
    under `level_id` or of `customer_id`, where given. Raises Forbidden, InvalidInput, NotFound,
    NothingToCompare.
    """
    ensure_may(actor, Permission.MANAGE_SERVICE_LEVELS)
    ensure_period(period)
    if version_id is None and calendar_version_id is None:
        raise NothingToCompare(path=["serviceLevelVersionId"])
    async with transaction() as work:
        if version_id and not await ServiceLevelVersion.exists(id=version_id):
            raise NotFound(path=["serviceLevelVersionId"])
        if calendar_version_id and not await CalendarVersion.exists(id=calendar_version_id):
            raise NotFound(path=["calendarVersionId"])
        if level_id and not await ServiceLevel.exists(id=level_id):
            raise NotFound(path=["serviceLevelId"])
        kind = OrganisationKind.CUSTOMER
        if customer_id and not await Organisation.exists(id=customer_id, kind=kind):
            raise NotFound(path=["customerId"])
        wanted = {
            "from": period.start.isoformat(),
            "to": min(period.end, now + MOMENT).isoformat(),
            "version": _text(version_id),
            "calendar": _text(calendar_version_id),
            "level": _text(level_id),
            "customer": _text(customer_id),
        }
        return await begin(work, actor, RecalculationKind.WHAT_IF, wanted, now)


async def preview_migration(
    actor: Actor, version_id: UUID, *, now: datetime, from_version_id: UUID | None = None
) -> UUID:
    """Compute what moving open requests to the newest version of their level would bring about.

    Of requests under any older version, or under `from_version_id` only. Nothing is changed.
    Raises Forbidden, NotFound, PreviewOutdated for a version that is not the newest.
    """
    ensure_may(actor, Permission.MANAGE_SERVICE_LEVELS)
    async with transaction() as work:
        version = await ServiceLevelVersion.get_or_none(id=version_id)
        if version is None:
            raise NotFound(path=["serviceLevelVersionId"])
        level_id = version.service_level_id
        older = ServiceLevelVersion.filter(id=from_version_id, service_level_id=level_id)
        if from_version_id is not None and not await older.exists():
            raise NotFound(path=["fromVersionId"])
        await _ensure_newest(level_id, version_id)
        calendar = (await current_calendars([version.calendar_id]))[version.calendar_id]
        wanted = {
            "level": str(level_id),
            "version": str(version_id),
            "from": _text(from_version_id),
            "calendar": str(calendar.version_id),
        }
        return await begin(work, actor, RecalculationKind.MIGRATION_PREVIEW, wanted, now)


async def apply_migration(actor: Actor, preview_id: UUID, *, now: datetime) -> UUID:
    """Move the open requests that a preview looked at, as it showed (R-CAT-03).

    Raises Forbidden, NotFound, PreviewNotReady, and PreviewOutdated when any clock it looked at,
    the version or its calendar has moved on since, or the preview is over a day old.
    """
    ensure_may(actor, Permission.MANAGE_SERVICE_LEVELS)
    async with transaction() as work:
        kind = RecalculationKind.MIGRATION_PREVIEW
        row = await Recalculation.get_or_none(id=preview_id, kind=kind)
        if row is None:
            raise NotFound(path=["previewId"])
        if row.status is not RecalculationStatus.DONE or row.finished_at is None:
            raise PreviewNotReady(path=["previewId"], status=row.status.value)
        level_id, version_id = UUID(row.wanted["level"]), UUID(row.wanted["version"])
        await _lock_level(level_id)
        await _ensure_newest(level_id, version_id)
        terms = await current_terms(level_id)
        calendar = (await current_calendars([terms.calendar_id]))[terms.calendar_id]
        clocks, total = await fingerprint(work.connection, row)
        seen = (row.result or {}).get("seen", [0, "0"])
        same = [clocks, str(total)] == seen and str(calendar.version_id) == row.wanted["calendar"]
        if not same or now - row.finished_at > GOOD_FOR:
            raise PreviewOutdated(path=["previewId"], current=row.version)
        wanted = {**row.wanted, "preview": str(preview_id)}
        return await begin(work, actor, RecalculationKind.MIGRATION, wanted, now)


async def cancel_recalculation(actor: Actor, row_id: UUID, *, now: datetime) -> UUID:
    """Call a computation off after the step in hand; what a migration has moved stays moved.

    One that has ended stays as it ended. Raises Forbidden, NotFound, CannotCancel.
    """
    ensure_may(actor, Permission.MANAGE_SERVICE_LEVELS)
    async with transaction() as work:
        row = await Recalculation.filter(id=row_id).select_for_update().first()
        if row is None:
            raise NotFound(path=["id"])
        if row.kind not in CANCELLABLE:
            raise CannotCancel(path=["id"])
        work.subject_id = row.id
        if row.finished_at is None:
            row.status, row.finished_at = RecalculationStatus.CANCELLED, now
            row.version += 1
            await row.save(update_fields=["status", "finished_at", "version"])
            work.record(progressed(row, actor, now))
    return row_id


async def _ensure_newest(level_id: UUID, version_id: UUID) -> None:
    if (await current_terms(level_id)).version_id != version_id:
        raise PreviewOutdated(path=["serviceLevelVersionId"], current=version_id)


async def _lock_level(level_id: UUID) -> None:
    """Keep the level from being saved anew meanwhile."""
    await ServiceLevel.filter(id=level_id).select_for_update(no_key=True).get()


def _text(key: UUID | None) -> str | None:
    return None if key is None else str(key)
