"""Who is around a request in hand, as far as notifying needs to know of it (R-NOT-01)."""

from itr.notifications.recipients import Recipients
from itr.people.staff import STAFF
from itr.requests.ticket_work import TicketWork
from itr.sla.calendars_in_force import calendars_in_force


async def recipients_around(work: TicketWork) -> Recipients:
    """The request as the verbs left it; the people themselves are met when somebody is notified."""
    request, terms = work.request, work.terms
    staff = await STAFF.under(work.references)
    queue = staff.queues.get(request.queue_id) if request.queue_id else None
    calendar = work.calendars.get(terms.calendar_id)
    if calendar is None:
        found = await calendars_in_force([terms.calendar_id], request.customer_id, work.references)
        calendar = found[terms.calendar_id]
    return Recipients(
        {
            request.id: {
                "id": request.id,
                "number": request.number,
                "priority": request.priority.value,
                "branch_id": request.branch_id,
                "customer_id": request.customer_id,
                "assignee_id": request.assignee_id,
                "lead_id": queue.lead_id if queue else None,
                "manager_id": work.project.manager_id,
                "contact_id": request.contact_id,
                "project_contact_id": work.project.contact_id,
                "rules": terms.alarm_rules,
                "calendar_id": terms.calendar_id,
                "zone": calendar.working.definition.time_zone,
            }
        }
    )
