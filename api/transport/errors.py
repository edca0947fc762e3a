"""Errors as clients may see them: coded, in their language, and silent about everything else."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import asyncpg
from graphql import GraphQLError, GraphQLSyntaxError
from graphql.language import FieldNode

from itr.database import AWAY
from itr.errors import DomainError, Language, PathItem

logger = logging.getLogger("itr.api")

SENTENCES: Mapping[str, tuple[str, str]] = {
    "INTERNAL": (
        "服务器内部错误，请稍后重试。",
        "Something went wrong on the server; retry later.",
    ),
    "BAD_INPUT": ("输入值无效。", "A value in the input cannot be taken."),
    "TIMEOUT": ("操作超时，已取消。", "The operation took too long and was cancelled."),
    "BUSY": (
        "对象正被他人处理，请稍后重试。",
        "Somebody else is changing this; retry in a moment.",
    ),
    "UNAVAILABLE": ("数据库暂不可用，请稍后重试。", "The database is away; retry in a moment."),
    "FORBIDDEN": ("您的角色无权执行此操作。", "Your roles do not permit this."),
    "UNAUTHENTICATED": (
        "请先登录：缺少访问令牌，或令牌无效、已过期。",
        "Sign in first: the access token is missing, not valid or expired.",
    ),
    "BAD_BODY": ("请求正文不是有效的 JSON 对象。", "The body is not a JSON object as expected."),
    "BODY_TOO_LARGE": ("请求正文过大。", "The body is too large."),
    "UNSUPPORTED_MEDIA_TYPE": (
        "请使用 Content-Type: application/json。",
        "Send the operation as Content-Type: application/json.",
    ),
    "NOT_ACCEPTABLE": (
        "无法以所要求的格式答复。",
        "There is no answer in the media types you accept.",
    ),
    "METHOD_NOT_ALLOWED": ("此操作不允许使用该方法。", "This operation needs another method."),
    "MISSING_QUERY": ("缺少 query。", "The query is missing."),
    "UNKNOWN_OPERATION": (
        "找不到要执行的操作，请检查 operationName。",
        "There is no such operation in the document; check operationName.",
    ),
    "TOO_COMPLEX": ("查询过于复杂：{reason}", "The query is too complex: {reason}"),
    "PERSISTED_QUERY_NOT_FOUND": (
        "没有登记该文档。",
        "No such document is registered for this client.",
    ),
    "DOCUMENT_MISMATCH": (
        "文档与其 SHA-256 不符。",
        "The document is not the one its SHA-256 names.",
    ),
    "DOCUMENT_NOT_TRUSTED": (
        "该客户端只能执行已登记的文档。",
        "This client may only run documents that were registered for it.",
    ),
    "RATE_LIMITED": (
        "已超出用量预算，请在 retryAfter 秒后重试。",
        "Your budget is used up; retry after as many seconds as retryAfter says.",
    ),
    "TOO_MANY_CONNECTIONS": (
        "该账号同时打开的连接过多。",
        "There are too many connections open for this account.",
    ),
    "TOO_MANY_OPERATIONS": (
        "该连接上同时进行的操作过多。",
        "There are too many operations on this connection.",
    ),
    "OPERATION_NOT_SUPPORTED": (
        "此端点不支持该类操作。",
        "Subscriptions need WebSocket or Accept: text/event-stream.",
    ),
    "GRAPHQL_PARSE_FAILED": ("查询语法错误：{reason}", "{reason}"),
    "GRAPHQL_VALIDATION_FAILED": ("查询未通过校验：{reason}", "{reason}"),
}
"""Code → sentence in Chinese and English; `{reason}` is technical and stays English."""

_LONGEST_REASON = 400


class Refusal(GraphQLError):
    """A request refused before any work, by code; what else is told goes beside the code."""

    def __init__(self, code: str, *, reason: str = "", nodes: Any = None, **told: Any) -> None:
        super().__init__(code, nodes, extensions={"code": code, **told})
        self.reason = reason


class Invalid(GraphQLError):
    """What validation found, kept apart from errors that resolvers raise."""


def sentence(code: str, language: Language, *, reason: str = "") -> str:
    """Say `code` in the reader's language."""
    zh, en = SENTENCES.get(code, SENTENCES["INTERNAL"])
    return (zh if language == "zh" else en).replace("{reason}", reason[:_LONGEST_REASON])


def present(
    errors: Iterable[GraphQLError], *, language: Language, request_id: str
) -> list[dict[str, Any]]:
    """Turn errors into what goes out: every byte a client sees of an error comes from here (S7)."""
    return [_presented(error, language, request_id) for error in errors]


def answer(code: str, *, language: Language, request_id: str, reason: str = "") -> dict[str, Any]:
    """A whole GraphQL answer that is one request error."""
    refusal = Refusal(code, reason=reason)
    return {"errors": present([refusal], language=language, request_id=request_id)}


