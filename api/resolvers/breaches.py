"""Reasons of breaches: their mutations; translate, call, wrap."""

import strawberry

from api.resolvers.performing import on_request
from api.resolvers.permissions import verb_mutation
from api.schema.payloads import RequestPayload
from api.schema.requests import breach_inputs as given
from itr.actors.roles import Permission
from itr.requests import operations
from itr.requests.lifecycle import RequestVerb

Info = strawberry.Info
P = Permission


@strawberry.type
class BreachMutation:
    """Explaining breaches and deciding on the reasons (R-SLA-05)."""

    @verb_mutation(RequestVerb.EXPLAIN_BREACH)
    async def explain_breach(
        self, info: Info, input: given.ExplainBreachInput
    ) -> RequestPayload | None:
        """Give a breached thread its reason."""
        return await on_request(
            info,
            input,
            operations.explain_breach,
        )

    @verb_mutation(RequestVerb.APPROVE_BREACH_REASON)
    async def approve_breach_reason(
        self, info: Info, input: given.ApproveBreachReasonInput
    ) -> RequestPayload | None:
        """Approve the reason of a breach."""
        return await on_request(
            info,
            input,
            operations.approve_breach_reason,
        )

    @verb_mutation(RequestVerb.REFUSE_BREACH_REASON)
    async def refuse_breach_reason(
        self, info: Info, input: given.RefuseBreachReasonInput
    ) -> RequestPayload | None:
        """Refuse the reason of a breach."""
        return await on_request(
            info,
            input,
            operations.refuse_breach_reason,
        )
