"""Partner firms: handing over and taking back; translate, call, wrap."""

import strawberry

from api.resolvers.performing import on_request
from api.resolvers.permissions import verb_mutation
from api.schema.payloads import RequestPayload
from api.schema.requests import third_party_inputs as given
from itr.actors.roles import Permission
from itr.requests.lifecycle import RequestVerb
from itr.requests.operations.third_parties import hand_to_partner, take_back

Info = strawberry.Info
P = Permission


@strawberry.type
class ThirdPartyMutation:
    """Requests with partner firms (R-REQ-10)."""

    @verb_mutation(RequestVerb.HAND_TO_PARTNER)
    async def hand_to_partner(
        self, info: Info, input: given.HandToPartnerInput
    ) -> RequestPayload | None:
        """Hand a request to a partner firm (R-REQ-10)."""
        return await on_request(
            info,
            input,
            hand_to_partner,
        )

    @verb_mutation(RequestVerb.TAKE_BACK)
    async def take_back(self, info: Info, input: given.TakeBackInput) -> RequestPayload | None:
        """Take a request back (R-REQ-10)."""
        return await on_request(
            info,
            input,
            take_back,
        )