def input_path(error: DomainError) -> list[PathItem]:
    """Where an error lies, by the names GraphQL gives: `timeZone` where operations say
    `time_zone`."""
    return [item if isinstance(item, int) else _in_camel_case(item) for item in error.path]


def _in_camel_case(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def is_request_error(data: object, errors: Iterable[GraphQLError] | None) -> bool:
    """Whether nothing was executed, so that `data` must be absent."""
    return data is None and bool(errors) and all(error.path is None for error in errors or ())


def code_of(error: GraphQLError) -> str:
    """The code a client sees."""
    return _coded(error)[0]


def is_unexpected(error: Exception) -> bool:
    """Whether it is the server's trouble, worth a line in its log, and no refusal."""
    whole = error if isinstance(error, GraphQLError) else None
    whole = whole or GraphQLError("", original_error=error)
    return _coded(whole)[0] in {"INTERNAL", "UNAVAILABLE"}


def report(errors: Iterable[GraphQLError], *, request_id: str) -> None:
    """Log what nobody expected, with its traceback, under the request's id."""
    for error in errors:
        known = getattr(error, "reported", False)
        if not known and is_unexpected(error):
            error.reported = True  # type: ignore[attr-defined]
            cause = error.original_error or error
            logger.error("request %s failed", request_id, exc_info=cause)


def _presented(error: GraphQLError, language: Language, request_id: str) -> dict[str, Any]:
    code, message, more = _coded(error, language)
    shown: dict[str, Any] = {"message": message}
    if error.locations:
        shown["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        shown["path"] = list(error.path)
    shown["extensions"] = {"code": code, **more, "requestId": request_id}
    return shown


def _coded(error: GraphQLError, language: Language = "zh") -> tuple[str, str, dict[str, Any]]:
    for cause in _causes(error):
        if isinstance(cause, DomainError):
            more = {"inputPath": input_path(cause)} if cause.path else {}
            return cause.code, cause.message(language), more
        if isinstance(cause, Refusal):
            code = str((cause.extensions or {})["code"])
            return code, sentence(code, language, reason=cause.reason), _told_beside(cause)
        known = _code_of(cause)
        if known:
            return known, sentence(known, language), {}
    if isinstance(error, GraphQLSyntaxError):
        code = "GRAPHQL_PARSE_FAILED"
        return code, sentence(code, language, reason=error.message), {}
    if isinstance(error, Invalid):
        code = "GRAPHQL_VALIDATION_FAILED"
        return code, sentence(code, language, reason=error.message), {}
    return _coded_by_the_library(error, language)


def _coded_by_the_library(
    error: GraphQLError, language: Language
) -> tuple[str, str, dict[str, Any]]:
    """Errors of graphql-core itself: coercion of variables and arguments, or masked."""
    raised = error.original_error if isinstance(error.original_error, GraphQLError) else error
    code = (raised.extensions or {}).get("code")
    if isinstance(code, str):
        known = code in SENTENCES and "{reason}" not in SENTENCES[code][0]
        where = {
            name: each
            for name, each in (raised.extensions or {}).items()
            if name in {"at", "inputPath"}
        }
        return code, sentence(code, language) if known else raised.message, where
    nodes = error.nodes or ()
    if nodes and not isinstance(nodes[0], FieldNode) and _is_librarys_own(raised):
        reason = _without_foreign_text(raised)
        return "BAD_INPUT", f"{sentence('BAD_INPUT', language)} {reason}"[:_LONGEST_REASON], {}
    return "INTERNAL", sentence("INTERNAL", language), {}


def _told_beside(refusal: Refusal) -> dict[str, Any]:
    return {name: each for name, each in (refusal.extensions or {}).items() if name != "code"}


def _is_librarys_own(error: GraphQLError) -> bool:
    return error.original_error is None or isinstance(error.original_error, GraphQLError)


def _without_foreign_text(error: GraphQLError) -> str:
    """The library's message, less what a scalar's own exception added to it."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error or cause.__cause__
        if cause is not None and not isinstance(cause, GraphQLError):
            return error.message.replace(str(cause), "").rstrip(" ;:,")
    return error.message


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        original = getattr(cause, "original_error", None)
        cause = original if original is not None else cause.__cause__


_CODES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((asyncpg.DataError, UnicodeEncodeError), "BAD_INPUT"),
    (
        (
            asyncpg.LockNotAvailableError,
            asyncpg.DeadlockDetectedError,
            asyncpg.SerializationError,
        ),
        "BUSY",
    ),
    ((asyncpg.QueryCanceledError, TimeoutError), "TIMEOUT"),
    ((PermissionError,), "FORBIDDEN"),
    (AWAY, "UNAVAILABLE"),
)
"""In this order: a cancelled statement is also what an operator does, a time-out an OSError."""


def _code_of(cause: BaseException) -> str | None:
    """Map what the database and the event loop say to a code, if it is the caller's to know."""
    return next((code for kinds, code in _CODES if isinstance(cause, kinds)), None)
