"""What can be done to requests: each operation is one transaction and one event (R-REQ-01)."""

from itr.requests.operations.breaches import (
    approve_breach_reason,
    explain_breach,
    refuse_breach_reason,
)
from itr.requests.operations.charges import agree_to_charge, offer_charge, price_of, withdraw_charge
from itr.requests.operations.child_requests import split_request
from itr.requests.operations.closing import (
    close_request,
    confirm_request,
    fire_timer,
    reject_solution,
    reopen_request,
)
from itr.requests.operations.correspondence import (
    log_call,
    note_on_request,
    plan_request,
    respond_to_request,
)
from itr.requests.operations.duplicates import merge_requests
from itr.requests.operations.emergencies import declare_emergency, publish_bulletin
from itr.requests.operations.escalations import acknowledge_escalation, escalate_to_management
from itr.requests.operations.handling import (
    change_line,
    deliver_request,
    dispatch_request,
    requeue_request,
    restore_request,
    resume_request,
    start_request,
    wait_request,
)
from itr.requests.operations.intake import (
    accept_request,
    cancel_request,
    reauthorise_request,
    reclassify_request,
    reject_request,
    submit_request,
)
from itr.requests.operations.third_parties import hand_to_partner, take_back

__all__ = [
    "accept_request",
    "acknowledge_escalation",
    "agree_to_charge",
    "approve_breach_reason",
    "cancel_request",
    "change_line",
    "close_request",
    "confirm_request",
    "declare_emergency",
    "deliver_request",
    "dispatch_request",
    "escalate_to_management",
    "explain_breach",
    "fire_timer",
    "hand_to_partner",
    "log_call",
    "merge_requests",
    "note_on_request",
    "offer_charge",
    "plan_request",
    "price_of",
    "publish_bulletin",
    "reauthorise_request",
    "reclassify_request",
    "refuse_breach_reason",
    "reject_request",
    "reject_solution",
    "reopen_request",
    "requeue_request",
    "respond_to_request",
    "restore_request",
    "resume_request",
    "split_request",
    "start_request",
    "submit_request",
    "take_back",
    "wait_request",
    "withdraw_charge",
]
