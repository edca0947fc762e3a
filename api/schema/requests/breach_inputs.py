"""What mutations on reasons of breaches take (R-SLA-05)."""

import strawberry

from api.schema.requests.inputs import ReasonInput, RequestInput
from itr.sla.terms import BreachReason, Thread


@strawberry.input(description="Give a breached thread its reason (R-SLA-05).")
class ExplainBreachInput(RequestInput):
    """Give a breached thread its reason."""

    thread: Thread = strawberry.field(description="The breached thread.")
    reason: BreachReason = strawberry.field(description="The coded reason.")
    note: str | None = strawberry.field(default=None, description="In words; OTHER needs them.")


@strawberry.input(description="Approve the reason of a breach (R-SLA-05).")
class ApproveBreachReasonInput(RequestInput):
    """Approve the reason of a breach."""

    thread: Thread = strawberry.field(description="The breached thread.")


@strawberry.input(description="Refuse the reason of a breach (R-SLA-05).")
class RefuseBreachReasonInput(ReasonInput):
    """Refuse the reason of a breach."""

    thread: Thread = strawberry.field(description="The breached thread.")
