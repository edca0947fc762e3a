"""What people write: names of one line, texts of several; visible, and nothing hidden in them.

One rule for all areas. Emoji and what joins them, marks of right-to-left scripts and joiners of
Indic and Persian words are part of writing; controls and what turns the direction of others' words
around are not.
"""

import unicodedata
from collections.abc import Collection

from itr.errors import InvalidInput, PathItem, Required, TooLong

LONGEST_NAME = 200
LONGEST_TEXT = 20_000

_UNSEEN_BLANKS = "\u200b\u2060\ufeff"
"""What is not seen and means nothing at the ends of a text: taken off, as blanks are."""
_UNSEEN_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and signs by their category that show nothing: fillers, the empty Braille cell."""
_OVERRIDES = frozenset("\u202d\u202e")
_TURNS = _OVERRIDES | frozenset("\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
"""Have what follows read the other way; what a name stands in must not be turned around."""
_LINES = frozenset("\n\r\t\u2028\u2029")
_NAMING, _SEEN = frozenset("LN"), frozenset("LNPS")


def ensure_name(value: str, *path: PathItem, limit: int = LONGEST_NAME) -> str:
    """One line by which people know something: at least one letter or digit, no blanks around it.

    Raises Required, TooLong, InvalidInput.
    """
    name = _ensured(value, path, limit, turns=_TURNS, lines=frozenset())
    if not _has(name, _NAMING):
        raise InvalidInput(
            path=path,
            zh_reason="名称须至少有一个可见的字母、文字或数字。",
            en_reason="A name has at least one visible letter or digit.",
        )
    return name


def ensure_text(value: str, *path: PathItem, limit: int = LONGEST_TEXT) -> str:
    """One or more lines that somebody can read: at least one visible sign, no blanks around it.

    Raises Required, TooLong, InvalidInput.
    """
    text = _ensured(value, path, limit, turns=_OVERRIDES, lines=_LINES)
    if not _has(text, _SEEN):
        raise Required(path=path)
    return text


def _ensured(
    value: str,
    path: tuple[PathItem, ...],
    limit: int,
    *,
    turns: Collection[str],
    lines: Collection[str],
) -> str:
    text = value.strip().strip(_UNSEEN_BLANKS).strip()
    if not text:
        raise Required(path=path)
    if len(text) > limit:
        raise TooLong(path=path, limit=limit)
    if any(each in turns or (each not in lines and _is_control(each)) for each in text):
        raise InvalidInput(
            path=path,
            zh_reason="文本含控制字符或改变书写方向的字符。",
            en_reason="The text has control characters, or some that turn its direction.",
        )
    return text


def _is_control(letter: str) -> bool:
    """Controls, breaks of lines, halves of letters, and what is no character at all."""
    if letter.isascii():
        return not letter.isprintable()
    if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}:
        return True
    code = ord(letter)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def _has(text: str, kinds: Collection[str]) -> bool:
    return any(
        unicodedata.category(each)[0] in kinds and each not in _UNSEEN_LETTERS for each in text
    )
