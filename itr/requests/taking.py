"""Reading requests into hand: locked and read by one statement, each row made once."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from itr.actors.actor import SYSTEM, Actor
from itr.catalogue.in_force import terms_of
from itr.errors import NotFound, Stale
from itr.events.work import Work
from itr.requests.charge_rules import Price
from itr.requests.control_points import ControlPoints
from itr.requests.models import Escalation, HandOver, Request, Stint
from itr.requests.ticket_work import ProjectPeople, TicketWork
from itr.rows import as_it_is, row_of, values_of
from itr.sight.requests import visible_requests
from itr.sight.row_filter import RowFilter
from itr.sla.calendars_in_force import calendars_in_force
from itr.sla.clocks import ClockBook, histories_of
from itr.sla.models import Clock, ControlPoint

Told = Mapping[str, Any]


async def take(
    work: Work,
    actor: Actor,
    request_id: UUID,
    now: datetime,
    expected_version: int | None = None,
    *,
    holding: UUID | None = None,
    children: Collection[str] = (),
) -> TicketWork:
    """Lock a request the actor sees and read all that its verbs need, by one statement.

    Time never runs backwards on one request: who waited for the lock acts after who held it.
    `holding`: a person nobody takes away before the transaction ends (R-ROLE-07). With it are
    taken its `children` that stand so, also those out of the actor's sight.
    Raises NotFound, Stale.
    """
    found = await _taken(
        work, actor, [request_id], sight_of(actor), now, holding=holding, children=children
    )
    if not found:
        raise NotFound(path=["id"])
    ensure_current(found[0], expected_version)
    return found[0]


def ensure_current(in_hand: TicketWork, expected_version: int | None) -> None:
    """Raise Stale when a request has moved on since the version somebody saw."""
    current = in_hand.request.version
    if expected_version is not None and expected_version != current:
        raise Stale(current=current, path=["expectedVersion"])


async def take_all(
    work: Work, actor: Actor, request_ids: Collection[UUID], now: datetime
) -> list[TicketWork]:
    """The same for those of several requests that are within sight."""
    return await _taken(work, actor, request_ids, sight_of(actor), now)


async def take_with_parent(
    work: Work, actor: Actor, request_id: UUID, now: datetime
) -> tuple[TicketWork, TicketWork | None]:
    """A request within sight, and its parent if it has one, seen or not. Raises NotFound."""
    sight = sight_of(actor)
    lead = "(select c.parent_id from request c where c.id = :taken)"
    seen = RowFilter(
        f"({sight.sql} or {{alias}}.id = {lead})", {**sight.arguments, "taken": request_id}
    )
    found = await _taken(work, actor, [request_id], seen, now, parents=True)
    taken = next((each for each in found if each.request.id == request_id), None)
    if taken is None:
        raise NotFound(path=["id"])
    return taken, next((each for each in found if each is not taken), None)


async def look(work: Work, actor: Actor, request_id: UUID, now: datetime) -> TicketWork:
    """A request in hand as `take` gives it, to be looked at: not locked, not to be saved."""
    rows = await work.connection.execute_query_dict(
        "select request_in_hand($1::uuid)::text as found", [request_id]
    )
    return await _in_hand(actor, orjson.loads(rows[0]["found"]), now)


def sight_of(actor: Actor) -> RowFilter:
    """What an actor may take: what they see; the system everything."""
    return RowFilter.everything() if actor is SYSTEM else visible_requests(actor)


_TAKE = """
with claim as ({claim}), mine as materialized (
    select r.id from request r
    where exists (select 1 from claim) and r.id = any({wanted}) and {sight}
    order by r.parent_id nulls first, r.id for update
), held as materialized (
    select p.organisation_id, p.active from person p
    where p.id = $2::uuid and exists (select 1 from mine) for share
)
select exists (select 1 from claim) as claimed, taken.* from (select 1) as one left join (
    select request_in_hand(mine.id)::text as found,
        case when held.active then held.organisation_id end as held, {children} as children
    from mine left join held on true offset 0
) taken on true
"""
_WANTED = "$1::uuid[]"
_AND_PARENTS = "$1::uuid[] || array(select c.parent_id from request c where c.id = any($1::uuid[]))"
_CHILDREN = "children_in_hand(mine.id, ${}::text[])::text"
# What hangs on a request is read by a volatile function, so that it is seen as it is after the
# lock was waited for: in the statement's own snapshot it would be as it was before. Parents are
# locked before children. See decision 0018.


async def _taken(
    work: Work,
    actor: Actor,
    request_ids: Collection[UUID],
    sight: RowFilter,
    now: datetime,
    *,
    holding: UUID | None = None,
    children: Collection[str] = (),
    parents: bool = False,
) -> list[TicketWork]:
    await work.flush()
    condition, values = sight.numbered("r", 2)
    values = [list(request_ids), holding, *values]
    theirs = "null"
    if children:
        values.append(sorted(children))
        theirs = _CHILDREN.format(len(values))
    wanted = _AND_PARENTS if parents else _WANTED
    claim, more = work.claiming(len(values))
    statement = _TAKE.format(claim=claim, wanted=wanted, sight=condition, children=theirs)
    rows = await work.connection.execute_query_dict(statement, [*values, *more])
    await work.ensure_claimed(rows[0]["claimed"])
    taken = []
    for row in rows if rows[0]["found"] is not None else ():
        in_hand = await _in_hand(actor, orjson.loads(row["found"]), now)
        in_hand.held = row["held"]
        for child in orjson.loads(row["children"] or "[]"):
            in_hand.children.append(await _in_hand(actor, child, in_hand.now))
        taken.append(in_hand)
    return taken


async def _in_hand(actor: Actor, told: Told, now: datetime) -> TicketWork:
    request = row_of(Request, told["request"])
    clocks = [row_of(Clock, each) for each in told["clocks"] or ()]
    steps = [row_of(ControlPoint, each) for each in told["steps"] or ()]
    stints = [row_of(Stint, each) for each in told["stints"] or ()]
    hand_overs = [row_of(HandOver, each) for each in told["hand_overs"] or ()]
    terms = await terms_of(request.service_level_version_id)
    book = ClockBook(histories_of(event for events in told["words"] or () for event in events))
    references = told["references"]
    return TicketWork(
        actor=actor,
        now=max(now, request.updated_at, *book.instants()),
        request=request,
        terms=terms,
        calendars=await calendars_in_force(
            [terms.calendar_id, *calendars_of(book)], request.customer_id, references
        ),
        book=book,
        clocks={row.thread: row for row in clocks},
        control_points=ControlPoints({row.number: row for row in steps}),
        stints=stints,
        hand_overs=hand_overs,
        as_read={row.pk: as_it_is(row) for row in (request, *clocks, *steps, *stints, *hand_overs)},
        escalations=[values_of(row_of(Escalation, each)) for each in told["escalations"] or ()],
        timers_set={
            kind: datetime.fromisoformat(due) for kind, due in (told["timers"] or {}).items()
        },
        project=project_people(told),
        has_begun=told["begun"],
        price=_price(told["charge_item"]),
        references=references,
    )


def project_people(told: Told) -> ProjectPeople:
    """The people around a request who are not named on it."""
    return ProjectPeople(
        *(
            UUID(told[key]) if told[key] else None
            for key in ("project_manager", "project_contact", "contact")
        )
    )


def _price(item: Told | None) -> Price | None:
    if item is None or item["price"] is None:
        return None
    return Price(Decimal(item["price"]), item["currency"], Decimal(item["tax_percent"]))


def calendars_of(book: ClockBook) -> set[UUID]:
    """The calendars the histories count by."""
    return {
        event.calendar
        for history in book.histories.values()
        for event in history
        if isinstance(event.calendar, UUID)
    }


async def lock_visible(
    connection: BaseDBAsyncClient, request_id: UUID, sight: RowFilter, *path: str
) -> None:
    """Lock a request within sight until the transaction ends. Raises NotFound at `path`."""
    condition, values = sight.numbered("r", 1)
    found = await connection.execute_query_dict(
        f"select id from request r where id = $1 and {condition} for update", [request_id, *values]
    )
    if not found:
        raise NotFound(path=path)
