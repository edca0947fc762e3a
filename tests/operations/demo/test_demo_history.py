"""The demonstration's requests: a year of past for figures, and something of everything open."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tortoise.connection import get_connection

from itr.database import connected
from itr.demo.history import BATCH
from itr.demo.seeding import seed
from itr.requests.lifecycle import RequestVerb
from itr.requests.terms import RequestStatus
from itr.settings import Settings

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
MANY = BATCH + 20
TEXTS = ["text", "reason", "title", "rootCause"]
"""What of a fact people write."""
_PAST_CLOCKS = "from clock c join request r on r.id = c.request_id and r.source is not null"
_OPEN = "from request where source is null"


async def _rows(statement: str, *values: Any) -> list[dict[str, Any]]:
    return await get_connection("default").execute_query_dict(statement, list(values))


async def _count(statement: str, *values: Any) -> int:
    return int((await _rows(f"select count(*) as n {statement}", *values))[0]["n"])


@pytest.fixture(scope="module")
async def shares(settings: Settings) -> list[float]:
    """The demonstration with its past, and the shares of progress told meanwhile."""
    told: list[float] = []
    await seed(settings, lambda share, _what: told.append(share), now=NOON, history=MANY)
    return told


async def test_the_past_is_a_year_of_requests_that_have_ended(
    settings: Settings, shares: list[float]
) -> None:
    """Issue 9, 4: figures and boards of the demonstration have a year of history."""
    async with connected(settings):
        past = await _rows(
            "select count(*) as requests, min(registered_at) as first, max(updated_at) as last,"
            " count(distinct date_trunc('month', registered_at)) as months,"
            " count(*) filter (where status not in ('CLOSED', 'CANCELLED', 'REJECTED')) as open"
            " from request where source is not null"
        )

    assert past[0]["requests"] == MANY
    assert past[0]["open"] == 0
    assert past[0]["months"] >= 12
    assert NOON - timedelta(days=367) < past[0]["first"]
    assert past[0]["last"] < NOON
    assert shares == sorted(shares)
    assert shares[-1] == 1


async def test_of_the_past_nobody_is_told_and_nothing_is_due(
    settings: Settings, shares: list[float]
) -> None:
    """R-IMP-01."""
    of_the_past = "request_id in (select id from request where source is not null)"
    async with connected(settings):
        assert await _count(f"from notification where {of_the_past}") == 0
        assert await _count(f"from timer where {of_the_past}") == 0
        assert await _count(f"from clock where {of_the_past} and next_alarm_at is not null") == 0


async def test_most_promises_of_the_past_were_kept_and_some_were_not(
    settings: Settings, shares: list[float]
) -> None:
    """R-SLA-05: breaches with an approved reason, and the timeline of each request is whole."""
    async with connected(settings):
        clocks = await _count(
            "from clock c join request r on r.id = c.request_id and r.source > ''"
        )
        breached = await _count(f"{_PAST_CLOCKS} where c.breached_at is not null")
        approved = await _count("from clock where breach_reason_state = 'APPROVED'")
        gaps = await _count(
            "from request r where version <>"
            " (select count(*) from event e where e.subject = r.id and e.subject_type = 'request')"
        )

    assert 0 < breached < clocks / 4
    assert approved > 0
    assert gaps == 0


async def test_something_of_everything_is_open(settings: Settings, shares: list[float]) -> None:
    """Issue 9, 4: each state, several waiting reasons, an emergency, a firm, breaches, a charge."""
    async with connected(settings):
        statuses = {row["status"] for row in await _rows(f"select distinct status {_OPEN}")}
        found = {
            "waits for two": await _count(f"{_OPEN} and jsonb_array_length(waits) = 2"),
            "an emergency": await _count(f"{_OPEN} and emergency"),
            "with a firm": await _count(f"{_OPEN} and partner_id is not null"),
            "a pending charge": await _count(f"{_OPEN} and charge = 'PENDING'"),
            "escalated": await _count("from escalation"),
            "on the second line": await _count(f"{_OPEN} and line = 2 and partner_id is null"),
        }
        reasons = await _rows(
            "select breach_reason_state as state, count(*) as n from clock c"
            " join request r on r.id = c.request_id and r.source is null"
            " where c.deadline < $1 and c.completed_at is null group by 1",
            NOON,
        )

    assert statuses == {each.value for each in RequestStatus}
    assert [name for name, number in found.items() if not number] == []
    assert {row["state"] for row in reasons} == {None, "GIVEN", "APPROVED"}


async def test_a_second_start_adds_nothing_to_the_past(
    settings: Settings, shares: list[float]
) -> None:
    """What is there already is left as it is."""
    async with connected(settings):
        before = await _count("from event")

    await seed(settings, lambda *_: None, now=NOON, history=MANY)

    async with connected(settings):
        assert await _count("from event") == before


VERB_OF = {
    "RequestAccepted": RequestVerb.ACCEPT,
    "RequestRejected": RequestVerb.REJECT,
    "RequestDispatched": RequestVerb.DISPATCH,
    "RequestStarted": RequestVerb.START,
    "RequestWaiting": RequestVerb.WAIT,
    "RequestResumed": RequestVerb.RESUME,
    "RequestRestored": RequestVerb.RESTORE,
    "RequestDelivered": RequestVerb.DELIVER,
    "RequestConfirmed": RequestVerb.CONFIRM,
    "SolutionRejected": RequestVerb.REJECT_SOLUTION,
    "RequestClosed": RequestVerb.CLOSE,
    "RequestCancelled": RequestVerb.CANCEL,
    "RequestEscalated": RequestVerb.ESCALATE,
    "RequestHandedToPartner": RequestVerb.HAND_TO_PARTNER,
    "RequestTakenBack": RequestVerb.TAKE_BACK,
}


async def test_every_move_of_a_year_is_one_of_the_lifecycle_table(
    settings: Settings, shares: list[float]
) -> None:
    """R-REQ-01: what docs/reference.md says of where verbs lead is what they did."""
    async with connected(settings):
        moves = await _rows(
            "select distinct type, payload->>'from' as before, payload->>'to' as after from event"
            " where payload ? 'from' and payload ? 'to' and subject_type = 'request'"
        )

    verbs = {move["type"] for move in moves}
    assert verbs <= VERB_OF.keys()
    assert len(verbs) > 10
    for move in moves:
        verb = VERB_OF[move["type"]]
        assert move["before"] in verb.declared.from_states, move
        assert move["after"] in verb.declared.to, move


async def test_no_fact_of_the_demonstration_names_a_person_or_their_contacts(
    settings: Settings, shares: list[float]
) -> None:
    """R-ROLE-09: of all kinds of facts there; but for what somebody wrote, texts have words."""
    del shares
    async with connected(settings):
        kinds = await _count("from (select distinct type from event) kinds")
        named = await _rows(
            "select e.type, word from (select type, concat(actor_name, payload - $1::text[]) said"
            " from event) e, (select unnest(array[name, email, phone]) as word from person"
            " where not machine) known where strpos(e.said, word) > 0",
            TEXTS,
        )
        texts = await _count(
            "from event e where e.payload ?| $1::text[] and e.type not like 'Problem%'", TEXTS
        )

    assert kinds > 30
    assert texts > 0
    assert named == []
