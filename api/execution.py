"""Execution that lets what the planner read through as it is."""

from __future__ import annotations

from typing import Any

import orjson
from graphql import GraphQLOutputType, GraphQLResolveInfo
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from api.planner.compiled import Compiled
from api.planner.errors import refusal


class CompiledExecution(StrawberryGraphQLCoreExecutionContext):
    """Completes a `Compiled` at once: null, or its JSON with an error for each denied path."""

    personal = False
    """Whether something read so far is for this asker only."""

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: Any,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Let a reading through; leave everything else to graphql-core."""
        if isinstance(result, Compiled):
            self.personal = self.personal or result.personal
            if result.json is not None:
                self._tell_denied(result, info, path)
                return orjson.Fragment(result.json)
            result = None
        return super().complete_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _tell_denied(self, result: Compiled, info: GraphQLResolveInfo[Any], path: Path) -> None:
        """Add one error for each path that is null for lack of a permission."""
        for steps in result.denied:
            where = path
            for key, type_name in steps:
                where = Path(where, key, type_name)
            shown = [key for key in where.as_list() if isinstance(key, str)]
            error = refusal("FORBIDDEN", info.context.language, path=shown)
            self.collected_errors.add(error, where)


def encode_json(data: object) -> bytes:
    """Return the bytes of an answer; readings go in as they are, and no line breaks come out."""
    return orjson.dumps(data)


def encode_json_text(data: object) -> str:
    """Return the same as text, for WebSocket frames and SSE."""
    return orjson.dumps(data).decode()
