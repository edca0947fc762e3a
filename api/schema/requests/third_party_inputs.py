"""What handing over to partner firms takes."""

from uuid import UUID

import strawberry

from api.schema.inputs import id_of
from api.schema.people.types import Person, Queue
from api.schema.requests.inputs import ReasonInput


@strawberry.input(description="Hand a request to a partner firm (R-REQ-10).")
class HandToPartnerInput(ReasonInput):
    """Hand a request to a partner firm."""

    queue_id: UUID = id_of(Queue, description="A queue of the firm.")
    assignee_id: UUID | None = id_of(
        Person,
        default=None,
        description="A person of the queue; null lets anyone of it take the request.",
    )
    waiting: bool = strawberry.field(
        default=False,
        description="Whether we wait for the firm: pauses what the service level pauses for "
        "third parties. Otherwise the customer's clocks run on.",
    )


@strawberry.input(description="Take a request back from a partner firm (R-REQ-10).")
class TakeBackInput(ReasonInput):
    """Take a request back from a partner firm."""

    queue_id: UUID = id_of(Queue, description="A queue of ours.")
    assignee_id: UUID | None = id_of(
        Person,
        default=None,
        description="A person of the queue; null lets anyone of it take the request.",
    )
