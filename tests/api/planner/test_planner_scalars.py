"""SQL and Python print every kind of value alike, and read what they print."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from graphql import GraphQLEnumType, GraphQLNonNull
from hypothesis import assume, given
from hypothesis import strategies as st

from api.planner.kinds import kind_of, printed, show
from api.planner.scalars import (
    SCALARS,
    Long,
    print_duration,
    print_instant,
    read_date,
    read_decimal,
    read_duration,
    read_instant,
    read_long,
)
from tests.support import planner_desk
from tests.support.planner_desk import Desk
from tests.support.planner_schema import SCHEMA

small_desk = planner_desk.small_desk

MOST = 2**63 - 1

INSTANTS = [
    datetime(2026, 3, 2, tzinfo=UTC),
    datetime(2026, 3, 2, 1, 2, 3, 4, tzinfo=UTC),
    datetime(2026, 3, 2, 1, 2, 3, 400_000, tzinfo=UTC),
    datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_998, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]
MICROSECONDS = [
    0, 1, -1, 10, 999_999, 1_000_000, 1_500_000, -1_000_001, 59_999_999, 60_000_000, 61_000_000,
    3_599_999_999, 3_600_000_000, -900_000_000, 102_600_000_000, 3_600_000_001, 90_061_000_001,
    MOST, -MOST,
]  # fmt: skip
DECIMALS = ["0", "0.00", "-0.001", "12.50", "1E+5", "99999999999999999999.999999", "-1"]


async def shown(desk: Desk, name: str, value: Any) -> Any:
    """Return what SQL prints for a value of a scalar."""
    kind: Any = SCHEMA._schema.get_type(name)
    cast = kind_of(kind).cast
    return await desk.pool.fetchval(f"select ({show(kind, f'$1::{cast}')})::text", value)


async def answered(desk: Desk, name: str, value: Any) -> Any:
    """Return what a client reads of a value of a scalar, told as JSON."""
    kind: Any = SCHEMA._schema.get_type(name)
    json = printed(kind, f"$1::{kind_of(kind).cast}").filled
    return orjson.loads(await desk.pool.fetchval(f"select {json.sql}", value))


def by_python(name: str, value: Any) -> Any:
    """Return what Python prints for a value of a scalar."""
    kind: Any = SCHEMA._schema.get_type(name)
    return kind.coerce_output_value(value)


TEXTS = [
    "", '"', "\\", 'a"b\\c', "\b\t\n\f\r", "\x01\x1f\x7f", "客户 𝄞 \u2028", "it's", "$1 {t} :now",
]  # fmt: skip


@pytest.mark.parametrize("value", TEXTS, ids=repr)
@pytest.mark.parametrize("name", ["String", "ID"])
async def test_texts_are_escaped_as_postgresql_escapes_them(
    small_desk: Desk, name: str, value: str
) -> None:
    json = printed(SCHEMA._schema.get_type(name), "$1::text").sql

    assert await small_desk.pool.fetchval(f"select {json} = to_json($1::text)::text", value)
    assert await answered(small_desk, name, value) == value


@pytest.mark.parametrize("value", TEXTS, ids=repr)
async def test_a_name_of_an_enum_that_is_taken_out_of_json_cannot_end_its_string(
    small_desk: Desk, value: str
) -> None:
    enum = GraphQLEnumType("Colour", {"RED": None})
    json = printed(enum, "$1::jsonb->>'colour'").sql

    found = await small_desk.pool.fetchval(
        f"select {json}", orjson.dumps({"colour": value}).decode()
    )

    assert orjson.loads(found) == value


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("DateTime", INSTANTS),
        ("Duration", [timedelta(microseconds=1) * each for each in MICROSECONDS]),
        ("Decimal", [Decimal(each) for each in DECIMALS]),
        ("Long", [0, -1, MOST]),
        ("Date", [date(1, 1, 2), date(9999, 12, 30)]),
        ("Int", [0, -1, 2**31 - 1]),
        ("Boolean", [True, False]),
        ("Float", [0.0, -1.5, 1e300]),
    ],
)
async def test_every_kind_of_value_is_answered_as_python_prints_it(
    small_desk: Desk, name: str, values: list[Any]
) -> None:
    for value in values:
        given = kind_of(SCHEMA._schema.get_type(name)).hand_over(value)
        assert await answered(small_desk, name, given) == by_python(name, value)
    assert await answered(small_desk, name, None) is None


@pytest.mark.parametrize("value", INSTANTS, ids=str)
async def test_instants(small_desk: Desk, value: datetime) -> None:
    text = await shown(small_desk, "DateTime", value)

    assert text == by_python("DateTime", value)
    assert read_instant(text) == value


@pytest.mark.parametrize("value", MICROSECONDS)
async def test_durations(small_desk: Desk, value: int) -> None:
    text = await shown(small_desk, "Duration", value)

    assert text == by_python("Duration", timedelta(microseconds=1) * value)
    assert read_duration(text) == timedelta(microseconds=1) * value


@pytest.mark.parametrize("value", DECIMALS)
async def test_decimals(small_desk: Desk, value: str) -> None:
    text = await shown(small_desk, "Decimal", Decimal(value))

    assert text == by_python("Decimal", Decimal(value))
    assert read_decimal(text) == Decimal(value)


@pytest.mark.parametrize("value", [0, 1, -1, MOST, -MOST - 1])
async def test_long_integers(small_desk: Desk, value: int) -> None:
    text = await shown(small_desk, "Long", value)

    assert text == by_python("Long", Long(value))
    assert read_long(text) == value


@pytest.mark.parametrize("value", [date(2026, 3, 2), date(1, 1, 2), date(9999, 12, 30)], ids=str)
async def test_dates(small_desk: Desk, value: date) -> None:
    text = await shown(small_desk, "Date", value)

    assert text == by_python("Date", value)
    assert read_date(text) == value


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_what_the_driver_would_send_as_infinity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="outside the calendar"):
        read_instant(text)
    with pytest.raises(ValueError, match="outside the calendar"):
        read_date(text[:10])


async def test_no_value_stays_none(small_desk: Desk) -> None:
    for name in ("DateTime", "Duration", "Decimal", "Long", "Date", "String", "Int"):
        assert await shown(small_desk, name, None) is None


async def test_lists_are_printed_item_by_item(small_desk: Desk) -> None:
    from graphql import GraphQLList

    kind: Any = GraphQLList(GraphQLNonNull(SCHEMA._schema.get_type("DateTime")))  # type: ignore[type-var]

    listed = await small_desk.pool.fetchval(
        f"select ({show(kind, '$1::timestamptz[]')})::jsonb", INSTANTS
    )
    empty = await small_desk.pool.fetchval(f"select ({show(kind, '$1::timestamptz[]')})::text", [])
    none = await small_desk.pool.fetchval(f"select ({show(kind, '$1::timestamptz[]')})::text", None)

    assert listed == "[" + ", ".join(f'"{print_instant(each)}"' for each in INSTANTS) + "]"
    assert (empty, none) == ("[]", None)


async def test_many_values_at_once_are_printed_alike(small_desk: Desk) -> None:
    numbers = [number * 7_919_000_003 % (2 * MOST) - MOST for number in range(1, 20_000)]
    kind: Any = SCHEMA._schema.get_type("Duration")

    texts = await small_desk.pool.fetch(
        f"select {show(kind, 'u')} from unnest($1::bigint[]) with ordinality as a(u, i) order by i",
        numbers,
    )

    one = timedelta(microseconds=1)
    assert [row[0] for row in texts] == [print_duration(one * number) for number in numbers]


@given(st.datetimes(timezones=st.timezones()))
def test_instants_are_read_as_printed(value: datetime) -> None:
    assume(2 < value.year < 9998)  # the ends are tested above
    text = print_instant(value)

    assert read_instant(text) == value.astimezone(UTC)
    assert text.endswith("Z")


@pytest.mark.parametrize("scalar", SCALARS.values(), ids=lambda it: it.name)
@given(value=st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
def test_scalars_refuse_what_they_cannot_read(scalar: Any, value: object) -> None:
    from strawberry.exceptions import StrawberryInputCoercionError

    try:
        read = scalar.parse_value(value)
    except StrawberryInputCoercionError:
        return

    assert scalar.serialize(read)
