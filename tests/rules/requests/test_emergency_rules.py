"""When an emergency may be declared, which bulletin comes when, and when one is missing."""

from datetime import UTC, datetime, timedelta

import pytest

from itr.catalogue.terms import Priority
from itr.requests.emergency_rules import (
    BULLETIN_EVERY,
    NoEmergency,
    comes_now,
    due_times,
    ensure_outage,
)
from itr.requests.terms import BulletinKind, RequestKind

K = BulletinKind
DUE = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("priority", [*Priority, ""])
@pytest.mark.parametrize("kind", RequestKind)
@pytest.mark.parametrize("down", [True, False])
def test_only_a_technical_p1_request_with_service_down_is_an_emergency(
    kind: RequestKind, priority: str, down: bool
) -> None:
    """R-REQ-11."""
    if (kind, priority, down) == (RequestKind.TECHNICAL, "P1", True):
        ensure_outage(kind, priority, service_down=down)
        return
    with pytest.raises(NoEmergency):
        ensure_outage(kind, priority, service_down=down)


@pytest.mark.parametrize(
    ("told", "down", "expected", "open_"),
    [
        ((), True, True, {K.FIRST}),
        ((K.FIRST,), True, True, {K.PROGRESS}),
        ((K.FIRST, K.PROGRESS), True, True, {K.PROGRESS}),
        ((), False, True, {K.RECOVERY}),
        ((K.FIRST, K.PROGRESS), False, True, {K.RECOVERY}),
        ((K.FIRST, K.RECOVERY), False, False, {K.CAUSE}),
        ((K.FIRST, K.RECOVERY), True, True, {K.PROGRESS}),
    ],
)
def test_at_any_time_exactly_one_kind_of_bulletin_comes(
    told: tuple[K, ...], down: bool, expected: bool, open_: set[K]
) -> None:
    """R-REQ-11: restoration comes before cause."""
    given = frozenset(str(kind) for kind in told)

    found = {
        kind for kind in K if comes_now(kind, told=given, service_down=down, expected=expected)
    }

    assert found == open_


@pytest.mark.parametrize(
    ("minutes", "missed"), [(-1, 0), (0, 1), (29, 1), (30, 2), (95, 4), (24 * 60, 49)]
)
def test_every_half_hour_without_a_bulletin_is_one_due_time_missed(
    minutes: int, missed: int
) -> None:
    """R-REQ-11."""
    now = DUE + timedelta(minutes=minutes)

    *passed, following = due_times(DUE, now)

    assert passed == [DUE + place * BULLETIN_EVERY for place in range(missed)]
    assert following > now
    assert following == DUE + missed * BULLETIN_EVERY
