"""Reading service terms: of a version, of a level as it stands, of the house level (R-CAT-03)."""

from uuid import UUID

import orjson
from tortoise.connection import get_connection

from itr.catalogue.models import ServiceLevelVersion, ServicePause, ServiceTarget
from itr.catalogue.rules import ServiceTerms
from itr.errors import DomainError, NotFound
from itr.references import References, Remembered
from itr.sla.clock import Target
from itr.sla.control_points import shares_of

_terms: dict[UUID, ServiceTerms] = {}


class NoHouseLevel(DomainError):
    """Nothing can be promised before the house level is set (R-ENT-04)."""

    code = "NO_HOUSE_LEVEL"
    zh = "尚未设定内部服务级别，请流程经理先设定。"
    en = "The house service level is not set; the process manager sets it first."


async def terms_of(version_id: UUID) -> ServiceTerms:
    """The terms of a version, read once per process: a version never changes. Raises NotFound."""
    if version_id not in _terms:
        _terms[version_id] = await _read(version_id)
    return _terms[version_id]


async def house_terms(references: References | None = None) -> ServiceTerms:
    """The current terms of the house level, out of memory where marks are given.

    Raises NoHouseLevel.
    """
    version_id = await _HOUSE.under(references)
    if version_id is None:
        raise NoHouseLevel()
    return await terms_of(version_id)


async def _house() -> UUID | None:
    return await _current("level.house", [])


_HOUSE = Remembered("levels", load=_house)


async def current_terms(service_level_id: UUID) -> ServiceTerms:
    """The highest version of a service level: what new requests get. Raises NotFound."""
    version_id = await _current("level.id = $1", [service_level_id])
    if version_id is None:
        raise NotFound()
    return await terms_of(version_id)


async def _current(which: str, values: list[UUID]) -> UUID | None:
    rows = await get_connection("default").execute_query_dict(
        "select version.id from service_level level"
        " join service_level_version version on version.service_level_id = level.id"
        f" where {which} order by version.number desc limit 1",
        values,
    )
    return rows[0]["id"] if rows else None


async def _read(version_id: UUID) -> ServiceTerms:
    versions = ServiceLevelVersion.filter(id=version_id).select_related("service_level")
    version = await versions.first()
    if version is None:
        raise NotFound()
    targets = await ServiceTarget.filter(version_id=version_id)
    rules = version.alarm_rules
    pauses = await ServicePause.filter(version_id=version_id)
    return ServiceTerms(
        version_id=version_id,
        service_level_id=version.service_level.id,
        name=version.service_level.name,
        calendar_id=version.calendar_id,
        targets={
            (each.priority, each.thread): Target(us=each.target_us, days=each.target_days)
            for each in targets
        },
        pauses=frozenset((each.reason, each.thread) for each in pauses),
        percents=tuple(version.alarm_percents),
        matrix=version.matrix,
        confirmation_days=version.confirmation_days,
        shares=shares_of(version.ola_shares),
        alarm_rules=None if rules is None else orjson.dumps(rules).decode(),
    )
