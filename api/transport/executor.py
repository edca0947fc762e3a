"""How one operation or subscription event is run: fresh context per event, equal work shared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import aclosing
from typing import Any, NamedTuple, Self, cast

import orjson
from graphql import ExecutionResult, GraphQLError, VariableNode

from api.execution import CompiledExecution, encode_json
from api.transport.context import Context


class Message:
    """What a live source sends to all its subscribers: a value, and the answers made of it."""

    __slots__ = ("answers", "cursor", "value")

    def __init__(self, value: object, *, cursor: str | None = None) -> None:
        self.value = value
        self.cursor = cursor
        self.answers: dict[object, asyncio.Task[ExecutionResult]] = {}


class _Occasion(NamedTuple):
    payload: object
    context: Context


class TransportExecutor(CompiledExecution):
    """Runs operations without suggestions, and subscription events with the actor as of now."""

    _message: Message | None = None
    _share: object = None

    @classmethod
    def build(cls, *args: Any, **kwargs: Any) -> list[GraphQLError] | Self:
        """Build an executor that suggests nothing."""
        kwargs["hide_suggestions"] = True
        return cast("list[GraphQLError] | Self", super().build(*args, **kwargs))

    def cancellable_iterable(self, iterable: AsyncIterable[Any]) -> AsyncIterable[Any]:
        """Pair every event of a subscription with a context made for it."""
        return self._occasions(super().cancellable_iterable(iterable))

    async def _occasions(self, source: AsyncIterable[Any]) -> AsyncIterator[_Occasion]:
        context = cast("Context", self.context_value)
        async with aclosing(cast("Any", source)) as events:
            async for payload in events:
                context = await context.fresh()
                if isinstance(payload, Message) and context.stream is not None:
                    context.stream.cursor = payload.cursor
                yield _Occasion(payload, context)

    def build_per_event_executor(self, payload: Any) -> Self:
        """Run the event with its own context; a shared message is answered once per asker kind."""
        occasion = cast("_Occasion", payload)
        value = occasion.payload
        message = value if isinstance(value, Message) else None
        root = message.value if message else value
        executor = cast("Self", super().build_per_event_executor(root))
        executor.context_value = occasion.context
        executor._message = message
        if message and self._share is None:
            self._share = self._shared_by()
        executor._share = self._share
        return executor

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Run the operation, or join the running of an equal one on the same message."""
        if self._message is None:
            return super().execute_operation(serially)
        return self._shared_answer(self._message)

    async def _shared_answer(self, message: Message) -> ExecutionResult:
        context = cast("Context", self.context_value)
        actor = context.actor
        asked = (self._share, actor.id, actor.scope, actor.permissions, context.language)
        task = message.answers.get(asked)
        if task is None:
            task = asyncio.ensure_future(self._answer())
            message.answers[asked] = task
        return await asyncio.shield(task)

    async def _answer(self) -> ExecutionResult:
        result = super().execute_operation(False)
        answer = cast("ExecutionResult", await result if self.is_awaitable(result) else result)
        if answer.data is not None:
            answer.data = cast("Any", orjson.Fragment(encode_json(answer.data)))
        return answer

    def _shared_by(self) -> object:
        """What makes two subscriptions equal: the operation, and its variables less the cursor."""
        sources = self.variable_values.sources
        left_out = self._resume_variable()
        given = {name: one.value for name, one in sources.items() if name != left_out}
        return _Same(self.operation, orjson.dumps(given, option=orjson.OPT_SORT_KEYS))

    def _resume_variable(self) -> str | None:
        """The variable that only says where to resume: it changes no message."""
        root = self.operation.selection_set.selections[0]
        for argument in getattr(root, "arguments", None) or ():
            if argument.name.value == "after" and isinstance(argument.value, VariableNode):
                name = argument.value.name.value
                text = self.operation.loc.source.body if self.operation.loc else ""
                return name if text.count(f"${name}") == 2 else None
        return None


class _Same(NamedTuple):
    """Equal when made of the very same parsed operation and equal variables."""

    operation: Any
    variables: bytes

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Same)
            and self.operation is other.operation
            and self.variables == other.variables
        )

    def __hash__(self) -> int:
        return hash((id(self.operation), self.variables))
