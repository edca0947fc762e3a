"""Cross-product requests: a parent with one child per product (R-REQ-09)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from itr.catalogue.rules import ServiceTerms
from itr.events.log import Audience
from itr.requests import rules
from itr.requests.models import Request
from itr.requests.terms import RequestStatus
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs.intake import retarget
from itr.rows import new_row
from itr.texts import ensure_text

LED = ("problem_type", "fault_level", "impact", "priority", "service_level_version_id")
"""What of a request its parent decides."""


@dataclass(frozen=True)
class Part:
    """What a child is about; without words of its own it has its parent's."""

    product_id: UUID
    title: str | None = None
    description: str | None = None


def open_child(parent: TicketWork, part: Part, number: str) -> TicketWork:
    """A child under the parent's owner, where the parent stands; it has no clocks."""
    lead, title = parent.request, part.title or parent.request.title
    request = new_row(
        Request,
        id=uuid4(),
        number=number,
        parent_id=lead.id,
        kind=lead.kind,
        status=RequestStatus.DISPATCHED,
        title=ensure_text(title, "title", limit=rules.LONGEST_TITLE),
        description=ensure_text(part.description or lead.description, "description"),
        channel=lead.channel,
        phase=lead.phase,
        customer_id=lead.customer_id,
        contact_id=lead.contact_id,
        requester_id=lead.requester_id,
        project_id=lead.project_id,
        product_id=part.product_id,
        branch_id=lead.branch_id,
        problem_type=lead.problem_type,
        fault_level=lead.fault_level,
        impact=lead.impact,
        priority=lead.priority,
        service_level_version_id=lead.service_level_version_id,
        service_down=lead.service_down,
        registered_at=parent.now,
        updated_at=parent.now,
    )
    child = TicketWork(
        actor=parent.actor,
        now=parent.now,
        request=request,
        terms=parent.terms,
        calendars=parent.calendars,
    )
    child.place(line=lead.line, queue_id=lead.queue_id, partner_id=lead.partner_id, reason=None)
    request.assignee_id = lead.assignee_id
    child.record(
        "ChildRequestOpened",
        Audience.PUBLIC,
        {"to": request.status.value, "title": request.title, "parent": lead.number},
    )
    return child


def split(work: TicketWork, children: Sequence[TicketWork]) -> None:
    """Say on the parent's timeline which children it has now."""
    numbers = [child.request.number for child in children]
    work.record("RequestSplit", Audience.PUBLIC, {"children": numbers})


def follow(child: TicketWork, lead: Request, terms: ServiceTerms) -> None:
    """Take over what the parent is classified as, and the terms it runs under (R-REQ-09)."""
    request, before = child.request, child.request.priority
    if [getattr(request, each) for each in LED] == [getattr(lead, each) for each in LED]:
        return
    for each in LED:
        setattr(request, each, getattr(lead, each))
    retarget(child, terms)
    child.record(
        "RequestReclassified",
        Audience.PUBLIC,
        {
            "problemType": request.problem_type,
            "faultLevel": request.fault_level,
            "impact": request.impact,
            "priorityBefore": before.value,
            "priority": request.priority.value,
        },
    )
