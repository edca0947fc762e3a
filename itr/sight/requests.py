"""Which requests an actor sees, and with them timelines, clocks and hand-overs (R-ROLE-03)."""

from itr.actors.actor import Actor, Reach
from itr.actors.roles import Permission
from itr.sight.row_filter import RowFilter, by_reach


def visible_requests(actor: Actor) -> RowFilter:
    """Customers see their firm's, partners what was handed over, branches their own (R-ROLE-03)."""
    return by_reach(
        actor,
        {
            Reach.CUSTOMER: "{alias}.customer_id = :scope_organisation",
            Reach.BRANCH: "{alias}.branch_id = :scope_organisation",
            Reach.PARTNER: (
                "exists (select 1 from hand_over h where h.request_id = {alias}.id"
                " and h.partner_id = :scope_organisation)"
            ),
        },
    )


def visible_parts(actor: Actor) -> RowFilter:
    """Rows that hang on a request by `request_id` are seen with it."""
    return _with_the_request(actor, "{alias}.request_id")


def visible_on_boards(actor: Actor) -> RowFilter:
    """Requests as a board shows them: all for a wallboard, else as far as our people see.

    Children are not on boards: they have no clocks (R-REQ-09).
    """
    scope = actor.scope
    if scope.boards:
        return RowFilter("{alias}.parent_id is null")
    if Reach.BRANCH not in scope.reaches or scope.organisation_id is None:
        return RowFilter.nothing()
    return RowFilter(
        "({alias}.parent_id is null and {alias}.branch_id = :scope_organisation)",
        {"scope_organisation": scope.organisation_id},
    )


def visible_board_clocks(actor: Actor) -> RowFilter:
    """The clocks of requests on the actor's boards."""
    sight = visible_on_boards(actor)
    shown = sight.at("shown")
    return RowFilter(
        f"exists (select 1 from request shown where shown.id = {{alias}}.request_id and {shown})",
        sight.arguments,
    )


def visible_hand_overs(actor: Actor) -> RowFilter:
    """Which firms a request went to: for our own people; a firm sees its own (R-ROLE-06)."""
    if actor.may(Permission.READ_INTERNAL):
        return visible_parts(actor)
    if Reach.PARTNER not in actor.scope.reaches or actor.organisation_id is None:
        return RowFilter.nothing()
    return RowFilter(
        "{alias}.partner_id = :scope_organisation", {"scope_organisation": actor.organisation_id}
    )


def visible_events(actor: Actor) -> RowFilter:
    """What stands on a timeline, as far as its audience reaches (R-ROLE-06, R-REQ-07).

    What is shared with a partner is shared with the firm that has the request at the time. A firm
    that gave it back reads what it could read then; charges are between us and the customer.
    """
    sight = _with_the_request(actor, "{alias}.stream")
    if actor.may(Permission.READ_INTERNAL):
        return sight
    audience = "{alias}.audience = 'PUBLIC'"
    if Reach.PARTNER in actor.scope.reaches:
        ours = "{alias}.payload->'partners' @> to_jsonb(:scope_organisation::uuid)"
        audience = f"({audience} or ({{alias}}.audience = 'PARTNER' and {ours}))"
        until = _until_returned("{alias}.stream", _EVENT_BY_THEN)
        audience += f" and {{alias}}.type not like 'Charge%' and {until}"
    return RowFilter(f"({sight.sql} and {audience})", sight.arguments)


def visible_bulletins(actor: Actor) -> RowFilter:
    """Bulletins are seen with their request; by a firm that gave it back, those of before."""
    sight = visible_parts(actor)
    if Reach.PARTNER not in actor.scope.reaches:
        return sight
    until = _until_returned("{alias}.request_id", "{alias}.published_at < held.returned_at")
    return RowFilter(f"({sight.sql} and {until})", sight.arguments)


_EVENT_BY_THEN = (
    "case when {alias}.subject_type = 'request' and held.returned_version is not null"
    " then {alias}.subject_version <= held.returned_version"
    " else {alias}.occurred_at <= held.returned_at end"
)


def _until_returned(request: str, by_then: str) -> str:
    """Whether the firm has the request, registered it, or it was there before it went back."""
    return (
        f"exists (select 1 from hand_over held where held.request_id = {request}"
        " and held.partner_id = :scope_organisation"
        f" and (held.returned_at is null or held.follows or {by_then}))"
    )


def _with_the_request(actor: Actor, key: str) -> RowFilter:
    sight = visible_requests(actor)
    if actor.scope.sees_all:
        return sight
    seen = sight.at("seen")
    return RowFilter(
        f"exists (select 1 from request seen where seen.id = {key} and {seen})", sight.arguments
    )
