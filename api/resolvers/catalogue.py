"""The catalogue: products, items, service levels, contracts, calendars."""

import strawberry

from api.planner.fields import page_field
from api.resolvers.permissions import may
from api.schema.catalogue import (
    CalendarConnection,
    CatalogueItemConnection,
    ContractConnection,
    ProductConnection,
    ServiceLevelConnection,
)
from itr.people.roles import Permission

P = Permission


@strawberry.type
class CatalogueQuery:
    """Reading the catalogue."""

    products: ProductConnection = page_field(
        permission_classes=[may(P.READ_REQUESTS)],
        description="Products, by name.",
    )
    catalogue_items: CatalogueItemConnection = page_field(
        permission_classes=[may(P.READ_CATALOGUE)],
        description="Services that can be priced alone, by name.",
    )
    service_levels: ServiceLevelConnection = page_field(
        permission_classes=[may(P.READ_CATALOGUE)],
        description="Service levels, by name.",
    )
    calendars: CalendarConnection = page_field(
        permission_classes=[may(P.READ_CATALOGUE)],
        description="Working calendars, by name.",
    )
    contracts: ContractConnection = page_field(
        permission_classes=[may(P.READ_CONTRACTS)],
        description="Contracts within your sight, by number.",
    )
