"""Which organisations, persons, projects and queues an actor may see (R-ROLE-03, R-ROLE-06).

Names inside the conditions are words of their own, so that they never hide the row's alias.
"""

from itr.actors.actor import Actor, Reach
from itr.actors.roles import Permission
from itr.sight.requests import visible_requests
from itr.sight.row_filter import RowFilter, by_reach

_INSIDE = (
    "exists (select 1 from organisation house"
    " where house.id = {alias}.organisation_id and house.kind = 'BRANCH')"
)
_BRANCH_OF_CUSTOMER = (
    "exists (select 1 from organisation party"
    " where party.id = {alias}.customer_id and party.branch_id = :scope_organisation)"
)


def visible_organisations(actor: Actor) -> RowFilter:
    """Own firm; partners also the customers they work for, branches their customers and partners.

    Customers see no partner and partners no other partner (R-ROLE-06).
    """
    if actor.may(Permission.MANAGE_PEOPLE):
        return RowFilter.everything()
    own = "{alias}.id = :scope_organisation"
    asks = _of_request(actor, "customer_id")
    works = _of_request(actor, "partner_id")
    served = "{alias}.branch_id = :scope_organisation"
    return by_reach(
        actor,
        {
            Reach.CUSTOMER: own,
            Reach.PARTNER: f"{own} or {asks}",
            Reach.BRANCH: f"{own} or {served} or {asks} or {works}",
        },
    )


def visible_persons(actor: Actor) -> RowFilter:
    """Own colleagues, and who stands as contact or assignee on the requests the actor sees.

    Of the assignees customers and partners see our own people only. They are asked for first: an
    index finds an assignee's requests, a contact's have to be sought among all of the firm's.
    """
    if actor.may(Permission.MANAGE_PEOPLE):
        return RowFilter.everything()
    own = "{alias}.organisation_id = :scope_organisation"
    contact = _of_request(actor, "contact_id")
    assignee = _of_request(actor, "assignee_id")
    served = (
        "exists (select 1 from organisation party where party.id = {alias}.organisation_id"
        " and party.branch_id = :scope_organisation)"
    )
    return by_reach(
        actor,
        {
            Reach.CUSTOMER: f"{own} or ({_INSIDE} and ({assignee} or {contact}))",
            Reach.PARTNER: f"{own} or ({_INSIDE} and {assignee}) or {contact}",
            Reach.BRANCH: f"{own} or {served} or {assignee} or {contact}",
        },
    )


def visible_projects(actor: Actor) -> RowFilter:
    """Customers see their own projects, branches those of their customers, partners none."""
    return of_visible_customer(actor)


def of_visible_customer(actor: Actor) -> RowFilter:
    """Rows with a `customer_id`: the actor's own firm, or a customer of its branch."""
    return by_reach(
        actor,
        {
            Reach.CUSTOMER: "{alias}.customer_id = :scope_organisation",
            Reach.BRANCH: _BRANCH_OF_CUSTOMER,
        },
    )


def visible_queues(actor: Actor) -> RowFilter:
    """Partners see their own queues, branches theirs and those their requests stand in."""
    if actor.may(Permission.MANAGE_PEOPLE):
        return RowFilter.everything()
    stands = _of_request(actor, "queue_id")
    return by_reach(
        actor,
        {
            Reach.PARTNER: "{alias}.partner_id = :scope_organisation",
            Reach.BRANCH: f"{{alias}}.branch_id = :scope_organisation or {stands}",
        },
    )


def _of_request(actor: Actor, column: str) -> str:
    """Whether the row is the `column` of a request the actor sees."""
    asked = visible_requests(actor).at("asked")
    return f"exists (select 1 from request asked where asked.{column} = {{alias}}.id and {asked})"
