"""What mutations answer: the object as it stands now, and what went wrong, told to a person."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from api.planner.fields import payload_field
from api.schema.problems.types import Problem
from api.schema.requests.types import ServiceRequest
from itr.access.operations.approvals import is_waiting

if TYPE_CHECKING:
    from api.schema.error_codes import UserErrorCode


@strawberry.type(description="Why a mutation did nothing, told to a person. 业务错误")
class UserError:
    """Why a mutation did nothing, told to a person."""

    path: list[str] = strawberry.field(description="Where in the arguments, e.g. input, title.")
    code: Annotated["UserErrorCode", strawberry.lazy("api.schema.error_codes")] = strawberry.field(
        description="Stable code."
    )
    message: str = strawberry.field(description="A sentence in the reader's language.")


def user_error(code: Any, path: list[Any], message: str) -> UserError:
    """One refusal, with its path from the mutation's arguments on."""
    where = ["input", *(str(each) for each in path)]
    return UserError(path=where, code=code, message=message)


@strawberry.type
class Payload:
    """What every mutation answers; each adds its object, read anew by `key`."""

    key: strawberry.Private[UUID | None]
    user_errors: list[UserError] = strawberry.field(description="Empty when it was done.")
    client_mutation_id: str | None = strawberry.field(description="As it was given.")


PENDING = (
    "Whether something of it waits for a second person, within 24 hours: see `accessApprovals`."
    " Nobody gives a deciding role, or gets at who holds one, alone (S18)."
)
"""How payloads describe it."""


async def waits_for_approval(payload: Payload, info: strawberry.Info) -> bool:
    """Whether something of the payload's person or client waits for a second person."""
    key = payload.key
    return key is not None and await is_waiting(key, info.context.now)


@strawberry.type(description="What a mutation on a request answers.")
class RequestPayload(Payload):
    """What a mutation on a request answers: the request read anew, or why nothing happened."""

    request: ServiceRequest | None = payload_field(
        "key", description="The request as it stands now; null when nothing was done."
    )


@strawberry.type(description="What a mutation on a problem answers.")
class ProblemPayload(Payload):
    """What a mutation on a problem answers: the problem read anew, or why nothing happened."""

    problem: Problem | None = payload_field(
        "key", description="The problem as it stands now; null when nothing was done."
    )
