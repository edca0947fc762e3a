"""What mutations on management escalations take (R-ESC)."""

import strawberry

from api.schema.requests.inputs import ReasonInput, RequestInput
from itr.tickets.terms import ManagementStep


@strawberry.input(description="Escalate a request to management, with a reason (R-ESC-01).")
class EscalateToManagementInput(ReasonInput):
    """Escalate a request to management."""

    to: ManagementStep | None = strawberry.field(
        default=None, description="How far; the next step up unless it shall go further."
    )


@strawberry.input(description="Take note of a request's escalation: it goes no further (R-ESC-02).")
class AcknowledgeEscalationInput(RequestInput):
    """Take note of an escalation."""
