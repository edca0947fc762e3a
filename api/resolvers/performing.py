"""Running an operation for a mutation: once per key, refusals as userErrors."""

import dataclasses
from collections.abc import Awaitable, Callable
from functools import cache
from inspect import Parameter, signature
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from api.resolvers.forms import faults_of
from api.schema.inputs import MutationInput, TicketInput
from api.schema.payloads import Payload, RequestPayload, UserError, user_error
from api.schema.requests.inputs import RequestInput
from api.transport.errors import input_path
from itr.access.rules import SecretTold
from itr.errors import (
    DomainError,
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    problems_of,
    refuse,
)
from itr.events.work import (
    AlreadyDone,
    Call,
    KeyReused,
    called_by,
    fingerprint_of,
    remember_failure,
)

LONGEST_KEY = 200
P = TypeVar("P", bound=Payload)


async def answered(
    payload: type[P],
    info: strawberry.Info,
    input: MutationInput,
    act: Callable[[], Awaitable[UUID]],
) -> P:
    """Do it and answer with its payload, which reads its object anew: see `performed`."""
    key, errors = await performed(info, input, act)
    return payload(key=key, user_errors=errors, client_mutation_id=input.client_mutation_id)


async def answered_once(
    payload: type[P],
    info: strawberry.Info,
    input: MutationInput,
    act: Callable[[], Awaitable[tuple[UUID, str | None]]],
    *,
    told_before: bool,
) -> tuple[P, str | None]:
    """Answer what may come with a secret: the payload, and the secret, told by who did it only.

    A repeated key answers the same object, and SECRET_TOLD where its secret was `told_before`.
    """
    done, secret = False, None

    async def doing() -> UUID:
        nonlocal done, secret
        subject, secret = await act()
        done = True
        return subject

    answer = await answered(payload, info, input, doing)
    if told_before and not done and not answer.user_errors:
        answer.user_errors = _told(info, [_words_of(SecretTold(path=["clientMutationId"]))])
    return answer, secret


async def performed(
    info: strawberry.Info, input: MutationInput, act: Callable[[], Awaitable[UUID]]
) -> tuple[UUID | None, list[UserError]]:
    """Do it, or what this key already did; expected failures become userErrors.

    Of what is refused everything is told that can be seen to be wrong with the input. A missing
    permission stays an error: FORBIDDEN.
    """
    call = _call_of(info, input)
    try:
        _ensure_key(call.key)
        with called_by(call):
            refuse(NotFound(path=path) for path in input.unknown_ids)
            subject: UUID | None = await act()
            errors: list[UserError] = []
    except AlreadyDone as done:
        subject, errors = done.subject_id, _told(info, done.failures)
    except Forbidden:
        raise
    except DomainError as error:
        subject, failures = await _outcome_of(call, _with_the_rest(error, input))
        errors = _told(info, failures)
    return subject, errors


def _with_the_rest(error: DomainError, input: MutationInput) -> DomainError:
    """What was refused, and what else can be seen to be wrong with the input."""
    if isinstance(error, KeyReused | InvalidKey | SecretTold):
        return error
    found = list(problems_of(error))
    told = [input_path(each) for each in found]
    rest = [each for each in faults_of(input) if input_path(each) not in told]
    return Refused([*found, *rest]) if rest else error


async def on_ticket(
    payload: type[P],
    info: strawberry.Info,
    input: TicketInput,
    operation: Callable[..., Awaitable[UUID]],
    *positional: Any,
    **more: Any,
) -> P:
    """Perform an operation on the ticket an input names, at the version it expects.

    What the operation asks for by name is taken from the input's field of that name, unless
    `more` gives it; so a new field is named twice: in the input and in the operation.
    """

    async def act() -> UUID:
        context = info.context
        kind: Any = type(input)
        given = {name: getattr(input, name) for name in _asked_for(operation, kind)}
        return await operation(
            context.actor, input.id, *positional, now=context.now, **{**given, **more}
        )

    return await answered(payload, info, input, act)


async def on_request(
    info: strawberry.Info,
    input: RequestInput,
    operation: Callable[..., Awaitable[UUID]],
    *positional: Any,
    **more: Any,
) -> RequestPayload:
    """Perform an operation on the request an input names: see `on_ticket`."""
    return await on_ticket(RequestPayload, info, input, operation, *positional, **more)


@cache
def _asked_for(operation: Callable[..., object], input: Any) -> frozenset[str]:
    """The fields of an input that an operation takes by their names."""
    asked = signature(operation).parameters.values()
    fields = frozenset(each.name for each in dataclasses.fields(input))
    return fields & {each.name for each in asked if each.kind is Parameter.KEYWORD_ONLY}


async def _outcome_of(call: Call, error: DomainError) -> tuple[UUID | None, list[dict[str, Any]]]:
    """What a refused call comes to: the refusal, or what its key was kept with before."""
    failures = [_words_of(each) for each in problems_of(error)]
    if call.key is None or isinstance(error, KeyReused | InvalidKey):
        return None, failures
    try:
        await remember_failure(call, failures)
    except AlreadyDone as done:
        return done.subject_id, done.failures
    except KeyReused as reused:
        return None, [_words_of(reused)]
    return None, failures


def _words_of(error: DomainError) -> dict[str, Any]:
    return {
        "code": error.code,
        "path": input_path(error),
        "zh": error.message("zh"),
        "en": error.message("en"),
    }


class InvalidKey(InvalidInput):
    """A `clientMutationId` that cannot be kept."""


def _ensure_key(key: str | None) -> None:
    if key is not None and (not key or len(key) > LONGEST_KEY or not key.isprintable()):
        raise InvalidKey(
            path=["clientMutationId"],
            zh_reason=f"clientMutationId 须为 1 到 {LONGEST_KEY} 个可见字符。",
            en_reason=f"A clientMutationId has 1 to {LONGEST_KEY} printable characters.",
        )


def _call_of(info: strawberry.Info, input: MutationInput) -> Call:
    context = info.context
    return Call(
        actor_id=context.actor.id,
        client_id=context.actor.client_id,
        address=context.client_address,
        mutation=info.field_name,
        key=input.client_mutation_id,
        fingerprint=fingerprint_of(info.field_name, input.written),
        now=context.now,
    )


def _told(info: strawberry.Info, failures: list[dict[str, Any]]) -> list[UserError]:
    language = info.context.language
    return [user_error(each["code"], each["path"], each[language]) for each in failures]
