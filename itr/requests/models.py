"""Tables of requests: the request itself, its stays on lines, its hand-overs to partner firms."""

from uuid import UUID

from tortoise import fields

from itr.catalogue.models import CatalogueItem, ContractLine, Product, Project, ServiceLevelVersion
from itr.catalogue.terms import EntitlementOutcome, FaultLevel, Impact, Phase, Priority
from itr.columns import bytes_or_null, enum_or_null, text_or_null, yes_no_or_null
from itr.people.models import Organisation, Person, Queue
from itr.requests.terms import (
    Channel,
    Charge,
    ProblemType,
    RejectionCode,
    RequestKind,
    RequestStatus,
)
from itr.sla.models import CalendarVersion
from itr.sla.terms import ClockState, Thread, WaitingReason
from itr.tables import Table
from itr.tickets.terms import EscalationCause


class Request(Table):
    """A customer's request, from issue to resolved.

    `queues_been` are the queues it was put into, the one it was put into last at the end; `takings`
    is 1 as long as it was taken once and nothing else happened (see `routing`).
    """

    id = fields.UUIDField(primary_key=True)
    number = fields.CharField(max_length=24, unique=True)
    version = fields.IntField(default=0)
    kind = fields.CharEnumField(RequestKind, max_length=14)
    status = fields.CharEnumField(RequestStatus, max_length=12)
    title = fields.CharField(max_length=400)
    description = fields.TextField()
    channel = fields.CharEnumField(Channel, max_length=12)
    phase = fields.CharEnumField(Phase, max_length=16)
    customer: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="requests", on_delete=fields.RESTRICT
    )
    customer_id: UUID
    contact: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="contact_requests", null=True, on_delete=fields.RESTRICT
    )
    contact_id: UUID | None
    requester: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="submitted_requests", on_delete=fields.RESTRICT
    )
    requester_id: UUID
    project: fields.ForeignKeyNullableRelation[Project] = fields.ForeignKeyField(
        "itr.Project", related_name="requests", null=True, on_delete=fields.RESTRICT
    )
    project_id: UUID | None
    product: fields.ForeignKeyNullableRelation[Product] = fields.ForeignKeyField(
        "itr.Product", related_name="requests", null=True, on_delete=fields.RESTRICT
    )
    product_id: UUID | None
    branch: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="branch_requests", null=True, on_delete=fields.RESTRICT
    )
    branch_id: UUID | None
    problem_type: ProblemType | None = enum_or_null(ProblemType, 12)
    fault_level: FaultLevel | None = enum_or_null(FaultLevel, 8)
    impact: Impact | None = enum_or_null(Impact, 10)
    priority = fields.CharEnumField(Priority, max_length=2)
    line = fields.SmallIntField(default=1)
    queue: fields.ForeignKeyNullableRelation[Queue] = fields.ForeignKeyField(
        "itr.Queue", related_name="requests", null=True, on_delete=fields.RESTRICT
    )
    queue_id: UUID | None
    assignee: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="assigned_requests", null=True, on_delete=fields.RESTRICT
    )
    assignee_id: UUID | None
    partner: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="partner_requests", null=True, on_delete=fields.RESTRICT
    )
    partner_id: UUID | None
    waiting_reason: WaitingReason | None = enum_or_null(WaitingReason, 16)
    waits: fields.JSONField[list[dict[str, str]]] = fields.JSONField(default=list, db_default=[])
    returns_to: RequestStatus | None = enum_or_null(RequestStatus, 12)
    entitlement_outcome: EntitlementOutcome | None = enum_or_null(EntitlementOutcome, 12)
    contract_line: fields.ForeignKeyNullableRelation[ContractLine] = fields.ForeignKeyField(
        "itr.ContractLine", related_name="requests", null=True, on_delete=fields.RESTRICT
    )
    contract_line_id: UUID | None
    charge: Charge | None = enum_or_null(Charge, 10)
    charge_item: fields.ForeignKeyNullableRelation[CatalogueItem] = fields.ForeignKeyField(
        "itr.CatalogueItem", related_name="requests", null=True, on_delete=fields.RESTRICT
    )
    charge_item_id: UUID | None
    charge_price = fields.DecimalField(max_digits=14, decimal_places=2, null=True)
    charge_currency = fields.CharField(max_length=3, null=True)
    charge_tax_percent = fields.DecimalField(max_digits=6, decimal_places=3, null=True)
    reauthorised = fields.BooleanField(default=False)
    service_level_version: fields.ForeignKeyRelation[ServiceLevelVersion] = fields.ForeignKeyField(
        "itr.ServiceLevelVersion", related_name="requests", on_delete=fields.RESTRICT
    )
    service_level_version_id: UUID
    emergency = fields.BooleanField(default=False)
    workaround = fields.TextField(null=True)
    solution = fields.TextField(null=True)
    restores_service = fields.BooleanField(default=False)
    service_down = fields.BooleanField(default=True)
    verified_by: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="verified_requests", null=True, on_delete=fields.RESTRICT
    )
    verified_by_id: UUID | None
    confirmed_by_silence = fields.BooleanField(default=False)
    reopen_count = fields.IntField(default=0)
    solved_by_line = fields.SmallIntField(null=True)
    queues_been: list[str] = fields.JSONField(default=list, db_default=[])
    takings = fields.IntField(default=0, db_default=0)
    returned = fields.BooleanField(default=False, db_default=False)
    first_contact = fields.BooleanField(default=False, db_default=False)
    plan_summary = fields.TextField(null=True)
    expected_at = fields.DatetimeField(null=True)
    ended_reason: str | None = text_or_null()
    rejection_code: RejectionCode | None = enum_or_null(RejectionCode, 16)
    follows: fields.ForeignKeyNullableRelation["Request"] = fields.ForeignKeyField(
        "itr.Request", related_name="followed_by", null=True, on_delete=fields.RESTRICT
    )
    follows_id: UUID | None
    parent: fields.ForeignKeyNullableRelation["Request"] = fields.ForeignKeyField(
        "itr.Request", related_name="children", null=True, on_delete=fields.RESTRICT
    )
    parent_id: UUID | None
    merged_into: fields.ForeignKeyNullableRelation["Request"] = fields.ForeignKeyField(
        "itr.Request", related_name="duplicates", null=True, on_delete=fields.RESTRICT
    )
    merged_into_id: UUID | None
    problem: fields.ForeignKeyNullableRelation[Table] = fields.ForeignKeyField(
        "itr.Problem", related_name="requests", null=True, on_delete=fields.RESTRICT
    )
    problem_id: UUID | None
    emergency_at = fields.DatetimeField(null=True)
    bulletin_due_at = fields.DatetimeField(null=True)
    source = fields.CharField(max_length=60, null=True)
    external_id = fields.CharField(max_length=200, null=True)
    import_traces: bytes | None = bytes_or_null()
    source_met: bool | None = yes_no_or_null()
    registered_at = fields.DatetimeField()
    first_response_at = fields.DatetimeField(null=True)
    restored_at = fields.DatetimeField(null=True)
    delivered_at = fields.DatetimeField(null=True)
    confirmed_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)
    updated_at = fields.DatetimeField()

    class Meta:
        table = "request"
        unique_together = (("source", "external_id"),)


