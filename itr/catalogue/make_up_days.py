"""Letting a customer opt out of make-up days, and back in (R-CAL-03)."""

from datetime import datetime
from uuid import UUID

from itr.actors.actor import Actor
from itr.actors.permission import ensure_may
from itr.actors.roles import OrganisationKind, Permission
from itr.errors import NotFound
from itr.events.log import Fact
from itr.events.work import transaction
from itr.people.history import next_version
from itr.people.models import Organisation
from itr.people.rules import ensure_kind
from itr.sla.operations import keep_twins
from itr.sla.recalculations import begin
from itr.sla.terms import RecalculationKind


async def set_make_up_days(
    actor: Actor, customer_id: UUID, *, make_up_days: bool, now: datetime
) -> UUID:
    """Say whether a customer's clocks count the weekends that make up for holidays (R-CAL-03).

    Its open clocks are recomputed by the worker, completed ones never, as after a calendar's edit
    (R-SLA-10). Again is nothing. Raises Forbidden, NotFound, WrongOrganisation.
    """
    ensure_may(actor, Permission.MANAGE_CONTRACTS)
    async with transaction() as work:
        which = Organisation.filter(id=customer_id).select_for_update(no_key=True)
        customer = await which.first()
        if customer is None:
            raise NotFound(path=["customerId"])
        ensure_kind(customer.kind, OrganisationKind.CUSTOMER, "customerId")
        if customer.make_up_days == make_up_days:
            work.subject_id = customer_id
            return customer_id
        if not make_up_days:
            await keep_twins(work, actor, now)
        customer.make_up_days = make_up_days
        await customer.save(update_fields=["make_up_days"])
        work.record(
            Fact(
                type="OrganisationChanged",
                subject_type="organisation",
                subject=customer_id,
                subject_version=await next_version(work, customer_id),
                stream=customer_id,
                by=actor,
                occurred_at=now,
                customer_id=customer_id,
                payload={"change": "MAKE_UP_DAYS", "makeUpDays": make_up_days},
            )
        )
        wanted = {"customer": str(customer_id)}
        await begin(work, actor, RecalculationKind.MAKE_UP_DAYS, wanted, now)
        work.subject_id = customer_id
    return customer_id
