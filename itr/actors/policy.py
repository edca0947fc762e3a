"""Who may do what: the one role→permission table (R-ROLE-02)."""

from collections.abc import Iterable, Mapping

from itr.actors.roles import Permission, Role

P = Permission

_READ_INSIDE = frozenset(
    {
        P.READ_REQUESTS,
        P.READ_DIRECTORY,
        P.READ_HANDLING,
        P.READ_INTERNAL,
        P.READ_NOTIFICATIONS,
        P.READ_CONTRACTS,
        P.READ_CATALOGUE,
        P.READ_PEOPLE,
    }
)
_READ_ALL = _READ_INSIDE | {P.READ_FIGURES, P.READ_BOARD}
_HANDLE = _READ_ALL | {
    P.START_REQUEST,
    P.WORK_ON_REQUEST,
    P.RESUME_REQUEST,
    P.REQUEUE_REQUEST,
    P.ESCALATE_REQUEST,
    P.RESPOND_TO_REQUEST,
    P.NOTE_ON_REQUEST,
    P.LOG_CALL,
    P.PLAN_REQUEST,
    P.CLOSE_REQUEST,
    P.EXPLAIN_BREACH,
    P.PUBLISH_BULLETIN,
    P.SPLIT_REQUEST,
    P.ENGAGE_PARTNER,
    P.LINK_PROBLEM,
    P.ESCALATE_TO_MANAGEMENT,
}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.CUSTOMER: frozenset(
        {
            P.READ_REQUESTS,
            P.READ_DIRECTORY,
            P.READ_CONTRACTS,
            P.READ_NOTIFICATIONS,
            P.SUBMIT_REQUEST,
            P.ACCEPT_CHARGE,
            P.RESUME_REQUEST,
            P.CONFIRM_REQUEST,
            P.REOPEN_REQUEST,
            P.CANCEL_REQUEST,
            P.RESPOND_TO_REQUEST,
        }
    ),
    Role.PARTNER: frozenset(
        {
            P.READ_REQUESTS,
            P.READ_DIRECTORY,
            P.READ_HANDLING,
            P.READ_NOTIFICATIONS,
            P.SUBMIT_REQUEST,
            P.START_REQUEST,
            P.WORK_ON_REQUEST,
            P.RESUME_REQUEST,
            P.REQUEUE_REQUEST,
            P.ESCALATE_REQUEST,
            P.RESPOND_TO_REQUEST,
            P.NOTE_ON_REQUEST,
            P.LOG_CALL,
            P.CANCEL_REQUEST,
        }
    ),
    Role.LINE1: _HANDLE
    | {
        P.SUBMIT_REQUEST,
        P.ACCEPT_REQUEST,
        P.REJECT_REQUEST,
        P.RECLASSIFY_REQUEST,
        P.DISPATCH_REQUEST,
        P.REOPEN_REQUEST,
        P.CANCEL_REQUEST,
        P.MERGE_REQUESTS,
    },
    Role.LINE2: _HANDLE | {P.RECLASSIFY_REQUEST, P.MANAGE_PROBLEMS},
    Role.LINE3: _HANDLE | {P.RECLASSIFY_REQUEST, P.MANAGE_PROBLEMS},
    Role.LINE_LEAD: _READ_ALL
    | {
        P.REQUEUE_REQUEST,
        P.ESCALATE_REQUEST,
        P.RECLASSIFY_REQUEST,
        P.NOTE_ON_REQUEST,
        P.LOG_CALL,
        P.EXPLAIN_BREACH,
        P.APPROVE_BREACH_REASON,
        P.PUBLISH_BULLETIN,
        P.SPLIT_REQUEST,
        P.MERGE_REQUESTS,
        P.ENGAGE_PARTNER,
        P.LINK_PROBLEM,
        P.MANAGE_PROBLEMS,
        P.ESCALATE_TO_MANAGEMENT,
        P.ACKNOWLEDGE_ESCALATION,
    },
    Role.FIELD_ENGINEER: _HANDLE,
    Role.DISPATCH_MANAGER: _READ_ALL
    | {
        P.DISPATCH_REQUEST,
        P.REQUEUE_REQUEST,
        P.NOTE_ON_REQUEST,
        P.PLAN_REQUEST,
        P.SPLIT_REQUEST,
        P.MERGE_REQUESTS,
        P.ENGAGE_PARTNER,
        P.ESCALATE_TO_MANAGEMENT,
        P.ACKNOWLEDGE_ESCALATION,
    },
    Role.SPARES_MANAGER: _READ_INSIDE | {P.NOTE_ON_REQUEST},
    Role.QUALITY_CONTROLLER: _READ_ALL | {P.LOG_CALL, P.NOTE_ON_REQUEST, P.ESCALATE_TO_MANAGEMENT},
    Role.COMPLAINT_HANDLER: _READ_ALL | {P.NOTE_ON_REQUEST, P.ESCALATE_TO_MANAGEMENT},
    Role.PROJECT_MANAGER: _READ_ALL | {P.NOTE_ON_REQUEST, P.PLAN_REQUEST, P.ESCALATE_TO_MANAGEMENT},
    Role.CATALOGUE_MANAGER: _READ_INSIDE | {P.MANAGE_CATALOGUE, P.MANAGE_CONTRACTS},
    Role.SALES_SUPPORT: _READ_INSIDE,
    Role.BRANCH_MANAGER: _READ_ALL
    | {P.DISPATCH_REQUEST, P.NOTE_ON_REQUEST, P.ESCALATE_TO_MANAGEMENT},
    Role.ANALYST: _READ_ALL,
    Role.PROCESS_MANAGER: _READ_ALL
    | {
        P.REJECT_REQUEST,
        P.RECLASSIFY_REQUEST,
        P.WAIVE_CHARGE,
        P.ESCALATE_TO_MANAGEMENT,
        P.ACKNOWLEDGE_ESCALATION,
        P.NOTE_ON_REQUEST,
        P.DECLARE_EMERGENCY,
        P.PUBLISH_BULLETIN,
        P.LINK_PROBLEM,
        P.MANAGE_PROBLEMS,
        P.APPROVE_BREACH_REASON,
        P.MANAGE_CALENDARS,
        P.MANAGE_SERVICE_LEVELS,
        P.IMPORT_HISTORY,
        P.READ_USAGE,
        P.APPROVE_DEVICES,
    },
    Role.OPERATIONS_DIRECTOR: _READ_ALL
    | {
        P.APPROVE_BREACH_REASON,
        P.NOTE_ON_REQUEST,
        P.ACKNOWLEDGE_ESCALATION,
        P.APPROVE_ACCESS,
    },
    Role.WALLBOARD: frozenset({P.READ_BOARD}),
    Role.ADMIN: frozenset(
        {
            P.READ_DIRECTORY,
            P.READ_HANDLING,
            P.READ_PEOPLE,
            P.MANAGE_PEOPLE,
            P.READ_NOTIFICATIONS,
            P.MANAGE_CLIENTS,
            P.APPROVE_ACCESS,
            P.APPROVE_DEVICES,
            P.READ_USAGE,
        }
    ),
}


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """The union of what each role may do (R-ROLE-01)."""
    return frozenset().union(*(GRANTS[role] for role in roles))