class Stint(Table):
    """One stay of a request on a line: a measure, not a target (R-LIN-01)."""

    id = fields.UUIDField(primary_key=True)
    request: fields.ForeignKeyRelation[Request] = fields.ForeignKeyField(
        "itr.Request", related_name="stints", on_delete=fields.RESTRICT
    )
    request_id: UUID
    number = fields.IntField()
    line = fields.SmallIntField()
    queue: fields.ForeignKeyNullableRelation[Queue] = fields.ForeignKeyField(
        "itr.Queue", related_name="stints", null=True, on_delete=fields.RESTRICT
    )
    queue_id: UUID | None
    partner: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="stints", null=True, on_delete=fields.RESTRICT
    )
    partner_id: UUID | None
    started_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    reason: str | None = text_or_null()

    class Meta:
        table = "stint"
        unique_together = (("request", "number"),)


class HandOver(Table):
    """That a request was handed to a partner firm, and when it came back (R-ROLE-03).

    `returned_version` is the request's when it came back: the firm reads on what it could read
    then. `follows`: the firm registered the request, as its requester it reads all of it.

    `state` and what follows is the firm's own clock, the fold of `clock_words`, when an
    underpinning contract promises anything (R-REQ-10); it counts like a request's clocks.
    """

    id = fields.UUIDField(primary_key=True)
    request: fields.ForeignKeyRelation[Request] = fields.ForeignKeyField(
        "itr.Request", related_name="hand_overs", on_delete=fields.RESTRICT
    )
    request_id: UUID
    partner: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "itr.Organisation", related_name="hand_overs", on_delete=fields.RESTRICT
    )
    partner_id: UUID
    handed_at = fields.DatetimeField()
    returned_at = fields.DatetimeField(null=True)
    returned_version = fields.IntField(null=True)
    follows = fields.BooleanField(default=False, db_default=False)
    state: ClockState | None = enum_or_null(ClockState, 10)
    calendar_version: fields.ForeignKeyNullableRelation[CalendarVersion] = fields.ForeignKeyField(
        "itr.CalendarVersion", related_name="hand_overs", null=True, on_delete=fields.RESTRICT
    )
    calendar_version_id: UUID | None
    target_us = fields.BigIntField(null=True)
    target_days = fields.DecimalField(max_digits=9, decimal_places=3, null=True)
    deadline = fields.DatetimeField(null=True)
    base_us = fields.BigIntField(null=True)
    deadline_us = fields.BigIntField(null=True)
    elapsed_us = fields.BigIntField(default=0, db_default=0)
    remaining_us = fields.BigIntField(null=True)
    completed_at = fields.DatetimeField(null=True)
    breached_at = fields.DatetimeField(null=True)
    clock_words: fields.JSONField[list[dict[str, object]]] = fields.JSONField(
        default=list, db_default=[]
    )

    class Meta:
        table = "hand_over"


