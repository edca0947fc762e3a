"""The catalogue: products, items, packages, contracts; their queries, and how they are kept."""

from uuid import UUID

import strawberry

from api.planner.fields import page_field
from api.resolvers.performing import answered
from api.resolvers.permissions import may
from api.schema.catalogue import inputs as given
from api.schema.catalogue.types import (
    CatalogueItemConnection,
    ContractConnection,
    PackageConnection,
    ProductConnection,
    ServiceProductConnection,
)
from itr.actors.roles import Permission
from itr.catalogue import operations
from itr.catalogue.make_up_days import set_make_up_days
from itr.catalogue.operations import ContractLineDraft

Info = strawberry.Info
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
    service_products: ServiceProductConnection = page_field(
        permission_classes=[may(P.READ_CATALOGUE)],
        description="Catalogue items sold together, by name.",
    )
    packages: PackageConnection = page_field(
        permission_classes=[may(P.READ_CATALOGUE)],
        description="Service products sold together, by name.",
    )
    contracts: ContractConnection = page_field(
        permission_classes=[may(P.READ_CONTRACTS)],
        description="Contracts within your sight, by number.",
    )


@strawberry.type
class CatalogueMutation:
    """Keeping the catalogue."""

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_CATALOGUE)], description="Keep a product."
    )
    async def save_product(
        self, info: Info, input: given.SaveProductInput
    ) -> given.ProductPayload | None:
        """Keep a product."""

        async def act() -> UUID:
            return await operations.save_product(
                info.context.actor,
                name=input.name,
                served=input.served,
                product_id=input.id,
                new=input.id is None,
                now=info.context.now,
            )

        return await answered(given.ProductPayload, info, input, act)

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_CATALOGUE)],
        description="Keep a service that can be priced alone (R-CAT-01).",
    )
    async def save_catalogue_item(
        self, info: Info, input: given.SaveCatalogueItemInput
    ) -> given.CatalogueItemPayload | None:
        """Keep a catalogue item."""

        async def act() -> UUID:
            return await operations.save_catalogue_item(
                info.context.actor,
                name=input.name,
                charge_kind=input.charge_kind,
                price=input.price.amount,
                currency=input.price.currency,
                tax_percent=input.tax_percent,
                target=input.target,
                quality_standard=input.quality_standard,
                product_id=input.product_id,
                item_id=input.id,
                new=input.id is None,
                now=info.context.now,
            )

        return await answered(given.CatalogueItemPayload, info, input, act)

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_CATALOGUE)],
        description="Keep catalogue items that are sold together (R-CAT-01).",
    )
    async def save_service_product(
        self, info: Info, input: given.SaveServiceProductInput
    ) -> given.ServiceProductPayload | None:
        """Keep a service product."""

        async def act() -> UUID:
            return await operations.save_service_product(
                info.context.actor,
                name=input.name,
                item_ids=input.item_ids,
                service_product_id=input.id,
                new=input.id is None,
                now=info.context.now,
            )

        return await answered(given.ServiceProductPayload, info, input, act)

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_CATALOGUE)],
        description="Keep service products that are sold together (R-CAT-01).",
    )
    async def save_package(
        self, info: Info, input: given.SavePackageInput
    ) -> given.PackagePayload | None:
        """Keep a package."""

        async def act() -> UUID:
            products = input.service_product_ids
            return await operations.save_package(
                info.context.actor,
                name=input.name,
                service_product_ids=products,
                package_id=input.id,
                new=input.id is None,
                now=info.context.now,
            )

        return await answered(given.PackagePayload, info, input, act)

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_CONTRACTS)],
        description="Keep a contract and lines of it, with their quotas (R-CAT-02, R-ENT-03).",
    )
    async def save_contract(
        self, info: Info, input: given.SaveContractInput
    ) -> given.ContractPayload | None:
        """Keep a contract."""

        async def act() -> UUID:
            return await operations.save_contract(
                info.context.actor,
                number=input.number,
                customer_id=input.customer_id,
                starts_on=input.starts_on,
                ends_on=input.ends_on,
                fee=input.fee,
                penalty=input.penalty,
                currency=input.currency,
                lines=[_line(line) for line in input.lines],
                contract_id=input.id,
                new=input.id is None,
                now=info.context.now,
            )

        return await answered(given.ContractPayload, info, input, act)

    @strawberry.mutation(
        permission_classes=[may(P.MANAGE_CONTRACTS)],
        description="Say whether a customer's clocks count make-up days; its open clocks are"
        " recomputed in batches, completed ones never (R-CAL-03, R-SLA-10).",
    )
    async def set_make_up_days(
        self, info: Info, input: given.SetMakeUpDaysInput
    ) -> given.MakeUpDaysPayload | None:
        """Let a customer opt out of make-up days, or back in."""

        async def act() -> UUID:
            return await set_make_up_days(
                info.context.actor,
                input.customer_id,
                make_up_days=input.make_up_days,
                now=info.context.now,
            )

        return await answered(given.MakeUpDaysPayload, info, input, act)


def _line(line: given.ContractLineInput) -> ContractLineDraft:
    return ContractLineDraft(
        number=line.number,
        service_level_id=line.service_level_id,
        package_id=line.package_id,
        product_id=line.product_id,
        project_id=line.project_id,
    )
