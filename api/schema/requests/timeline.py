"""A request's timeline as the API shows it (R-REQ-01, R-REQ-07).

What all entries have is the interface; what one kind of fact names besides is a type of its own,
declared in `api.schema.requests.timeline_facts`.
"""

from datetime import datetime

import strawberry

from api.planner.arguments import filter_for
from api.planner.connections import connection_of
from api.planner.declare import column, one, public_id, sql
from api.planner.stored import Identity, Node, stored
from api.schema.people.types import Person
from api.schema.requests.timeline_words import FACT, TimelineFact
from itr.actors.roles import Permission
from itr.catalogue.terms import Priority
from itr.events.log import Audience
from itr.requests.terms import RequestStatus
from itr.sight.names_shown import ACTOR_NAME
from itr.sight.requests import visible_events


@stored(
    table="event",
    key="evt",
    visible=visible_events,
    found_with=Permission.READ_REQUESTS,
    unique={"uid": "uuid"},
    identity=Identity(shown="encode(uuid_send({t}.uid), 'hex')", found="{t}.uid = :id1::uuid"),
    order="occurred_at",
    kinds="type",
)
@strawberry.interface(
    description="An entry of a request's timeline; every kind of fact has a type of its own."
    " 时间线条目"
)
class TimelineEvent(Node):
    """An entry of a request's timeline (R-REQ-01, R-REQ-07)."""

    id: strawberry.ID = public_id()
    fact: TimelineFact = sql(
        FACT, filter=True, description="What happened, in the past tense: tells the type, too."
    )
    type: str = column(
        filter=True,
        description="What happened, as a word.",
        deprecation_reason="Use fact. Removal on 2027-03-01.",
    )
    audience: Audience = column(description="Who may see it.")
    actor: Person | None = one(
        "actor_id",
        description="Who did it; null when it is nobody you may see, or the system itself.",
    )
    actor_name: str = sql(
        ACTOR_NAME, description="Who did it; of a partner firm's staff others read its name."
    )
    occurred_at: datetime = column(filter=True, order=True, description="When it happened.")
    recorded_at: datetime = column(description="When it was recorded.")
    historic: bool = column(description="Whether it was lived through in another system.")
    text: str | None = sql("{t}.payload->>'text'", description="Its words, if it has any.")
    reason: str | None = sql("{t}.payload->>'reason'", description="Why.")
    from_status: RequestStatus | None = sql("{t}.payload->>'from'", description="State before.")
    to_status: RequestStatus | None = sql("{t}.payload->>'to'", description="State after.")
    priority: Priority | None = sql(
        "{t}.payload->>'priority'", description="Priority it gave the request."
    )
    priority_before: Priority | None = sql(
        "{t}.payload->>'priorityBefore'", description="Priority the request had."
    )


@filter_for(TimelineEvent)
class TimelineEventFilter:
    """Only entries for which all of this holds."""


@connection_of(TimelineEvent)
class TimelineEventConnection:
    """A page of a timeline."""
