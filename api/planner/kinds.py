"""How each kind of value is shown by SQL, compared in SQL, and handed to it as a parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from graphql import GraphQLEnumType, get_named_type, get_nullable_type, is_list_type

from api.planner.comparing import EXACT, FOLDED, Comparing
from itr.durations import LONGEST, microseconds_of


def _text(expression: str) -> str:
    return f"({expression})::text"


def _as_it_is(expression: str) -> str:
    return expression


def _instant(expression: str) -> str:
    return f"replace((({expression}) at time zone 'UTC')::text, ' ', 'T') || 'Z'"


def _duration(expression: str) -> str:
    """Print microseconds as sign, hours, minutes, seconds; null stays null."""
    return (
        "(select case when d.us < 0 then '-PT' when d.us >= 0 then 'PT' end"
        " || case when d.h > 0 then d.h || 'H' else '' end"
        " || case when d.m > 0 then d.m || 'M' else '' end"
        " || case when d.s % 1000000 > 0 then (d.s / 1000000) || '.'"
        " || rtrim(lpad((d.s % 1000000)::text, 6, '0'), '0') || 'S'"
        " when d.s > 0 then (d.s / 1000000) || 'S'"
        " when d.h = 0 and d.m = 0 then '0S' else '' end"
        " from (select e.us, abs(e.us) / 3600000000 as h, abs(e.us) / 60000000 % 60 as m,"
        f" abs(e.us) % 60000000 as s from (select ({expression})::bigint as us offset 0) e"
        " offset 0) d)"
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


@dataclass(frozen=True)
class Kind:
    """One kind of value: its SQL type, how SQL shows and compares it, how Python hands it over."""

    cast: str
    show: Callable[[str], str] = _as_it_is
    hand_over: Callable[[Any], Any] = _same
    comparing: Comparing = EXACT


_TEXT = Kind("text", _text, storable)

_KINDS = {
    "ID": _TEXT,
    "String": Kind("text", _text, storable, FOLDED),
    "Int": Kind("bigint", _as_it_is, _whole),
    "Float": Kind("float8"),
    "Boolean": Kind("boolean"),
    "DateTime": Kind("timestamptz", _instant),
    "Date": Kind("date", _text),
    "Decimal": Kind("numeric", _text),
    "Long": Kind("bigint", _text, _whole),
    "Duration": Kind("bigint", _duration, _microseconds),
    "JSON": Kind("json"),
}

UUIDS = Kind("uuid", _text)


def kind_of(graphql_type: Any) -> Kind:
    """Return the kind behind a leaf type of the schema; TypeError when there is none."""
    named = get_named_type(graphql_type)
    if isinstance(named, GraphQLEnumType):
        return _TEXT
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
