"""What may be written down of an error: its kind and its way, never what somebody typed (S22).

The message of an exception is made of values: `invalid literal for int(): '…'`, `Key (name)=(…)
already exists`. A log tells the kind instead, and the files and lines it came through.
"""

import traceback
from types import TracebackType

import asyncpg

from itr.errors import DomainError

_DEEPEST = 10
"""Causes of causes that are told."""
_MOST_FRAMES = 60


def kind_of(error: BaseException) -> str:
    """One error in a few words: its kind, and its code, SQLSTATE or constraint where it has one."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    told = " ".join(str(word) for word in _told(error) if word)
    return f"{kind} ({told})" if told else kind


def trace_of(error: BaseException) -> str:
    """An error and what it came of, the first cause first, as Python writes it less messages."""
    return "\n\n".join(_one(each) for each in reversed(_chain(error)))


def _told(error: BaseException) -> tuple[object, ...]:
    if isinstance(error, DomainError):
        return (error.code,)
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate, error.table_name, error.column_name, error.constraint_name)
    return (error.errno,) if isinstance(error, OSError) else ()


def _one(error: BaseException) -> str:
    parts = [*_frames(error.__traceback__), kind_of(error)]
    if isinstance(error, BaseExceptionGroup):
        parts += [trace_of(each) for each in error.exceptions[:_DEEPEST]]
    return "\n".join(parts)


def _frames(came_by: TracebackType | None) -> list[str]:
    """Files, lines and the words of our own program that stand there."""
    frames = traceback.extract_tb(came_by, limit=-_MOST_FRAMES)
    return ["Traceback:", *(each.rstrip() for each in frames.format())] if frames else []


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain and len(chain) < _DEEPEST:
        chain.append(cause)
        shown = None if cause.__suppress_context__ else cause.__context__
        cause = cause.__cause__ or shown
    return chain
