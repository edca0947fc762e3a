"""Four eyes over access: what waits for a second person, and their decision (S18)."""

from uuid import UUID

import strawberry

from api.planner.fields import page_field
from api.resolvers.performing import answered
from api.resolvers.permissions import may, mutation
from api.schema.access.approvals import (
    AccessApprovalConnection,
    AccessApprovalInput,
    AccessApprovalPayload,
)
from itr.access.operations import approvals
from itr.actors.roles import Permission

Info = strawberry.Info
P = Permission


@strawberry.type
class ApprovalQuery:
    """Reading what waits for a second person."""

    access_approvals: AccessApprovalConnection = page_field(
        permission_classes=[may(P.APPROVE_ACCESS)],
        description="What of access waits, or waited, for a second person, newest first.",
    )


@strawberry.type
class ApprovalMutation:
    """Deciding what waits for a second person."""

    @mutation(
        P.APPROVE_ACCESS,
        "Let a role, password, client or address take effect, as a second person: neither who"
        " asked nor whom it is for (S18).",
    )
    async def approve_access(
        self, info: Info, input: AccessApprovalInput
    ) -> AccessApprovalPayload | None:
        """Approve."""

        async def act() -> UUID:
            key = input.id
            return await approvals.approve(info.context.actor, key, now=info.context.now)

        return await answered(AccessApprovalPayload, info, input, act)

    @mutation(P.APPROVE_ACCESS, "Let what was asked never take effect; who asked may take it back.")
    async def refuse_access(
        self, info: Info, input: AccessApprovalInput
    ) -> AccessApprovalPayload | None:
        """Refuse."""

        async def act() -> UUID:
            key = input.id
            return await approvals.refuse(info.context.actor, key, now=info.context.now)

        return await answered(AccessApprovalPayload, info, input, act)
