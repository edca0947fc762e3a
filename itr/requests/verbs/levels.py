"""Moving an open request to another version of a service level (R-CAT-03)."""

from itr.catalogue.rules import ServiceTerms
from itr.catalogue.terms import Priority
from itr.events.log import Audience
from itr.requests.priority import classification_of, priority_of
from itr.requests.ticket_work import TicketWork
from itr.requests.verbs.intake import retarget
from itr.sla.clocks import is_asleep


def move_to_level(work: TicketWork, terms: ServiceTerms, event: str) -> None:
    """Put a request under another version: it keeps elapsed and paused time (R-SLA-08).

    A thread for which nothing is promised any more is cancelled; one that came to its end has the
    new promise should it be reopened. A matrix of its own may give another priority (R-PRI-01).
    """
    request = work.request
    before, priority_before = work.terms, request.priority
    work.asleep = frozenset(thread for thread, row in work.clocks.items() if is_asleep(row))
    if request.problem_type is not None:
        request.priority = Priority(priority_of(classification_of(request), terms.matrix))
    retarget(work, terms)
    changed = request.priority is not priority_before
    work.record(
        event,
        Audience.PUBLIC,
        {
            "serviceLevel": terms.name,
            "versionBefore": str(before.version_id),
            "version": str(terms.version_id),
            "priorityBefore": priority_before.value if changed else None,
            "priority": request.priority.value if changed else None,
        },
    )
