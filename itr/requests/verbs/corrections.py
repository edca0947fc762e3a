"""Corrections: what a request is about turned out to be something else."""

from uuid import UUID

from itr.events.log import Audience
from itr.requests.ticket_work import TicketWork


def correct(work: TicketWork, *, customer_id: UUID, product_id: UUID | None) -> None:
    """Another customer's, or about another product: as another system corrected it (R-IMP-01)."""
    request = work.request
    before = {"customerBefore": request.customer_id, "productBefore": request.product_id}
    request.customer_id = customer_id
    request.product_id = product_id or request.product_id
    after = {"customer": request.customer_id, "product": request.product_id}
    told = {name: str(key) for name, key in {**before, **after}.items() if key is not None}
    work.record("RequestCorrected", Audience.INTERNAL, told)
