"""Management escalation as the API shows it: to whom, why, who has taken note (R-ESC)."""

from datetime import datetime

import strawberry

from api.planner.declare import column, one, public_id, sql
from api.planner.stored import Node, stored
from api.schema.people.types import Person
from api.schema.vocabulary import described
from itr.actors.roles import Permission
from itr.sight.requests import visible_parts
from itr.sla.terms import Thread
from itr.tickets.terms import EscalationCause, ManagementStep

described(
    ManagementStep,
    "How far a management escalation has come, lowest first (R-ESC-01). 管理升级层级",
    {
        ManagementStep.LINE_LEAD: "The line lead. 组长",
        ManagementStep.PROCESS_MANAGER: "The process manager. 流程经理",
        ManagementStep.OPERATIONS_DIRECTOR: "The operations director. 运营总监",
    },
)
described(
    EscalationCause,
    "Why an escalation came to a step (R-ESC-01, R-ESC-02). 升级原因",
    {
        EscalationCause.ALARM: "An alarm of 90 % or a breach. 预报警",
        EscalationCause.BY_HAND: "Somebody escalated it, with a reason. 人工",
        EscalationCause.TIMEOUT: "Nobody took note at the step below in time. 逾时未确认",
    },
)

_HERE = "from escalation e where e.request_id = {t}.id and e.ended_at is null"
_UNNOTED = f"{_HERE} and e.acknowledged_at is null"
STANDING_ESCALATION = {
    "escalated_to": f"(select coalesce(max(e.step), 0) {_HERE})",
    "unacknowledged": f"(select coalesce(min(e.step), 0) {_UNNOTED})",
    "escalated_to_actor": f"(exists (select 1 {_UNNOTED} and e.person_id = :actor))",
}
"""How the escalation of a request stands, for what can be done about it."""


@stored(
    table="escalation",
    key="esc",
    visible=visible_parts,
    permission=Permission.READ_INTERNAL,
    order="opened_at",
)
@strawberry.type(description="One step of a management escalation (R-ESC-01). 管理升级")
class Escalation(Node):
    """One step of a request's management escalation."""

    id: strawberry.ID = public_id()
    step: ManagementStep = sql(
        "case {t}.step when 1 then 'LINE_LEAD' when 2 then 'PROCESS_MANAGER'"
        " else 'OPERATIONS_DIRECTOR' end",
        description="How far it has come.",
    )
    cause: EscalationCause = column(description="Why it came here.")
    thread: Thread | None = column(description="The time thread whose alarm caused it.")
    percent: int | None = column(description="The level of that alarm.")
    reason: str | None = column(description="Why somebody escalated it by hand.")
    person: Person | None = one("person_id", description="The named person it came to.")
    opened_at: datetime = column(description="When it came here.")
    acknowledge_by: datetime | None = column(
        "due_at", description="Until when it waits to be acknowledged before it goes on."
    )
    told_again: bool = column(
        description="Whether the top was told again, once, for want of an acknowledgement."
    )
    acknowledged_at: datetime | None = column(description="When somebody took note.")
    acknowledged_by: Person | None = one("acknowledged_by_id", description="Who took note.")
    ended_at: datetime | None = column(
        description="When it went on, or the request was delivered or ended; null: it stands."
    )
