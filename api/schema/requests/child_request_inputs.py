"""What mutations on child requests and on duplicates take."""

from uuid import UUID

import strawberry

from api.schema.catalogue.types import Product
from api.schema.inputs import MutationInput, id_of
from api.schema.requests.inputs import RequestInput
from api.schema.requests.types import ServiceRequest


@strawberry.input(description="One child of a cross-product request (R-REQ-09).")
class ChildRequestInput:
    """One child of a cross-product request."""

    product_id: UUID = id_of(Product, description="The product it is about.")
    title: str | None = strawberry.field(
        default=None, description="Its subject; the parent's, if left out."
    )
    description: str | None = strawberry.field(
        default=None, description="What is to be done; the parent's, if left out."
    )


@strawberry.input(description="Open one child per product (R-REQ-09).")
class SplitRequestInput(RequestInput):
    """Open one child per product."""

    children: list[ChildRequestInput] = strawberry.field(description="One per product.")


@strawberry.input(description="End a duplicate in the request that stays (R-REQ-13).")
class MergeRequestsInput(MutationInput):
    """End a duplicate in the request that stays."""

    duplicate_id: UUID = id_of(ServiceRequest, description="The request that ends.")
    survivor_id: UUID = id_of(ServiceRequest, description="The request that stays.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse with STALE if the duplicate has moved on since."
    )
