"""What mutations on people, organisations and queues answer."""

import strawberry

from api.planner.fields import payload_field
from api.schema.payloads import PENDING, Payload, waits_for_approval
from api.schema.people.types import Organisation, Person, Queue


@strawberry.type(description="What a mutation on a person answers.")
class PersonPayload(Payload):
    """What a mutation on a person answers: the person read anew, or why nothing happened."""

    person: Person | None = payload_field(
        "key", description="The person as they stand now; null when nothing was done."
    )

    @strawberry.field(description=PENDING)
    async def pending(self, info: strawberry.Info) -> bool:
        """Whether a second person has yet to approve it."""
        return await waits_for_approval(self, info)


@strawberry.type(description="What a mutation on an organisation answers.")
class OrganisationPayload(Payload):
    """What a mutation on an organisation answers: it, read anew, or why nothing happened."""

    organisation: Organisation | None = payload_field(
        "key", description="The organisation as it stands now; null when nothing was done."
    )


@strawberry.type(description="What a mutation on a queue answers.")
class QueuePayload(Payload):
    """What a mutation on a queue answers: the queue read anew, or why nothing happened."""

    queue: Queue | None = payload_field(
        "key", description="The queue as it stands now; null when nothing was done."
    )
