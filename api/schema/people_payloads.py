"""What mutations on people, organisations and queues answer."""

from uuid import UUID

import strawberry

from api.planner.fields import payload_field
from api.schema.payloads import UserError
from api.schema.people import Organisation, Person, Queue


@strawberry.type(description="What a mutation on a person answers.")
class PersonPayload:
    """What a mutation on a person answers: the person read anew, or why nothing happened."""

    key: strawberry.Private[UUID | None]
    user_errors: list[UserError] = strawberry.field(description="Empty when it was done.")
    client_mutation_id: str | None = strawberry.field(description="As it was given.")

    person: Person | None = payload_field(
        "key", description="The person as they stand now; null when nothing was done."
    )


@strawberry.type(description="What a mutation on an organisation answers.")
class OrganisationPayload:
    """What a mutation on an organisation answers: it, read anew, or why nothing happened."""

    key: strawberry.Private[UUID | None]
    user_errors: list[UserError] = strawberry.field(description="Empty when it was done.")
    client_mutation_id: str | None = strawberry.field(description="As it was given.")

    organisation: Organisation | None = payload_field(
        "key", description="The organisation as it stands now; null when nothing was done."
    )


@strawberry.type(description="What a mutation on a queue answers.")
class QueuePayload:
    """What a mutation on a queue answers: the queue read anew, or why nothing happened."""

    key: strawberry.Private[UUID | None]
    user_errors: list[UserError] = strawberry.field(description="Empty when it was done.")
    client_mutation_id: str | None = strawberry.field(description="As it was given.")

    queue: Queue | None = payload_field(
        "key", description="The queue as it stands now; null when nothing was done."
    )
