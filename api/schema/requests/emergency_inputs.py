"""What mutations on emergencies take."""

import strawberry

from api.schema.requests.inputs import ReasonInput, RequestInput
from itr.catalogue.terms import FaultLevel, Impact
from itr.requests.terms import BulletinKind, ProblemType


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
