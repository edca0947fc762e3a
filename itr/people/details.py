"""Names and contacts of persons: kept in rows, never in the log (R-ROLE-09)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from itr.events.work import Work
from itr.people.history import next_version
from itr.people.models import FormerDetail

DETAILS = ("name", "email", "phone")
"""What of a person is known to people, and is never in the payload of a fact."""


async def keep_former(
    work: Work, person_id: UUID, before: Mapping[str, object], now: datetime
) -> None:
    """Keep what the details were that are about to change; before the fact of it is recorded.

    The caller holds the person locked. What is no detail, and what there was not, is passed over.
    """
    version = await next_version(work, person_id)
    await FormerDetail.bulk_create(
        FormerDetail(
            id=uuid4(), person_id=person_id, field=field, value=was, version=version, until=now
        )
        for field, was in before.items()
        if field in DETAILS and isinstance(was, str) and was
    )


def without_details(changes: Mapping[str, Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    """Changes of a person as the log tells them: of a name or contact only that it changed."""
    return {field: {} if field in DETAILS else change for field, change in changes.items()}
