"""What partner firms promise us, held against the share of our own promise it serves (R-OLA-02)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import OrganisationKind, Permission
from itr.catalogue.in_force import current_terms
from itr.catalogue.keeping import record
from itr.catalogue.models import ServiceLevel, UnderpinningContract
from itr.catalogue.rules import BadTarget, MixedUnits, Targets, by_thread
from itr.catalogue.terms import Priority
from itr.errors import DomainError, NotFound
from itr.events.work import transaction
from itr.people.models import Organisation, Person
from itr.people.rules import ensure_kind
from itr.sla.clock import Target
from itr.sla.control_points import STEPS, Shares, UnknownStep, budget_of, shares_of

LONGEST_US = 366 * 24 * 3_600_000_000
LONGEST_DAYS = 366


class TargetBeyondShare(DomainError):
    """A supplier that may take longer than the step it serves cannot support the SLA (R-OLA-02)."""

    code = "TARGET_BEYOND_SHARE"
    zh = "{priority}：供应商目标超过控制点 {number} 的预算；须缩短，或由具名人员接受风险。"
    en = (
        "{priority}: the supplier's target is longer than the budget of control point {number};"
        " shorten it, or name who accepts the risk."
    )


async def save_underpinning_contract(
    actor: Actor,
    *,
    partner_id: UUID,
    service_level_id: UUID,
    point: int,
    priority: Priority,
    target: Target,
    now: datetime,
    risk_accepted_by: UUID | None = None,
) -> UUID:
    """Keep what a partner firm promises for one control point at one priority (R-OLA-02).

    Longer than the share it serves, it is kept only with the person of ours who accepts the risk;
    otherwise nobody is named. One such promise is kept per partner, level, point and priority.
    Raises Forbidden, NotFound, WrongOrganisation, UnknownStep, BadTarget, MixedUnits and
    TargetBeyondShare.
    """
    ensure_may(actor, Permission.MANAGE_CONTRACTS)
    if point not in STEPS:
        raise UnknownStep(path=["point"], number=point)
    _ensure_target(target)
    served: dict[str, Any] = {
        "partner_id": partner_id,
        "service_level_id": service_level_id,
        "point": point,
        "priority": priority.value,
    }
    async with transaction() as work:
        await _ensure_partner(partner_id)
        await _lock(service_level_id)
        terms = await current_terms(service_level_id)
        beyond = _is_beyond(target, terms.targets, terms.shares, point, priority)
        if beyond:
            await _ensure_accepted(risk_accepted_by, point, priority)
        kept = await UnderpinningContract.get_or_none(**served)
        kept = kept or UnderpinningContract(id=uuid4(), created_at=now, **served)
        kept.target_us = target.us
        kept.target_days = None if target.days is None else Decimal(str(target.days))
        kept.risk_accepted_by = risk_accepted_by if beyond else None
        await kept.save(force_create=not kept._saved_in_db)
        await record(work, actor, "UnderpinningContract", kept.id, now, _told(kept))
    return kept.id


def _told(kept: UnderpinningContract) -> dict[str, Any]:
    accepted_by = kept.risk_accepted_by
    return {
        "partner": str(kept.partner_id),
        "serviceLevel": str(kept.service_level_id),
        "point": kept.point,
        "priority": kept.priority,
        "target_us": kept.target_us,
        "target_days": None if kept.target_days is None else str(kept.target_days),
        "riskAcceptedBy": None if accepted_by is None else str(accepted_by),
    }


async def problems_of_underpinning(
    service_level_id: UUID, targets: Targets, ola_shares: Mapping[str, str] | None
) -> list[DomainError]:
    """The suppliers whose promises a new version of a level would no longer have room for.

    What somebody has accepted the risk of stays accepted.
    """
    shares = shares_of(ola_shares)
    served = UnderpinningContract.filter(service_level_id=service_level_id)
    return [
        TargetBeyondShare(path=["targets"], number=kept.point, priority=kept.priority)
        for kept in await served.filter(risk_accepted_by=None).order_by("point", "priority")
        if _is_beyond(
            Target(us=kept.target_us, days=kept.target_days),
            targets,
            shares,
            kept.point,
            kept.priority,
        )
    ]


def _is_beyond(target: Target, targets: Targets, shares: Shares, point: int, priority: str) -> bool:
    """Whether a supplier may take longer than its step; a step without a budget has no room."""
    promised = by_thread(targets, priority)
    own = promised[STEPS[point].thread]
    if own is not None and (own.us is None) != (target.us is None):
        raise MixedUnits(path=["target"], priority=priority)
    budget = budget_of(point, shares, promised, restoration=True)
    return budget is None or target.amount > budget.amount


def _ensure_target(target: Target) -> None:
    most = LONGEST_DAYS if target.us is None else LONGEST_US
    if not 0 < target.amount <= most or (target.us is None and target.amount * 1000 % 1):
        raise BadTarget(path=["target"])


async def _ensure_partner(partner_id: UUID) -> None:
    partner = await Organisation.get_or_none(id=partner_id)
    if partner is None:
        raise NotFound(path=["partnerId"])
    ensure_kind(partner.kind, OrganisationKind.PARTNER, "partnerId")


async def _lock(service_level_id: UUID) -> None:
    """Keep the level from being saved anew meanwhile."""
    level = ServiceLevel.filter(id=service_level_id).select_for_update(no_key=True)
    if await level.first() is None:
        raise NotFound(path=["serviceLevelId"])


async def _ensure_accepted(person_id: UUID | None, point: int, priority: Priority) -> None:
    """A named, active person of ours must answer for what the promise has no room for."""
    if person_id is None:
        raise TargetBeyondShare(path=["target"], number=point, priority=priority.value)
    ours = Person.filter(id=person_id, active=True, organisation__kind=OrganisationKind.BRANCH)
    if not await ours.exists():
        raise NotFound(path=["riskAcceptedById"])
