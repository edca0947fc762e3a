"""Management escalation: by hand, and its acknowledgement; translate, call, wrap (R-ESC)."""

import strawberry

from api.resolvers.performing import on_request
from api.resolvers.permissions import may
from api.schema.escalation_inputs import AcknowledgeEscalationInput, EscalateToManagementInput
from api.schema.payloads import RequestPayload
from itr.actors.roles import Permission
from itr.requests.operations.escalations import acknowledge_escalation, escalate_to_management

P = Permission


@strawberry.type
class EscalationMutation:
    """Telling management of a request, and management taking note."""

    @strawberry.mutation(
        permission_classes=[may(P.ESCALATE_TO_MANAGEMENT)],
        description="Escalate to management at any time, with a reason; `escalateRequest` hands"
        " work to a higher line instead. 管理升级",
    )
    async def escalate_to_management(
        self, info: strawberry.Info, input: EscalateToManagementInput
    ) -> RequestPayload | None:
        """Escalate to management (R-ESC-01)."""
        return await on_request(
            info,
            input,
            escalate_to_management,
        )

    @strawberry.mutation(
        permission_classes=[may(P.ACKNOWLEDGE_ESCALATION)],
        description="Take note of a request's escalation: it goes no further by itself.",
    )
    async def acknowledge_escalation(
        self, info: strawberry.Info, input: AcknowledgeEscalationInput
    ) -> RequestPayload | None:
        """Take note of an escalation (R-ESC-02)."""
        return await on_request(info, input, acknowledge_escalation)
