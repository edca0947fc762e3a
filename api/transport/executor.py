"""How one operation or subscription event is run: fresh context per event, equal work shared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import aclosing
from typing import Any, NamedTuple, Self, cast
from uuid import UUID

import orjson
from graphql import ExecutionResult, GraphQLError, Undefined, VariableNode

from api.execution import CompiledExecution, encode_json
from api.transport.context import Context


class Answer(NamedTuple):
    """What came of a message for one asker, and for whom else it is good."""

    result: ExecutionResult
    person_id: UUID
    personal: bool


class Message:
    """What a live source sends to all its subscribers: a value, and the answers made of it."""

    __slots__ = ("answers", "cursor", "value")

    def __init__(self, value: object, *, cursor: str | None = None) -> None:
        self.value = value
        self.cursor = cursor
        self.answers: dict[object, asyncio.Task[Answer]] = {}


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
                if context.bill is not None:
                    await context.bill.charge(context.bill.requested)
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
        """The answer an equal asker has got or is getting; one's own where it is personal."""
        context = cast("Context", self.context_value)
        actor = context.actor
        asked = (self._share, actor.scope, actor.permissions, context.language)
        answer = await asyncio.shield(self._answered(message, asked))
        if answer.personal and answer.person_id != actor.id:
            answer = await asyncio.shield(self._answered(message, (*asked, actor.id)))
        return answer.result

    def _answered(self, message: Message, asked: object) -> asyncio.Task[Answer]:
        task = message.answers.get(asked)
        if task is None:
            task = message.answers[asked] = asyncio.ensure_future(self._answer())
        return task

    async def _answer(self) -> Answer:
        done = super().execute_operation(False)
        result = cast("ExecutionResult", await done if self.is_awaitable(done) else done)
        if result.data is not None:
            result.data = cast("Any", orjson.Fragment(encode_json(result.data)))
        context = cast("Context", self.context_value)
        return Answer(result, context.actor.id, self.personal)

    def _shared_by(self) -> object:
        """What makes two subscriptions equal: the operation, and its variables less the cursor."""
        sources = self.variable_values.sources
        left_out = self._resume_variable()
        given = {
            name: one.value
            for name, one in sources.items()
            if name != left_out and one.value is not Undefined
        }
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
