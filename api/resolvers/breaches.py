"""Reasons of breaches: their mutations; translate, call, wrap."""

import strawberry

from api.resolvers.performing import on_request
from api.resolvers.permissions import mutation
from api.schema import breach_inputs as given
from api.schema.payloads import RequestPayload
from itr.actors.roles import Permission
from itr.requests import operations

Info = strawberry.Info
P = Permission


@strawberry.type
class BreachMutation:
    """Explaining breaches and deciding on the reasons (R-SLA-05)."""

    @mutation(P.EXPLAIN_BREACH, "Give a breached thread its reason: the owner, or a line lead.")
    async def explain_breach(
        self, info: Info, input: given.ExplainBreachInput
    ) -> RequestPayload | None:
        """Give a breached thread its reason."""
        return await on_request(
            info,
            input,
            operations.explain_breach,
        )

    @mutation(P.APPROVE_BREACH_REASON, "Approve the reason somebody else gave for a breach.")
    async def approve_breach_reason(
        self, info: Info, input: given.ApproveBreachReasonInput
    ) -> RequestPayload | None:
        """Approve the reason of a breach."""
        return await on_request(
            info,
            input,
            operations.approve_breach_reason,
        )

    @mutation(P.APPROVE_BREACH_REASON, "Refuse the reason somebody else gave for a breach.")
    async def refuse_breach_reason(
        self, info: Info, input: given.RefuseBreachReasonInput
    ) -> RequestPayload | None:
        """Refuse the reason of a breach."""
        return await on_request(
            info,
            input,
            operations.refuse_breach_reason,
        )
