"""Child requests and duplicates: their mutations; translate, call, wrap."""

from uuid import UUID

import strawberry

from api.resolvers.performing import answered, on_request
from api.resolvers.permissions import verb_mutation
from api.schema.payloads import RequestPayload
from api.schema.requests import child_request_inputs as given
from itr.actors.roles import Permission
from itr.requests.lifecycle import RequestVerb
from itr.requests.operations.child_requests import Part, split_request
from itr.requests.operations.duplicates import merge_requests

Info = strawberry.Info
P = Permission


@strawberry.type
class ChildRequestMutation:
    """Cross-product and duplicate requests (R-REQ-09, R-REQ-13)."""

    @verb_mutation(RequestVerb.SPLIT)
    async def split_request(
        self, info: Info, input: given.SplitRequestInput
    ) -> RequestPayload | None:
        """Split a cross-product request (R-REQ-09)."""
        return await on_request(info, input, split_request, parts=_parts(input.children))

    @verb_mutation(RequestVerb.MERGE)
    async def merge_requests(
        self, info: Info, input: given.MergeRequestsInput
    ) -> RequestPayload | None:
        """Merge a duplicate (R-REQ-13)."""

        async def act() -> UUID:
            return await merge_requests(
                info.context.actor,
                input.duplicate_id,
                input.survivor_id,
                now=info.context.now,
                expected_version=input.expected_version,
            )

        return await answered(RequestPayload, info, input, act)


def _parts(children: list[given.ChildRequestInput]) -> list[Part]:
    return [Part(child.product_id, child.title, child.description) for child in children]
