"""What mutations on emergencies, families, duplicates, partner firms and problems take."""

import strawberry

from api.schema.request_inputs import MutationInput, ReasonInput, RequestInput
from itr.knowledge.terms import ProblemStatus
from itr.requests.terms import BulletinKind, FaultLevel, Impact, ProblemType


@strawberry.input(description="What was found out about a request (R-PRI-01).")
class ClassificationInput:
    """What was found out about a request."""

    problem_type: ProblemType = strawberry.field(description="What is the matter.")
    fault_level: FaultLevel = strawberry.field(description="How badly it is broken.")
    impact: Impact = strawberry.field(description="Who is affected.")


@strawberry.input(description="Declare a P1 outage an emergency (R-REQ-11).")
class DeclareEmergencyInput(ReasonInput):
    """Declare a P1 outage an emergency."""

    classification: ClassificationInput | None = strawberry.field(
        default=None,
        description="Confirms the outage of a request that is not accepted yet; "
        "others have their priority.",
    )


@strawberry.input(description="Publish a status bulletin (R-REQ-11).")
class PublishBulletinInput(RequestInput):
    """Publish a status bulletin."""

    kind: BulletinKind = strawberry.field(description="What it tells.")
    text: str = strawberry.field(description="Its words; public.")


@strawberry.input(description="One child of a cross-product request (R-REQ-09).")
class ChildRequestInput:
    """One child of a cross-product request."""

    product_id: strawberry.ID = strawberry.field(description="The product it is about.")
    title: str | None = strawberry.field(
        default=None, description="Its subject; the parent's, if left out."
    )
    description: str | None = strawberry.field(
        default=None, description="What is to be done; the parent's, if left out."
    )


@strawberry.input(description="Open one child per product (R-REQ-09).")
class SplitRequestInput(RequestInput):
    """Open one child per product."""

    children: list[ChildRequestInput] = strawberry.field(description="One per product.")


@strawberry.input(description="End a duplicate in the request that stays (R-REQ-13).")
class MergeRequestsInput(MutationInput):
    """End a duplicate in the request that stays."""

    duplicate_id: strawberry.ID = strawberry.field(description="The request that ends.")
    survivor_id: strawberry.ID = strawberry.field(description="The request that stays.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse with STALE if the duplicate has moved on since."
    )


@strawberry.input(description="Hand a request to a partner firm (R-REQ-10).")
class HandToPartnerInput(ReasonInput):
    """Hand a request to a partner firm."""

    queue_id: strawberry.ID = strawberry.field(description="A queue of the firm.")
    assignee_id: strawberry.ID | None = strawberry.field(
        default=None, description="A person of the queue; null lets anyone of it take the request."
    )
    waiting: bool = strawberry.field(
        default=False,
        description="Whether we wait for the firm: pauses what the service level pauses for "
        "third parties. Otherwise the customer's clocks run on.",
    )


@strawberry.input(description="Take a request back from a partner firm (R-REQ-10).")
class TakeBackInput(ReasonInput):
    """Take a request back from a partner firm."""

    queue_id: strawberry.ID = strawberry.field(description="A queue of ours.")
    assignee_id: strawberry.ID | None = strawberry.field(
        default=None, description="A person of the queue; null lets anyone of it take the request."
    )


@strawberry.input(description="Open the problem behind a request (R-LNK-01).")
class OpenProblemInput(RequestInput):
    """Open the problem behind a request."""

    title: str = strawberry.field(description="What the problem is, at most 400 characters.")


@strawberry.input(description="Link a request to a problem that is known (R-LNK-01).")
class LinkProblemInput(RequestInput):
    """Link a request to a problem that is known."""

    problem_id: strawberry.ID = strawberry.field(description="The problem.")


@strawberry.input(description="Take a problem one step on (R-LNK-01).")
class AdvanceProblemInput(MutationInput):
    """Take a problem one step on."""

    id: strawberry.ID = strawberry.field(description="Id of the problem.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse with STALE if the problem has moved on since."
    )
    status: ProblemStatus = strawberry.field(description="The next state.")
    root_cause: str | None = strawberry.field(
        default=None, description="Its root cause; required when it is found."
    )
