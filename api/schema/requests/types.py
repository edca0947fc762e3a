"""Requests as the API shows them: the request, its timeline, its stays on lines."""

from datetime import datetime
from typing import Annotated

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, computed, connection, many, one, public_id, same_row, sql
from api.planner.stored import Node, embedded, stored
from api.schema.catalogue.service_levels import ServiceLevelVersion
from api.schema.catalogue.types import Contract, ContractLine, Product
from api.schema.people.types import Organisation, Person, Project, Queue
from api.schema.problems.types import Problem
from api.schema.requests.charges import CHARGED, RequestCharge, charge_of
from api.schema.requests.emergencies import Bulletin, BulletinCountdown
from api.schema.requests.standing import STANDING, open_verbs
from api.schema.requests.third_parties import HandOver
from api.schema.requests.timeline import TimelineEventConnection
from api.schema.requests.waits import RequestWait, waits_of
from api.schema.sla.control_points import ControlPoint
from api.schema.sla.types import LIFECYCLE, Clock
from api.schema.tickets.escalations import Escalation
from itr.actors.roles import Permission
from itr.catalogue.terms import EntitlementOutcome, FaultLevel, Impact, Phase, Priority
from itr.requests import routing
from itr.requests.given_back import GIVEN_BACK, as_it_was
from itr.requests.lifecycle import RequestVerb
from itr.requests.risk import BREACHED_NOW, TIGHTEST
from itr.requests.terms import (
    Channel,
    Charge,
    ProblemType,
    RejectionCode,
    RequestKind,
    RequestStatus,
)
from itr.sight.names_shown import ASSIGNEE_NAME
from itr.sight.requests import visible_parts, visible_requests
from itr.sla.terms import WaitingReason


@stored(
    table="stint",
    key="stn",
    visible=visible_parts,
    permission=Permission.READ_INTERNAL,
    order="number",
)
@strawberry.type(description="One stay of a request on a line (R-LIN-01). 支持线停留")
class Stint(Node):
    """One stay of a request on a line: a measure, not a target."""

    id: strawberry.ID = public_id()
    number: int = column(description="Its place among the stays, from 1.")
    line: int = column(description="Support line 1, 2 or 3.")
    queue: Queue | None = one("queue_id", description="In which queue.")
    partner: Organisation | None = one("partner_id", description="With which partner firm.")
    started_at: datetime = column(description="Since when.")
    ended_at: datetime | None = column(description="Until when; null while it lasts.")
    reason: str | None = column(description="Why it ended.")


@embedded
@strawberry.type(description="What authorisation found, pinned (R-ENT-02). 鉴权")
class Entitlement:
    """What authorisation found, pinned to the request."""

    outcome: EntitlementOutcome = column("entitlement_outcome", description="What it found.")
    contract_line: ContractLine | None = one(
        "contract_line_id", description="The line that entitles it."
    )
    charge: Charge | None = column(description="Where a chargeable request stands.")


@embedded
@strawberry.type(description="What happens next and when to expect it (R-REQ-05). 计划")
class Plan:
    """What happens next and when to expect it."""

    summary: str = column("plan_summary", description="What will be done.")
    expected_at: datetime = column(description="When to expect the result.")


_RELATED = (
    "{t}.id in ({parent}.follows_id, {parent}.merged_into_id)"
    " or {t}.follows_id = {parent}.id or {t}.merged_into_id = {parent}.id"
)


