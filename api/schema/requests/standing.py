"""How a request stands, as far as what can be done to it goes: the inputs of `viewerCan`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from api.schema.tickets.escalations import STANDING_ESCALATION
from itr.requests.lifecycle import RequestVerb
from itr.requests.rules import OPEN
from itr.requests.standing import RequestStanding
from itr.requests.terms import RequestKind, RequestStatus
from itr.sla.lateness import BREACHED
from itr.tickets.policy import verbs_open_to

_IN_QUEUE = (
    "exists (select 1 from queue_member m where m.queue_id = {t}.queue_id and m.person_id = :actor)"
)
_ENDED = ", ".join(f"'{status}'" for status in sorted(set(RequestStatus) - OPEN))
_PARENT_ENDED = (
    f"exists (select 1 from request p where p.id = {{t}}.parent_id and p.status in ({_ENDED}))"
)
_OPEN_CHILDREN = (
    f"(select count(*) from request c where c.parent_id = {{t}}.id and c.status not in ({_ENDED}))"
)
_WAITS_FOR_CUSTOMER = (
    "coalesce({t}.waiting_reason = 'CUSTOMER' or {t}.waiting_reason is not null"
    """ and {t}.waits @@ '$[*].reason == "CUSTOMER"', false)"""
)
_FIRM_WORKS_HIGHER = (
    "exists (select 1 from queue q where q.partner_id = {t}.partner_id and q.line > {t}.line)"
)
_BREACH_TO_EXPLAIN = (
    "exists (select 1 from clock c where c.request_id = {t}.id"
    f" and {BREACHED.replace('{t}', 'c')} and c.breach_reason_state is distinct from 'APPROVED')"
)
_REASON_TO_DECIDE = (
    "exists (select 1 from clock c where c.request_id = {t}.id"
    f" and {BREACHED.replace('{t}', 'c')} and c.breach_reason_state = 'GIVEN'"
    " and c.breach_reason_by is distinct from :actor)"
)

STANDING = {
    "status": "{t}.status",
    "assignee_id": "{t}.assignee_id",
    "partner_id": "{t}.partner_id",
    "requester_id": "{t}.requester_id",
    "contact_id": "{t}.contact_id",
    "in_queue": _IN_QUEUE,
    "kind": "{t}.kind",
    "line": "{t}.line",
    "waits_for_customer": _WAITS_FOR_CUSTOMER,
    "closed_at": "{t}.closed_at",
    "may_be_reauthorised": "(not {t}.reauthorised and {t}.entitlement_outcome = 'NO_DATA')",
    "firm_works_higher": _FIRM_WORKS_HIGHER,
    "charge_pending": "({t}.charge is not distinct from 'PENDING')",
    "charge_priced": "({t}.charge_item_id is not null)",
    "priority": "{t}.priority",
    "service_down": "{t}.service_down",
    "emergency": "{t}.emergency",
    "has_problem": "({t}.problem_id is not null)",
    "is_child": "({t}.parent_id is not null)",
    "parent_ended": _PARENT_ENDED,
    "open_children": _OPEN_CHILDREN,
    "has_breach_to_explain": _BREACH_TO_EXPLAIN,
    "has_reason_to_decide": _REASON_TO_DECIDE,
    **STANDING_ESCALATION,
}
"""What is read of a request, in SQL."""


def open_verbs(values: Mapping[str, Any], context: Any) -> list[RequestVerb]:
    """What the actor could do to a request that stands so."""
    closed_at = values["closed_at"]
    standing = RequestStanding(
        actor=context.actor,
        now=context.now,
        status=RequestStatus(values["status"]),
        kind=RequestKind(values["kind"]),
        line=values["line"],
        owner=_uuid(values["assignee_id"]),
        partner=_uuid(values["partner_id"]),
        requesters={_uuid(values["requester_id"]), _uuid(values["contact_id"])},
        in_queue=bool(values["in_queue"]),
        waits_for_customer=bool(values["waits_for_customer"]),
        closed_at=datetime.fromisoformat(closed_at) if closed_at else None,
        may_be_reauthorised=bool(values["may_be_reauthorised"]),
        firm_works_higher=bool(values["firm_works_higher"]),
        charge_pending=bool(values["charge_pending"]),
        charge_priced=bool(values["charge_priced"]),
        priority=values["priority"],
        service_down=bool(values["service_down"]),
        emergency=bool(values["emergency"]),
        has_problem=bool(values["has_problem"]),
        is_child=bool(values["is_child"]),
        parent_ended=bool(values["parent_ended"]),
        open_children=values["open_children"],
        has_breach_to_explain=bool(values["has_breach_to_explain"]),
        has_reason_to_decide=bool(values["has_reason_to_decide"]),
        escalated_to=values["escalated_to"],
        unacknowledged=values["unacknowledged"],
        escalated_to_actor=values["escalated_to_actor"],
    )
    return verbs_open_to(RequestVerb, standing)


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
