"""Which rows of the catalogue an actor may see (R-ROLE-03, R-ROLE-06)."""

from itr.actors.actor import Actor, Reach
from itr.sight.people import of_visible_customer
from itr.sight.requests import visible_requests
from itr.sight.row_filter import RowFilter, through


def is_inside(actor: Actor) -> bool:
    """Whether the actor works for us and so reads the whole catalogue."""
    return bool({Reach.ALL, Reach.BRANCH} & actor.scope.reaches)


def visible_calendars(actor: Actor) -> RowFilter:
    """Calendars are read inside the house only."""
    return RowFilter.everything() if is_inside(actor) else RowFilter.nothing()


visible_calendar_versions = visible_calendars
visible_catalogue_items = visible_calendars
visible_service_products = visible_calendars
visible_packages = visible_calendars
visible_underpinning_contracts = visible_calendars


def visible_products(actor: Actor) -> RowFilter:
    """Inside all; outside those we serve, and those their own requests are about."""
    if is_inside(actor):
        return RowFilter.everything()
    if not actor.scope.reaches:
        return RowFilter.nothing()
    asked = visible_requests(actor)
    return RowFilter(
        "({alias}.served or exists (select 1 from request asked"
        f" where asked.product_id = {{alias}}.id and {asked.at('asked')}))",
        asked.arguments,
    )


def visible_contracts(actor: Actor) -> RowFilter:
    """Customers see their own, branches those of their customers, partners none (R-ROLE-06)."""
    return of_visible_customer(actor)


def visible_contract_lines(actor: Actor) -> RowFilter:
    """The lines of contracts that may be seen."""
    return through(
        visible_contracts(actor), "contract", "agreed", "agreed.id = {alias}.contract_id"
    )


def visible_service_levels(actor: Actor) -> RowFilter:
    """Inside all; customers those their contracts name."""
    if is_inside(actor):
        return RowFilter.everything()
    lines = visible_contract_lines(actor)
    return through(lines, "contract_line", "named", "named.service_level_id = {alias}.id")


def visible_service_level_versions(actor: Actor) -> RowFilter:
    """The versions of service levels that may be seen."""
    levels = visible_service_levels(actor)
    return through(levels, "service_level", "promise", "promise.id = {alias}.service_level_id")


def visible_service_targets(actor: Actor) -> RowFilter:
    """The targets of versions that may be seen."""
    versions = visible_service_level_versions(actor)
    return through(versions, "service_level_version", "edition", "edition.id = {alias}.version_id")


visible_service_pauses = visible_service_targets