@stored(
    table="request",
    key="req",
    visible=visible_requests,
    permission=Permission.READ_REQUESTS,
    order="-registered_at",
)
@strawberry.type(description="A customer's request, from issue to resolved. 服务请求")
class ServiceRequest(Node):
    """A customer's request, from issue to resolved (R-REQ-01)."""

    id: strawberry.ID = public_id()
    number: str = column(
        filter=True, order=True, folded="number_folded", description="The number people use."
    )
    version: int = column(description="Rises with every change; give it as `expectedVersion`.")
    kind: RequestKind = column(filter=True, description="What sort of request.")
    title: str = column(filter=True, folded="title_folded", description="Its subject.")
    description: str = column(description="What the requester told.")
    status: RequestStatus = column(filter=True, order=True, description="Where it stands.")
    waiting_reason: WaitingReason | None = column(
        filter=True, description="What it waits for; of several reasons the one told last."
    )
    waits: list[RequestWait] = computed(
        {"waiting_reason": "{t}.waiting_reason", "waits": "{t}.waits"},
        waits_of,
        description="All it waits for: each opens and ends by itself, the request goes on with the"
        " last (R-REQ-03).",
    )
    problem_type: ProblemType | None = column(filter=True, description="What is the matter.")
    fault_level: FaultLevel | None = column(filter=True, description="How badly it is broken.")
    impact: Impact | None = column(filter=True, description="Who is affected.")
    priority: Priority = column(
        filter=True, order=True, description="Derived; P3 until classified."
    )
    channel: Channel = column(filter=True, description="How it reached us.")
    phase: Phase = column(filter=True, description="Where in the contract's life it falls.")
    emergency: bool = column(filter=True, description="Whether it is an emergency recovery.")
    customer: Organisation | None = one("customer_id", filter=True, description="Whose it is.")
    contact: Person | None = one("contact_id", filter=True, description="Who to talk to.")
    project: Project | None = one("project_id", filter=True, description="The project it is of.")
    product: Product | None = one("product_id", filter=True, description="Null: not known.")
    branch: Organisation | None = one("branch_id", filter=True, description="Serving branch.")
    line: int | None = column(
        permission=Permission.READ_HANDLING, filter=True, order=True, description="Support line."
    )
    queue: Queue | None = one(
        "queue_id",
        permission=Permission.READ_HANDLING,
        filter=True,
        description="Where it waits or is worked.",
    )
    partner: Organisation | None = one(
        "partner_id",
        permission=Permission.READ_HANDLING,
        filter=True,
        description="The partner firm it is with now.",
    )
    assignee: Person | None = one("assignee_id", filter=True, description="Its owner (责任人).")
    assignee_name: str | None = sql(
        ASSIGNEE_NAME,
        description="Its owner's name; of a partner firm's staff others read its name.",
    )
    entitlement: Entitlement | None = same_row(
        present="{t}.entitlement_outcome is not null",
        permission=Permission.READ_CONTRACTS,
        description="What authorisation found; null before.",
    )
    charge: RequestCharge | None = computed(
        CHARGED,
        charge_of,
        permission=Permission.READ_CONTRACTS,
        description="What it costs the customer, as no contract covers it; null without a charge.",
    )
    entitlement_outcome: EntitlementOutcome | None = column(
        permission=Permission.READ_CONTRACTS,
        filter=True,
        description="What authorisation found, to filter by.",
    )
    contract: Contract | None = one(
        on="{t}.id = (select l.contract_id from contract_line l"
        " where l.id = {parent}.contract_line_id)",
        permission=Permission.READ_CONTRACTS,
        filter=True,
        description="The contract that entitles it.",
    )
    service_level_version: ServiceLevelVersion | None = one(
        "service_level_version_id",
        permission=Permission.READ_CATALOGUE,
        description="The promise that runs its clocks.",
    )
    plan: Plan | None = same_row(
        present=f"{{t}}.plan_summary is not null and not {GIVEN_BACK}",
        description="What happens next; null before.",
    )
    workaround: str | None = sql(
        as_it_was("workaround", "restored_at"), description="How service was restored."
    )
    solution: str | None = sql(
        as_it_was("solution", "delivered_at"), description="What resolved it."
    )
    service_down: bool = column(
        filter=True, description="Whether the customer's service is down, as far as is known."
    )
    rejection_code: RejectionCode | None = column(
        filter=True, description="Why it was rejected, coded."
    )
    ended_reason: str | None = sql(
        as_it_was("ended_reason", None), description="Why it was rejected or cancelled."
    )
    verified_by: Person | None = one("verified_by_id", description="Who checked the result.")
    confirmed_by_silence: bool = column(
        description="Whether no answer within the window confirmed it (R-REQ-04)."
    )
    source_met: bool | None = column(
        permission=Permission.READ_INTERNAL,
        filter=True,
        description="Whether its promise was met as the system it was imported from judged it;"
        " null unless it did.",
    )
    reopen_count: int = column(filter=True, description="How often the solution came back.")
    solved_by_line: int | None = sql(
        routing.SOLVED_BY_LINE,
        permission=Permission.READ_HANDLING,
        filter=True,
        description="The line that delivered the accepted solution (R-LIN-02); null until it is"
        " accepted.",
    )
    first_line: int | None = sql(
        routing.FIRST_LINE,
        permission=Permission.READ_INTERNAL,
        filter=True,
        description="The line it was first dispatched to.",
    )
    highest_line: int | None = sql(
        routing.HIGHEST_LINE,
        permission=Permission.READ_INTERNAL,
        filter=True,
        description="The highest line it reached.",
    )
    delivering_line: int | None = sql(
        routing.DELIVERING_LINE,
        permission=Permission.READ_INTERNAL,
        filter=True,
        description="The line of the last delivered solution, accepted or not (R-LIN-02).",
    )
    returned: bool | None = column(
        permission=Permission.READ_INTERNAL,
        filter=True,
        description="Whether it came back to a queue it had left.",
    )
    first_contact: bool | None = column(
        permission=Permission.READ_INTERNAL,
        filter=True,
        description="Whether line 1 resolved it at first contact.",
    )
    breached_now: bool = sql(
        BREACHED_NOW,
        filter=True,
        description="Whether it is open with a running clock past its deadline; the same on"
        " boards and in figures. 现已超时",
    )
    deadline: datetime | None = sql(
        TIGHTEST,
        filter=True,
        order=True,
        description="The tightest deadline of its running clocks; null: none runs. 最紧期限",
    )
    clocks: list[Clock] = many(
        "request_id",
        order=LIFECYCLE,
        unequal=True,
        filter=True,
        description="Its time threads, in their order.",
    )
    control_points: list[ControlPoint] | None = many(
        "request_id",
        order="number",
        permission=Permission.READ_INTERNAL,
        filter=True,
        description="Its steps, each with owner, budget and result (R-CP-02).",
    )
    stints: list[Stint] | None = many(
        "request_id",
        order="number",
        permission=Permission.READ_INTERNAL,
        description="Its stays on lines (R-LIN-01).",
    )
    timeline: TimelineEventConnection = connection(
        "stream", order="occurred_at", description="What happened, oldest first."
    )
    follows: Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")] | None = one(
        "follows_id", description="The request it follows."
    )
    followed_by: list[Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")]] = (
        many("follows_id", order="registered_at", description="Requests that follow it.")
    )
    parent: Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")] | None = one(
        "parent_id", filter=True, description="The request it is a part of (R-REQ-09)."
    )
    is_child: bool = sql(
        "({t}.parent_id is not null)",
        filter=True,
        description="Whether it is a part of another; children have no clocks and do not count.",
    )
    children: list[Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")]] = (
        many(
            "parent_id", order="registered_at", description="Its parts, one per product (R-REQ-09)."
        )
    )
    merged_into: (
        Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")] | None
    ) = one(
        "merged_into_id", filter=True, description="The request it is a duplicate of (R-REQ-13)."
    )
    is_duplicate: bool = sql(
        "({t}.merged_into_id is not null)",
        filter=True,
        description="Whether it ended in another; duplicates do not count.",
    )
    duplicates: list[Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")]] = (
        many("merged_into_id", order="registered_at", description="Requests that ended in it.")
    )
    related_requests: list[
        Annotated["ServiceRequest", strawberry.lazy("api.schema.requests.types")]
    ] = many(
        on=_RELATED,
        order="registered_at",
        description="What it follows or ended in, and what follows or ended in it.",
    )
    emergency_at: datetime | None = column(
        filter=True, description="When it was declared an emergency (R-REQ-11)."
    )
    bulletin_countdown: BulletinCountdown | None = same_row(
        present="{t}.bulletin_due_at is not null",
        description="When the next bulletin is due; null when none is.",
    )
    bulletins: list[Bulletin] = many(
        "request_id", order="published_at", description="Its status bulletins, oldest first."
    )
    problem: Problem | None = one(
        "problem_id",
        permission=Permission.READ_INTERNAL,
        filter=True,
        description="The cause behind it (R-LNK-01).",
    )
    hand_overs: list[HandOver] | None = many(
        "request_id",
        order="handed_at",
        permission=Permission.READ_HANDLING,
        description="Its stays with partner firms; a firm sees its own (R-REQ-10).",
    )
    escalations: list[Escalation] | None = many(
        "request_id",
        order="opened_at, step",
        permission=Permission.READ_INTERNAL,
        description="Its management escalations, step by step (R-ESC-01).",
    )
    registered_at: datetime = column(filter=True, order=True, description="When it came in.")
    first_response_at: datetime | None = column(
        filter=True, order=True, description="When a person first answered."
    )
    restored_at: datetime | None = column(description="When service was up again.")
    delivered_at: datetime | None = column(
        filter=True, order=True, description="When the solution was delivered last."
    )
    confirmed_at: datetime | None = column(description="When it was confirmed.")
    closed_at: datetime | None = column(filter=True, order=True, description="When it was closed.")
    updated_at: datetime = column(filter=True, order=True, description="When it last changed.")
    viewer_can: list[RequestVerb] = computed(
        STANDING,
        open_verbs,
        description="What you may do to it as it stands.",
    )


@filter_for(ServiceRequest)
class RequestFilter:
    """Only requests for which all of this holds."""


@order_for(ServiceRequest)
class RequestOrder:
    """What to sort requests by, and which way."""


@connection_of(ServiceRequest)
class RequestConnection:
    """A page of requests."""
