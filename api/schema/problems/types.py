"""Problems as the API shows them: the cause behind requests (R-LNK-01)."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from api.planner.arguments import filter_for, order_for
from api.planner.connections import connection_of
from api.planner.declare import column, connection, public_id
from api.planner.stored import Node, stored
from api.schema.vocabulary import described
from itr.actors.roles import Permission
from itr.problems.terms import ProblemStatus
from itr.sight.problems import visible_problems

if TYPE_CHECKING:
    from api.schema.requests.types import RequestConnection

described(
    ProblemStatus,
    "Where a problem stands (R-LNK-01). 问题状态",
    {
        ProblemStatus.OPEN: "Opened, its cause not known. 已建立",
        ProblemStatus.ROOT_CAUSE: "Its root cause is known. 已定位根因",
        ProblemStatus.KNOWN_ERROR: "Known, with a way around it. 已知错误",
        ProblemStatus.SOLVED: "Solved for good. 已解决",
        ProblemStatus.CLOSED: "Closed. 已关闭",
    },
)


@stored(
    table="problem",
    key="prb",
    visible=visible_problems,
    permission=Permission.READ_INTERNAL,
    order="-created_at",
)
@strawberry.type(description="The cause behind one or more requests (R-LNK-01). 问题")
class Problem(Node):
    """The cause behind one or more requests; customers and partners do not see it."""

    id: strawberry.ID = public_id()
    number: str = column(filter=True, order=True, description="The number people use.")
    version: int = column(description="Rises with every change; give it as `expectedVersion`.")
    title: str = column(filter=True, description="What it is.")
    status: ProblemStatus = column(filter=True, order=True, description="Where it stands.")
    root_cause: str | None = column(description="Its root cause, once known.")
    created_at: datetime = column(filter=True, order=True, description="When it was opened.")
    requests: (
        Annotated["RequestConnection", strawberry.lazy("api.schema.requests.types")] | None
    ) = connection("problem_id", order="-registered_at", description="The requests it caused.")


@filter_for(Problem)
class ProblemFilter:
    """Only problems for which all of this holds."""


@order_for(Problem)
class ProblemOrder:
    """What to sort problems by, and which way."""


@connection_of(Problem)
class ProblemConnection:
    """A page of problems."""
