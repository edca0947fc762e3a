"""Underpinning contracts as the API shows them: what partner firms promise us (R-OLA-02)."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, computed, one, public_id
from api.planner.fields import payload_field
from api.planner.stored import Node, stored
from api.schema.catalogue.service_levels import ServiceLevel
from api.schema.inputs import MutationInput, id_of
from api.schema.payloads import Payload
from api.schema.people.types import Organisation, Person
from api.schema.sla.attribution import name_of
from itr.actors.roles import Permission
from itr.catalogue.terms import Priority
from itr.sight.catalogue import visible_underpinning_contracts


@stored(
    table="underpinning_contract",
    key="unc",
    visible=visible_underpinning_contracts,
    permission=Permission.READ_INTERNAL,
    order="-created_at",
)
@strawberry.type(
    description="What a partner firm promises for one control point (R-OLA-02). 支撑合同"
)
class UnderpinningContract(Node):
    """What a partner firm promises for one control point at one priority."""

    id: strawberry.ID = public_id()
    partner: Organisation | None = one("partner_id", filter=True, description="Who promises.")
    service_level: ServiceLevel | None = one(
        "service_level_id", filter=True, description="The promise of ours it serves."
    )
    point: int = column(filter=True, order=True, description="The control point it serves.")
    point_name: str = computed(
        ["point"],
        lambda values, context: name_of(values["point"], context.language),
        description="That control point's name in your language.",
    )
    priority: Priority = column(filter=True, order=True, description="At this priority.")
    target: timedelta | None = column("target_us", description="Promised working time.")
    target_working_days: Decimal | None = column("target_days", description="Or working days.")
    risk_accepted_by: Person | None = one(
        "risk_accepted_by",
        description="Who accepts that it is longer than the share it serves; null: it is not.",
    )
    created_at: datetime = column(order=True, description="Since when.")


@filter_for(UnderpinningContract)
class UnderpinningContractFilter:
    """Only underpinning contracts for which all of this holds."""


@order_for(UnderpinningContract)
class UnderpinningContractOrder:
    """What to sort underpinning contracts by, and which way."""


@connection_of(UnderpinningContract)
class UnderpinningContractConnection:
    """A page of underpinning contracts."""


@strawberry.input(description="What a partner firm promises for one control point (R-OLA-02).")
class SaveUnderpinningContractInput(MutationInput):
    """What a partner firm promises for one control point at one priority."""

    partner_id: UUID = id_of(Organisation, description="Who promises.")
    service_level_id: UUID = id_of(ServiceLevel, description="The promise it serves.")
    point: int = strawberry.field(description="The control point it serves, 1 to 30.")
    priority: Priority = strawberry.field(description="At this priority.")
    target: timedelta | None = strawberry.field(
        default=None, description="Promised working time; or give `targetWorkingDays`."
    )
    target_working_days: Decimal | None = strawberry.field(
        default=None, description="Promised working days; or give `target`."
    )
    risk_accepted_by_id: UUID | None = id_of(
        Person,
        default=None,
        description="The person of ours who accepts a target longer than the share it serves.",
    )


@strawberry.type(description="What saving an underpinning contract answers.")
class UnderpinningContractPayload(Payload):
    """What saving an underpinning contract answers."""

    underpinning_contract: UnderpinningContract | None = payload_field(
        "key", description="As it stands now; null when nothing was saved."
    )
