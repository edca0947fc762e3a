"""How values are compared in SQL: as they are, texts folded, telephone numbers by their digits.

Both sides are folded by the database itself, so that no two versions of Unicode meet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_SIGNS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def as_it_is(text: str) -> str:
    """Compare a value as it is."""
    return text


def folded(text: str) -> str:
    """Compare a text without its case and width (NFKC)."""
    return f"lower(normalize({text}, NFKC))"


def once(text: str) -> str:
    """Have PostgreSQL work out what is given once a statement, not anew for every row.

    A long text that is folded for every row takes minutes. Without a row of its own it is an
    InitPlan; written plainly it is worked out again and again by plans that are kept (S8).
    """
    return f"(select {text})"


def digits_of(text: str) -> str:
    """Compare a telephone number by its digits as they are dialled from anywhere (E.164)."""
    return f"e164({text})"


@dataclass(frozen=True)
class Comparing:
    """One way to compare: what is made of both sides, and how a part of a value is found."""

    make: Callable[[str], str] = as_it_is
    telephone: bool = False

    def compare(self, operator: str, value: str, parameter: str, cast: str) -> str:
        """Return a comparison; `value` has been made comparable, the parameter has not."""
        if operator == "in":
            return f"({value} = any({self._all_of(f'{parameter}::{cast}[]')}))"
        made = self._made(f"{parameter}::{cast}")
        if operator == "startsWith":
            return self._begins(value, made)
        if operator == "contains":
            return self._contains(value, f"{parameter}::{cast}", made)
        return f"({value} {_SIGNS[operator]} {made})"

    def _made(self, given: str) -> str:
        return given if self.make is as_it_is else once(self.make(given))

    def _all_of(self, listed: str) -> str:
        if self.make is as_it_is:
            return listed
        return f"array(select {self.make('each')} from unnest({listed}) each)"

    def _begins(self, value: str, made: str) -> str:
        if not self.telephone:
            return f"({value} ^@ {made})"
        return f"({value} ^@ {made} or {_without_country(value)} ^@ {made})"

    def _contains(self, value: str, given: str, made: str) -> str:
        if not self.telephone:
            return f"(position({made} in {value}) > 0)"
        digits = once(f"nullif(regexp_replace(normalize({given}, NFKC), '[^0-9]', '', 'g'), '')")
        return f"(position({digits} in {value}) > 0 or {self._begins(value, made)})"


def _without_country(value: str) -> str:
    """A number of this country as it is written at home."""
    return f"regexp_replace({value}, '^86', '')"


EXACT = Comparing()
FOLDED = Comparing(folded)
TELEPHONE = Comparing(digits_of, telephone=True)
