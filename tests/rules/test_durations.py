"""Durations as the API writes and reads them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itr.durations import (
    HOUR,
    LONGEST,
    MINUTE,
    SECOND,
    InvalidDuration,
    format_duration,
    microseconds_of,
    parse_duration,
)

WRITTEN = [
    (0, "PT0S"),
    (28 * HOUR + 30 * MINUTE, "PT28H30M"),
    (-15 * MINUTE, "-PT15M"),
    (1, "PT0.000001S"),
    (-1, "-PT0.000001S"),
    (90 * SECOND, "PT1M30S"),
    (HOUR + SECOND // 2, "PT1H0.5S"),
    (10 * SECOND, "PT10S"),
    (100 * 24 * HOUR, "PT2400H"),
    (LONGEST, "PT2562047788H54.775807S"),
]


@pytest.mark.parametrize(("microseconds", "text"), WRITTEN)
def test_a_duration_is_written_with_sign_and_hours_and_never_days(microseconds, text):
    assert format_duration(microseconds) == text
    assert parse_duration(text) == microseconds


@given(st.integers(-LONGEST, LONGEST))
def test_what_is_written_is_read_back_exactly(microseconds):
    assert parse_duration(format_duration(microseconds)) == microseconds


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [("+PT1H", HOUR), ("PT90M", 90 * MINUTE), ("PT0H", 0), ("-PT0S", 0), ("PT007H", 7 * HOUR)],
)
def test_equal_ways_of_writing_are_read_too(text, microseconds):
    assert parse_duration(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1D",
        "P1DT2H",
        "P1W",
        "PT1.5H",
        "PT1,5S",
        "PT.5S",
        "PT1.S",
        "PT0.0000001S",
        "pt1h",
        "PT1H ",
        "PT1H\n",
        "PT1M1H",
        "PT-1H",
        "--PT1H",
        "PT١H",
        "1H",
        "PT1",
        "PT1H\0",
        "PT9223372036854775807H",
        "PT" + "9" * 100_000 + "H",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(InvalidDuration):
        parse_duration(text)


def test_a_timedelta_is_taken_to_the_microsecond():
    longest = timedelta(days=999_999_999, seconds=86_399, microseconds=999_999)

    assert microseconds_of(timedelta(microseconds=-1)) == -1
    assert microseconds_of(longest) == 86_399_999_999_999_999_999
