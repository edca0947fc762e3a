"""Problems: their query and mutations; translate, call, wrap."""

import strawberry

from api.planner.fields import page_field
from api.resolvers.performing import on_request, on_ticket
from api.resolvers.permissions import may, mutation, verb_mutation
from api.schema.payloads import ProblemPayload, RequestPayload
from api.schema.problems import inputs as given
from api.schema.problems.types import ProblemConnection
from itr.actors.roles import Permission
from itr.problems import operations
from itr.requests.lifecycle import RequestVerb

Info = strawberry.Info
P = Permission


@strawberry.type
class ProblemQuery:
    """Reading problems."""

    problems: ProblemConnection = page_field(
        permission_classes=[may(P.READ_INTERNAL)],
        description="Problems within your sight, newest first unless ordered otherwise.",
    )


@strawberry.type
class ProblemMutation:
    """Causes behind requests (R-LNK-01)."""

    @verb_mutation(
        RequestVerb.LINK_PROBLEM, "Open the problem behind a request and link it, in one step."
    )
    async def open_problem(
        self, info: Info, input: given.OpenProblemInput
    ) -> RequestPayload | None:
        """Open a problem from a request."""
        return await on_request(
            info,
            input,
            operations.open_problem,
        )

    @verb_mutation(RequestVerb.LINK_PROBLEM, "Link a request to a problem that is known already.")
    async def link_problem(
        self, info: Info, input: given.LinkProblemInput
    ) -> RequestPayload | None:
        """Link a request to a problem."""
        return await on_request(
            info,
            input,
            operations.link_problem,
        )

    @mutation(P.MANAGE_PROBLEMS, "Take a problem one step on.")
    async def advance_problem(
        self, info: Info, input: given.AdvanceProblemInput
    ) -> ProblemPayload | None:
        """Take a problem one step on."""

        return await on_ticket(ProblemPayload, info, input, operations.advance_problem)
