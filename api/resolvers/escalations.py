"""Management escalation: by hand, and its acknowledgement; translate, call, wrap (R-ESC)."""

import strawberry

from api.resolvers.performing import on_request
from api.resolvers.permissions import verb_mutation
from api.schema.payloads import RequestPayload
from api.schema.tickets.escalation_inputs import (
    AcknowledgeEscalationInput,
    EscalateToManagementInput,
)
from itr.actors.roles import Permission
from itr.requests.lifecycle import RequestVerb
from itr.requests.operations.escalations import acknowledge_escalation, escalate_to_management

P = Permission


@strawberry.type
class EscalationMutation:
    """Telling management of a request, and management taking note."""

    @verb_mutation(RequestVerb.ESCALATE_TO_MANAGEMENT)
    async def escalate_to_management(
        self, info: strawberry.Info, input: EscalateToManagementInput
    ) -> RequestPayload | None:
        """Escalate to management (R-ESC-01)."""
        return await on_request(
            info,
            input,
            escalate_to_management,
        )

    @verb_mutation(RequestVerb.ACKNOWLEDGE_ESCALATION)
    async def acknowledge_escalation(
        self, info: strawberry.Info, input: AcknowledgeEscalationInput
    ) -> RequestPayload | None:
        """Take note of an escalation (R-ESC-02)."""
        return await on_request(info, input, acknowledge_escalation)
