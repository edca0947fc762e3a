"""Times as exports write them (R-IMP-01)."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from itr.errors import DomainError
from itr.imports.times import Time

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("format", "text", "at"),
    [
        ("iso", "2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00"),
        ("iso", "2026-03-02 10:00:00", "2026-03-02T02:00:00"),
        ("iso", "2026-03-02 01:00:00 UTC", "2026-03-02T01:00:00"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-03-02 01:00:00 UTC", "2026-03-02T01:00:00"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-03-02 01:00:00 Europe/Berlin", "2026-03-02T00:00:00"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-03-02 01:00:00 (GMT+8)", "2026-03-01T17:00:00"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-03-02 01:00:00 CST", "2026-03-01T17:00:00"),
        ("%d/%b/%y %I:%M %p", "12/Mar/26 4:05 PM", "2026-03-12T08:05:00"),
        ("%d/%b/%y %I:%M %p", "3/三月/26 4:07 下午", "2026-03-03T08:07:00"),
        ("%d/%b/%y %I:%M %p", "3/十二月/25 0:07 上午", None),
        ("%Y年%m月%d日 %p%I:%M", "2026年03月02日 上午10:00", "2026-03-02T02:00:00"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-03-02 01:00:00 GMT+08:00", "2026-03-01T17:00:00"),
        ("iso", "2026-03-02 01:00:00 UTC-03:30", "2026-03-02T04:30:00"),
        ("%Y/%m/%d %p%I:%M", "2026/3/2 中午11:30", "2026-03-02T03:30:00"),
        ("%Y/%m/%d %p%I:%M", "2026/3/2 中午12:30", "2026-03-02T04:30:00"),
        ("%Y/%m/%d %p%I:%M", "2026/3/2 中午1:30", "2026-03-02T05:30:00"),
        ("%Y/%m/%d %p%I:%M", "2026/3/2 凌晨12:30", "2026-03-01T16:30:00"),
        ("%Y/%m/%d %p%I:%M", "2026/3/2 晚上11:30", "2026-03-02T15:30:00"),
        ("%Y/%m/%d %p%I:%M", "2026/3/2 晚上12:30", None),
        ("%Y-%B-%d %H:%M", "2026-2月-03 08:00", "2026-02-03T00:00:00"),
        ("epoch", "1772416800", "2026-03-02T02:00:00"),
        ("epoch_ms", "1772416800123", "2026-03-02T02:00:00.123"),
        ("excel", "46083.416666666664", "2026-03-02T02:00:00"),
        ("excel", "46083,5", "2026-03-02T04:00:00"),
        (("%d.%m.%Y", "%Y-%m-%d %H:%M"), "2026-03-02 10:00", "2026-03-02T02:00:00"),
        (("%d.%m.%Y", "%Y-%m-%d %H:%M"), "02.03.2026", "2026-03-01T16:00:00"),
    ],
)
def test_a_time_is_read_as_the_mapping_says(format, text, at):
    """03, R-IMP-01: the zone in a value counts; names of zones, months, halves of the day."""
    time = Time(column="at", zone="Asia/Shanghai", format=format, zones={"CST": "Asia/Shanghai"})

    if at is None:
        with pytest.raises(DomainError, match="not a time"):
            time.read(text, NOW)
        return
    assert time.read(text, NOW)[0] == datetime.fromisoformat(at).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-03-02 01:00:00 IST", "2026-03-02 01:00:00 CET", "x", ""])
def test_a_zone_whose_name_means_several_is_explained_or_refused(text):
    """03: never eight hours off in silence."""
    with pytest.raises(DomainError, match="not a time"):
        Time(column="at", zone="Asia/Shanghai", format="%Y-%m-%d %H:%M:%S %Z").read(text, NOW)


@pytest.mark.parametrize("text", ["nan", "inf", "-1e30", "1e30", "9" * 400, "-1", "9" * 18])
@pytest.mark.parametrize("format", ["epoch", "epoch_ms", "excel"])
def test_a_number_that_is_no_time_is_listed(format, text):
    """05: never the end of an import."""
    with pytest.raises(DomainError):
        Time(column="at", zone="Asia/Shanghai", format=format).read(text, NOW)


@pytest.mark.parametrize("wrong", [{"zones": {"CST": "Mars/Base"}}, {"format": ()}])
def test_a_wrong_table_of_times_is_refused(wrong):
    """03."""
    with pytest.raises(ValidationError):
        Time(column="at", **wrong)
