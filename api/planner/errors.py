"""What the planner refuses, with stable codes and a sentence in the caller's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

SENTENCES = {
    "FORBIDDEN": ("您没有权限查看此内容。", "You may not see this."),
    "BAD_CURSOR": ("分页游标无效。", "This cursor is not valid here."),
    "BAD_PAGE": (
        "分页参数无效：first 与 last 只能给出一个，取值 0 到 100。",
        "Page arguments are not valid: give first or last, not both, from 0 to 100.",
    ),
    "BAD_INPUT": ("筛选条件过深或过多。", "The filter is too deep or has too many conditions."),
    "ALIAS_TOO_LONG": ("别名超过 63 个字节。", "An alias is longer than 63 bytes."),
    "QUERY_TOO_LARGE": ("查询过大。", "The query is too large."),
}
"""Code → sentence in Chinese and English."""


class Refused(Exception):
    """A reading the planner will not do; `path` is where, from the field it was asked for.

    `permission` is the one without which what is selected there cannot be read.
    """

    def __init__(self, code: str, path: Sequence[str] = (), permission: Any = None) -> None:
        super().__init__(code)
        self.code = code
        self.path = tuple(path)
        self.permission = permission


def refusal(
    code: str,
    language: str,
    *,
    at: Sequence[str] = (),
    given: Sequence[str] = (),
    said: str | None = None,
) -> GraphQLError:
    """Return the error a client sees; `at` are the response keys below the field that is null.

    `given` is the argument it is about, where there is no field yet that could be null.
    """
    chinese, english = SENTENCES[code]
    sentence = said or (english if language.startswith("en") else chinese)
    extensions: dict[str, Any] = {"code": code}
    where = {"at": at, "inputPath": given}
    extensions |= {name: list(each) for name, each in where.items() if each}
    return GraphQLError(sentence, extensions=extensions)
