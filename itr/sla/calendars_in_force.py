"""The versions of calendars that count now, for whom, held in memory (R-CAL-03)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from tortoise.connection import get_connection

from itr.errors import NotFound
from itr.references import References, Remembered
from itr.sla.clocks import CalendarInForce
from itr.sla.operations import calendars_of_versions, current_calendars


@dataclass(frozen=True)
class _Newest:
    """The newest version of each calendar and of its twin without make-up days; who goes by it."""

    versions: Mapping[UUID, UUID]
    twins: Mapping[UUID, UUID]
    opted_out: frozenset[UUID]

    def version(self, calendar_id: UUID, customer_id: UUID | None) -> UUID | None:
        """The version that counts for a customer; None: there is no such calendar."""
        own = self.versions.get(calendar_id)
        return self.twins.get(calendar_id, own) if customer_id in self.opted_out else own


_NEWEST = """
select distinct on (c.id) c.id, c.base_id, v.id as version
from calendar c join calendar_version v on v.calendar_id = c.id order by c.id, v.number desc
"""


async def _read() -> _Newest:
    connection = get_connection("default")
    rows = await connection.execute_query_dict(_NEWEST)
    out = await connection.execute_query_dict("select id from organisation where not make_up_days")
    return _Newest(
        versions={row["id"]: row["version"] for row in rows},
        twins={row["base_id"]: row["version"] for row in rows if row["base_id"]},
        opted_out=frozenset(row["id"] for row in out),
    )


_NEWEST_OF_ALL = Remembered("calendars", "people", load=_read)


async def calendars_in_force(
    ids: Iterable[UUID], customer_id: UUID | None, references: References | None = None
) -> dict[UUID, CalendarInForce]:
    """The versions of these calendars that count now for a customer. Raises NotFound.

    With the marks of a transaction they are as it sees them, out of memory; else they are read.
    """
    wanted = set(ids)
    if references is None:
        found = await current_calendars(wanted, customer_id=customer_id)
        return {key: CalendarInForce(it.version_id, it.working) for key, it in found.items()}
    newest = await _NEWEST_OF_ALL.under(references)
    versions = {key: newest.version(key, customer_id) for key in wanted}
    known = [version for version in versions.values() if version is not None]
    if len(known) < len(wanted):
        raise NotFound()
    working = await calendars_of_versions(known)
    return {
        key: CalendarInForce(version, working[version])
        for key, version in versions.items()
        if version is not None
    }
