"""What people call the values of enums: `enumLabels`."""

from functools import lru_cache

import strawberry
from graphql import GraphQLSchema

from api.schema.labels import EnumLabels, labels_of
from api.schema.people.types import Language


@strawberry.type
class LabelQuery:
    """Labels for programs that show values to people."""

    @strawberry.field(
        description="What people call the values of enums, in one language; of all enums, or of"
        " those named. 枚举标签"
    )
    async def enum_labels(
        self,
        info: strawberry.Info,
        language: Language = Language.ZH,
        names: list[str] | None = None,
    ) -> list[EnumLabels]:
        """Labels, the same for everybody."""
        known = _labels(info.schema._schema, language)
        return [each for each in known if names is None or each.name in names]


@lru_cache(8)
def _labels(schema: GraphQLSchema, language: Language) -> tuple[EnumLabels, ...]:
    return tuple(labels_of(schema, language))
