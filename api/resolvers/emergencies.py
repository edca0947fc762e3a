"""Emergency recovery: its mutations; translate, call, wrap."""

import strawberry

from api.resolvers.performing import on_request
from api.resolvers.permissions import verb_mutation
from api.schema.payloads import RequestPayload
from api.schema.requests import emergency_inputs as given
from itr.actors.roles import Permission
from itr.requests.lifecycle import RequestVerb
from itr.requests.operations.emergencies import declare_emergency, publish_bulletin
from itr.requests.priority import Classification

Info = strawberry.Info
P = Permission


@strawberry.type
class EmergencyMutation:
    """Emergencies and their bulletins (R-REQ-11)."""

    @verb_mutation(RequestVerb.DECLARE_EMERGENCY)
    async def declare_emergency(
        self, info: Info, input: given.DeclareEmergencyInput
    ) -> RequestPayload | None:
        """Declare an emergency (R-REQ-11)."""
        found = input.classification
        classification = found and Classification(
            found.problem_type, found.fault_level, found.impact
        )
        return await on_request(info, input, declare_emergency, found=classification)

    @verb_mutation(RequestVerb.PUBLISH_BULLETIN)
    async def publish_bulletin(
        self, info: Info, input: given.PublishBulletinInput
    ) -> RequestPayload | None:
        """Publish a bulletin (R-REQ-11)."""
        return await on_request(
            info,
            input,
            publish_bulletin,
        )
