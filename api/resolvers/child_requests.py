"""Child requests and duplicates: their mutations; translate, call, wrap."""

from uuid import UUID

import strawberry

from api.resolvers.performing import answered, key_of, on_request
from api.resolvers.permissions import mutation
from api.schema import child_request_inputs as given
from api.schema.catalogue import Product
from api.schema.payloads import RequestPayload
from api.schema.requests import ServiceRequest
from itr.actors.roles import Permission
from itr.requests.operations.child_requests import Part, split_request
from itr.requests.operations.duplicates import merge_requests

Info = strawberry.Info
P = Permission


@strawberry.type
class ChildRequestMutation:
    """Cross-product and duplicate requests (R-REQ-09, R-REQ-13)."""

    @mutation(P.SPLIT_REQUEST, "Open one child per product under the same lead owner.")
    async def split_request(
        self, info: Info, input: given.SplitRequestInput
    ) -> RequestPayload | None:
        """Split a cross-product request (R-REQ-09)."""
        return await on_request(info, input, split_request, parts=lambda: _parts(input.children))

    @mutation(P.MERGE_REQUESTS, "End a duplicate in the request that stays; shows the latter.")
    async def merge_requests(
        self, info: Info, input: given.MergeRequestsInput
    ) -> RequestPayload | None:
        """Merge a duplicate (R-REQ-13)."""

        async def act() -> UUID:
            return await merge_requests(
                info.context.actor,
                key_of(ServiceRequest, input.duplicate_id, "duplicateId"),
                key_of(ServiceRequest, input.survivor_id, "survivorId"),
                now=info.context.now,
                expected_version=input.expected_version,
            )

        return await answered(RequestPayload, info, input, act)


def _parts(children: list[given.ChildRequestInput]) -> list[Part]:
    return [
        Part(
            key_of(Product, child.product_id, "children", str(place), "productId"),
            child.title,
            child.description,
        )
        for place, child in enumerate(children)
    ]
