"""Execution that lets what the planner read through as it is, and tells what was withheld."""

from __future__ import annotations

from typing import Any, Self, cast

import orjson
from graphql import GraphQLOutputType, GraphQLResolveInfo
from graphql.pyutils import Path
from strawberry import Schema
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.execution import ExecutionContext, ExecutionResult

from api.planner.compiled import Compiled
from api.planner.withholding import tell_permissions


class CompiledExecution(StrawberryGraphQLCoreExecutionContext):
    """Completes a `Compiled` at once: null, or its JSON."""

    personal = False
    """Whether something read so far is for this asker only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.withheld: dict[tuple[tuple[str, ...], str], None] = {}

    def build_per_event_executor(self, payload: Any) -> Self:
        """Build an executor that collects for itself what is withheld of one event."""
        executor = cast("Self", super().build_per_event_executor(payload))
        executor.withheld = {}
        return executor

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
            self._note_withheld(result, path)
            if result.json is not None:
                return orjson.Fragment(result.json)
            result = None
        return super().complete_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _note_withheld(self, result: Compiled, path: Path) -> None:
        """Note fields by response keys alone: one entry stands for all items of a list."""
        above = tuple(key for key in path.as_list() if isinstance(key, str))
        for each in result.withheld:
            way = (*above, *(key for key, _ in each.steps))
            self.withheld[way, str(each.permission)] = None

    def build_response(self, data: dict[str, Any] | None) -> Any:
        """Build the answer; `extensions.withheld` tells which fields are null for whom."""
        result = super().build_response(data)
        if self.withheld and data is not None:
            told = [{"path": list(way), "permission": needed} for way, needed in self.withheld]
            cast("Any", result).extensions = {"withheld": told}
        return result


class CompiledSchema(Schema):
    """A schema run by `CompiledExecution`, whose descriptions name the permissions needed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("execution_context_class", CompiledExecution)
        super().__init__(*args, **kwargs)
        tell_permissions(self._schema)

    async def _handle_execution_result(
        self,
        context: ExecutionContext,
        result: Any,
        extensions_runner: SchemaExtensionsRunner,
        *,
        skip_process_errors: bool = False,
    ) -> ExecutionResult:
        """Keep what the execution told beside its data."""
        told = getattr(result, "extensions", None)
        handled = await super()._handle_execution_result(
            context, result, extensions_runner, skip_process_errors=skip_process_errors
        )
        if told:
            handled.extensions = {**(handled.extensions or {}), **told}
        return handled


def encode_json(data: object) -> bytes:
    """Return the bytes of an answer; readings go in as they are, and no line breaks come out."""
    return orjson.dumps(data)


def encode_json_text(data: object) -> str:
    """Return the same as text, for WebSocket frames and SSE."""
    return orjson.dumps(data).decode()