class Escalation(Table):
    """One step of a request's management escalation: to whom, why, who has taken note (R-ESC).

    `step` 1 is the line lead, 2 the process manager, 3 the operations director. It stands until
    it goes on, or the request is delivered or ends; `due_at` is by when somebody has to take note.
    """

    id = fields.UUIDField(primary_key=True)
    request: fields.ForeignKeyRelation[Request] = fields.ForeignKeyField(
        "itr.Request", related_name="escalations", on_delete=fields.RESTRICT
    )
    request_id: UUID
    step = fields.SmallIntField()
    revision = fields.IntField(default=1, db_default=1)
    person: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="escalations", null=True, on_delete=fields.RESTRICT
    )
    person_id: UUID | None
    cause = fields.CharEnumField(EscalationCause, max_length=8)
    thread: Thread | None = enum_or_null(Thread, 12)
    percent = fields.SmallIntField(null=True)
    reason: str | None = text_or_null()
    opened_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)
    told_again = fields.BooleanField(default=False, db_default=False)
    acknowledged_by: fields.ForeignKeyNullableRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="acknowledgements", null=True, on_delete=fields.RESTRICT
    )
    acknowledged_by_id: UUID | None
    acknowledged_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "escalation"


class Bulletin(Table):
    """A status bulletin of an emergency (R-REQ-11): first, progress, recovery or cause."""

    id = fields.UUIDField(primary_key=True)
    request: fields.ForeignKeyRelation[Request] = fields.ForeignKeyField(
        "itr.Request", related_name="bulletins", on_delete=fields.RESTRICT
    )
    request_id: UUID
    kind = fields.CharField(max_length=10)
    text = fields.TextField()
    published_at = fields.DatetimeField()
    published_by: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "itr.Person", related_name="bulletins", on_delete=fields.RESTRICT
    )
    published_by_id: UUID

    class Meta:
        table = "bulletin"
