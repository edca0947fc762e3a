"""Emergencies, families, duplicates, partner firms: their mutations; translate, call, wrap."""

from typing import Any
from uuid import UUID

import strawberry

from api.resolvers.performing import key_of, key_or_none, on_request, perform
from api.resolvers.permissions import may
from api.schema import special_inputs as given
from api.schema.catalogue import Product
from api.schema.payloads import RequestPayload
from api.schema.people import Person, Queue
from api.schema.requests import ServiceRequest
from itr.people.roles import Permission
from itr.requests.operations.duplicates import merge_requests
from itr.requests.operations.emergencies import declare_emergency, publish_bulletin
from itr.requests.operations.families import Part, split_request
from itr.requests.operations.third_parties import hand_to_partner, take_back
from itr.requests.priority import Classification

Info = strawberry.Info
P = Permission


def _mutation(permission: P, description: str) -> Any:
    return strawberry.mutation(permission_classes=[may(permission)], description=description)


@strawberry.type
class EmergencyMutation:
    """Emergency recovery, cross-product, third-party and duplicate requests (R-REQ-09 … 13)."""

    @_mutation(P.DECLARE_EMERGENCY, "Declare a P1 outage an emergency: bulletins are due.")
    async def declare_emergency(
        self, info: Info, input: given.DeclareEmergencyInput
    ) -> RequestPayload | None:
        """Declare an emergency (R-REQ-11)."""
        found = input.classification
        classification = found and Classification(
            found.problem_type, found.fault_level, found.impact
        )
        return await on_request(
            info, input, declare_emergency, reason=input.reason, found=classification
        )

    @_mutation(P.PUBLISH_BULLETIN, "Publish a status bulletin of an emergency.")
    async def publish_bulletin(
        self, info: Info, input: given.PublishBulletinInput
    ) -> RequestPayload | None:
        """Publish a bulletin (R-REQ-11)."""
        return await on_request(info, input, publish_bulletin, kind=input.kind, text=input.text)

    @_mutation(P.SPLIT_REQUEST, "Open one child per product under the same lead owner.")
    async def split_request(
        self, info: Info, input: given.SplitRequestInput
    ) -> RequestPayload | None:
        """Split a cross-product request (R-REQ-09)."""
        return await on_request(info, input, split_request, parts=lambda: _parts(input.children))

    @_mutation(P.MERGE_REQUESTS, "End a duplicate in the request that stays; shows the latter.")
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

        return await perform(info, input, act)

    @_mutation(P.ENGAGE_PARTNER, "Hand a request to a partner firm under the firm's own clock.")
    async def hand_to_partner(
        self, info: Info, input: given.HandToPartnerInput
    ) -> RequestPayload | None:
        """Hand a request to a partner firm (R-REQ-10)."""
        return await on_request(
            info,
            input,
            hand_to_partner,
            queue_id=lambda: key_of(Queue, input.queue_id, "queueId"),
            assignee_id=lambda: key_or_none(Person, input.assignee_id, "assigneeId"),
            reason=input.reason,
            waiting=input.waiting,
        )

    @_mutation(P.ENGAGE_PARTNER, "Take a request back from a partner firm: its clock ends.")
    async def take_back(self, info: Info, input: given.TakeBackInput) -> RequestPayload | None:
        """Take a request back (R-REQ-10)."""
        return await on_request(
            info,
            input,
            take_back,
            queue_id=lambda: key_of(Queue, input.queue_id, "queueId"),
            assignee_id=lambda: key_or_none(Person, input.assignee_id, "assigneeId"),
            reason=input.reason,
        )


def _parts(children: list[given.ChildRequestInput]) -> list[Part]:
    return [
        Part(
            key_of(Product, child.product_id, "children", str(place), "productId"),
            child.title,
            child.description,
        )
        for place, child in enumerate(children)
    ]
