"""How each kind of value is shown by SQL, compared in SQL, and handed to it as a parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Any

from graphql import GraphQLEnumType, get_named_type, get_nullable_type, is_list_type

from api.planner.comparing import EXACT, FOLDED, Comparing
from api.planner.json_text import Json, escaped, string, text
from itr.durations import LONGEST, microseconds_of


def _text(expression: str) -> str:
    return f"({expression})::text"


def _as_it_is(expression: str) -> str:
    return expression


def _instant(expression: str) -> str:
    return f"replace((({expression}) at time zone 'UTC')::text, ' ', 'T') || 'Z'"


def _duration(expression: str) -> str:
    """Print microseconds as sign, hours, minutes, seconds; null stays null."""
    return f"(select {_duration_of('e.us')} from (select ({expression})::bigint as us offset 0) e)"


def _duration_of(us: str) -> str:
    """The same of a bigint that is there to be named again and again."""
    all_of_it, below_minute = f"abs({us})", f"abs({us}) % 60000000"
    return (
        f"case when {us} < 0 then '-PT' when {us} >= 0 then 'PT' end"
        f" || case when {all_of_it} >= 3600000000 then ({all_of_it} / 3600000000)::text || 'H'"
        " else '' end"
        f" || case when {all_of_it} % 3600000000 >= 60000000"
        f" then ({all_of_it} / 60000000 % 60)::text || 'M' else '' end"
        f" || case when {us} = 0 then '0S' when {below_minute} = 0 then ''"
        f" when {us} % 1000000 = 0 then ({below_minute} / 1000000)::text || 'S'"
        f" when {below_minute} >= 1000 then (({below_minute})::float8 / 1e6)::text || 'S'"
        f" else rtrim('0.' || lpad(({below_minute})::text, 6, '0'), '0') || 'S' end"
    )


def storable(value: Any) -> str | None:
    """Return a text the database can hold; None matches nothing there."""
    text = str(value.value if isinstance(value, Enum) else value)
    if "\0" in text:
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text


def _whole(value: Any) -> int | None:
    return value if -LONGEST - 1 <= value <= LONGEST else None


def _microseconds(value: timedelta) -> int | None:
    return _whole(microseconds_of(value))


def _same(value: Any) -> Any:
    return value


def _escaped_text(expression: str) -> Json:
    return escaped(_text(expression))


def _plain(expression: str) -> Json:
    """A whole number, true or false: what PostgreSQL's own text of it is in JSON, too."""
    return text(_text(expression))


def _name(expression: str) -> Json:
    """A name of an enum; what is taken out of JSON is held to no names and may need escaping."""
    name = _text(expression)
    return escaped(name) if "->>" in name else string(name)


def _quoted(show: Callable[[str], str]) -> Callable[[str], Json]:
    """Print as a string that never needs escaping."""
    return lambda expression: string(show(expression))


@dataclass(frozen=True)
class Kind:
    """One kind of value: its SQL type, how SQL shows and compares it, how Python hands it over.

    `show` is a value that PostgreSQL's JSON functions print rightly, `prints` its JSON as text.
    """

    cast: str
    show: Callable[[str], str] = _as_it_is
    hand_over: Callable[[Any], Any] = _same
    comparing: Comparing = EXACT
    prints: Callable[[str], Json] = escaped


_TEXT = Kind("text", _text, storable, prints=_escaped_text)
_NAME = Kind("text", _text, storable, prints=_name)
_DURATION = Kind("bigint", _duration, _microseconds, prints=_quoted(_duration))

_KINDS = {
    "ID": _TEXT,
    "String": Kind("text", _text, storable, FOLDED, prints=_escaped_text),
    "Int": Kind("bigint", _as_it_is, _whole, prints=_plain),
    "Float": Kind("float8"),
    "Boolean": Kind("boolean", prints=_plain),
    "DateTime": Kind("timestamptz", _instant, prints=_quoted(_instant)),
    "Date": Kind("date", _text, prints=_quoted(_text)),
    "Decimal": Kind("numeric", _text, prints=_quoted(_text)),
    "Long": Kind("bigint", _text, _whole, prints=_quoted(_text)),
    "Duration": _DURATION,
    "JSON": Kind("json"),
}

UUIDS = Kind("uuid", _text)


def kind_of(graphql_type: Any) -> Kind:
    """Return the kind behind a leaf type of the schema; TypeError when there is none."""
    named = get_named_type(graphql_type)
    if isinstance(named, GraphQLEnumType):
        return _NAME
    if named.name not in _KINDS:
        raise TypeError(f"no column holds a {named.name}")
    return _KINDS[named.name]


def show(graphql_type: Any, expression: str) -> str:
    """Return the SQL that prints an expression as this type's JSON."""
    kind = kind_of(graphql_type)
    if not is_list_type(get_nullable_type(graphql_type)):
        return kind.show(expression)
    return (
        f"(select case when l.v is not null then (select coalesce(json_agg({kind.show('u.v')}"
        " order by u.i), '[]'::json) from unnest(l.v) with ordinality u(v, i)) end"
        f" from (select ({expression}) as v offset 0) l)"
    )


def printed(
    graphql_type: Any,
    expression: str,
    *,
    nullable: bool = True,
    once: Callable[[str], str] | None = None,
) -> Json:
    """Return the JSON text of an expression of this type.

    `once` gives a column that holds the value of an SQL expression, where one can be had.
    """
    kind = kind_of(graphql_type)
    if is_list_type(get_nullable_type(graphql_type)):
        found = text(f"({show(graphql_type, expression)})::text")
    elif kind is _DURATION and once is not None:
        found = string(_duration_of(once(f"({expression})::bigint")))
    else:
        found = kind.prints(expression)
    return replace(found, nullable=nullable)


def printed_of_column(graphql_type: Any, column: str, *, nullable: bool = True) -> Json:
    """Return the JSON text of a column of this type."""
    return printed(graphql_type, column, nullable=nullable, once=lambda _: column)
