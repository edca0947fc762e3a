"""Windows that end: one that cannot end holds up no other."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from itr.database import connected
from itr.requests.due_timers import AGAIN, fire_due_timers
from itr.settings import Settings
from itr.sla.models import Timer
from tests.support.desk import START, furnish, hours
from tests.workers.alarms import registered


@pytest.fixture(scope="module")
async def ids(settings: Settings) -> AsyncIterator[dict[str, UUID]]:
    async with connected(settings):
        yield await furnish(START)


async def test_a_timer_that_cannot_fire_is_tried_again_later_and_the_next_one_fires(
    ids: dict[str, UUID],
) -> None:
    """R-REQ-04, Decision 4."""
    first, second = await registered(ids, START), await registered(ids, START)
    broken = await Timer.create(id=uuid4(), kind="NO_SUCH", request_id=first, due_at=START)
    await Timer.create(id=uuid4(), kind="CONFIRMATION", request_id=second, due_at=START)
    now = START + hours(1)

    taken = await fire_due_timers(now)

    left = await Timer.filter(request_id__in=[first, second], kind__in=["NO_SUCH", "CONFIRMATION"])
    assert taken == 1
    assert [(each.id, each.due_at) for each in left] == [(broken.id, now + AGAIN)]
