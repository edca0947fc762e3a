"""Control points: `myWork`; underpinning contracts: their list and how they are saved."""

from typing import Any
from uuid import UUID

import strawberry

from api.planner.fields import PageField, page_field
from api.planner.read import page
from api.resolvers.performing import answered
from api.resolvers.permissions import may
from api.schema.catalogue.underpinning import (
    SaveUnderpinningContractInput,
    UnderpinningContractConnection,
    UnderpinningContractPayload,
)
from api.schema.sla.control_points import ControlPoint, ControlPointConnection
from itr.actors.roles import Permission
from itr.catalogue.rules import BadTarget
from itr.catalogue.underpinning import save_underpinning_contract
from itr.durations import microseconds_of
from itr.requests.control_points import work_of
from itr.sla.clock import Target

P = Permission


class WorkField(PageField):
    """The page of the steps that are the caller's to do."""

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:  # noqa: ARG002
        """Read the page, most urgent first."""
        mine = work_of(info.context.actor)
        return page(info, ControlPoint, where=mine, order=("deadline", "started_at"))


def _work_field(**options: Any) -> Any:
    return WorkField(**options)


@strawberry.type
class ControlPointQuery:
    """Reading steps and what serves them."""

    my_work: ControlPointConnection = _work_field(
        permission_classes=[may(P.READ_INTERNAL)],
        description="The open steps that are yours, most urgent first unless ordered otherwise;"
        " the dispatch manager also has those that are nobody's (R-ROLE-07). 我的任务",
    )
    underpinning_contracts: UnderpinningContractConnection = page_field(
        permission_classes=[may(P.READ_INTERNAL)],
        description="What partner firms promise us, newest first.",
    )


@strawberry.type
class ControlPointMutation:
    """Changing what serves our steps."""

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_CONTRACTS)],
        description="Keep what a partner firm promises for one control point; longer than the"
        " share it serves only with a named person's acceptance of the risk (R-OLA-02).",
    )
    async def save_underpinning_contract(
        self, info: strawberry.Info, input: SaveUnderpinningContractInput
    ) -> UnderpinningContractPayload | None:
        """Keep what a partner firm promises (R-OLA-02)."""

        async def act() -> UUID:
            return await save_underpinning_contract(
                info.context.actor,
                partner_id=input.partner_id,
                service_level_id=input.service_level_id,
                point=input.point,
                priority=input.priority,
                target=_target(input),
                risk_accepted_by=input.risk_accepted_by_id,
                now=info.context.now,
            )

        return await answered(UnderpinningContractPayload, info, input, act)


def _target(input: SaveUnderpinningContractInput) -> Target:
    """Either working time or working days, not negative."""
    us = None if input.target is None else microseconds_of(input.target)
    days = input.target_working_days
    amount = us if days is None else days
    if (us is None) == (days is None) or amount is None or not 0 < amount < 10**15:
        raise BadTarget(path=["target"])
    return Target(us=us, days=days)
