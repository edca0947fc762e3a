"""Anything stored, by its id."""

import strawberry

from api.planner import read as planner
from api.planner.stored import Node


@strawberry.type
class NodeQuery:
    """Reading by id; what an actor may not see reads as null (R-ROLE-04)."""

    @strawberry.field(description="Anything stored, by its id; null when missing or out of sight.")
    async def node(self, info: strawberry.Info, id: strawberry.ID) -> Node | None:
        """One thing by id."""
        found: Node | None = await planner.node(info, id)
        return found

    @strawberry.field(description="Several things by their ids, in that order; at most 100.")
    async def nodes(self, info: strawberry.Info, ids: list[strawberry.ID]) -> list[Node | None]:
        """Several things by id."""
        found: list[Node | None] = await planner.nodes(info, ids)
        return found
