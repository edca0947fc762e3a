"""What mutations on problems take."""

from uuid import UUID

import strawberry

from api.schema.inputs import TicketInput, id_of
from api.schema.problems.types import Problem
from api.schema.requests.inputs import RequestInput
from itr.problems.terms import ProblemStatus


@strawberry.input(description="Open the problem behind a request (R-LNK-01).")
class OpenProblemInput(RequestInput):
    """Open the problem behind a request."""

    title: str = strawberry.field(description="What the problem is, at most 400 characters.")


@strawberry.input(description="Link a request to a problem that is known (R-LNK-01).")
class LinkProblemInput(RequestInput):
    """Link a request to a problem that is known."""

    problem_id: UUID = id_of(Problem, description="The problem.")


@strawberry.input(description="Take a problem one step on (R-LNK-01).")
class AdvanceProblemInput(TicketInput):
    """Take a problem one step on."""

    id: UUID = id_of(Problem, description="Id of the problem.")
    expected_version: int | None = strawberry.field(
        default=None, description="Refuse with STALE if the problem has moved on since."
    )
    status: ProblemStatus = strawberry.field(description="The next state.")
    root_cause: str | None = strawberry.field(
        default=None, description="Its root cause; required when it is found."
    )
