"""How much of the schema is used, and by whom: `fieldUsage`, `documentUsage`."""

from datetime import date, timedelta
from typing import Any

import strawberry
from graphql import GraphQLSchema

from api.resolvers.permissions import may
from api.schema.usage import DocumentUsage, FieldUsage
from itr.actors.roles import Permission
from itr.trusted_documents import operations

LOOKED_BACK = timedelta(days=90)
_MOST = 2**31 - 1


@strawberry.type
class UsageQuery:
    """For whoever plans what may go."""

    @strawberry.field(
        permission_classes=[may(Permission.READ_USAGE)],
        description="Which clients asked for which fields and arguments, the most used first, at"
        " most 1000 rows; counted within half a minute. What is not named was not used. 字段用量",
    )
    async def field_usage(
        self,
        info: strawberry.Info,
        since: date | None = None,
        coordinates: list[str] | None = None,
        client_id: str | None = None,
        deprecated: bool = False,
    ) -> list[FieldUsage]:
        """Uses by field and client; `since` is 90 days ago unless given."""
        announced = _deprecated(info.schema._schema)
        if deprecated:
            wanted = announced.keys() if coordinates is None else announced.keys() & coordinates
            coordinates = sorted(wanted)
        rows = await operations.field_usage(
            since=_first_day(info, since), coordinates=coordinates, client_id=client_id
        )
        return [
            FieldUsage(**_row(each), deprecated=announced.get(each["coordinate"])) for each in rows
        ]

    @strawberry.field(
        permission_classes=[may(Permission.READ_USAGE)],
        description="Which clients ran which documents, the most used first, at most 1000 rows;"
        " counted within half a minute. 文档用量",
    )
    async def document_usage(
        self, info: strawberry.Info, since: date | None = None, client_id: str | None = None
    ) -> list[DocumentUsage]:
        """Uses by document and client; `since` is 90 days ago unless given."""
        rows = await operations.document_usage(since=_first_day(info, since), client_id=client_id)
        return [DocumentUsage(**_row(each)) for each in rows]


def _first_day(info: strawberry.Info, since: date | None) -> date:
    day: date = since or (info.context.now - LOOKED_BACK).date()
    return day


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "uses": min(row["uses"], _MOST)}


def _deprecated(schema: GraphQLSchema) -> dict[str, str]:
    """Coordinate → reason, of all that is announced to go."""
    found: dict[str, str] = {}
    for kind in schema.type_map.values():
        for name, field in getattr(kind, "fields", {}).items():
            if field.deprecation_reason:
                found[f"{kind.name}.{name}"] = field.deprecation_reason
            for argument, given in getattr(field, "args", {}).items():
                if given.deprecation_reason:
                    found[f"{kind.name}.{name}({argument}:)"] = given.deprecation_reason
    return found
