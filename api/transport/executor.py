"""How one operation or subscription event is run: fresh context per event, equal work shared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import aclosing
from inspect import signature
from typing import Any, NamedTuple, Self, cast
from uuid import UUID

import orjson
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLOutputType,
    GraphQLResolveInfo,
    Undefined,
    VariableNode,
    get_operation_ast,
)
from graphql.pyutils import Path

from api.execution import CompiledExecution, encode_json
from api.transport.coercion import FAULTS, faults_of
from api.transport.context import Context
from api.transport.lone_page import lone_page_of
from api.working_out import worked_out
from itr.time_budget import TooLongAStory, ensure_time_left


class Answer:
    """What came of a message for one kind of asker: had at once, or waited for."""

    __slots__ = ("failure", "person_id", "personal", "ready", "result", "task")

    def __init__(self, person_id: UUID) -> None:
        self.person_id = person_id
        self.personal = False
        self.ready = asyncio.Event()
        self.result: ExecutionResult | None = None
        self.failure: BaseException | None = None
        self.task: asyncio.Task[None] | None = None
        """Who works it out; a waiter that leaves does not stop it."""

    def is_for(self, person_id: UUID) -> bool:
        """Whether this person would be answered the same."""
        return not self.personal or self.person_id == person_id

    def taken(self) -> ExecutionResult:
        """The result, once it is ready; raises what working it out raised."""
        if self.failure is not None:
            raise self.failure
        assert self.result is not None
        return self.result


class Message:
    """What a live source sends to all its subscribers: a value, and the answers made of it."""

    __slots__ = ("answers", "cursor", "value")

    def __init__(self, value: object, *, cursor: str | None = None) -> None:
        self.value = value
        self.cursor = cursor
        self.answers: dict[object, Answer] = {}


class _Occasion(NamedTuple):
    payload: object
    context: Context


_OF_THE_SCHEMA = frozenset({"__schema", "__type"})


class _OutOfTime(BaseException):
    """Ends the reading of the schema as a whole; an Exception would only make one field null."""


def _ensure_time_left() -> None:
    try:
        ensure_time_left()
    except TooLongAStory:
        raise _OutOfTime from None


class TransportExecutor(CompiledExecution):
    """Runs operations without suggestions, and subscription events with the actor as of now."""

    _share: object = None
    _aside: frozenset[str | int] = frozenset()
    """What of the schema is read, by response key, in another thread."""

    @classmethod
    def build(cls, *args: Any, **kwargs: Any) -> list[GraphQLError] | Self:
        """Build an executor that suggests nothing; faults of variables are told without values."""
        kwargs["hide_suggestions"] = True
        built = cast("list[GraphQLError] | Self", super().build(*args, **kwargs))
        if not isinstance(built, list):
            return built
        given = signature(super().build).bind(*args, **kwargs).arguments
        return _told(built, given)

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Read a page that is all of a query at once; walk through everything else."""
        middleware = self.middleware_manager
        if middleware is None or not middleware.middlewares:
            page = lone_page_of(self)
            if page is not None:
                return page.read_by(self)
        return super().execute_operation(serially)

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: Any,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Read the schema beside the loop, and no longer than anything else may take."""
        arguments = return_type, field_details_list, info, path, result, position_context
        of_the_schema = path.prev is None and info.field_name in _OF_THE_SCHEMA
        if of_the_schema and path.key not in self._aside:
            self._aside = self._aside | {path.key}
            return self._completed_aside(arguments)
        if self._aside:
            _ensure_time_left()
        return super().complete_value(*arguments)

    async def _completed_aside(self, arguments: tuple[Any, ...]) -> Any:
        def complete() -> Any:
            try:
                return super(TransportExecutor, self).complete_value(*arguments)
            except _OutOfTime:
                raise TooLongAStory from None

        return await worked_out(complete)

    def cancellable_iterable(self, iterable: AsyncIterable[Any]) -> AsyncIterable[Any]:
        """Pair every event of a subscription with a context made for it."""
        return self._occasions(super().cancellable_iterable(iterable))

    async def _occasions(self, source: AsyncIterable[Any]) -> AsyncIterator[_Occasion]:
        context = cast("Context", self.context_value)
        async with aclosing(cast("Any", source)) as events:
            async for payload in events:
                shared = isinstance(payload, Message)  # answered as of now, but once for equals
                context = await (context.current() if shared else context.fresh())
                if context.query_cost is not None:
                    await context.query_cost.charge(context.query_cost.requested)
                if isinstance(payload, Message) and context.stream is not None:
                    context.stream.cursor = payload.cursor
                yield _Occasion(payload, context)

    def build_per_event_executor(self, payload: Any) -> Self:
        """Run the event with its own context; a shared message is answered once per asker kind."""
        occasion = cast("_Occasion", payload)
        if isinstance(occasion.payload, Message):
            if self._share is None:
                self._share = self._shared_by()
            return cast("Self", _Joining(self, occasion.payload, occasion.context))
        return self.for_event(occasion.payload, occasion.context)

    def for_event(self, value: object, context: Context) -> Self:
        """Return an executor of the operation on one value."""
        executor = super().build_per_event_executor(value)
        executor.context_value = context
        return executor

    @property
    def share(self) -> object:
        """What makes this subscription equal to others."""
        return self._share

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


def _told(errors: list[GraphQLError], given: Mapping[str, Any]) -> list[GraphQLError]:
    """Errors that say where a variable is wrong; what else was wrong stays as it is."""
    operation = get_operation_ast(given["document"], given.get("operation_name"))
    if operation is None:
        return errors
    variables = given.get("raw_variable_values") or {}
    return faults_of(given["schema"], operation, variables, most=FAULTS) or errors


class _Joining(NamedTuple):
    """One subscriber's part in a message: the answer others have got, or the first to ask."""

    executor: TransportExecutor
    message: Message
    context: Context

    def execute_operation(self, serially: bool | None = None) -> Any:  # noqa: ARG002
        """Return the result if there is one, else something to wait for."""
        actor = self.context.actor
        asked = (self.executor.share, actor.scope, actor.permissions, self.context.language)
        answer = self._answer(asked)
        if answer.ready.is_set() and answer.is_for(actor.id):
            return answer.taken()
        return self._awaited(answer, asked)

    async def _awaited(self, answer: Answer, asked: tuple[object, ...]) -> ExecutionResult:
        await answer.ready.wait()
        person_id = self.context.actor.id
        if not answer.is_for(person_id):
            answer = self._answer((*asked, person_id))
            await answer.ready.wait()
        return answer.taken()

    def _answer(self, asked: object) -> Answer:
        answer = self.message.answers.get(asked)
        if answer is None:
            answer = self.message.answers[asked] = Answer(self.context.actor.id)
            answer.task = asyncio.ensure_future(self._work_out(answer))
        return answer

    async def _work_out(self, answer: Answer) -> None:
        executor = self.executor.for_event(self.message.value, self.context.as_of_now())
        try:
            done = executor.execute_operation(False)
            result = cast("ExecutionResult", await done if executor.is_awaitable(done) else done)
            if result.data is not None:
                result.data = cast("Any", orjson.Fragment(encode_json(result.data)))
            answer.result, answer.personal = result, executor.personal
        except BaseException as failure:
            answer.failure = failure
            if not isinstance(failure, Exception):
                raise
        finally:
            answer.ready.set()


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
