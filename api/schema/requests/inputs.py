"""What mutations on requests take."""

from datetime import datetime
from uuid import UUID

import strawberry

from api.schema.catalogue.types import Product
from api.schema.inputs import MutationInput, TicketInput, id_of
from api.schema.people.types import Organisation, Person, Project, Queue
from api.schema.requests.types import ServiceRequest
from itr.catalogue.terms import FaultLevel, Impact, Phase
from itr.requests.terms import Channel, ProblemType, RejectionCode, RequestKind
from itr.sla.terms import WaitingReason

_ID = "Id of the request."
_VERSION = "Refuse with STALE if the request has moved on since this version."


@strawberry.input(description="A mutation on one request.")
class RequestInput(TicketInput):
    """A mutation on one request."""

    id: UUID = id_of(ServiceRequest, description=_ID)
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="A new request (R-REQ-08).")
class SubmitRequestInput(MutationInput):
    """A new request."""

    kind: RequestKind = strawberry.field(description="What sort of request.")
    title: str = strawberry.field(description="Its subject, at most 400 characters.")
    description: str = strawberry.field(description="At most 20 000 characters.")
    customer_id: UUID | None = id_of(
        Organisation, default=None, description="Whose it is; customers leave it out."
    )
    contact_id: UUID | None = id_of(
        Person, default=None, description="Who to talk to; tells the customer, too."
    )
    product_id: UUID | None = id_of(
        Product, default=None, description="The product; required unless `productUnknown`."
    )
    product_unknown: bool = strawberry.field(
        default=False, description="Say so when the product is not known."
    )
    project_id: UUID | None = id_of(
        Project, default=None, description="The project it belongs to, if one."
    )
    channel: Channel | None = strawberry.field(default=None, description="How it reached us.")
    phase: Phase = strawberry.field(
        default=Phase.AFTER_ACCEPTANCE, description="Where in the contract's life it falls."
    )
    follows_id: UUID | None = id_of(
        ServiceRequest, default=None, description="The earlier request it follows."
    )


@strawberry.input(description="Accept or reclassify: what line 1 found out (R-PRI-01).")
class ClassifyRequestInput(RequestInput):
    """What line 1 found out."""

    problem_type: ProblemType = strawberry.field(description="What is the matter.")
    fault_level: FaultLevel = strawberry.field(description="How badly it is broken.")
    impact: Impact = strawberry.field(description="Who is affected.")


@strawberry.input(description="End a request with a reason the requester is told.")
class ReasonInput(RequestInput):
    """End a request, or send it elsewhere, with a reason."""

    reason: str = strawberry.field(description="Why.")


@strawberry.input(description="Turn a request down; the requester is told why.")
class RejectRequestInput(ReasonInput):
    """Turn a request down."""

    code: RejectionCode = strawberry.field(description="Why, for counting.")


@strawberry.input(description="Send a request to a queue, or to a person of it.")
class DispatchRequestInput(RequestInput):
    """Send a request to a queue, or to a person of it."""

    queue_id: UUID = id_of(Queue, description="The queue.")
    assignee_id: UUID | None = id_of(
        Person,
        default=None,
        description="A person of the queue; null lets anyone of it take the request.",
    )


@strawberry.input(
    description="Wait for somebody else, also beside what is waited for already (R-REQ-03)."
)
class WaitRequestInput(RequestInput):
    """Wait for somebody else."""

    reason: WaitingReason = strawberry.field(description="For whom or what.")
    note: str | None = strawberry.field(default=None, description="What is asked for; public.")


@strawberry.input(description="Go on with a waiting request.")
class ResumeRequestInput(RequestInput):
    """Go on with a waiting request."""

    answer: str | None = strawberry.field(default=None, description="What was waited for; public.")
    reason: WaitingReason | None = strawberry.field(
        default=None,
        description="Which wait ends; the request goes on with the last of them. Null: all of them,"
        " by a customer what waits for the customer.",
    )


@strawberry.input(description="Service is up again by a workaround.")
class RestoreRequestInput(RequestInput):
    """Service is up again by a workaround."""

    workaround: str = strawberry.field(description="How.")


@strawberry.input(description="Hand the solution to the customer.")
class DeliverRequestInput(RequestInput):
    """Hand the solution to the customer."""

    solution: str = strawberry.field(description="What resolves it.")
    restores_service: bool = strawberry.field(
        description="Whether the solution itself restores service (R-REQ-02)."
    )


@strawberry.input(description="Put a request back into a queue.")
class RequeueRequestInput(ReasonInput):
    """Put a request back into a queue."""

    queue_id: UUID | None = id_of(
        Queue, default=None, description="Which queue; null for the one it is in."
    )


@strawberry.input(description="Hand a request to another line (R-LIN-01).")
class ChangeLineInput(ReasonInput):
    """Hand a request to another line."""

    queue_id: UUID | None = id_of(
        Queue,
        default=None,
        description="A queue of that line. A partner firm that hands back may leave it out: the"
        " request comes to where it came from.",
    )
    assignee_id: UUID | None = id_of(
        Person,
        default=None,
        description="A person of the queue; null lets anyone of it take the request.",
    )


@strawberry.input(description="Accept the solution.")
class ConfirmRequestInput(RequestInput):
    """Accept the solution."""

    verified_by_id: UUID | None = id_of(
        Person, default=None, description="Who checked the result; you, if left out."
    )


@strawberry.input(description="It was not resolved after all (R-SLA-09).")
class NotResolvedInput(ReasonInput):
    """It was not resolved after all."""

    service_down: bool = strawberry.field(
        default=False, description="Whether service is down again: resumes RESTORATION."
    )


@strawberry.input(description="Reply in public.")
class RespondToRequestInput(RequestInput):
    """Reply in public."""

    text: str = strawberry.field(description="The reply.")


@strawberry.input(description="Write a note.")
class NoteOnRequestInput(RequestInput):
    """Write a note."""

    text: str = strawberry.field(description="The note.")
    shared_with_partner: bool = strawberry.field(
        default=False, description="Whether the partner firm may read it."
    )


@strawberry.input(description="Log a call with the customer.")
class LogCallInput(RequestInput):
    """Log a call with the customer."""

    summary: str = strawberry.field(description="What was said; public.")


@strawberry.input(description="Tell the customer the plan (R-REQ-05).")
class PlanRequestInput(RequestInput):
    """Tell the customer the plan."""

    summary: str = strawberry.field(description="What will be done.")
    expected_at: datetime = strawberry.field(description="When to expect the result.")
