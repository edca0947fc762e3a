"""What a document would cost: `cost`."""

from typing import Any, cast

import strawberry

from api.prices import Price, priced
from api.schema.query_cost import DocumentCost, PathCost
from api.transport.bodies import decode
from api.transport.errors import Refusal, sentence
from api.transport.explaining import MOST, Explanation, explain
from api.transport.schema import GuardedSchema
from itr.errors import Language

_PRICE = Price(once=100, characters=4, alone=True)
"""A document of the greatest length costs half of what an operation may."""


@strawberry.type
class CostQuery:
    """Explaining the cost of documents."""

    @strawberry.field(
        description="What a document would cost, path by path, without running it; once in an"
        " operation. 查询成本",
        metadata=priced(_PRICE),
    )
    async def cost(
        self,
        info: strawberry.Info,
        document: str,
        variables: str | None = None,
        operation_name: str | None = None,
    ) -> DocumentCost:
        """Explain a document (S5); page sizes are taken from its variables, a JSON object."""
        schema = cast("GuardedSchema", info.schema)
        explained = await explain(schema, document, _decoded(variables), operation_name)
        return _shown(explained, schema.limits.cost, info.context.language)


def _decoded(variables: str | None) -> dict[str, Any]:
    given = decode(variables) if variables else {}
    if not isinstance(given, dict):
        raise Refusal("BAD_INPUT")
    return given


def _shown(explained: Explanation, limit: int, language: Language) -> DocumentCost:
    measure, refusal = explained.measure, explained.refusal
    code = str((refusal.extensions or {})["code"]) if refusal else ""
    return DocumentCost(
        requested=min(measure.cost, MOST),
        limit=limit,
        depth=measure.depth,
        aliases=min(measure.aliases, MOST),
        refusal=sentence(code, language, reason=refusal.reason) if refusal else None,
        paths=[
            PathCost(
                path=".".join(line.path), times=min(line.times, MOST), cost=min(line.cost, MOST)
            )
            for line in explained.lines
        ],
    )
